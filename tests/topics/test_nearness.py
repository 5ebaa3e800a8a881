from domain.topics import Not, Votes, Why, Word
from topics.nearness import FLOOR, NEAR, conditions, near, told
from topics.query import parse


def test_facts_and_exclusions_must_hold_beside_words() -> None:
    assert conditions(parse("tides").tree) == ()
    assert conditions(parse("tides (moon OR mud)").tree) == ()
    held = conditions(parse("tides -mud upvotes>=3").tree)
    assert held is not None
    assert set(held) == {Not(Word("mud")), Votes(3)}


def test_where_facts_stand_in_for_words_or_words_have_a_place_nothing_is_near() -> None:
    for text in ("cat:cs", "tides OR cat:cs", "tides (moon OR author:sato)", "title:tides", "moon title:tides"):
        assert conditions(parse(text).tree) is None, text


def test_near_is_what_reaches_the_floor() -> None:
    assert near({1: FLOOR, 2: FLOOR - 0.001, 3: 1.0}) == [1, 3]


def test_the_words_that_a_near_paper_has_are_told_rather() -> None:
    assert told(Why("")) == NEAR
    assert told(Why("1 of 2 words: “tides”, in title")).line.startswith("1 of 2 words")
