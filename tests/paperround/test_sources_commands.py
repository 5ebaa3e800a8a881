"""The sources commands, as an operator types them."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from paperround.demo.site import DAYS, DemoSite, read_pages
from scrapers.registry import KINDS


@pytest.fixture
def today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def site(today) -> Iterator[DemoSite]:
    """The demo's site, on which its last page is today's."""
    page = read_pages()[DAYS[-1]].replace(str(DAYS[-1]).encode(), str(today).encode())
    with DemoSite({today: page}) as opened:
        yield opened


@pytest.fixture
def damaged_site(today) -> Iterator[DemoSite]:
    """A site whose page of today is cut in the middle of its data."""
    page = read_pages()[DAYS[-1]]
    with DemoSite({today: page[: len(page) // 2]}) as opened:
        yield opened


@pytest.fixture
def damaged(folder, damaged_site):
    settings = f'[[source]]\nname = "hf"\nkind = "huggingface-daily"\nurl = "{damaged_site.url}"\n'
    (folder / "paperround.toml").write_text(settings)
    return folder


def papers(paperround) -> int:
    return paperround("archive", "stats", "--json").json["papers"]


# -- check -------------------------------------------------------------------------------------------------------------


def test_check_tells_what_is_there_keeps_nothing_and_knows_when_the_last_new_paper_came(
    paperround, configured, site, today
):
    first = paperround("sources", "check", "--json")
    (told,) = first.json["sources"]
    assert first.code == 0
    assert (told["source"], told["status"], told["day"]) == ("hf", "ok", str(today))
    assert told["listed"] > 10
    assert (told["new"], told["last_new"], told["last_new_day"]) == (0, None, None)
    assert (told["unusual"], told["advice"], told["error"], told["warning"]) == ("", "", "", "")
    assert papers(paperround) == 0
    text = paperround("sources", "check")
    assert text.code == 0
    heads, row = text.out.splitlines()
    assert heads.split() == ["source", "day", "status", "listed", "last", "new", "listed", "on"]
    assert row.split() == ["hf", str(today), "ok", str(told["listed"]), "never"]

    assert paperround("collect").code == 0
    (later,) = paperround("sources", "check", "hf", "--json").json["sources"]
    assert later["last_new_day"] == str(today)
    assert datetime.fromisoformat(later["last_new"]).date() >= today
    assert later["listed"] == told["listed"], "it asks unconditionally"
    assert " UTC " in paperround("sources", "check").out.splitlines()[1]


def test_check_of_a_page_that_changed_says_so_and_what_to_do(paperround, damaged):
    ran = paperround("sources", "check")
    assert ran.code == 1
    said = ran.out.splitlines()
    assert "layout-changed" in said[1]
    assert said[2] == "hf: the page is cut in the middle of a tag, so nothing of it is kept"
    assert said[3].startswith("hf: mend its url if that is the wrong page; else look for a newer version")
    (told,) = paperround("sources", "check", "--json").json["sources"]
    assert (told["status"], told["error"], told["advice"]) == ("layout-changed", said[2][4:], said[3][4:])


def test_check_of_a_site_without_the_page_could_read_nothing(paperround, configured, site, today):
    site._pages.clear()
    ran = paperround("sources", "check", "--json")
    (told,) = ran.json["sources"]
    assert (ran.code, told["status"]) == (3, "failed")
    assert told["error"] == f"{site.url}/papers/date/{today} answered 404"
    assert told["advice"].startswith("nothing at first")


@pytest.mark.parametrize("command", ["check", "replay"])
def test_a_source_that_is_not_configured_is_named_with_those_that_are(paperround, configured, site, command):
    ran = paperround("sources", command, "arxiv")
    assert ran.code != 0
    assert "there is no source 'arxiv'; configured: hf" in ran.err
    assert site.requests == 0


# -- replay ------------------------------------------------------------------------------------------------------------


def test_replay_reads_the_kept_pages_once_more_and_asks_nobody(paperround, configured, site):
    listed = paperround("collect", "--json").json["sources"][0]["listed"]
    asked, before = site.requests, papers(paperround)
    ran = paperround("sources", "replay", "hf", "--json")
    (told,) = ran.json["sources"]
    assert ran.code == 0
    assert (told["status"], told["listed"], told["new"], told["pages"]) == ("ok", listed, 0, 1)
    assert (site.requests, papers(paperround)) == (asked, before)
    assert paperround("sources", "replay", "hf").out.splitlines()[1].split()[0] == "hf"


def test_replay_of_a_page_that_is_still_not_understood_says_which(paperround, damaged):
    assert paperround("collect").code == 1
    ran = paperround("sources", "replay", "hf", "--json")
    (told,) = ran.json["sources"]
    assert (ran.code, told["status"], told["listed"]) == (1, "layout-changed", 0)
    assert told["error"].startswith("the page of ")
    assert told["error"].endswith(" UTC: the page is cut in the middle of a tag, so nothing of it is kept")


def test_replay_without_a_kept_page_says_so(paperround, configured):
    (told,) = paperround("sources", "replay", "hf", "--json").json["sources"]
    assert (told["status"], told["error"]) == ("ok-empty", "no page of it is kept")


# -- list --------------------------------------------------------------------------------------------------------------


def test_list_shows_what_came_of_each_the_last_time(paperround, configured, today):
    before = {
        "source": "hf",
        "kind": "huggingface-daily",
        "every": "1h",
        "status": None,
        "at": None,
        "day": None,
        "error": "",
        "answer": None,
    }
    assert paperround("sources", "list", "--json").json == {"sources": [before]}
    paperround("collect")
    (after,) = paperround("sources", "list", "--json").json["sources"]
    assert (after["status"], after["day"], after["error"]) == ("ok", str(today), "")
    assert datetime.fromisoformat(after["at"]).tzinfo is not None
    assert after["answer"]["http"] == 200
    assert after["answer"]["bytes"] > 1000
    heads, row = paperround("sources", "list").out.splitlines()
    assert heads.split() == ["source", "kind", "every", "status", "at", "day"]
    assert row.split()[:4] == ["hf", "huggingface-daily", "1h", "ok"]


def test_list_shows_the_error_of_one_that_failed(paperround, damaged):
    paperround("collect")
    (told,) = paperround("sources", "list", "--json").json["sources"]
    assert told["status"] == "layout-changed"
    assert "cut in the middle of a tag" in told["error"]


# -- example -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_every_kind_is_settings_that_this_version_takes(paperround, folder, kind):
    toml = paperround("sources", "example", kind).out
    assert paperround("sources", "example", kind, "--json").json == {"kind": kind, "toml": toml.rstrip("\n")}
    (source,) = tomllib.loads(toml)["source"]
    (folder / "paperround.toml").write_text(toml)
    (told,) = paperround("sources", "list", "--json").json["sources"]
    assert (told["source"], told["kind"]) == (source["name"], kind)


def test_all_examples_stand_beside_each_other(paperround, folder):
    (folder / "paperround.toml").write_text("\n".join(paperround("sources", "example", kind).out for kind in KINDS))
    told = paperround("sources", "list", "--json").json["sources"]
    assert [each["kind"] for each in told] == list(KINDS)
    assert len({each["source"] for each in told}) == len(KINDS)


def test_an_unknown_kind_is_answered_with_the_legal_ones(paperround, folder):
    ran = paperround("sources", "example", "carrier-pigeon")
    assert ran.code == 2
    assert all(kind in ran.err for kind in KINDS)
