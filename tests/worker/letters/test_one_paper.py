"""One paper under many names, versions, sources and topics: once in a reader's life."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.papers import Identifiers


def texts(lab, name="mira"):
    return [letter.get_body(("plain",)).get_content() for letter in lab.relay.digests(name)]


@pytest.fixture
def next_day(lab):
    """Let a day pass and make its round; return how many letters were planned."""

    def make():
        lab.clock.set(lab.clock.now() + timedelta(days=1))
        return lab.round()

    return make


def renamed(paper):
    return replace(paper, title="Ebb of Place 1, Revisited", rank=7)


def second_version(paper):
    return replace(paper, version=2, abstract=paper.abstract + " We add what the ebb does.")


def with_a_doi(paper):
    return replace(paper, ids=Identifiers(arxiv="2611.00001", doi="10.5555/tides.1"))


def without_ids(paper):
    return replace(paper, ids=Identifiers(), rank=3)


@pytest.mark.parametrize("source", ["hf", "arxiv:cs.CL"])
@pytest.mark.parametrize("again", [renamed, second_version, with_a_doi, without_ids])
def test_a_paper_that_was_sent_is_no_news_whatever_it_is_called_later(lab, paper, next_day, again, source):
    lab.reader("mira", "tides OR ebb")
    lab.listed(paper(1))
    assert lab.round() == 1
    lab.listed(again(paper(1)), source=source)
    assert next_day() == 0
    lab.listed(paper(2))
    assert next_day() == 1  # and the reader is heard of for what is new
    first, second = texts(lab)
    assert ("Place 1" in first, "Place 2" in first) == (True, False)
    assert ("Place 1" in second, "Place 2" in second) == (False, True)


def test_a_paper_of_two_sources_and_three_topics_stands_once_in_a_letter(lab, paper):
    lab.reader("mira", "tides", "moon", '"what moves"')
    lab.listed(paper(1))
    lab.listed(renamed(paper(1)), source="arxiv:cs.CL")
    lab.listed(without_ids(paper(1)), source="journal")
    assert lab.round() == 1
    (letter,) = lab.relay.digests("mira")
    assert letter.get_body(("html",)).get_content().count("<h3") == 1
    assert texts(lab)[0].count("https://arxiv.org/abs/2611.00001") == 1


def test_a_new_topic_does_not_bring_what_an_old_one_brought(lab, paper, next_day):
    lab.reader("mira", "tides")
    lab.listed(paper(1))
    lab.round()
    lab.house.desk.change_topics("mira@lab.example", ["moon", "place"], ["tides"])
    assert next_day() == 0
    assert len(texts(lab)) == 1


def test_two_records_that_turn_out_to_be_one_paper_are_sent_once(lab, paper, next_day):
    lab.reader("mira", "tides OR ebb")
    lab.listed(paper(1))
    assert lab.round() == 1
    # A journal lists it under a title and a DOI of its own, and the next day arXiv says that the DOI is its paper's.
    journal = replace(paper(1), title="Ebb and Flood, Measured", ids=Identifiers(doi="10.5555/tides.1"), abstract="")
    lab.listed(journal, source="journal")
    lab.listed(with_a_doi(paper(1)), source="arxiv:cs.CL")
    assert next_day() == 0
    assert len(texts(lab)) == 1
