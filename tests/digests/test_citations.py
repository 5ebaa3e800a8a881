"""Papers as bibliographies and tables hold them."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.citations.bibtex import bibtex
from digests.citations.formats import FORMATS
from digests.citations.keys import citation_key
from digests.citations.people import Person, people
from digests.citations.ris import ris
from digests.citations.sheet import COLUMNS, guarded, header, sheet
from domain.papers import AbstractKind, Identifiers, Paper

GOLDEN = Path(__file__).parent / "golden"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BLANK: dict[str, Any] = {
    "id": 1,
    "key": "title:0123456789abcdef",
    "ids": Identifiers(),
    "title": "Tides",
    "abstract": "",
    "abstract_kind": AbstractKind.NONE,
    "authors": (),
    "author_count": 0,
    "published": None,
    "first_seen": NOON,
    "listed": NOON.date(),
    "first_listed": NOON.date(),
    "url": "",
}


@pytest.fixture
def whole(make_paper) -> Paper:
    """A paper of which everything is known."""
    return make_paper(
        title=r"Probing the $\ell_1$ Norm & Schr\"odinger Networks: 50% of {GPT} Is_Enough",
        abstract=r"A probe with $\|\delta\|_2 \le 10^{-3}$ finds it in 44.49\% of cases & more.",
        authors=(
            "Mira Okafor",
            "Jan van der Berg",
            "Maria Garcia Lopez",
            "The Lantern Collaboration",
            "Tomáš Dvořák Jr.",
        ),
        author_count=8,
        ids=Identifiers(arxiv="2611.00001", doi="10.1234/lantern_5", openreview="abcDEF12"),
        code_url="https://github.com/example/probing",
        project_url="https://probing.example/",
        organization="Institute of Lamps",
        categories=("cs.CL", "q-bio.NC"),
        sources=("daily", "arxiv:cs.CL"),
        upvotes=41,
        comments=0,
        version=2,
        withdrawn=True,
    )


@pytest.mark.parametrize("form", FORMATS)
def test_a_paper_of_which_everything_is_known(form: str, whole: Paper) -> None:
    written = FORMATS[form].head() + FORMATS[form].entry(whole, "Annals of Lamps & Light")
    assert written.encode() == (GOLDEN / f"paper{FORMATS[form].suffix}").read_bytes()


@pytest.fixture
def bare() -> Paper:
    """A paper of which nothing but a title is known."""
    return Paper(**BLANK)


def test_a_paper_of_which_nothing_is_known(bare: Paper) -> None:
    assert bibtex(bare) == f"@misc{{{citation_key(bare)},\n  title = {{{{Tides}}}}\n}}\n\n"
    assert ris(bare) == f"TY  - GEN\r\nID  - {citation_key(bare)}\r\nTI  - Tides\r\nER  - \r\n\r\n"


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_key_is_made_of_author_year_word_and_paper(make_paper, bare: Paper) -> None:
    paper = make_paper(title=r"On the $k$-th {\"U}ber-Network", authors=("Ana María Núñez",))
    assert re.fullmatch(r"nunez2026th-[a-z2-7]{8}", citation_key(paper))
    assert citation_key(bare).startswith("anonndtides-")


def test_papers_that_read_alike_have_keys_of_their_own(make_paper) -> None:
    one, other = (make_paper(1, title="Editorial", key=f"title:{n:016x}", ids=Identifiers()) for n in range(2))
    assert citation_key(one) != citation_key(other)


def test_a_key_stays_when_a_paper_learns_what_it_did_not_know(make_paper) -> None:
    paper = make_paper(published=None, abstract="", upvotes=None)
    later = make_paper(published=date(2026, 10, 31), abstract="We ask.", upvotes=9, id=77, sources=("b", "a"))
    assert citation_key(paper) == citation_key(later)


@pytest.mark.parametrize(
    ("arxiv", "year"),
    [("2611.00001", "2026"), ("0704.0001", "2007"), ("math/9901001", "1999"), ("hep-th/0601001", "2006")],
)
def test_an_arxiv_id_tells_the_year(arxiv: str, year: str, make_paper) -> None:
    paper = make_paper(ids=Identifiers(arxiv=arxiv), published=None)
    assert citation_key(paper).startswith(f"okafor{year}quiet-")
    assert f"year = {{{year}}}" in bibtex(paper)
    assert f"\r\nPY  - {year}\r\n" in ris(paper)
    assert "DA  -" not in ris(paper)


@given(title=st.text(max_size=40), names=st.lists(st.text(max_size=20), max_size=3), key=st.text(max_size=20))
def test_a_key_is_ascii_whatever_the_paper_says(title: str, names: list[str], key: str) -> None:
    paper = Paper(**BLANK | {"title": title, "authors": tuple(names), "key": key})
    assert re.fullmatch(r"[a-z0-9]{3,}-[a-z2-7]{8}", citation_key(paper))
    assert bibtex(paper).startswith(f"@misc{{{citation_key(paper)},\n")
    assert f"\r\nID  - {citation_key(paper)}\r\n" in ris(paper)


# -- people ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("Mira Okafor", Person("Okafor", "Mira")),
        ("Okafor, Mira", Person("Okafor", "Mira")),
        ("Mira B. Okafor", Person("Okafor", "Mira B.")),
        ("J.-P. R. Sato", Person("Sato", "J.-P. R.")),
        ("Jan van der Berg", Person("van der Berg", "Jan")),
        ("Jun Sato Jr.", Person("Sato", "Jun", "Jr.")),
        ("Jun Sato, III", Person("Sato", "Jun", "III")),
        ("Maria Garcia Lopez", Person("Maria Garcia Lopez", is_natural=True)),
        ("Okafor M", Person("Okafor M", is_natural=True)),
        ("王小明", Person("王小明")),
        ("Plato", Person("Plato")),
        ("The Lantern Collaboration", Person("The Lantern Collaboration")),
        ("Institute of Health and Safety", Person("Institute of Health and Safety")),
        ("Okafor, Mira, PhD", Person("Okafor, Mira, PhD")),
        ("Okafor,", Person("Okafor,")),
        ("Mira van", Person("Mira van")),
    ],
)
def test_a_name_is_turned_round_where_that_is_certain(name: str, person: Person) -> None:
    assert people((name,)) == (person,)


def test_who_is_not_named_is_others(make_paper) -> None:
    for paper in (make_paper(author_count=3), make_paper(authors=("Mira Okafor", "Jun Sato et al."))):
        assert "author = {Okafor, Mira and\n            Sato, Jun and\n            others}" in bibtex(paper)
    assert "others" not in bibtex(make_paper(authors=(), author_count=9))
    assert "N1  - 3 authors in all\r\n" in ris(make_paper(author_count=3))


def test_a_name_with_an_and_is_one_author(make_paper) -> None:
    assert "author = {{Lamps and Light}}" in bibtex(make_paper(authors=("Lamps and Light",), author_count=1))


def test_a_collaboration_of_thousands_is_all_there(make_paper) -> None:
    names = tuple(f"Author{n} Number{n}" for n in range(3_300))
    paper = make_paper(authors=names, author_count=3_300)
    assert bibtex(paper).count(" and\n") == 3_299
    assert ris(paper).count("\r\nAU  - ") == 3_300
    assert sheet(paper).count("; ") == 3_299


# -- entries -----------------------------------------------------------------------------------------------------------


def test_an_address_cannot_end_its_field(make_paper) -> None:
    written = bibtex(make_paper(ids=Identifiers(doi="10.1234/a}b{c\\d_e")))
    assert "doi = {10.1234/a%7Db%7Bc%5Cd_e}" in written
    assert written.count("{") == written.count("}")


HOSTILE = [
    "}", "\\", "{{{", "One\r\nER  - \r\nTY  - JOUR", "=cmd|' /C calc'!A0", "\x01\x1b[31mred\x9b", "\u202eevil\u2066",
    "$unbalanced_", "@article{x,", "% \\end{document}", "a\nb", '"quoted", "twice"', "ER  - ", "\u2028ER  - \x85ER  - ",
]  # fmt: skip


@pytest.mark.parametrize("title", HOSTILE)
def test_no_title_gets_out_of_its_entry(title: str, make_paper) -> None:
    paper = make_paper(
        title=title, abstract=title, authors=(title, "Jun Sato"), categories=(title,), organization=title
    )
    assert_whole(paper, title)


@given(text=st.text(max_size=60), name=st.text(max_size=30))
def test_whatever_a_paper_says_its_entries_are_whole(text: str, name: str) -> None:
    said = {"title": text, "abstract": text, "authors": (name, text), "categories": (name,), "organization": text}
    assert_whole(Paper(**BLANK | said), name)


def assert_whole(paper: Paper, journal: str) -> None:
    written = bibtex(paper, journal)
    assert re.findall(r"^@\w+", written, re.MULTILINE) in (["@misc"], ["@article"])
    depth = 0
    for at, character in enumerate(written, start=1):
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth > 0 or at <= len("@article") or at >= len(written) - 2, "nothing closes the entry before its end"
    assert depth == 0
    lines = ris(paper, journal).split("\r\n")
    assert [line[:6] for line in lines if line.startswith(("TY", "ER"))] == ["TY  - ", "ER  - "]
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines if line)
    assert all(len(line.splitlines()) <= 1 for line in lines)
    (row,) = csv.reader(io.StringIO(sheet(paper, journal), newline=""))
    assert len(row) == len(COLUMNS)
    assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert len(FORMATS["jsonl"].entry(paper, journal).splitlines()) == 1


# -- CSV ---------------------------------------------------------------------------------------------------------------


def test_the_first_row_names_the_columns() -> None:
    assert header() == ",".join(COLUMNS) + "\r\n"


def test_a_row_holds_what_the_archive_holds(whole: Paper) -> None:
    (row,) = csv.DictReader(io.StringIO(header() + sheet(whole, "Annals"), newline=""))
    held = json.loads(FORMATS["jsonl"].entry(whole, ""))
    assert row.keys() - held.keys() == {"citation_key", "journal"}
    assert held.keys() <= row.keys()
    assert (row["title"], row["authors"].split("; ")) == (held["title"], held["authors"])
    assert (row["withdrawn"], row["version"], row["comments"]) == ("true", "2", "0")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("-5", "'-5"),
        ("+1", "'+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("'=1", "''=1"),
        ("＝1", "'＝1"),
        ("'tis", "'tis"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(value: str, cell: str) -> None:
    assert guarded(value) == cell


@given(st.text(alphabet="'=+-@a;", max_size=6))
def test_what_the_guard_did_can_be_undone(value: str) -> None:
    assert re.sub(r"^'('*[=+\-@＝＋－＠])", r"\1", guarded(value)) == value
