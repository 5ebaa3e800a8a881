"""Feedback moves the letter: what a reader saved brings more of the kind, and what they dislike stops."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from domain.learning import Edit, Edited, Liking, Profile
from domain.papers import Identifiers
from storage.likings import disturb
from storage.tables import PROFILE, SAVED, SUBSCRIBER
from storage.taking_in import Libraries

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
    """Return what says of papers as a button does: says("mira", Liking.MORE, 1, 2)."""

    def say(name: str, liking: Liking, *numbers: int) -> None:
        public_id = days.house.desk.find(f"{name}@lab.example").public_id
        for number in numbers:
            days.house.likings.mark(public_id, f"arxiv:2611.{number:05}", liking, NOW, "/feedback")

    return say


@pytest.fixture
def edits(days) -> Callable[..., None]:
    """Return what puts words in, or leaves them out: edits("mira", reef=("reef", Edit.OUT))."""

    def edit(name: str, **words: tuple[str, Edit]) -> None:
        public_id = days.house.desk.find(f"{name}@lab.example").public_id
        for stem, (word, each) in words.items():
            days.house.profiles.edit(public_id, {stem: Edited(word, each)})

    return edit


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
    days.listed(
        about("coral", 11, "Tides starve the polyps of bleached coral reefs of algae"), paper(12, "Tides and mud")
    )

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
    assert days.house.likings.reset(days.house.desk.find("mira@lab.example").public_id) == 3
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
    days.clock.set(days.clock.now() + timedelta(days=1))
    counts = days.house.publisher.publish(days.clock.now(), dry_run=True)
    mailing = days.house.publisher.preview(days.house.desk.find("mira@lab.example"), days.clock.now())
    assert mailing is not None
    assert counts.issues == 1
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
        disturb(connection, mira)
    days.listed(about("coral", 11))
    assert papers(days.letters()["mira"]) == [11]
    profile = days.house.profiles.of([mira])[mira]
    assert (profile.saved, len(profile.more.terms) <= 200) == (1_000, True)


def test_a_typed_word_that_no_paper_has_yet_stops_no_letter(days, about, paper, edits):
    days.reader("mira", "tides")
    days.letters()
    edits("mira", axolotl=("axolotl", Edit.IN))
    days.listed(paper(41, "The axolotl at rest"), paper(42, "Tides"), paper(43, "Wool"))
    assert papers(days.letters()["mira"]) == [42, 41]


@pytest.mark.parametrize("typed", ['"axolotl', 'axolotl"', "(axolotl)", "“axolotl”", "AXOLOTL'"])
def test_whatever_stands_around_a_typed_word_stops_no_letter_and_is_in_none(days, about, paper, typed):
    days.reader("mira", "tides")
    days.letters()
    days.house.likings_desk.edit(days.house.desk.find("mira@lab.example"), [typed], [], [])
    days.listed(paper(41, "The axolotl at rest"), paper(43, "Wool"))
    letter = days.letters()["mira"]
    assert papers(letter) == [41]
    assert "“axolotl”, which you asked for" in " ".join(letter.text.split())


def test_a_profile_that_was_learned_in_an_empty_archive_calls_nothing_alike_for_that(days, about, paper):
    days.reader("mira", "tides")
    public_id = days.house.desk.find("mira@lab.example").public_id
    library = [about("coral", number) for number in range(1, 6)]
    Libraries(days.house.database).take_in(public_id, library, Liking.MORE, NOW, "import")
    days.house.learner.learn(days.clock.now())
    kinds = ("Quasars", "Yeast", "Glass", "Ballots", "Rings", "Wool", "Primes", "Foxes", "Ports", "Salt")
    days.listed(
        *(paper(100 + n, f"{kinds[n % 10]} by hand {n}", f"In two basins, of {kinds[n // 10]}.") for n in range(90))
    )
    days.letters()
    days.listed(about("coral", 51), *(paper(60 + n, f"{kinds[n]} anew", "By hand, of its kind.") for n in range(9)))
    letter = days.letters()["mira"]
    assert papers(letter) == [51]
    assert "as in papers you saved" in letter.text, "a title of the reader's own library stands in no letter"
    assert "«" not in letter.text


def test_one_reader_of_whom_nothing_can_be_learned_stops_nobody(days, about, paper, says, reader, monkeypatch):
    days.reader("jun", "tides")
    days.letters()
    says("mira", Liking.MORE, 1, 2)

    def broken(*_):
        raise ValueError("words that break the learning")

    monkeypatch.setattr("worker.learn.learned", broken)
    days.listed(paper(42, "Tides"))
    assert papers(days.letters()["jun"]) == [42]
    assert not days.house.learner.is_due(), "what cannot be learned is not tried at every tick"


def test_an_own_copy_known_by_its_title_is_not_brought_when_the_archive_gets_the_paper(days, about, says, reader):
    public_id = days.house.desk.find("mira@lab.example").public_id
    says("mira", Liking.MORE, 1, 2, 3)
    mine = replace(about("coral", 51, "Reefs that I know"), ids=Identifiers())
    Libraries(days.house.database).take_in(public_id, [mine], Liking.MORE, NOW, "import")
    days.listed(about("coral", 51, "Reefs that I know"), about("coral", 52, "Reefs that nobody knows"))
    assert papers(days.letters()["mira"]) == [52]
