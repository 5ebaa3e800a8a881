import os
import stat
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

KEPT = {
    "papers",
    "sightings",
    "sources",
    "subscribers",
    "topics",
    "issues",
    "deliveries",
    "size_bytes",
    "oldest",
    "newest",
}


@pytest.fixture
def collected(paperround, configured):
    """Three days of the demo's site, and one reader's letter."""
    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        paperround("collect", "--day", day)
    paperround("subscribe", "mira@lab.example", "--topic", "speech OR model")
    paperround("run", "--once")
    return configured


def test_the_days_add_up_to_the_archive(paperround, collected):
    told = paperround("archive", "stats", "--days", "400", "--json").json
    assert told.keys() == KEPT | {"per_day"}
    days = told["per_day"].values()
    assert len(days) == 400
    assert sum(day["new"].get("hf", 0) for day in days) == told["papers"] > 0
    assert sum(day["listed"].get("hf", 0) for day in days) == told["sightings"]
    assert sum(day["matches"] for day in days) > 0
    assert sum(day["letters"].get("accepted", 0) for day in days) == told["issues"] == 1


def test_the_newest_day_can_be_chosen(paperround, collected):
    told = paperround("archive", "stats", "--days", "2", "--until", "2026-11-19", "--json").json["per_day"]
    assert list(told) == ["2026-11-18", "2026-11-19"]
    assert all(day["listed"].keys() == {"hf"} for day in told.values())
    before = paperround("archive", "stats", "--days", "1", "--until", "2026-11-17", "--json").json["per_day"]
    assert before == {"2026-11-17": {"listed": {}, "new": {}, "matches": 0, "letters": {}}}


def test_a_person_reads_a_row_for_each_source_and_state(paperround, collected):
    lines = paperround("archive", "stats", "--days", "3", "--until", "2026-11-20").out.splitlines()
    assert "2026-11-18 to 2026-11-20" in next(line for line in lines if "listing day" in line)
    (row,) = [line for line in lines if line.startswith("hf ")]
    assert len(row.split()[-1]) == 3
    assert [line.split()[0] for line in lines if "·" in line or "█" in line][:2] == ["hf", "matches"]
    by_week = paperround("archive", "stats", "--days", "100").out
    assert "each week" in by_week


def test_an_empty_archive_has_statistics_too(paperround):
    told = paperround("archive", "stats", "--json").json
    assert (told["papers"], len(told["per_day"])) == (0, 30)
    assert "matches" in paperround("archive", "stats").out
    assert "no letter in 30 days" in paperround("archive", "stats", "--svg", "-").out


def test_the_picture_is_written_whole_and_over_the_one_before(paperround, collected):
    file = Path("days.svg")
    file.write_text("an older picture")
    ran = paperround("archive", "stats", "--svg", "days.svg", "--json")
    assert ran.code == 0
    assert "per_day" in ran.json
    assert etree.fromstring(file.read_bytes()).get("role") == "img"
    assert stat.S_IMODE(file.stat().st_mode) & 0o600 == 0o600
    assert paperround("archive", "stats", "--svg", "-").out.encode() == file.read_bytes()
    assert [each.name for each in Path().iterdir() if each.name.startswith(".paperround")] == []


def test_what_is_no_file_is_written_to_and_stays_what_it_is(paperround):
    assert paperround("archive", "stats", "--svg", os.devnull).code == 0
    assert Path(os.devnull).is_char_device()
    Path("kept.svg").write_text("")
    Path("link.svg").symlink_to("kept.svg")
    assert paperround("archive", "stats", "--svg", "link.svg").code == 0
    assert Path("link.svg").is_symlink()
    assert Path("kept.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--days", "0"), 2, "--days must be 1 to 1826"),
        (("--days", "-3"), 2, "--days must be 1 to 1826"),
        (("--days", "1827"), 2, "--days must be 1 to 1826"),
        (("--days", "many"), 2, "'--days'"),
        (("--until", "yesterday"), 2, "--until must be a day"),
        (("--until", "0001-01-02"), 2, "--until 0001-01-02"),
        (("--svg", "-", "--json"), 2, "both write to stdout"),
        (("--svg", "no/such/folder/x.svg"), 3, "no/such/folder/x.svg: No such file"),
        (("--svg", "."), 3, "Is a directory"),
        (("--svg", "x" * 300), 3, "too long"),
    ],
)
def test_what_cannot_be_told_or_drawn_is_answered_in_one_sentence(paperround, arguments, code, words):
    ran = paperround("archive", "stats", *arguments)
    assert ran.code == code
    assert words in " ".join(ran.err.split())
    assert [each.name for each in Path().iterdir() if "svg" in each.name] == []


def test_the_last_day_there_is_can_be_asked_for(paperround):
    last = date.max.isoformat()
    assert list(paperround("archive", "stats", "--days", "1", "--until", last, "--json").json["per_day"]) == [last]
    assert paperround("archive", "stats", "--until", last, "--svg", "-").code == 0
