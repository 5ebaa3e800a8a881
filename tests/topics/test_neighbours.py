import pytest

from topics.neighbours import neighbours, usage
from topics.query import parse

_OTHERS = (
    "We propose a method that significantly improves accuracy",
    "However, results on soil show the framework works",
)


@pytest.fixture
def told(a_paper, census_of):
    """Return the words to consider where papers of these abstracts answer a query, among sixty others."""

    def go(query, *abstracts, most=8):
        found = [a_paper(number, abstract=text) for number, text in enumerate(abstracts, 1)]
        archive = [*found, *(a_paper(100 + number, abstract=_OTHERS[number % 2]) for number in range(60))]
        return neighbours(found, parse(query).tree, usage(archive), census_of(archive), most)

    return go


def test_words_that_a_topics_papers_share_and_others_lack_are_told_with_how_many_have_them(told):
    found = told("tides", *["Tides move an estuary"] * 5, *["Tides and estuaries, significantly"] * 2, "Tides alone")
    assert [(each.word, each.papers) for each in found] == [("estuary", 7), ("move", 5)]


def test_what_everyone_writes_and_what_one_paper_writes_is_not_told(told):
    texts = ["However, we propose a method for tides, which the moon improves significantly"] * 5
    assert [each.word for each in told("tides", *texts, "Tides of krill")] == ["moon"]


def test_a_word_of_the_topic_is_not_told_in_any_form_nor_what_it_excludes(told):
    texts = ["Attention and attentive tides of graphs, graphical moons"] * 6
    assert told('attenti* tide "graph moon"', *texts) == []
    assert told("tides attention attentive graph -moons", *texts) == []


@pytest.mark.parametrize(
    "written",
    [
        "fine-tuning",
        "fine‐tuning",
        "https://code.example/fine",
        "reader@fine.example",
        r"\fine{x}",
        r"fine\'ees",
        "fine_x",
        "fine3",
    ],
)
def test_a_part_of_a_longer_word_of_tex_or_of_a_link_is_not_told(told, written):
    assert "fine" not in {each.word for each in told("tides", *[f"Tides {written} moon"] * 6)}
    assert "fine" in {each.word for each in told("tides", *["Tides fine moon"] * 6)}


def test_no_more_words_are_told_than_asked_for_and_none_of_no_papers(told):
    texts = ["Tides moon estuary delta krill"] * 6
    assert len(told("tides", *texts, most=2)) == 2
    assert told("tides", *texts, most=2) == told("tides", *texts)[:2], "the most telling first"
    assert told("tides") == []


@pytest.mark.parametrize("text", ["", "\0", "𝕋𝕚𝕕𝕖 " * 50, "潮汐 潮汐", "a" * 100_000 + "-", "Ꭰ ꭰ İ ſ", "(((" * 1000])
def test_hostile_text_is_read(told, text):
    assert len(told("tides", *[text] * 3)) <= 8
