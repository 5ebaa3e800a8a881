"""papers export, as a person, a pipe and an impatient hand use it."""

import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from digests.citations.formats import FORMATS
from domain.errors import Interrupted
from domain.papers import FetchStatus, ListedPaper, Listing, Paper
from paperround.taking import sink, take
from storage.archive import Archive
from storage.database import Database
from storage.search import Search
from topics.query import parse

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def fill(archive: Archive, count: int, word: str = "Tides") -> None:
    papers = tuple(
        ListedPaper(title=f"{word} and Their Number {n}", rank=n, abstract="Low and high. " * 200, journal="Annals")
        for n in range(count)
    )
    for start in range(0, count, 500):
        listing = Listing(source="daily", day=DAY, papers=papers[start : start + 500], status=FetchStatus.OK)
        archive.add(listing, NOW)


@pytest.fixture(scope="module")
def archive_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of 3,000 papers, the last thousand of them about mud."""
    place = tmp_path_factory.mktemp("archive") / "paperround.db"
    with Database(f"sqlite:///{place}") as database:
        fill(Archive(database), 2_000)
        fill(Archive(database), 1_000, "Mud")
    return place


@pytest.fixture
def filled(folder: Path, archive_file: Path) -> Path:
    """A folder with that archive."""
    shutil.copy(archive_file, folder)
    (folder / "paperround.toml").write_text("")
    return folder


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_every_paper_or_those_that_match_leave_in_the_order_of_storing(form, paperround, filled):
    every = paperround("papers", "export", "--format", form).out
    assert [every.count(f" Number {n}") for n in (0, 1_999)] == [every.count(" Number 0"), every.count(" Number 1999")]
    some = paperround("papers", "export", "mud", "--format", form).out
    assert some.count("Mud and Their Number") == 1_000
    assert "Tides" not in some
    assert some.index("Number 7") < some.index("Number 999")


def test_a_file_gets_what_stdout_would(paperround, filled):
    ran = paperround("papers", "export", "-tides mud", "--output", "mud.jsonl", "--json")
    assert ran.json == {"papers": 1_000, "format": "jsonl", "output": "mud.jsonl"}
    assert (filled / "mud.jsonl").read_text() == paperround("papers", "export", "mud").out
    assert paperround("papers", "export", "mud", "--output", "mud.jsonl").out == "1,000 papers in mud.jsonl\n"
    assert sorted(each.name for each in filled.glob("*.jsonl")) == ["mud.jsonl"]
    assert not list(filled.glob(".*.part"))


def test_what_cannot_be_asked_for_is_refused_and_nothing_is_written(paperround, filled):
    assert "bibtex, ris, csv, jsonl" in paperround("papers", "export", "--format", "word", "--output", "x").err
    assert paperround("papers", "export", "(mud", "--output", "x").code == 2
    assert paperround("papers", "export", "--output", "missing/x").code == 3
    assert not (filled / "x").exists()


def test_an_empty_archive_leaves_a_header_at_most(paperround, folder):
    assert [len(paperround("papers", "export", "--format", form).out.splitlines()) for form in FORMATS] == [0, 0, 1, 0]


def test_a_reader_who_leaves_early_ends_it_quietly(filled):
    command = [sys.executable, "-m", "paperround", "papers", "export", "--format", "bibtex"]
    with subprocess.Popen(command, cwd=filled, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"@article{")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_no_half_file_and_the_old_one_as_it_was(number, filled):
    (filled / "all.bib").write_text("old")
    command = [sys.executable, "-m", "paperround", "papers", "export", "--format", "bibtex", "--output", "all.bib"]
    for _ in range(10):  # an export may be over before the stop comes
        with subprocess.Popen(command, cwd=filled, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while process.poll() is None and not list(filled.glob(".all.bib.*.part")):
                time.sleep(0.005)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        if process.returncode != 0:
            break
        (filled / "all.bib").write_text("old")
    assert (process.returncode, out) == (130, b"")
    assert err.startswith(b"paperround: interrupted")
    assert (filled / "all.bib").read_text() == "old"
    assert not list(filled.glob(".*.part"))


# -- the road ----------------------------------------------------------------------------------------------------------


def test_a_stop_is_seen_at_the_next_block(filled):
    stop = threading.Event()
    stop.set()
    with Database(f"sqlite:///{filled / 'paperround.db'}") as database:
        archive = Archive(database)
        with pytest.raises(Interrupted):
            take(archive.every(), FORMATS["csv"], archive.journals, io.BytesIO(), stop=stop, advance=lambda _: None)


def test_a_link_stays_a_link_and_a_device_is_written_to(tmp_path):
    (tmp_path / "real.bib").write_text("old")
    (tmp_path / "link.bib").symlink_to("real.bib")
    with sink(tmp_path / "link.bib") as out:
        out.write(b"new")
        assert (tmp_path / "real.bib").read_text() == "old"
    assert (tmp_path / "link.bib").is_symlink()
    assert (tmp_path / "real.bib").read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with sink(tmp_path / "pipe") as out:
        out.write(b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)


@pytest.mark.parametrize("query", [None, "tides OR mud"])
def test_what_comes_while_papers_leave_waits_for_the_next_export(query, filled):
    place = f"sqlite:///{filled / 'paperround.db'}"
    with Database(place) as database, Database(place) as collecting:
        archive, other = Archive(database), Archive(collecting)
        found = archive.every() if query is None else Search(database).every(parse(query))
        left = []
        for n, paper in enumerate(found):
            left.append(paper.key)
            if n % 500 == 0:
                fill(other, 20, f"Mud {n}")
                again = ListedPaper(title=paper.title, rank=1, abstract="Low and high. " * 200, upvotes=n)
                other.add(Listing(source="again", day=DAY, papers=(again,), status=FetchStatus.OK), NOW)
        assert len(left) == len(set(left)) == 3_000
        assert len(list(archive.every())) == 3_120


def test_memory_does_not_grow_with_the_archive(filled):
    class Nowhere(io.RawIOBase):
        def write(self, data: bytes) -> int:
            return len(data)

    def peak(found: Iterable[Paper]) -> int:
        tracemalloc.start()
        take(found, FORMATS["csv"], archive.journals, Nowhere(), stop=threading.Event(), advance=lambda _: None)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    with Database(f"sqlite:///{filled / 'paperround.db'}") as database:
        archive, search = Archive(database), Search(database)
        assert peak(search.every(parse("mud"))) > 1_000_000  # the memory of a block of 500 papers
        third = peak(search.every(parse("mud")))
        assert peak(search.every(parse("tides OR mud"))) < 1.5 * third
        assert peak(archive.every()) < 1.5 * third
