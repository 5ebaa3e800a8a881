"""How a withdrawn paper is told from one about withdrawals."""

import time

import pytest

from scrapers.arxiv_withdrawal import is_withdrawn

ON_AND_ON = " and then we count them again, by year and by field, until nothing is left to count" * 4


@pytest.mark.parametrize(
    "comment",
    [
        "Withdrawn",
        "(withdrawn)",
        "Withdrawn.",
        "withdrawn by the authors",
        "withdrawn by arXiv admins",
        "has been withdrawn",
        "Paper withdrawn due to an error",
        "paper is withdrawn because of error",
        "Paper has been temporarily withdrawn",
        "This paper has been withdrawn by the author(s) due to a wrong sign",
        "This paper (math/0101001) has been withdrawn",
        "This submission was withdrawn: see 2601.00001",
        "This paper has now been withdrawn; it is part of arXiv:2601.00001",
        "Superseded by arXiv:2601.00001. This paper has been withdrawn.",
        "Due to a gap in Lemma 2, this paper has been withdrawn",
        "The paper has been withdrawn.",
        "The authors have withdrawn this paper",
        "12 pages; the author has withdrawn this e-print",
        "12 pages, withdrawn by the author",
        "12 pages. Withdrawn for revision",
        "v3: withdrawn",
        "This work was withdrawn from arXiv",
    ],
)
def test_a_comment_says_that_the_paper_is_withdrawn(comment: str) -> None:
    assert is_withdrawn(comment=comment, abstract="")
    assert is_withdrawn(comment="", abstract=comment)  # a short abstract is judged as a comment is


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "12 pages, 3 figures",
        "Supersedes arXiv:2301.00001, which was withdrawn by the authors",
        "Supersedes arXiv:2301.00001, withdrawn by the authors",
        "Replaces arXiv:2301.00001; the paper has been withdrawn",
        "Corrected version of math/0101001 (withdrawn by author)",
        "Corrected version of math/0101001 (this paper has been withdrawn)",
        "Extends a note that was withdrawn by the authors",
        "the dataset withdrawn by its owner is archived",
        "This paper was withdrawn from ICLR 2026",
        "Withdrawn ICLR submission",
        "A reply to this paper was withdrawn",
        "This paper has not been withdrawn",
        "Studies of a painkiller, withdrawn due to its effects",
        "Comment on the note of Moss et al. withdrawn because of an error",
    ],
)
def test_a_comment_speaks_of_another_withdrawal(comment: str) -> None:
    assert not is_withdrawn(comment=comment, abstract="")
    assert not is_withdrawn(comment="", abstract=comment)


@pytest.mark.parametrize(
    "abstract",
    [
        "This paper has been withdrawn by the author because of an error in Section 4",
        "This submission has been withdrawn by arXiv administrators, since it holds text of others",
        "The article is withdrawn",
        "The authors have withdrawn this manuscript",
    ],
)
@pytest.mark.parametrize("more", ["", ON_AND_ON])
def test_an_abstract_that_begins_so_is_of_a_withdrawn_paper(abstract: str, more: str) -> None:
    assert is_withdrawn(comment="", abstract=abstract + more)


@pytest.mark.parametrize(
    "abstract",
    [
        "We analyse 14,000 papers withdrawn by the authors and",
        "The Proposed Rule was withdrawn in 2020. We ask",
        "This once popular drug was withdrawn in 2004",
        "Our main funding was withdrawn in 2023",
        "Withdrawn papers are read on",
        "Papers withdrawn by arXiv are counted",
    ],
)
@pytest.mark.parametrize("more", ["", ON_AND_ON])
def test_an_abstract_about_withdrawals_is_of_a_paper_that_stays(abstract: str, more: str) -> None:
    assert not is_withdrawn(comment="", abstract=abstract + more)


def test_a_long_abstract_is_believed_in_its_first_words_alone() -> None:
    assert not is_withdrawn(comment="", abstract=f"We count the papers whose comment is{ON_AND_ON}. Withdrawn.")


@pytest.mark.parametrize(
    "piece", ["withdrawn ", "this paper ", "(", "(a", "this paper has been ", ", ", "a-", "1234.", " - ", "has been "]
)
def test_any_comment_costs_little(piece: str) -> None:
    text = piece * (400_000 // len(piece))
    began = time.process_time()
    is_withdrawn(comment=text, abstract=text)
    assert time.process_time() - began < 0.2
