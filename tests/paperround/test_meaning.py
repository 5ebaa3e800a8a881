"""The sentence model of an installation: named, pinned, read with, left alone where it is damaged."""

import json
import logging
from datetime import date

import pytest

from domain.clock import FixedClock
from domain.errors import SettingsError
from domain.papers import AbstractKind, FetchStatus, ListedPaper, Listing
from paperround.doctor.meaning import check
from paperround.sentence_model import loaded
from paperround.settings import build
from paperround.wiring import House
from tests.model_maker import make_model

DAY = date(2026, 11, 20)


@pytest.fixture
def clock():
    from datetime import UTC, datetime

    return FixedClock(datetime(2026, 11, 20, 8, tzinfo=UTC))


@pytest.fixture
def home(tmp_path, clock):
    def opened(**topics):
        return House(build({"topics": topics} if topics else {}, tmp_path), clock=clock)

    return opened


def listed(house, *titles):
    papers = [ListedPaper(each, 1, abstract="", abstract_kind=AbstractKind.NONE) for each in titles]
    house.archive.add(Listing("hf", DAY, tuple(papers), FetchStatus.OK), house.clock.now())


def test_papers_are_read_in_the_round_and_order_by_meaning(home, tmp_path):
    make_model(tmp_path / "model")
    with home(model_dir="model") as house:
        listed(house, "Ebb and flood at the coast", "Showers at the coast", "Mud")
        assert house.newcomers.is_due()
        assert house.newcomers.read() == 3
        assert not house.newcomers.is_due()
        known = {each.title: each.id for each in house.archive.every()}
        near = house.nearness.over(known.values()).cosines("tides", known.values())
        assert max(near, key=near.get) == known["Ebb and flood at the coast"]


def test_without_a_model_nothing_is_read_and_nothing_is_said(home, caplog):
    with home() as house:
        listed(house, "Tides")
        assert (house.meaning, house.nearness, house.newcomers.read()) == (None, None, 0)
    assert caplog.records == []


@pytest.mark.parametrize("damage", ["missing", "cut", "other hash"])
def test_a_model_that_cannot_be_used_is_told_once_and_words_go_on(home, tmp_path, caplog, damage):
    folder = make_model(tmp_path / "model")
    values = {"model_dir": "model"}
    if damage == "missing":
        (folder / "tokenizer.json").unlink()
    elif damage == "cut":
        (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes()[:100])
    else:
        values["model_sha256"] = "0" * 64
    with home(**values) as house, caplog.at_level(logging.WARNING):
        listed(house, "Tides")
        for _ in range(3):
            assert house.newcomers.read() == 0
            assert house.nearness is None
        assert house.matcher.match(house.clock.now()).papers == 1
    (line,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert "cannot be used, and words decide alone" in line.getMessage()


def test_another_model_is_not_taken_until_somebody_says_so(home, tmp_path, caplog):
    make_model(tmp_path / "model")
    with home(model_dir="model") as house:
        listed(house, "Tides")
        house.newcomers.read()
    make_model(tmp_path / "model", dimensions=12)
    with home(model_dir="model") as house:
        assert house.meaning is None
        assert "another than the archive was read with" in caplog.text
        taken = house.met(anew=True)
        assert taken.model.dimensions == 12
    with home(model_dir="model") as house:
        assert house.meaning is not None
        assert house.newcomers.read() == 1


def test_a_hash_in_the_settings_is_word_enough(home, tmp_path):
    make_model(tmp_path / "model")
    with home(model_dir="model") as house:
        assert house.meaning is not None
    make_model(tmp_path / "model", dimensions=12)
    with home(model_dir="model") as house:
        sha256 = loaded(house.settings.topics).identity().sha256
    with home(model_dir="model", model_sha256=sha256) as house:
        assert house.meaning.model.dimensions == 12


@pytest.mark.parametrize(
    ("topics", "said"),
    [
        ({"model_dir": "a", "model": "b/c"}, "name two sentence models"),
        ({"model_sha256": "0" * 64}, "model_sha256 goes with"),
        ({"model_revision": "main"}, "model_revision goes with"),
        ({"model": "../../etc"}, "model must be a name"),
        ({"model_dir": "a", "model_sha256": "abc"}, "model_sha256"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(tmp_path, topics, said):
    with pytest.raises(SettingsError, match=said):
        build({"topics": topics}, tmp_path)


def test_the_command_reads_the_archive_and_reports(paperround, folder):
    make_model(folder / "model")
    (folder / "paperround.toml").write_text('[topics]\nmodel_dir = "model"\n', encoding="utf-8")
    (folder / "papers.jsonl").write_text('{"title": "Tides"}\n{"title": "Mud of the moon"}\n', encoding="utf-8")
    assert paperround("import", "papers.jsonl").code == 0

    first = json.loads(paperround("topics", "embed", "--limit", "1", "--json").out)
    assert (first["embedded"], first["left"], first["dimensions"], first["model"]) == (1, 1, 8, "model")
    assert "1 paper read, 0 left." in paperround("topics", "embed").out

    make_model(folder / "model", turn=1.0)
    changed = paperround("topics", "embed")
    assert changed.code != 0
    assert "--anew" in changed.err
    assert "2 papers read" in paperround("topics", "embed", "--anew").out


def test_matching_by_command_reads_what_is_new_first(paperround, folder):
    make_model(folder / "model")
    (folder / "paperround.toml").write_text('[topics]\nmodel_dir = "model"\n', encoding="utf-8")
    (folder / "papers.jsonl").write_text('{"title": "Tides"}\n', encoding="utf-8")
    assert paperround("import", "papers.jsonl", "--news").code == 0
    assert paperround("match").code == 0
    told = paperround("topics", "embed", "--json").json
    assert (told["embedded"], told["left"]) == (0, 0)


def test_the_command_needs_a_model(paperround, folder):
    (folder / "paperround.toml").write_text("", encoding="utf-8")
    ran = paperround("topics", "embed")
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert "no sentence model is named" in ran.err


def test_doctor_says_how_the_model_is(home, tmp_path):
    class Visit:
        def __init__(self, house):
            self.settings, self.database = house.settings, house.database

    with home() as house:
        assert "no sentence model" in next(check(Visit(house))).sentence
    make_model(tmp_path / "model")
    with home(model_dir="model") as house:
        listed(house, "Tides", "Mud")
        house.newcomers.read()
        assert "2 papers it has read 2" in next(check(Visit(house))).sentence
    (tmp_path / "model" / "model.onnx").write_bytes(b"")
    with home(model_dir="model") as house:
        (found,) = check(Visit(house))
        assert found.verdict == "wrong"
        assert "cannot be loaded" in found.sentence
