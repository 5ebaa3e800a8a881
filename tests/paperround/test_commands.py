"""The commands of interface.md, run as a person or a script would run them."""

import email
import email.policy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paperround.demo.site import DAYS


def test_the_road_by_hand(paperround, configured):
    day = paperround("collect", "--day", "2026-11-20", "--json")
    assert (day.code, day.json["new"]) == (0, 21)
    assert day.json["sources"][0] == {
        "source": "hf",
        "status": "ok",
        "day": "2026-11-20",
        "listed": 21,
        "new": 21,
        "updated": 0,
        "pages": 1,
        "error": "",
        "warning": "",
    }
    again = paperround("--json", "collect", "--day", "2026-11-20")
    assert (again.code, again.json["sources"][0]["status"]) == (0, "not-modified")
    assert paperround("subscribe", "mira@lab.example", "--topic", "Tongues = speech OR dictation").code == 0
    assert paperround("match", "--json").json["papers"] == 21
    dry = paperround("publish", "--now", "2026-11-20T18:00Z", "--dry-run", "--json").json
    real = paperround("publish", "--now", "2026-11-20T18:00Z", "--json").json
    assert dry == real
    assert (real["due"], real["issues"], real["skipped"]) == (1, 1, {})
    assert paperround("publish", "--now", "2026-11-20T19:00Z", "--json").json["due"] == 0
    assert paperround("deliver", "--json").json == {
        "accepted": 1,
        "deferred": 0,
        "rejected": 0,
        "uncertain": 0,
        "skipped": 0,
        "expired": 0,
    }
    assert paperround("deliver", "--json").json["accepted"] == 0
    (file,) = (configured / "outbox").glob("*.eml")
    (issue,) = paperround("issues", "list", "--json").json["issues"]
    assert (issue["subscriber"], issue["slot"], issue["state"]) == ("mira@lab.example", "2026-11-20", "accepted")
    assert paperround("issues", "show", issue["id"], "--format", "eml").out.encode() == file.read_bytes()
    assert "Tongues" in paperround("issues", "show", issue["id"]).out
    assert paperround("issues", "show", issue["id"], "--format", "html").out.startswith("<!doctype html>")
    (delivery,) = paperround("deliveries", "list", "--state", "accepted", "--json").json["deliveries"]
    assert delivery["issue"] == issue["id"]
    assert delivery["message_id"] == issue["message_id"]
    letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert letter["Message-ID"] == issue["message_id"]
    assert letter["List-Unsubscribe"] is None


def test_since_asks_for_every_day_and_a_day_that_has_no_page_is_told(paperround, configured, site):
    today = datetime.now(UTC).date()
    first = today - timedelta(days=2)
    ran = paperround("collect", "--since", str(first), "--json")
    assert site.requests == 4
    assert ran.json["sources"][0]["pages"] == sum(first <= day <= today for day in DAYS)


def test_days_that_cannot_be_asked_for_are_refused(paperround, configured, site):
    ran = paperround("collect", "--since", "2027-01-01")
    assert ran.code == 2
    assert "future" in ran.err
    assert paperround("collect", "--day", "2026-11-31").code == 2
    assert site.requests == 0


def test_a_source_that_fails_is_reported_and_the_rest_is_done(paperround, configured):
    with (configured / "paperround.toml").open("a") as settings:
        settings.write('[[source]]\nname = "dead"\nkind = "huggingface-daily"\nurl = "http://127.0.0.1:9"\n')
    ran = paperround("collect", "--day", "2026-11-19", "--json")
    assert ran.code == 1
    assert [(each["source"], each["status"]) for each in ran.json["sources"]] == [("hf", "ok"), ("dead", "failed")]
    assert paperround("collect", "--day", "2026-11-19", "--source", "dead").code == 3
    assert paperround("collect", "--source", "nobody").code == 2


def test_init_makes_a_folder_that_works_and_is_never_overwritten(paperround, folder):
    made = paperround("init", "lab", "--json")
    assert made.code == 0
    settings = folder / "lab" / "paperround.toml"
    assert settings.stat().st_mode & 0o077 == 0
    text = settings.read_text()
    assert (folder / "lab" / "paperround.db").is_file()
    again = paperround("init", "lab")
    assert again.code == 2
    assert settings.read_text() == text
    listed = paperround("--config", "lab/paperround.toml", "sources", "list", "--json").json["sources"]
    assert [each["source"] for each in listed] == ["huggingface-daily"]


def test_imported_files_are_reported_in_order_and_a_bad_one_stops_nobody(paperround, folder):
    (folder / "a.jsonl").write_text(json.dumps({"title": "One Paper about Tides", "abstract": "Low and high."}) + "\n")
    (folder / "b.bin").write_bytes(b"\x00\x01\x02")
    ran = paperround("import", "b.bin", "a.jsonl", "missing.txt", "--json")
    assert ran.code == 1
    assert [each["source"] for each in ran.json["sources"]] == ["b.bin", "a.jsonl", "missing.txt"]
    assert [each["new"] for each in ran.json["sources"]] == [0, 1, 0]
    assert "No such file" in ran.json["sources"][2]["error"]
    assert paperround("import", "a.jsonl", "--kind", "novel").code == 2
    assert paperround("import", "missing.txt").code == 3


def test_what_is_exported_can_be_imported_elsewhere(paperround, configured):
    paperround("collect", "--day", "2026-11-18")
    exported = paperround("papers", "export", "--format", "jsonl").out
    assert len(exported.splitlines()) == 22
    Path("export.jsonl").write_text(exported)
    Path("empty").mkdir()
    Path("empty/paperround.toml").write_text("")
    elsewhere = paperround("--config", "empty/paperround.toml", "import", "export.jsonl", "--json").json
    assert elsewhere["new"] == 22
    assert paperround("papers", "export", "speech", "--format", "jsonl").code == 0
    assert paperround("papers", "export", "--format", "word").code == 2


def test_papers_are_searched_and_shown(paperround, configured):
    paperround("collect", "--day", "2026-11-18")
    found = paperround("papers", "search", "model", "--limit", "2", "--json").json
    assert len(found["papers"]) == 2
    assert found["total"] > 2
    keys = {"key", "title", "abstract", "authors", "author_count", "published", "first_seen", "url", "sources"}
    assert keys | {"upvotes", "comments"} <= found["papers"][0].keys()
    shown = paperround("papers", "show", found["papers"][0]["key"], "--json").json
    assert shown["sightings"][0]["source"] == "hf"
    assert {"rank", "upvotes", "comments", "keywords"} <= set(shown["sightings"][0])
    assert "announcement" not in shown["sightings"][0], "what a listing did not say is left out"
    assert paperround("papers", "show", "arxiv:0000.00000").code == 2
    assert paperround("papers", "show", found["papers"][0]["key"]).code == 0


@pytest.mark.parametrize(
    ("query", "column"),
    [("", 1), ('"unclosed', 1), ("a (b", 3), ("-only -excluded", 1), ('tides ""', 7), ("x" * 10_000, None)],
)
def test_a_topic_that_cannot_be_read_names_its_column(paperround, query, column):
    ran = paperround("topics", "check", query, "--json")
    assert ran.code == 2
    if column is not None:
        assert ran.json["column"] == column
    assert ran.json["error"]
    assert len(ran.err.splitlines()) == 1 or len(query) > 70


def test_a_topic_that_was_perhaps_meant_is_suggested_and_what_was_perhaps_not_meant_is_noted(paperround):
    refused = paperround("topics", "check", "titel:tides", "--json")
    assert (refused.code, refused.json["suggestion"]) == (2, "title:tides")
    assert refused.json.keys() == {"error", "column", "suggestion"}
    assert paperround("topics", "check", "-tides", "--json").json.keys() == {"error", "column"}

    read = paperround("topics", "check", 'tides or author:"Okafor, Mira"', "--json").json
    assert read["normal_form"] == 'author:"mira okafor" tides'
    assert read["terms"] == ["tides", 'author:"mira okafor"']
    assert len(read["notes"]) == 1
    assert "note: “or” is passed over" in paperround("topics", "check", "tides or moon").out
    assert paperround("topics", "check", "tides", "--json").json["notes"] == []


def test_a_query_that_begins_with_a_dash_is_a_query(paperround):
    assert paperround("topics", "check", "-survey tides", "--json").json["terms"] == ["tides"]
    assert paperround("topics", "preview", "-survey tides", "--json").json["total"] == 0
    assert paperround("papers", "search", "-survey tides", "--json").json["total"] == 0


def test_preview_counts_days_from_the_newest_of_the_archive(paperround, configured):
    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        paperround("collect", "--day", day)
    whole = paperround("topics", "preview", "speech OR model", "--json").json
    last = paperround("topics", "preview", "speech OR model", "--days", "1", "--json").json
    assert sum(whole["per_day"].values()) == whole["total"] == len(whole["papers"])
    assert list(last["per_day"]) == ["2026-11-20"]
    assert len(paperround("topics", "preview", "model", "--limit", "1", "--json").json["papers"]) == 1
    assert whole["papers"][0]["tier"] == 1
    assert whole["papers"][0]["why"][0]


def test_a_source_is_told_as_readers_know_it_in_letters_and_previews(paperround, configured):
    paperround("collect", "--day", "2026-11-20")
    found = paperround("topics", "preview", "source:hf", "--limit", "1", "--json").json
    assert [each["why"] for each in found["papers"]] == [["on Hugging Face Daily Papers"]]
    paperround("subscribe", "mira@lab.example", "--topic", "source:hf")
    paperround("match")
    assert "Why: on Hugging Face Daily Papers\n" in paperround("issues", "preview", "mira@lab.example").out


def test_preview_says_in_words_how_many_a_day_and_what_each_exclusion_keeps_out(paperround, configured):
    assert "no papers yet" in paperround("topics", "preview", "speech").out
    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        paperround("collect", "--day", day)
    asked = "speech OR (model -survey)"
    told = paperround("topics", "preview", asked, "--json").json
    assert {"query", "days", "newest", "total", "exact", "related", "per_day", "excluded", "terms"} < told.keys()
    assert [each["term"] for each in told["excluded"]] == ["-survey"]
    lines = paperround("topics", "preview", asked, "--limit", "1").out.splitlines()
    assert lines[0] == f"{told['exact']} papers of the 14 days up to 20 November 2026 answer (model -survey) OR speech"
    assert lines[1].startswith("a day: 20 Nov ")
    assert any(line.startswith("-survey keeps out ") for line in lines)
    assert f"the best 1 of {told['total']}:" in lines
    assert sum(line.startswith("2026-11-") for line in lines) == 1
    assert "a month: Nov 2026 " not in paperround("topics", "preview", "speech", "--days", "3660").out


def test_a_preview_of_nothing_is_one_line(paperround, configured):
    paperround("collect", "--day", "2026-11-20")
    said = paperround("topics", "preview", "unheard").out
    assert said == "0 papers of the 14 days up to 20 November 2026 answer unheard\n"


def test_readers_are_added_changed_and_taken_off(paperround, folder):
    added = paperround(
        "subscribe", "Mira@Lab.Example", "--topic", "tides", "--every", "week", "--weekday", "fri", "--hour", "9",
        "--zone", "Europe/Berlin", "--json",
    ).json  # fmt: skip
    assert (added["state"], added["weekday"], added["hour"], added["zone"]) == ("confirmed", "fri", 9, "Europe/Berlin")
    assert paperround("subscribers", "topics", "mira@lab.example", "--add", "-mud rivers").code == 0
    changed = paperround("subscribers", "topics", "mira@lab.example", "--remove", "tides", "--json").json
    assert [each["query"] for each in changed["topics"]] == ["-mud rivers"]
    assert paperround("topics", "list", "--json").json["topics"][0]["readers"] == 1
    gone = paperround("subscribers", "unsubscribe", "mira@lab.example", "--json").json
    assert gone["state"] == "unsubscribed"
    (goodbye,) = paperround("deliveries", "list", "--json").json["deliveries"]
    assert goodbye["recipient"] == "Mira@Lab.Example"
    shown = paperround("subscribers", "show", "mira@lab.example", "--json").json
    assert [each["action"] for each in shown["consent"]] == ["vouched", "unsubscribed by the operator"]
    assert len(paperround("subscribers", "list", "--json").json["subscribers"]) == 1
    assert paperround("subscribers", "show", "nobody@lab.example").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("subscribe", "mira@lab.example\r\nBcc: all@lab.example", "--topic", "tides"),
        ("subscribe", "not an address", "--topic", "tides"),
        ("subscribe", f"{'m' * 310}@lab.example", "--topic", "tides"),
        ("subscribe", "mira@lab.example", "--topic", "-tides"),
        ("subscribe", "mira@lab.example", "--topic", "t" * 10_000),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--hour", "25"),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--hour", "-1"),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--hour", "readyish"),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--hour", "ready:24"),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--hour", "ready:"),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--hour", "ready:9", "--latest", "9"),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--hour", "ready", "--latest", "noon"),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--hour", "9", "--latest", "12"),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--latest", "12"),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--zone", "Mars/Olympus"),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--every", "year"),
        ("subscribe", "mira@lab.example", "--topic", "tides", "--weekday", "someday"),
        ("subscribe", "mira@lab.example"),
        ("publish", "--now", "yesterday"),
        ("publish", "--now", "2026-11-20T07:00"),
        ("issues", "show", "nothing"),
        ("deliveries", "list", "--state", "lost"),
        ("sources", "example", "carrier-pigeon"),
        ("collect",),
        ("nonsense",),
    ],
)
def test_wrong_words_are_answered_in_one_sentence_and_change_nothing(paperround, arguments):
    ran = paperround(*arguments)
    assert ran.code == 2
    assert ran.err.startswith("paperround: ")
    assert paperround("archive", "stats", "--json").json["subscribers"] == 0


def test_a_letter_may_wait_for_its_sources_with_an_hour_at_the_latest(paperround, folder):
    shown = {}
    for name, *words in (("mira",), ("ada", "--latest", "18")):
        email = f"{name}@lab.example"
        added = (
            "subscribe",
            email,
            "--topic",
            "tides",
            "--hour",
            "ready",
            *words,
            "--zone",
            "Asia/Tokyo",
            "--confirmed",
        )
        shown[name] = paperround(*added, "--json").json
    Path("list.csv").write_text("email,topic,hour\njonas@lab.example,tides,ready:9\neve@lab.example,tides,7\n")
    paperround("subscribers", "import", "list.csv")
    for name in ("jonas", "eve"):
        shown[name] = paperround("subscribers", "show", f"{name}@lab.example", "--json").json
    assert {name: (each["hour"], each["latest"]) for name, each in shown.items()} == {
        "mira": ("ready", 12),
        "ada": ("ready", 18),
        "jonas": ("ready", 9),
        "eve": (7, None),
    }
    told = paperround("subscribers", "show", "ada@lab.example").out
    assert "at 18:00, Asia/Tokyo at the latest, sooner once the sources have closed their day" in " ".join(told.split())


def test_a_list_of_readers_comes_in_whole_or_not_at_all(paperround, folder):
    header = "email,topic,every,weekday,hour,zone,state\n"
    wishes = "week,fri,9,Europe/Berlin,confirmed\n"
    Path("good.csv").write_text(f'{header}mira@lab.example,"tides, moons",{wishes}mira@lab.example,rivers,{wishes}')
    assert paperround("subscribers", "import", "good.csv", "--json").json["subscribers"] == 1
    shown = paperround("subscribers", "show", "mira@lab.example", "--json").json
    assert len(shown["topics"]) == 2
    for bad, words in {
        "jonas@lab.example,tides,,,25,,": "line 2: hour",
        "jonas@lab.example,tides,,,ready:25,,": "line 2: hour must be 0 to 23, not '25'",
        "jonas@lab.example,tides,,,readyish,,": "line 2: hour must be 0 to 23 or ready, not 'readyish'",
        "jonas@lab.example,(tides,,,,,": "line 2",
        "jonas,tides,,,,,": "line 2",
        "jonas@lab.example,tides,,,7,,\njonas@lab.example,mud,,,8,,": "line 3: hour differs",
        "jonas@lab.example,tides,,,,,suppressed": "state must be",
        "jonas@lab.example,tides,day,,7,UTC,pending,more": "more fields",
    }.items():
        Path("bad.csv").write_text(header + bad + "\n")
        ran = paperround("subscribers", "import", "bad.csv")
        assert ran.code == 2
        assert words in " ".join(ran.err.split())
    assert len(paperround("subscribers", "list", "--json").json["subscribers"]) == 1
    Path("bad.csv").write_text("mail,topic\nx@lab.example,tides\n")
    assert "legal: email, topic" in " ".join(paperround("subscribers", "import", "bad.csv").err.split())


def test_the_demo_runs_and_a_second_one_sends_nothing(paperround, folder):
    first = paperround("demo", "--dir", "d", "--json").json
    assert (first["new"], first["letters"], first["accepted"]) == (61, 2, 2)
    letters = sorted(Path("d/outbox").glob("*.eml"))
    before = [letter.read_bytes() for letter in letters]
    assert len(letters) == 2
    second = paperround("demo", "--dir", "d")
    assert second.code == 0
    assert len(second.out.splitlines()) == 6
    assert [letter.read_bytes() for letter in sorted(Path("d/outbox").glob("*.eml"))] == before
    assert "Protein design" in Path("d/digest.html").read_text()


def test_preview_of_an_issue_is_the_letter_that_is_then_sent(paperround, configured):
    paperround("collect", "--day", "2026-11-20")
    paperround("subscribe", "mira@lab.example", "--topic", "speech OR model")
    paperround("match")
    shown = paperround("issues", "preview", "mira@lab.example").out
    assert shown.startswith("Subject: ")
    paperround("publish")
    (issue,) = paperround("issues", "list", "--json").json["issues"]
    assert paperround("issues", "show", issue["id"]).out.strip() in shown
    assert "no letter now" in paperround("issues", "preview", "mira@lab.example").out


def test_run_once_does_whatever_is_due(paperround, configured):
    paperround("subscribe", "mira@lab.example", "--topic", "speech")
    paperround("collect", "--day", "2026-11-20")
    ran = paperround("run", "--once", "--json")
    assert ran.json["issues"] == 1
    assert ran.json["accepted"] == 1
    assert paperround("run", "--once", "--json").json["accepted"] == 0


def test_sources_can_be_checked_without_keeping_anything(paperround, configured):
    ran = paperround("sources", "check", "--json")
    assert ran.json["sources"][0]["source"] == "hf"
    assert paperround("archive", "stats", "--json").json["papers"] == 0
    assert 'kind = "huggingface-search"' in paperround("sources", "example", "huggingface-search").out


def test_the_archive_says_its_schema(paperround):
    assert paperround("archive", "migrate", "--json").json["schema"] == "0008"


def test_publish_matches_first_so_that_no_letter_says_nothing_matched_by_mistake(paperround, configured):
    paperround("collect", "--day", "2026-11-20")
    paperround("subscribe", "mira@lab.example", "--topic", "speech")
    assert paperround("publish", "--now", "2026-11-20T18:00Z", "--json").json["papers"] > 0


def test_a_change_of_topics_is_made_whole_or_not_at_all(paperround, folder):
    paperround("subscribe", "mira@lab.example", "--topic", "tides", "--topic", "mud")
    assert paperround("subscribers", "topics", "mira@lab.example", "--remove", "tides", "--remove", "typo").code == 2
    shown = paperround("subscribers", "topics", "mira@lab.example", "--json").json
    assert [each["query"] for each in shown["topics"]] == ["tides", "mud"]


def test_the_column_of_a_named_topic_counts_from_its_name(paperround):
    ran = paperround("subscribe", "mira@lab.example", "--topic", "Name = (tides", "--json")
    assert ran.json["column"] == 8
    for bad in ("Name = ", "x" * 101 + " = tides"):
        assert paperround("subscribe", "mira@lab.example", "--topic", bad).code == 2


def test_a_paper_is_shown_by_whatever_names_it(paperround, configured):
    paperround("collect", "--day", "2026-11-18")
    key = paperround("papers", "search", "model", "--json").json["papers"][0]["key"]
    number = key.removeprefix("arxiv:")
    for name in (key, number, f"{number}v2", f"https://arxiv.org/abs/{number}", f"10.48550/arXiv.{number}"):
        assert paperround("papers", "show", name, "--json").json["key"] == key


def test_a_search_in_json_is_complete(paperround, configured):
    for day in DAYS:
        paperround("collect", "--day", str(day))
    found = paperround("papers", "search", "we OR model OR a", "--json").json
    assert len(found["papers"]) == found["total"] > 20


@pytest.mark.parametrize(
    "arguments",
    [
        ("papers", "show", "\udcff"),
        ("subscribe", "mira@lab.example", "--topic", "N\udcff = tides"),
        ("papers", "search", "tides", "--limit", "99999999999999999999"),
        ("issues", "list", "--limit", "99999999999999999999"),
        ("publish", "--now", "9999-12-31T23:59:59Z"),
        ("publish", "--now", "0001-01-01T00:00:00Z"),
    ],
)
def test_what_no_database_and_no_clock_can_hold_is_refused(paperround, arguments):
    paperround("subscribe", "jonas@lab.example", "--topic", "tides", "--zone", "Pacific/Auckland")
    ran = paperround(*arguments)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1


def test_a_list_with_a_field_that_no_one_could_type_is_refused(paperround, folder):
    for field in ("t" * 200_000, '"tides",' + "9" * 5_000):
        Path("bad.csv").write_text(f"email,topic,hour\nmira@lab.example,{field}\n")
        assert paperround("subscribers", "import", "bad.csv").code == 2


def test_a_group_without_a_command_shows_its_help(paperround):
    for words in ((), ("papers",), ("archive",)):
        ran = paperround(*words)
        assert ran.code == 2
        assert len(ran.out.splitlines()) > 5
        assert ran.err == ""


def test_titles_of_signs_alone_are_papers_too(paperround, folder):
    Path("odd.jsonl").write_text(
        '{"title": "???"}\n{"title": "Editorial"}\n{"title": "Editorial", "abstract": "Mud."}\n'
    )
    assert paperround("import", "odd.jsonl", "--json").json["new"] == 3
    assert paperround("import", "odd.jsonl", "--json").json["new"] == 0


def test_json_is_there_wherever_a_command_reports(paperround, configured):
    paperround("collect", "--day", "2026-11-20")
    paperround("subscribe", "mira@lab.example", "--topic", "speech")
    assert paperround("issues", "preview", "mira@lab.example", "--json").json["subject"]
    paperround("publish")
    (issue,) = paperround("issues", "list", "--json").json["issues"]
    for form in ("text", "html", "eml"):
        assert paperround("--json", "issues", "show", issue["id"], "--format", form).json["format"] == form
    assert paperround("sources", "example", "huggingface-daily", "--json").json["kind"] == "huggingface-daily"


def test_of_a_flood_the_best_fifty_are_named_once_each_and_only_they_count_as_sent(paperround, folder):
    rows = [
        {"title": f"Tides and Their Number {n}", "abstract": "Tides.", "url": f"https://x.example/{n}"}
        for n in range(60)
    ]
    Path("flood.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    paperround("import", "flood.jsonl", "--news")
    paperround("subscribe", "mira@lab.example", "--topic", "tides")
    assert paperround("publish", "--json").json["papers"] == 50
    (issue,) = paperround("issues", "list", "--json").json["issues"]
    letter = paperround("issues", "show", issue["id"]).out
    assert sum(f"Number {n}\n" in letter or f"Number {n} " in letter for n in range(60)) == 50
    assert "60 matched: 5 in full, 45 by title, 10 only counted." in " ".join(letter.split())


def test_a_paper_is_shown_with_who_says_it_otherwise_and_what_happened_to_it(paperround, folder):
    record = {"title": "Tides in times 60 Seas", "abstract": "We measure tides. " * 20, "arxiv_id": "2611.90001"}
    (folder / "a.jsonl").write_text(json.dumps({**record, "version": 1}) + "\n")
    page = {**record, "title": "Tides in $60$ Seas", "version": 2, "doi": "10.5555/tides.1", "withdrawn": True}
    (folder / "b.jsonl").write_text(json.dumps(page) + "\n")
    for name in ("a.jsonl", "b.jsonl"):
        assert paperround("import", name).code == 0
    shown = paperround("papers", "show", "doi:10.5555/tides.1", "--json").json
    assert [(each["kind"], each["note"]) for each in shown["events"]] == [
        ("version", "v2"),
        ("withdrawn", "v2"),
        ("named", "doi:10.5555/tides.1"),
    ]
    assert (shown["title"], shown["wordings"], shown["possible_duplicates"]) == ("Tides in $60$ Seas", [], [])
    told = paperround("papers", "show", "arxiv:2611.90001").out
    assert "new version v2" in told
    assert "known as well as doi:10.5555/tides.1" in told
