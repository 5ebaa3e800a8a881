"""A paper's page: one address, everything that is known, citations, and nothing from outside that is not text."""

import json
import re
from html import unescape

import pytest

RICH = "/papers/arxiv:2611.00001"
HOSTILE = "/papers/doi:10.1101/a%3Cb%3E%22%26c"


def tags(answer):
    return [
        (name, unescape(value))
        for name, value in re.findall(r'<meta name="(citation_\w+)" content="([^"]*)">', answer.text)
    ]


def test_a_page_holds_what_is_known_of_a_paper(library):
    answer = library.get(RICH)

    assert answer.status == 200
    for said in (
        "Bounding the ℓ₁ Norm of Schrödinger Tides",
        "A probe with 10⁻³ bounds",
        "10 more authors",
        "14 more authors not named here",
        "Lantern Lab · published 20 November 2026 · listed 20 November 2026 · version 2 · ▲\u00a041 votes",
        'href="https://github.com/lantern/tides" rel="noreferrer">Code</a>',
        'href="https://lantern.example/tides" rel="noreferrer">Project</a>',
        "12 pages",
        "A summary, not the authors’ words",
        '<a href="/days/2026-11-20">20 November 2026</a> · Hugging Face Daily Papers · rank 7 · 41 votes',
        "20 November 2026: A new version v2 (arXiv cs.LG)",
        "Title as Hugging Face Daily Papers has it",
        "@article{berg2026bounding-",
    ):
        assert said in answer.text, said


def test_similar_papers_share_rare_words_and_are_neither_the_paper_nor_its_kin(library):
    answer = library.get(RICH)
    similar = answer.text[answer.text.index('id="similar"') :]
    papers = re.findall(r'class="title" dir="auto"><a href="([^"]*)"', similar)

    assert 1 <= len(papers) <= 5
    assert RICH not in papers
    assert "Why: shares “" in similar


def test_a_reference_manager_reads_the_paper_from_its_tags(library):
    found = tags(library.get(RICH))

    assert found[0] == ("citation_title", "Bounding the ℓ₁ Norm of Schrödinger Tides")
    assert [value for name, value in found if name == "citation_author"][:2] == ["Berg, Ada", "Beerg, Ada"]
    assert dict(found)["citation_publication_date"] == "2026/11/20"
    assert dict(found)["citation_pdf_url"] == "https://arxiv.org/pdf/2611.00001"
    assert dict(found)["citation_arxiv_id"] == "2611.00001"
    assert dict(found)["citation_journal_title"] == "Annals of Lamps"


def test_a_page_has_one_address_and_says_so(library):
    answer = library.get(RICH)

    assert '<link rel="canonical" href="https://digests.example.org/papers/arxiv:2611.00001">' in answer.text
    assert '<meta property="og:url" content="https://digests.example.org/papers/arxiv:2611.00001">' in answer.text
    assert library.get(RICH, **{"If-None-Match": answer.headers["etag"]}).status == 304


@pytest.mark.parametrize(
    "name",
    ["2611.00001", "arxiv:2611.00001v2", "https://arxiv.org/abs/2611.00001", "https://arxiv.org/pdf/2611.00001v1"],
)
@pytest.mark.parametrize("ending", ["", ".bib", ".json"])
def test_any_other_name_of_a_paper_leads_to_its_address(library, name, ending):
    answer = library.get(f"/papers/{name}{ending}")

    assert (answer.status, answer.headers["location"]) == (301, f"{RICH}{ending}")


@pytest.mark.parametrize(
    ("ending", "media_type", "begins"),
    [
        (".bib", "application/x-bibtex; charset=utf-8", "@article{berg2026bounding-"),
        (".ris", "application/x-research-info-systems; charset=utf-8", "TY  - JOUR\r\n"),
        (".json", "application/json", "{"),
    ],
)
def test_a_paper_can_be_taken_away_as_a_citation(library, ending, media_type, begins):
    answer = library.get(f"{RICH}{ending}")

    assert answer.status == 200
    assert answer.headers["content-type"] == media_type
    assert re.fullmatch(
        rf'inline; filename="berg2026bounding-[a-z2-7]{{8}}\{ending}"', answer.headers["content-disposition"]
    )
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.text.startswith(begins)
    assert library.get(f"{RICH}{ending}", **{"If-None-Match": answer.headers["etag"]}).status == 304


def test_json_holds_the_stored_text(library):
    paper = json.loads(library.get(f"{RICH}.json").text)

    assert paper["key"] == "arxiv:2611.00001"
    assert paper["title"] == r"Bounding the $\ell_1$ Norm of Schr\"odinger Tides"
    assert paper["journal"] == "Annals of Lamps"


def test_everything_from_outside_is_shown_as_text_and_no_script_becomes_a_link(library):
    for path in (HOSTILE, "/papers?q=onload", "/days/2026-11-20"):
        answer = library.get(path)
        assert answer.status == 200
        assert "&lt;script&gt;alert(1)" in answer.text
        assert "<script" not in answer.text
        assert "<i>" not in answer.text
        assert 'href="javascript' not in answer.text
        assert "{{ 7*7 }}" in unescape(answer.text)


def test_a_hostile_key_has_citations_too(library):
    answer = library.get(f"{HOSTILE}.bib")

    assert answer.status == 200
    assert '"' not in answer.headers["content-disposition"].removeprefix('inline; filename="').removesuffix('"')


@pytest.mark.parametrize(
    "path",
    ["nope", "", "..", "%2e%2e/%2e%2e/etc/passwd", "%00", "a%00b", "%ff%fe", "x" * 10_000, "arxiv:", ":", ".bib",
     "arxiv:9999.99999.ris", "%3Cscript%3Ealert(1)%3C/script%3E", "//evil.example", "%E2%80%AE"],
)  # fmt: skip
def test_what_is_no_paper_is_a_page_with_a_search_box(library, path):
    answer = library.get(f"/papers/{path}")

    assert answer.status == 404
    assert 'role="search"' in answer.text
    assert "<script" not in answer.text


def test_head_answers_as_get(library):
    got = library.get(RICH)
    head = library.ask(library.address, "HEAD", RICH)

    assert (head.status, head.text) == (200, "")
    assert head.headers["etag"] == got.headers["etag"]
