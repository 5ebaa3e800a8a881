"""Feedback moves the letter: what a reader saved brings more of the kind, and what they dislike stops."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from domain.learning import Edit, Liking, Profile
from storage.tables import PROFILE, SAVED, SUBSCRIBER

NOW = datetime(2026, 11, 20, tzinfo=UTC)
_WORDS = {
    "coral": "Bleached coral reefs lose their algae when sea water grows hot, and polyps starve on the reef",
    "violin": "The varnish of old violins shapes the tone of the soundboard, and luthiers carve the spruce thin",
}
_TURNS = ("after a summer", "in two basins", "measured anew", "by divers and by hand", "over forty years", "at last")


def papers(letter) -> list[int]:
    """Return the numbers of the papers that a letter names, without those that it says were saved."""
    return [int(number) for number in re.findall(r"Paper (\d+)\b", re.sub("«.*?»", "", letter.text))]


@pytest.fixture
def about(paper) -> Callable[..., object]:
    """Return a maker of papers of one kind: about("coral", 7)."""

    def make(kind: str, number: int, title: str = ""):
        turn = _TURNS[number % len(_TURNS)]
        return paper(number, title or f"{kind.title()} {turn}", f"{_WORDS[kind]}, {turn}. Study {number} of its kind.")

    return make


@pytest.fixture
def says(days) -> Callable[..., None]:
    """Return what writes a reader's likings as pressing a button does: the paper, and that the profile is stale."""

    def say(name: str, liking: Liking, *numbers: int) -> None:
        with days.house.database.writing() as connection:
            reader = connection.execute(
                select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.email == f"{name}@lab.example")
            ).scalar()
            for number in numbers:
                known = days.house.archive.paper(f"arxiv:2611.{number:05}")
                connection.execute(delete(SAVED).where(SAVED.c.subscriber_id == reader, SAVED.c.key == known.key))
                row = {"subscriber_id": reader, "paper_id": known.id, "key": known.key, "liking": liking.value}
                own = {"title": "", "abstract": "", "authors": [], "at": NOW, "place": "/feedback"}
                connection.execute(insert(SAVED).values(**row, **own))
            _stale(connection, reader)

    return say


@pytest.fixture
def edits(days) -> Callable[..., None]:
    """Return what puts words in, or leaves them out: edits("mira", reef=("reef", Edit.OUT))."""

    def edit(name: str, **words: tuple[str, Edit]) -> None:
        with days.house.database.writing() as connection:
            reader = connection.execute(
                select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.email == f"{name}@lab.example")
            ).scalar()
            _stale(connection, reader)
            written = {stem: [word, each.value] for stem, (word, each) in words.items()}
            connection.execute(update(PROFILE).where(PROFILE.c.subscriber_id == reader).values(edits=written))

    return edit


def _stale(connection, reader) -> None:
    row = {"more": [], "less": [], "more_least": 0.0, "less_least": 0.0, "edits": {}, "saved": 0, "disliked": 0}
    if connection.execute(select(PROFILE.c.subscriber_id).where(PROFILE.c.subscriber_id == reader)).scalar() is None:
        connection.execute(insert(PROFILE).values(subscriber_id=reader, stale=True, revision=1, **row))
    moved = update(PROFILE).where(PROFILE.c.subscriber_id == reader)
    connection.execute(moved.values(stale=True, revision=PROFILE.c.revision + 1))


@pytest.fixture
def reader(days, about, others) -> None:
    """Mira asks about glass; five papers on coral and one on violins are in the archive, and she had her letter."""
    days.listed(*(about("coral", n) for n in range(1, 6)), about("violin", 6))
    days.reader("mira", "tides")
    days.reader("jun", "tides")
    days.letters()


def test_a_reader_who_saved_five_papers_of_a_kind_finds_new_ones_that_no_topic_answers(days, about, says, reader):
    says("mira", Liking.MORE, 1, 2, 3, 4, 5)
    days.listed(about("coral", 11, "Reefs in hot water"), about("violin", 12))

    letters = days.letters()

    assert set(letters) == {"mira"}
    assert papers(letters["mira"]) == [11]
    assert "Like papers you saved" in letters["mira"].text
    assert "like «Coral " in letters["mira"].text
    assert ", which you saved: “" in letters["mira"].text
    assert days.letters() == {}, "each once"
    days.listed(about("coral", 13))
    assert papers(days.letters()["mira"]) == [13]


def test_what_was_saved_is_not_brought_again_and_what_was_there_before_is_not_new(days, about, says, reader):
    says("mira", Liking.MORE, 1, 2, 3)
    assert days.letters() == {}
    days.listed(about("coral", 11))
    says("mira", Liking.MORE, 11)
    assert days.letters() == {}


def test_what_is_disliked_stops(days, about, says, reader):
    says("mira", Liking.MORE, 1, 2, 3, 4, 5)
    says("mira", Liking.LESS, 1, 2, 3, 4, 5)
    days.listed(about("coral", 11))
    assert days.letters() == {}


def test_a_match_like_the_disliked_is_named_by_title_alone_and_the_letter_says_so(days, about, paper, says, reader):
    says("mira", Liking.LESS, 1, 2, 3)
    days.listed(about("coral", 11, "Tides and bleached coral reefs"), paper(12, "Tides and mud"))

    letters = days.letters()

    assert sorted(papers(letters["jun"])) == [11, 12]
    assert papers(letters["mira"]) == [12, 11]
    assert "1 match is named by title alone: like what you want less of." in letters["mira"].text
    assert "less of" not in letters["jun"].text


def test_a_word_left_out_or_put_in_moves_the_letter(days, about, paper, says, edits, reader):
    edits("mira", varnish=("varnish", Edit.IN), spruce=("spruce", Edit.IN))
    days.listed(about("violin", 11), about("coral", 12))
    letters = days.letters()
    assert papers(letters["mira"]) == [11]
    assert "with “spruce”, “varnish”, which you asked for" in letters["mira"].text
    edits("mira", varnish=("varnish", Edit.OUT), spruce=("spruce", Edit.OUT))
    days.listed(about("violin", 13))
    assert days.letters() == {}


def test_a_reset_ends_it(days, about, says, reader):
    says("mira", Liking.MORE, 1, 2, 3)
    days.listed(about("coral", 11))
    assert papers(days.letters()["mira"]) == [11]
    with days.house.database.writing() as connection:
        connection.execute(delete(SAVED))
        connection.execute(delete(PROFILE))
    days.listed(about("coral", 12))
    assert days.letters() == {}


def test_readers_without_likings_get_the_same_bytes(days, about, paper, says, reader):
    days.listed(about("coral", 11), paper(12, "Tides and mud"))
    days.matched()
    days.clock.set(days.clock.now() + timedelta(days=1))
    jun = days.house.desk.find("jun@lab.example")
    before = days.house.publisher.preview(jun, days.clock.now())
    says("mira", Liking.MORE, 1, 2, 3)
    days.house.learner.learn(days.clock.now())
    assert before is not None
    assert days.house.publisher.preview(jun, days.clock.now()).content == before.content
    letters = days.letters()
    assert (papers(letters["jun"]), papers(letters["mira"])) == ([12], [12, 11])


def test_a_dry_run_and_a_preview_learn_for_themselves_and_write_nothing(days, about, says, reader):
    says("mira", Liking.MORE, 1, 2, 3)
    days.listed(about("coral", 11))
    days.matched()
    counts = days.house.publisher.publish(days.clock.now(), dry_run=True)
    mailing = days.house.publisher.preview(days.house.desk.find("mira@lab.example"), days.clock.now())
    assert mailing is not None
    assert counts.issues <= 1
    assert days.house.learner.is_due(), "still stale"
    with days.house.database.reading() as connection:
        assert json.dumps(connection.execute(select(PROFILE.c.more)).scalar()) == "[]"


def test_what_was_said_while_it_was_learned_is_learned_the_next_time(days, about, says, reader):
    says("mira", Liking.MORE, 1, 2)
    (stale,) = days.house.profiles.stale(10)
    says("mira", Liking.MORE, 3)
    assert not days.house.profiles.learned(stale.subscriber_id, stale.revision, Profile(saved=2), NOW)
    assert days.house.learner.learn(NOW) == 1
    assert not days.house.learner.is_due()
    assert days.house.learner.learn(NOW) == 0
    assert days.house.profiles.of([stale.subscriber_id])[stale.subscriber_id].saved == 3


def test_ten_thousand_saved_papers_stay_affordable(days, about, reader):
    with days.house.database.writing() as connection:
        mira = connection.execute(select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.email == "mira@lab.example")).scalar()
        own = {"paper_id": None, "liking": "more", "abstract": _WORDS["coral"], "authors": [], "at": NOW, "place": "x"}
        rows = [
            {"subscriber_id": mira, "key": f"title:{n:08x}", "title": f"Coral {_TURNS[n % 6]} {n}", **own}
            for n in range(10_000)
        ]
        connection.execute(insert(SAVED), rows)
        _stale(connection, mira)
    days.listed(about("coral", 11))
    assert papers(days.letters()["mira"]) == [11]
    profile = days.house.profiles.of([mira])[mira]
    assert (profile.saved, len(profile.more.terms) <= 200) == (1_000, True)
