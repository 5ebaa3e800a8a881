"""Papers like one where papers are read for their meaning: their own cosines order what shares its words."""

from dataclasses import replace

import pytest

from web.papers.similar import Counts, Similar


@pytest.fixture
def similar(library):
    house = library.house

    def make(between=None) -> Similar:
        return Similar(search=house.search, archive=house.archive, counts=Counts(house.census.of), between=between)

    return make


@pytest.fixture
def paper(library):
    return library.house.archive.paper("arxiv:2611.00001")


def told(found) -> list[int]:
    return [each.paper.id for each in found]


def test_a_paper_that_was_not_read_has_the_papers_that_share_its_words(similar, paper):
    by_words = told(similar().to(paper, ()))
    assert by_words
    assert told(similar(lambda _, __: {}).to(paper, ())) == by_words


def test_the_nearest_of_those_that_share_its_words_come_first(similar, paper):
    by_words = told(similar().to(paper, ()))
    last = by_words[-1]
    by_both = told(similar(lambda _, others: {each: 0.9 if each == last else 0.0 for each in others}).to(paper, ()))
    assert by_both.index(last) < by_words.index(last)


def test_what_shares_too_few_words_is_there_for_its_meaning_and_claims_none(similar, paper):
    found = similar(lambda _, others: dict.fromkeys(others, 0.9)).to(replace(paper), ())
    assert len(found) == 5
    assert all(len(each.words) != 1 for each in found)
    assert paper.id not in told(found)
