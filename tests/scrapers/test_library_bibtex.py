"""A BibTeX file gives its papers, and a broken entry spoils itself alone."""

import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.citations.bibtex import bibtex
from domain.errors import UsageError
from domain.papers import AbstractKind, Identifiers, ListedPaper, Paper
from scrapers.libraries import bibtex as room
from scrapers.libraries.bibtex import plain
from scrapers.libraries.entry import Rejected
from scrapers.libraries.reading import read_library

TODAY = date(2026, 11, 27)
JABREF = r"""
% Encoding: UTF-8

@string{jm = "Journal of Mud"}
@Comment{jabref-meta: databaseType:bibtex;}
@preamble{"\newcommand{\noop}[1]{}"}

@Article{Okafor2024,
  author   = {Okafor, Mira and van der Berg, Jun and {The Tide Group} and others},
  title    = {The {GPT} of {\"O}cean {$N^{2}$} Tides \& Mud},
  journal  = jm # ", 2nd series",
  year     = {2024},
  abstract = {Words \emph{about} 80\% of all tides -- and
              no others.},
  doi      = {10.5555/mud\_1},
}

@Misc{Sato2024, title = "Second", eprint = {2401.01234v2}, archivePrefix = {arXiv}, author = {Jun Sato}}
@InProceedings(paren, title = {Third}, month = jan, year = nobodysaid, url = {https://mud.example/3})
"""


def read(text, encoding="utf-8"):
    library = read_library(io.BytesIO(text.encode(encoding)), TODAY)
    assert library.kind == "bibtex"
    return list(library.entries)


def test_what_jabref_writes_is_read():
    first, second, third = read(JABREF)

    assert first.title == "The GPT of Öcean $N^{2}$ Tides & Mud"
    assert first.authors == ("Mira Okafor", "Jun van der Berg", "The Tide Group")
    assert first.abstract == "Words about 80% of all tides – and no others."
    assert (first.ids, first.published) == (Identifiers(doi="10.5555/mud_1"), date(2024, 1, 1))
    assert (second.title, second.ids, second.authors) == ("Second", Identifiers(arxiv="2401.01234"), ("Jun Sato",))
    assert (third.title, third.url) == ("Third", "https://mud.example/3")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("@misc{a, title = {No end", "do not close"),
        ("@misc{a, title {No sign}}", "cannot be read"),
        ("@misc{a, year = 2024}", "has no title"),
        ("@misc{a, title = " + "{" * 60 + "x" + "}" * 60 + "}", "nest more than 50 deep"),
        ("@misc{a, title = {" + "x" * 600_000 + "}}", "more than 500,000 characters"),
        ("@misc{}", "cannot be read"),
    ],
)
def test_a_broken_entry_spoils_itself_alone(broken, said):
    found = read(f"@misc{{one, title={{One}}}}\n{broken}\n@misc{{two, title={{Two}}}}\n")

    assert [each.title for each in found if isinstance(each, ListedPaper)] == ["One", "Two"]
    rejected = [each for each in found if isinstance(each, Rejected)]
    assert [each.line for each in rejected] in ([2], [])
    assert all(said in each.reason for each in rejected)
    assert bool(rejected) == bool(said)


def test_names_that_stand_for_one_another_do_not_grow_without_end():
    doubled = "".join(f"@string{{a{n + 1} = a{n} # a{n}}}\n" for n in range(30))
    text = f'@string{{a0 = "{"x" * 1000}"}}\n{doubled}@misc{{a, title={{One}}, note={" # ".join(["a8"] * 50)}}}\n'
    found = read(f"{text}@misc{{b, title={{Two}}}}")
    assert [each.title for each in found if isinstance(each, ListedPaper)] == ["Two"]
    assert all("stand for more" in each.reason for each in found if isinstance(each, Rejected))


@pytest.mark.parametrize("name", ["a", "!a", "[a;", "é"])
def test_whatever_names_are_called_they_do_not_grow_without_end(name):
    doubled = "".join(f"@string{{{name}{n + 1} = {name}{n} # {name}{n}}}\n" for n in range(40))
    found = read(f'@string{{{name}0 = "xxxxxxxxxx"}}\n{doubled}@misc{{a, title={name}40}}\n@misc{{b, title={{Two}}}}')
    assert [each.title for each in found if isinstance(each, ListedPaper)] == ["Two"]


def test_all_names_of_a_file_together_stand_for_no_more_than_a_file_may_define():
    many = "".join(f"@string{{b{n} = a # a}}\n" for n in range(20))
    found = read(f'@string{{a = "{"x" * 240_000}"}}\n{many}@misc{{b, title={{Two}}, note=b0}}\n')
    assert [each.title for each in found if isinstance(each, ListedPaper)] == ["Two"]
    rejected = [each.reason for each in found if isinstance(each, Rejected)]
    assert len(rejected) == 20 - (2_000_000 - 240_000) // 480_000
    assert all("a file may define" in reason for reason in rejected)


@pytest.mark.parametrize("title", ["nobodysaid", 'nobodysaid # " of things"', '"x" # nobodysaid', "half"])
def test_a_title_of_which_a_part_is_unknown_is_none(title):
    half = '@string{half = "x" # nobodysaid}\n'
    (first, second) = read(f"{half}@misc{{a, title = {title}}}\n@misc{{b, title={{Two}}, note=nobodysaid}}\n")
    assert ("half" if title == "half" else "nobodysaid") in first.reason
    assert second.title == "Two"


def test_a_name_is_the_same_in_capitals_and_may_be_said_anew():
    again = "".join(f'@string{{J = "Tides {n} {"x" * 90_000}"}}\n' for n in range(50))
    (paper,) = read(f'{again}@string{{j = "Tides"}}\n@misc{{a, title = J # " of " # jan}}')
    assert paper.title == "Tides of January"


@pytest.mark.parametrize(
    ("author", "people"),
    [
        ("{Barnes and Noble} and Smith, Jo", ("Barnes and Noble", "Jo Smith")),
        ("Smith, Jo AND others", ("Jo Smith",)),
        ("Anders Andand and Sand, A.", ("Anders Andand", "A. Sand")),
        ("The {Tide and {Mud}} Group and and Sato, Jun", ("The Tide and Mud Group", "Jun Sato")),
    ],
)
def test_what_braces_hold_together_is_one_name(author, people):
    (paper,) = read(f"@misc{{a, title={{One}}, author={{{author}}}}}")
    assert paper.authors == people


def test_old_files_have_letters_of_windows():
    (paper,) = read("@misc{a, title = {Über Gezeiten}}", "cp1252")
    assert paper.title == "Über Gezeiten"


def test_an_id_that_is_none_is_passed_over():
    (paper,) = read("@misc{a, title={One}, doi={n/a}, eprint={none}, note={see arXiv:2401.01234}}")
    assert paper.ids == Identifiers(arxiv="2401.01234")


@pytest.mark.parametrize("data", [b"", b" \n", b"\xef\xbb\xbf", b"Dear reader, @ me", b"%PDF-1.7\0\0", b"a,b\n1,2\n"])
def test_what_is_no_library_is_refused_in_a_sentence(data):
    with pytest.raises(UsageError, match="the file is"):
        read_library(io.BytesIO(data), TODAY)


def test_a_file_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr("scrapers.libraries.reading.LARGEST", 10)
    with pytest.raises(UsageError, match="larger than"):
        read_library(io.BytesIO(b"@misc{a, title={One}}"), TODAY)


def test_a_line_without_end_is_one_entry_that_is_too_large():
    found = read("@misc{a, title={" + "\0" * 10 + "y" * (room.LARGEST + 9) + "}}\n@misc{b, title={Two}}")
    assert [type(each) for each in found] == [Rejected, ListedPaper]


@given(st.text(max_size=300))
def test_any_text_after_an_entry_is_read_or_told(text):
    for each in read(f"@misc{{a, title={{One}}}}\n@misc{{b, title={{{text}"):
        assert isinstance(each, ListedPaper | Rejected)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_library_or_refused(data):
    try:
        entries = list(read_library(io.BytesIO(b"@misc{a, title={One}}\n" + data), TODAY).entries)
    except UsageError:
        return
    assert all(isinstance(each, ListedPaper | Rejected) for each in entries)


WORDS = st.text(st.characters(categories=["L", "Nd"], max_codepoint=0x17F), min_size=1, max_size=12)


@given(st.lists(WORDS, min_size=1, max_size=6), st.lists(WORDS, max_size=8))
def test_what_we_write_ourselves_is_read_back(title, abstract):
    when = datetime(2026, 11, 20, tzinfo=UTC)
    paper = Paper(
        id=1,
        key="arxiv:2611.00001",
        ids=Identifiers(arxiv="2611.00001", doi="10.5555/a_{b}"),
        title=f"{' '.join(title)} & 80% of $N_1$",
        abstract=" ".join(abstract),
        abstract_kind=AbstractKind.AUTHORS,
        authors=("Mira Okafor", "Jun van der Berg"),
        author_count=2,
        published=date(2026, 11, 1),
        first_seen=when,
        listed=when.date(),
        first_listed=when.date(),
        url="https://mud.example/1",
    )
    (back,) = read(bibtex(paper))
    assert back.title == plain(back.title)
    assert back.title.replace("$", "") == paper.title.replace("$", "")
    assert (back.abstract, back.authors) == (paper.abstract, paper.authors)
    assert back.ids.arxiv == "2611.00001"
