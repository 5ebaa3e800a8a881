"""arXiv's page of one paper."""

import re
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Blocked, CollectError, LayoutChanged, Throttled
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper
from scrapers.arxiv_abstract import looks_like_abstract, read_abstract

TODAY = date(2026, 8, 12)
PAGES = Path(__file__).parent / "pages" / "arxiv" / "list"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples" / "arxiv" / "list"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")


def recorded(name: str) -> str:
    return (PAGES / f"{name}.html").read_text()


def paper_of(text: str) -> ListedPaper:
    listing = read_abstract(text, source="arxiv", day=TODAY, visited=TODAY)
    assert (listing.source, listing.day, listing.status, listing.declared) == ("arxiv", TODAY, FetchStatus.OK, 1)
    (paper,) = listing.papers
    return paper


def without_tags(text: str) -> str:
    return re.sub(r"<meta name=\"citation_[^>]*>", "", text)


def test_the_page_of_a_paper_tells_all_of_it() -> None:
    assert paper_of(recorded("abstract")) == ListedPaper(
        title="Bridges Over Dry Rivers",
        rank=1,
        ids=Identifiers(arxiv="2606.01234", doi="10.5555/dry.2026.7"),
        abstract="We ask who builds bridges over rivers that are dry.",
        abstract_kind=AbstractKind.AUTHORS,
        authors=("Ada Example", "C. Balás"),
        author_count=2,
        published=date(2026, 6, 2),
        url="https://arxiv.org/abs/2606.01234",
        pdf_url="https://arxiv.org/pdf/2606.01234",
        categories=("cs.CL", "cs.LG"),
        version=2,
        comment="12 pages, 3 figures",
        journal="J. Imag. Rivers 3 (2026) 12",
    )


def test_a_withdrawn_paper_is_told_by_its_history() -> None:
    withdrawn = recorded("abstract_withdrawn")
    paper = paper_of(withdrawn)
    assert (paper.withdrawn, paper.version, paper.pdf_url) == (True, 3, "")
    assert not paper_of(withdrawn.replace(" <em>(withdrawn)</em>", "")).withdrawn  # whatever is said elsewhere


def test_a_page_without_a_history_tells_a_withdrawal_by_either_of_two_signs() -> None:
    withdrawn = re.sub(r"(?s)<div class=\"submission-history\">.*?</div>", "", recorded("abstract_withdrawn"))
    signs = ("<li>Withdrawn</li>", "This paper has been withdrawn by Ada Example")
    for kept in signs:
        text = withdrawn
        for sign in signs:
            text = text if sign == kept else text.replace(sign, "")
        assert paper_of(text).withdrawn, kept
    for sign in signs:
        withdrawn = withdrawn.replace(sign, "")
    assert not paper_of(withdrawn).withdrawn


def test_an_older_version_that_was_withdrawn_says_nothing_of_the_newest() -> None:
    text = recorded("abstract").replace("(443 KB)", "(443 KB) (withdrawn)")
    assert not paper_of(text).withdrawn


def test_either_the_tags_or_the_blocks_are_enough() -> None:
    whole = paper_of(recorded("abstract"))
    assert paper_of(without_tags(recorded("abstract"))) == whole
    tags_alone = "".join(re.findall(r"(?s)<meta name=\"citation_.*?>", recorded("abstract")))
    paper = paper_of(f"<html><head>{tags_alone}</head><body></body></html>")
    assert (paper.ids, paper.title, paper.abstract, paper.authors) == (
        whole.ids,
        whole.title,
        whole.abstract,
        whole.authors,
    )
    assert (paper.published, paper.version, paper.categories) == (whole.published, None, ())


def test_the_id_of_a_page_without_tags_stands_where_it_is_cited() -> None:
    text = re.sub(r"<meta property=\"og:url\"[^>]*>", "", without_tags(recorded("abstract")))
    assert paper_of(text).ids.arxiv == "2606.01234"
    assert paper_of(text.replace("/abs/2606.01234", "/x/")).ids.arxiv == "2606.01234"


def test_arxivs_own_doi_is_no_doi_of_the_paper() -> None:
    for own in ("10.48550/arXiv.2606.01234", "10.65215/arXiv.2606.01234"):
        assert paper_of(recorded("abstract").replace("10.5555/DRY.2026.7", own)).ids == Identifiers(arxiv="2606.01234")


def test_a_day_after_the_visit_is_not_believed() -> None:
    text = recorded("abstract").replace("2 Jun 2026 19", "2 Jun 2062 19").replace("2026/06/02", "2026/02/31")
    assert paper_of(text).published is None


def test_all_authors_of_the_tags_are_taken_where_the_block_shows_fewer() -> None:
    text = recorded("abstract").replace(
        '<meta name="citation_doi"', '<meta name="citation_author" content="The Dry Team"><meta name="citation_doi"'
    )
    assert paper_of(text).authors == ("Ada Example", "C. Balás", "The Dry Team")


def test_a_page_that_is_cut_is_not_whole() -> None:
    text = recorded("abstract")
    listing = read_abstract(
        text[: text.index("over rivers that are dry.\n\n")], source="arxiv", day=TODAY, visited=TODAY
    )
    assert (listing.status, listing.note) == (FetchStatus.PARTIAL, "the page is cut before its end")
    assert listing.papers[0].title


@pytest.mark.parametrize("text", ["", "x", recorded("bot_check")])
def test_a_page_that_says_nothing_of_a_paper_is_blocked(text: str) -> None:
    with pytest.raises(Blocked):
        read_abstract(text, source="arxiv", day=TODAY, visited=TODAY)


def test_a_throttled_answer_is_told() -> None:
    with pytest.raises(Throttled):
        read_abstract("Rate exceeded.", source="arxiv", day=TODAY, visited=TODAY)


@pytest.mark.parametrize("lost", ["2606.01234", "Bridges Over Dry Rivers"])
def test_a_paper_without_id_or_title_is_a_change_of_layout(lost: str) -> None:
    with pytest.raises(LayoutChanged):
        read_abstract(recorded("abstract").replace(lost, ""), source="arxiv", day=TODAY, visited=TODAY)


def test_pages_of_papers_are_told_from_other_texts() -> None:
    assert all(looks_like_abstract(recorded(name)) for name in ("abstract", "abstract_withdrawn"))
    assert not any(looks_like_abstract(recorded(name)) for name in ("new", "catchup_empty", "bot_check"))


@needs_samples
def test_the_sample_is_read_in_full() -> None:
    text = (SAMPLES / "rendered_fs__abs__0704.0001.html").read_text()
    assert looks_like_abstract(text)
    paper = paper_of(text)
    assert paper.ids == Identifiers(arxiv="0704.0001", doi="10.1103/physrevd.76.013009")
    assert paper.title == "Calculation of prompt diphoton production cross sections at Tevatron and LHC energies"
    assert paper.authors == ("C. Balázs", "E. L. Berger", "P. M. Nadolsky", "C.-P. Yuan")
    assert (paper.published, paper.version, paper.categories) == (date(2007, 4, 2), 2, ("hep-ph",))
    assert (paper.comment, paper.journal) == ("37 pages, 15 figures; published version", "Phys.Rev.D76:013009,2007")
    assert paper.abstract.endswith("with judicious selection of events.")
    assert not paper.withdrawn


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_damage_never_surprises(data: st.DataObject) -> None:
    text = recorded(data.draw(st.sampled_from(["abstract", "abstract_withdrawn"])))
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(text)))
        text = text[:start] + data.draw(st.text(max_size=5)) + text[start + data.draw(st.integers(0, 300)) :]
    with suppress(CollectError):
        for paper in read_abstract(text, source="arxiv", day=TODAY, visited=TODAY).papers:
            assert paper.title
            assert paper.ids.arxiv
