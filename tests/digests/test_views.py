"""What a letter shows of one paper: its matched words are seen in title and abstract, escaped, and no text is lost."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digests.marking import marked_page, marked_text
from digests.readable import readable
from digests.views import PaperView, view
from domain.issues import AsideKind, Entry
from domain.papers import AbstractKind, Paper
from domain.topics import Why

MakePaper = Callable[..., Paper]

FIRST = "We ask how far a net can be pushed before it breaks. "
FILLER = "Nothing of it is to be found in these words, which stand here for the sake of their length alone. "
QUOTE = "Here an estuary is met, and it is shown with all its sentence."


def shown(paper: Paper, why: Why, chars: int = 420) -> PaperView:
    return view(Entry(paper=paper, topic_id=1, why=why), year=2026, abstract_chars=chars, labels={})


def marked(page: str) -> list[str]:
    return re.findall("<mark[^>]*>(.*?)</mark>", page)


def test_the_words_are_marked_in_the_title_of_both_parts(make_paper: MakePaper) -> None:
    paper = make_paper(1, title=r"Loss < 1: Tides of $\ell_1$ & tides")

    seen = shown(paper, Why("word “tide”, in title", ("Tides",)))

    assert marked(seen.title) == ["Tides", "tides"]
    assert seen.title.startswith("Loss &lt; 1: <mark")
    assert seen.title.endswith(' of ℓ₁ &amp; <mark style="background:#fdf0b5;color:#16212b">tides</mark>')
    assert seen.title_text == "Loss < 1: *Tides* of ℓ₁ & *tides*"


def test_a_word_that_only_the_title_is_asked_for_is_not_marked_in_the_abstract(make_paper: MakePaper) -> None:
    paper = make_paper(1, title="Deep Nets", abstract="Deep as they are, nets end.")

    seen = shown(paper, Why("“deep” in title · “nets” in abstract", title=("Deep",), abstract=("nets",)))

    assert (marked(seen.title), marked(seen.abstract)) == (["Deep"], ["nets"])
    assert (seen.title_text, seen.abstract_text) == ("*Deep* Nets", "Deep as they are, *nets* end.")


@pytest.mark.parametrize(
    ("text", "word", "shown"),
    [
        ("C, C++ and C# compilers", "C", "*C*, C++ and C# compilers"),
        ("C, C++ and C# compilers", "C++", "C, *C++* and C# compilers"),
        ("A+B is not B, nor #B", "B", "A+B is not *B*, nor #B"),
        ("e\u0301 and e", "e", "e\u0301 and *e*"),
        ("deep_net", "net", "deep_*net*"),
    ],
)
def test_a_marked_word_ends_where_the_index_ends_it(text: str, word: str, shown: str) -> None:
    assert marked_text(text, [word]) == shown


@given(st.text(max_size=60), st.lists(st.text(max_size=8), max_size=4))
def test_marking_escapes_all_and_loses_nothing(text: str, words: list[str]) -> None:
    page = marked_page(readable(text), words)

    assert unescape(re.sub(r"</?mark[^>]*>", "", page)) == readable(text)
    assert not re.search(r"<(?!/?mark\b)", page)


def test_a_passage_follows_the_beginning_where_it_has_words_that_the_beginning_has_not(make_paper: MakePaper) -> None:
    paper = make_paper(1, abstract=f"{FIRST}{FILLER * 5}{QUOTE} {FILLER * 3}")

    seen = shown(paper, Why("word “estuary”, in abstract", abstract=("estuary",), quote=QUOTE))

    assert seen.abstract_text == f"{FIRST}{FILLER * 3}… {QUOTE.replace('estuary', '*estuary*')} …"
    assert marked(seen.abstract) == ["estuary"]
    assert len(re.sub(r"</?mark[^>]*>", "", seen.abstract)) <= 420


@pytest.mark.parametrize("before", [FIRST, f"{FIRST}An estuary, first. {FILLER * 5}"])
def test_the_beginning_stands_alone_where_it_has_the_words(make_paper: MakePaper, before: str) -> None:
    paper = make_paper(1, abstract=f"{before}{QUOTE} {FILLER * 3}")

    seen = shown(paper, Why("word “estuary”, in abstract", abstract=("estuary",), quote=QUOTE))

    assert seen.abstract_text.startswith(FIRST)
    assert "… Here" not in seen.abstract_text
    assert seen.abstract_text.count("*estuary*") == 1


def test_a_word_that_is_seen_in_the_title_needs_no_passage(make_paper: MakePaper) -> None:
    paper = make_paper(1, title="On an Estuary", abstract=f"{FIRST}{FILLER * 5}{QUOTE}")

    seen = shown(paper, Why("word “estuary”, in title", title=("estuary",), abstract=("estuary",), quote=QUOTE))

    assert seen.abstract_text == f"{FIRST}{FILLER * 3}".strip() + " …"


def test_what_ends_with_the_abstract_ends_without_dots(make_paper: MakePaper) -> None:
    paper = make_paper(1, abstract=f"{FIRST}{FILLER * 5}{QUOTE}")

    seen = shown(paper, Why("word “estuary”, in abstract", abstract=("estuary",), quote=QUOTE), chars=130)

    assert seen.abstract_text == f"… {QUOTE.replace('estuary', '*estuary*')}"


@pytest.mark.parametrize(
    ("kind", "topic", "where"),
    [
        (AsideKind.LATE_RISERS, "", "▲\u00a041, listed 20 November · daily"),
        (AsideKind.TRENDING, "mud", "20 Nov · daily · ▲\u00a041"),
        (None, "mud", "20 Nov · daily · ▲\u00a041"),
    ],
)
def test_a_late_riser_is_known_by_where_it_stands(
    make_paper: MakePaper, kind: AsideKind | None, topic: str, where: str
) -> None:
    entry = Entry(make_paper(1, upvotes=41), 1, Why("word “tide”, in title"), topic=topic)

    assert view(entry, year=2026, abstract_chars=420, labels={}, kind=kind).where == where


def test_a_paper_without_abstract_shows_none(make_paper: MakePaper) -> None:
    paper = make_paper(1, abstract="", abstract_kind=AbstractKind.NONE)

    assert shown(paper, Why("word “estuary”, in title", ("estuary",))).abstract_text == ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(
    text=st.lists(st.sampled_from([FIRST, FILLER, "estuary ", "Nets. ", "ﬁne ", "🤗", "\n", "x" * 90]), max_size=12),
    cut=st.tuples(st.integers(0, 300), st.integers(1, 200)),
    chars=st.integers(80, 600),
)
def test_no_more_is_shown_than_is_allowed_and_nothing_that_is_not_there(
    make_paper: MakePaper, text: list[str], cut: tuple[int, int], chars: int
) -> None:
    abstract = "".join(text)
    begin = abstract.rfind(" ", 0, cut[0]) + 1  # a quote is cut between words
    end = abstract.find(" ", begin + cut[1])
    quote = abstract[begin : end if end >= 0 else None]

    seen = shown(
        make_paper(1, abstract=abstract), Why("word “estuary”, in abstract", abstract=("estuary",), quote=quote), chars
    )

    plain = seen.abstract_text.replace("*", "")
    assert len(plain) <= chars
    assert all(piece.strip() in readable(abstract) for piece in plain.split("…"))
