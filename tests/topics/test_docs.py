"""Every example of docs/topics.md does what the page says."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import QueryError
from domain.papers import Paper
from topics.matching import Batch
from topics.query import parse

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "topics.md").read_text(encoding="utf-8")
CAN, REFUSED = PAGE.split("## What is refused")

#: What the page's examples find among, and how: topic, texts that answer, texts that do not.
FINDS = [
    ("neural sensitivity", ["Sensitivity of neural nets"], ["Neural nets"]),
    ('"attention fault"', ["An attention fault"], ["A fault of attention"]),
    ("protein OR peptide", ["Protein", "Peptide"], ["Lipid"]),
    ("graph -molecule", ["Graph"], ["Graph of a molecule"]),
    ("graph NOT molecule", ["Graph"], ["Graph of a molecule"]),
    ("(protein OR peptide) folding", ["Peptide folding"], ["Protein", "Folding"]),
    ("C++ compiler", ["A C++ compiler"], ["A C compiler", "A C# compiler"]),
    ("sensitivity", ["Sensitivities", "sensitive"], ["sense"]),
    ("nets", ["One net"], ["Network"]),
    ("schrodinger", ["Schrödinger"], []),
    ("frechet", [r"Fr\'echet"], []),
    ("co2", ["CO$_2$", "CO₂"], ["CO 2"]),
    ("alpha", [r"$\alpha$"], ["α"]),
    ("in-context", ["In-context learning", "learning in context"], ["the context"]),
    ('"in context"', ["In-context learning", "learning in context"], ["the context"]),
    ("learning to rank", ["rank learning"], ["rank"]),
    ("learning rank", ["rank learning"], ["rank"]),
    ('"learning to rank"', ["Learning to rank"], ["rank learning"]),
    ('vitamin "A"', ["Vitamin A"], ["Vitamin B"]),
    ("deep nets OR trees", ["Trees", "Deep nets"], ["Deep", "Nets"]),
    ("(deep nets) OR trees", ["Trees", "Deep nets"], ["Deep", "Nets"]),
    ("deep (nets OR trees)", ["Deep trees", "Deep nets"], ["Trees"]),
    ("深度学习", ["基于 深度学习 的"], ["基于深度学习的"]),
    ("nets deep", ["Deep nets"], []),
    ("Deep AND nets", ["Deep nets"], []),
    ("(deep) nets nets", ["Deep nets"], []),
    ("deep nets", ["Deep nets"], []),
]
NO_TOPICS = {"+", "#", "AND", "and", "or", "not", "paperround topics check"}


@pytest.mark.parametrize(("topic", "found", "missed"), FINDS)
def test_each_example_finds_what_the_page_says(
    a_paper: Callable[..., Paper], topic: str, found: list[str], missed: list[str]
) -> None:
    papers = [a_paper(number, text) for number, text in enumerate(found + missed)]
    with Batch(papers) as batch:
        assert batch.select(parse(topic).tree) == list(range(len(found)))


def test_no_example_of_the_page_goes_untested() -> None:
    assert set(re.findall(r"`([^`]+)`", CAN)) - NO_TOPICS == {topic for topic, _, _ in FINDS}


def test_examples_that_are_said_to_be_equal_are_equal() -> None:
    assert {parse(text).normal_form for text in ("nets deep", "Deep AND nets", "(deep) nets nets")} == {"deep nets"}
    assert parse("in-context").tree == parse('"in context"').tree
    assert parse("learning to rank").tree == parse("learning rank").tree
    assert parse("deep nets OR trees").normal_form == "(deep nets) OR trees"


@pytest.mark.parametrize(("topic", "complaint"), re.findall(r"^\| `([^`]+)` \| (.+?) \|$", REFUSED, re.MULTILINE))
def test_each_refusal_is_worded_as_the_page_says(topic: str, complaint: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(topic)
    assert str(caught.value) == complaint
