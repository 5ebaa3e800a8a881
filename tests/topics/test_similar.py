"""Which words lead from a paper to papers like it."""

from datetime import UTC, date, datetime

import pytest

from domain.papers import AbstractKind, Identifiers, Paper
from domain.topics import Census, Or, Word
from topics.similar import alike, query_of, telling


def paper(title, abstract="", number=1):
    day = date(2026, 11, 20)
    return Paper(
        id=number,
        key=f"title:{number:016x}",
        ids=Identifiers(),
        title=title,
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS,
        authors=(),
        author_count=0,
        published=day,
        first_seen=datetime(2026, 11, 20, tzinfo=UTC),
        listed=day,
        first_listed=day,
        url="",
    )


def census(**having):
    return lambda stems: Census(10_000, 100.0, {stem: having.get(stem, 0) for stem in stems})


def test_rare_words_tell_most_and_words_of_its_own_or_of_everyone_nothing():
    asked = census(estuari=12, sediment=30, model=6_000, tide=90, tidepool=1)

    assert telling(paper("Estuaries model tidepools", "The sediment of tides."), asked) == (
        "estuaries",
        "sediment",
        "tides",
    )


def test_a_word_said_often_tells_more_than_one_said_once():
    asked = census(sediment=30, tide=30)

    assert telling(paper("", "Sediment, sediment, sediment and a tide."), asked) == ("sediment", "tide")


def test_at_most_eight_words_are_asked_for():
    words = [f"word{chr(97 + number)}" for number in range(12)]

    assert len(telling(paper(" ".join(words)), lambda stems: Census(10_000, 100.0, dict.fromkeys(stems, 5)))) == 8


def test_addresses_and_tex_are_no_words():
    asked = paper(r"See https://github.com/lantern $\alpha_{12}$ tides")

    assert set(telling(asked, lambda stems: Census(99, 9.0, dict.fromkeys(stems, 5)))) == {"see", "alpha", "tides"}


@pytest.mark.parametrize(
    ("words", "query"), [((), None), (("tides",), None), (("a1", "b2"), Or((Word("a1"), Word("b2"))))]
)
def test_two_words_make_a_query(words, query):
    assert query_of(words) == query


def test_papers_are_alike_that_share_two_words_whatever_their_form():
    others = [paper("A tide in the estuary", number=2), paper("Tides alone", number=3)]

    assert alike(("tides", "estuaries", "norms"), others) == {2: ("tides", "estuaries")}
