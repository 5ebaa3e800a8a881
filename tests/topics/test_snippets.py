from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.papers import Paper
from topics.explain import Explainer
from topics.passages import LENGTH, Marked, passage
from topics.query import parse
from topics.snippets import snippet

MakePaper = Callable[..., Paper]

FILLER = "Nothing of it is to be found in these words, which stand here for the sake of their length alone. "
PIECES = st.sampled_from(
    [
        *(
            "tide ",
            "tides",
            "deep ",
            "CO$_2$ ",
            "$x + tide$ ",
            r"\textbf{deep tide} ",
            r"Erd\H os ",
            "{",
            "}",
            "$",
            "\\",
        ),
        *(
            "\u0301",
            "e\u0301",
            "🤗",
            ". ",
            "  ",
            "\n",
            "\0",
            "\ud800",
            "ﬁne ",
            "한국어 ",
            FILLER,
            "x" * 300,
            r"\frac{a}{b} ",
        ),
    ]
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)


@pytest.fixture(scope="module")
def explainer() -> Iterator[Explainer]:
    with Explainer() as made:
        yield made


def marked(shown: Marked) -> list[str]:
    return [shown.text[begin:end] for begin, end in shown.marks]


@pytest.fixture
def shown(explainer: Explainer, a_paper: MakePaper) -> Callable[..., Marked]:
    return lambda query, abstract: snippet(explainer, parse(query), a_paper(1, "A title", abstract)).abstract


def test_a_short_abstract_is_shown_whole_with_its_words_marked(shown: Callable[..., Marked]) -> None:
    found = shown("tide model", "Tide models of the tides.")

    assert found.text == "Tide models of the tides."
    assert marked(found) == ["Tide", "models", "tides"]


def test_the_sentence_that_answers_is_shown_and_dots_stand_for_the_rest(shown: Callable[..., Marked]) -> None:
    found = shown(
        "estuary", FILLER * 3 + "Here an estuary is met, and it is shown with all its sentence. " + FILLER * 3
    )

    assert found.text.startswith("… Here an estuary is met")
    assert found.text.endswith(" …")
    assert marked(found) == ["estuary"]


def test_a_passage_with_both_words_goes_before_one_with_the_same_word_twice(shown: Callable[..., Marked]) -> None:
    found = shown("tide OR moon", f"A tide and a tide. {FILLER * 3}The moon makes a tide. {FILLER * 3}")

    assert marked(found) == ["moon", "tide"]


def test_a_word_far_into_a_long_sentence_is_shown_with_what_stands_before_it(shown: Callable[..., Marked]) -> None:
    found = shown("estuary", "and " * 200 + "an estuary " + "and " * 200)

    assert marked(found) == ["estuary"]
    assert found.text.index("estuary") > 20
    assert len(found.text) <= LENGTH + 4


def test_a_phrase_is_one_mark_and_its_words_alone_are_none(shown: Callable[..., Marked]) -> None:
    found = shown('"neural tides"', "Neural nets and tides. A neural tide.")

    assert marked(found) == ["neural tide"]


def test_what_did_not_make_the_query_hold_is_not_marked(shown: Callable[..., Marked]) -> None:
    found = shown("tide OR (deep absent)", "A deep tide.")

    assert marked(found) == ["tide"]


def test_a_paper_found_by_its_author_shows_its_beginning(shown: Callable[..., Marked]) -> None:
    found = shown("okafor", f"It begins so. {FILLER * 5}")

    assert found.text.startswith("It begins so. Nothing of it")
    assert found.marks == ()


def test_an_author_and_a_word_mark_the_word(shown: Callable[..., Marked]) -> None:
    assert marked(shown("okafor tide", "A tide.")) == ["tide"]


def test_without_a_query_the_beginning_is_shown(explainer: Explainer, a_paper: MakePaper) -> None:
    assert snippet(explainer, None, a_paper(1, "A title", "An abstract.")).abstract == Marked("An abstract.", ())
    assert snippet(explainer, None, a_paper(1, "A title", "")).abstract == Marked("", ())


def test_the_title_is_whole_and_marked(explainer: Explainer, a_paper: MakePaper) -> None:
    title = snippet(explainer, parse("tide"), a_paper(1, f"Tides {FILLER * 3}of a tide")).title

    assert len(title.text) > LENGTH
    assert marked(title) == ["Tides", "tide"]


def test_a_prefix_marks_the_whole_word_and_a_field_only_its_own_place(explainer: Explainer, a_paper: MakePaper) -> None:
    paper = a_paper(1, "Tides of estuaries", "Estuaries have a tide.")

    found = snippet(explainer, parse("title:estuar* abstract:tide"), paper)

    assert marked(found.title) == ["estuaries"]
    assert marked(found.abstract) == ["tide"]


@pytest.mark.parametrize("query", ["cat:cs", "source:daily", "upvotes>=3", 'author:"Okafor, Mira"'])
def test_what_is_asked_beside_words_has_no_place(explainer: Explainer, a_paper: MakePaper, query: str) -> None:
    paper = replace(a_paper(1, "Tides", "A tide."), categories=("cs.LG",), sources=("daily",), upvotes=3)

    assert snippet(explainer, parse(query), paper).abstract == Marked("A tide.", ())
    assert marked(snippet(explainer, parse(f"{query} tide"), paper).abstract) == ["tide"]
    assert snippet(explainer, parse(f"tide -{query}"), paper).abstract.marks == ()


@pytest.mark.parametrize(
    "tex",
    [
        r"$a + b + c + d$",
        r"\textbf{one two three four}",
        r"\(a + b + c\)",
        r"{\bf one two {three four} five}",
        r"Erd\H os",
        r"Fran\c cois",
    ],
)
@pytest.mark.parametrize("before", range(LENGTH - 30, LENGTH + 2, 3))
def test_tex_is_not_cut(tex: str, before: int) -> None:
    text = f"{'x' * (before // 2)} {'y' * (before - before // 2 - 2)} {tex} {FILLER * 2}"

    shown = passage(text, ()).text.removesuffix(" …")

    assert text.startswith(shown)
    assert not set(tex.split()).intersection(shown.split()) or tex in shown


def test_a_word_of_three_thousand_characters_is_marked_as_far_as_it_is_shown() -> None:
    found = passage(f"Of {'a' * 3000} and more", [[(3, 3003)]])

    assert len(found.text) <= LENGTH + 4
    assert set("".join(marked(found))) == {"a"}


def test_a_dollar_that_is_money_opens_no_formula() -> None:
    text = f"It costs US$5 {FILLER * 2} or US$10 {FILLER * 2}"

    assert len(passage(text, ()).text) <= LENGTH + 4


def test_an_excluded_word_is_never_marked(explainer: Explainer, a_paper: MakePaper) -> None:
    paper = replace(a_paper(1, "Tides", "A tide."), authors=("Deep Water",))

    assert snippet(explainer, parse("tide -water"), paper).abstract.marks == ()
    assert marked(snippet(explainer, parse("tide -moon"), paper).abstract) == ["tide"]


@given(text=TEXTS, query=st.sampled_from(["tide", '"deep tide" OR co2', "fine OR 한국어 OR erdos", "x"]))
def test_marks_are_words_of_the_stored_text_in_order(
    explainer: Explainer, a_paper: MakePaper, text: str, query: str
) -> None:
    found = snippet(explainer, parse(query), a_paper(1, "", text)).abstract

    body = found.text.removeprefix("… ").removesuffix(" …")
    assert body in text
    assert len(body) <= 3 * LENGTH + 800
    places = [place for mark in found.marks for place in mark]
    assert places == sorted(places)
    assert all(0 <= begin < end <= len(found.text) for begin, end in found.marks)
    assert not [each for each in marked(found) if "…" in each]
