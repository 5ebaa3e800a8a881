"""Every example of docs/topics.md does what the page says."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from domain.authors import likeness, names
from domain.errors import QueryError
from domain.papers import Paper
from topics.hints import hints
from topics.matching import Batch
from topics.query import parse
from topics.related import loosened

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "topics.md").read_text(encoding="utf-8")
CAN, REFUSED = PAGE.split("## What is refused")
ROWS = re.findall(r"^\| `([^`]+)` \| (.+) \| (.+) \|$", CAN, re.MULTILINE)
REFUSALS = re.findall(r"^\| `([^`]+)` \| (.+?) \| (?:`([^`]+)` )?\|$", REFUSED, re.MULTILINE)

#: The examples beside the tables: topic, texts that answer, texts that do not.
FINDS = [
    ("graph NOT molecule", ["Graph"], ["Graph of a molecule"]),
    ("universal", ["University"], ["Diversity"]),
    ("αβ", ["αβ"], ["Alpha beta"]),
    ("frechet", [r"Fr\'echet"], []),
    ("co2", ["CO$_2$", "CO₂"], ["CO 2"]),
    ("alpha", [r"$\alpha$", "α"], ["Alphabet"]),
    ("深度学习", ["基于 深度学习 的"], ["基于深度学习的"]),
    ("nets deep", ["Deep nets"], ["Deep"]),
    ("Deep AND nets", ["Deep nets"], ["Deep"]),
    ("(deep) nets nets", ["Deep nets"], ["Deep"]),
    ("deep nets", ["Deep nets"], ["Deep"]),
    ("deep or nets", ["Deep nets"], ["Deep"]),
    ('author:"He, Kaiming"', ["Kaiming He"], ["Kaiming Hu"]),
    ('author:"He KM"', ["Kaiming He", "K. M. He"], ["K. J. He"]),
    ('author:"K. M. He"', ["Kaiming He", "K. M. He"], ["K. J. He"]),
    ('author:"van der Berg"', ["Jan van der Berg", "van der Berg, Jan"], ["Jan Berg"]),
    ('author:"van Berg"', ["Berg, Van"], ["Jan van Berg"]),
    ("cat:(cs.LG OR cs.CL)", ["cs.LG", "cs.CL"], ["cs.CV"]),
    ('author:"Michael I. Jordan"', ["Michael Jordan", "Jordan, Michael I."], ["Michael B. Jordan"]),
]
COMBINED = ["title:diffusion (audio OR speech) -survey -cat:cs.CV upvotes>=5", 'author:"Wei Wang" cat:cs.RO']
COMMANDS = {"paperround topics check QUERY", "paperround topics preview QUERY", "--related", "--exact"}
NO_TOPICS = {"+", "#"} | COMMANDS

MakePaper = Callable[..., Paper]


def about(a_paper: MakePaper, topic: str, number: int, text: str, *, is_found: bool) -> Paper:
    """Return the paper that an example means by a text: what its field looks at, or else its title."""
    paper = a_paper(number)
    match topic.partition(":")[0].partition(">")[0]:
        case "author":
            return replace(paper, authors=("Jun Sato", text))
        case "cat":
            return replace(paper, categories=("stat.ML", text))
        case "source":
            return replace(paper, sources=(text,))
        case "upvotes":
            return replace(paper, upvotes=int(text))
        case "title" | "abstract" as field if is_found == (field == "abstract"):
            return replace(paper, abstract=text)
        case _:
            return replace(paper, title=text)


def check(a_paper: MakePaper, topic: str, found: list[str], missed: list[str]) -> None:
    papers = [about(a_paper, topic, number, text, is_found=True) for number, text in enumerate(found)]
    papers += [about(a_paper, topic, len(found) + number, text, is_found=False) for number, text in enumerate(missed)]
    with Batch(papers) as batch:
        assert batch.select(parse(topic).tree) == list(range(len(found)))


@pytest.mark.parametrize(("topic", "finds", "misses"), ROWS)
def test_each_row_finds_what_it_says_and_not_the_rest(a_paper: MakePaper, topic: str, finds: str, misses: str) -> None:
    found, missed = (re.findall("“([^”]+)”", cell) for cell in (finds, misses))

    assert found
    assert missed
    check(a_paper, topic, found, missed)


@pytest.mark.parametrize(("topic", "found", "missed"), FINDS)
def test_each_example_in_the_text_finds_what_the_page_says(
    a_paper: MakePaper, topic: str, found: list[str], missed: list[str]
) -> None:
    check(a_paper, topic, found, missed)


def test_what_is_combined_is_asked_together(a_paper: MakePaper) -> None:
    diffusion = replace(a_paper(0, "Diffusion of speech"), upvotes=5, categories=("cs.SD",))
    others = [
        replace(diffusion, id=1, upvotes=4),
        replace(diffusion, id=2, categories=("cs.CV",)),
        replace(diffusion, id=3, title="Speech", abstract="Diffusion"),
        replace(diffusion, id=4, abstract="A survey"),
        replace(diffusion, id=5, authors=("W. Wang",), categories=("cs.RO",), upvotes=None),
    ]
    with Batch([diffusion, *others]) as batch:
        assert [batch.select(parse(topic).tree) for topic in COMBINED] == [[0], [5]]


def test_no_example_of_the_page_goes_untested() -> None:
    tested = {topic for topic, _, _ in (*FINDS, *ROWS)} | set(COMBINED)

    assert set(re.findall(r"`([^`]+)`", CAN)) - NO_TOPICS == tested
    assert len(ROWS) == len(re.findall(r"^\| `", CAN, re.MULTILINE))
    assert len(REFUSALS) == len(re.findall(r"^\| `", REFUSED, re.MULTILINE))


def test_examples_that_are_said_to_be_equal_are_equal() -> None:
    assert {parse(text).normal_form for text in ("nets deep", "Deep AND nets", "(deep) nets nets")} == {"deep nets"}
    assert parse("graph NOT molecule").tree == parse("graph -molecule").tree
    assert parse('author:"He, Kaiming"').tree == parse('author:"Kaiming He"').tree
    assert parse('author:"He KM"').tree == parse('author:"K. M. He"').tree
    assert hints("deep or nets")
    assert not likeness(names("Jian Gan"), "Jiang An")


def test_plain_words_alone_are_filled_up_with_related_papers() -> None:
    assert [topic for topic, _, _ in ROWS if parse(topic).is_plain] == [
        "neural sensitivity",
        "sensitivity",
        "LLM",
        "GPS",
        "C++ compiler",
        "schrodinger",
        "learning to rank",
    ]


def test_one_word_has_no_part_that_would_make_a_paper_related() -> None:
    assert loosened(parse("sensitivity").tree) is None
    assert loosened(parse("neural sensitivity").tree) == parse("neural OR sensitivity").tree


@pytest.mark.parametrize(("topic", "complaint", "suggestion"), REFUSALS)
def test_each_refusal_is_worded_as_the_page_says(topic: str, complaint: str, suggestion: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(topic)

    assert f"{caught.value.reason} (column {caught.value.column})" == complaint
    assert caught.value.suggestion == suggestion
