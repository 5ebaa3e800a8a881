import unicodedata
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.papers import Paper
from domain.topics import Why
from topics.explain import Explainer
from topics.matching import Batch
from topics.query import parse

MakePaper = Callable[..., Paper]

WORDS = (
    "sensitivity Sensitive ﬁne tuning e\u0301t\u0301 Schrödinger in-context ⟦ ⟧ 🤗 \u1112\u1161\u11ab Ω C++ ｆｉｎｅ"
)
TEX = r"Schr\"odinger \'et CO$_2$ $ { } \textbf{ fine} \ _ ^2 \frac{ \o \beta"
PIECES = st.sampled_from(
    [*WORDS.split(), " ", " ", " ", ", ", "\0", "\u0301", "\u0323", "\ud800", "\u202e", *TEX.split()]
)
TEXTS = st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=30)
TOPICS = [
    "sensitivity",
    "fine tuning",
    '"fine tuning" OR in-context',
    "schrodinger OR c++",
    "한 OR ω OR ét OR fine OR gamma",
]


@pytest.fixture(scope="module")
def explainer() -> Iterator[Explainer]:
    with Explainer() as made:
        yield made


@pytest.mark.parametrize(
    ("query", "texts", "line"),
    [
        ("neural sensitivity", ("Neural sensitivities", "Sensitive neural nets"), "both words, in title and abstract"),
        ("neural sensitivity", ("On sensitivity", "Neural nets"), "“sensitivity” in title · “neural” in abstract"),
        (
            "neural sensitivity",
            ("On sensitivity", "Sensitivity of neural nets"),
            "“sensitivity” in title · “neural” in abstract",
        ),
        ("neural sensitivity", ("Neural sensitivity", "Of nets"), "both words, in title"),
        ("neural sensitivity", ("Neural sensitivity", "Neural nets"), "both words, in title"),
        ("neural deep nets", ("On", "Deep neural nets"), "all 3 words, in abstract"),
        ("neural deep nets", ("Deep neural", "Nets"), "“neural” and “deep” in title · “nets” in abstract"),
        ("a b c d e f", ("b c", "d e f"), "all 5 words: 2 in title, 3 in abstract"),
        ("abnn", ("ABNN", ""), "word “abnn”, in title"),
        ('"attention fault"', ("Notes", "An attention fault"), "phrase “attention fault”, in abstract"),
        ('"attention fault" nets', ("Notes", "An attention fault in nets"), "word and phrase, in abstract"),
        ('"attention fault" "in nets"', ("Notes", "An attention fault in nets"), "both phrases, in abstract"),
        (
            '"attention fault" deep nets',
            ("Notes", "An attention fault in deep nets"),
            "all 3 words and phrases, in abstract",
        ),
        ("deep OR neural OR graph", ("Graph nets", ""), "word “graph”, in title"),
        ("deep OR neural OR graph", ("Graph nets", "Deep"), "“graph” in title · “deep” in abstract"),
        ("deep OR neural OR graph", ("", "Graph, deep"), "“deep” and “graph”, in abstract"),
        ("deep OR neural OR graph OR net OR tree", ("", "A deep neural graph net"), "4 of 5 words, in abstract"),
        ("deep OR (neural graph)", ("Deep graph", ""), "word “deep”, in title"),
        ("deep -neural", ("Deep graph", ""), "word “deep”, in title"),
        ("nets (deep OR -graph)", ("Deep graph nets", ""), "both words, in title"),
        ("nets (deep OR -graph)", ("Nets", ""), "word “nets”, in title"),
        ("agent agents agentic", ("Agent", ""), "word “agent”, in title"),
        ("universal universe", ("University", ""), "word “universal”, in title"),
        ('"deep net" "deep nets" agents agent', ("Deep nets", "agent"), "“deep net” in title · “agents” in abstract"),
        ("a1 OR b1 OR c1 OR d1 OR nets OR net", ("", "A1 b1 c1 d1"), "4 of 5 words, in abstract"),
    ],
)
def test_the_line_says_what_matched_and_where(
    explainer: Explainer, a_paper: MakePaper, query: str, texts: tuple[str, str], line: str
) -> None:
    assert explainer.explain(parse(query), a_paper(1, *texts)).line == line


def test_a_long_phrase_is_cut_in_the_line(explainer: Explainer, a_paper: MakePaper) -> None:
    why = explainer.explain(parse(f'"{"long " * 20}"'), a_paper(1, "long " * 20))

    assert why.line == f"phrase “{'long ' * 7}long…”, in title"


def test_marks_are_the_stored_words_of_each_text_longest_first(explainer: Explainer, a_paper: MakePaper) -> None:
    paper = a_paper(1, "Sensitivities of In-Context learning", "A sensitive, ﬁne-tuned probe of sensitivity.")

    why = explainer.explain(parse("sensitivity in-context fine-tuning"), paper)

    assert why.title == ("Sensitivities", "In-Context")
    assert why.abstract == ("sensitivity", "sensitive", "ﬁne-tuned")


def test_marks_survive_characters_that_normalising_moves(explainer: Explainer, a_paper: MakePaper) -> None:
    stored = unicodedata.normalize("NFD", "½ Schrödinger 한국어, ﷺ then ") + "ﬁelds⟦field⟧"

    why = explainer.explain(parse("schrodinger field 한국어"), a_paper(1, stored))

    assert set(why.title) == {
        unicodedata.normalize("NFD", "Schrödinger"),
        "ﬁelds",
        "field",
        unicodedata.normalize("NFD", "한국어"),
    }


@pytest.mark.parametrize(
    ("topic", "stored", "mark"),
    [
        ("frechet", r"The Fr\'echet mean", r"Fr\'echet"),
        ("schrodinger", r"A Schr{\"{o}}dinger bridge", r"Schr{\"{o}}dinger"),
        ("co2", r"On CO$_2$, net", r"CO$_2$"),
        ("co2", r"On $\mathrm{CO}_{2}$, net", r"$\mathrm{CO}_{2}$"),
        ("knn", r"A $k$NN graph", r"$k$NN"),
        ("ore", r"The {\"o}re", r"{\"o}re"),
        ("deepest", r"The \textbf{deep}est", r"\textbf{deep}est"),
        ("deep", r"The \textbf{deep} net", "deep"),
        ('"alpha helix"', r"An $\alpha$-helix", r"$\alpha$-helix"),
        ('"alpha helix"', "An α-helix", "α-helix"),
        ("TGF-beta", "Of TGFβ1", "TGFβ"),
        ("beta", "Of TGF-𝛽, too", "𝛽"),
        ("beta", r"Of TGF-$\beta$", r"$\beta$"),
    ],
)
def test_a_mark_in_tex_is_whole_and_as_stored(
    explainer: Explainer, a_paper: MakePaper, topic: str, stored: str, mark: str
) -> None:
    assert explainer.explain(parse(topic), a_paper(1, stored)).title == (mark,)


def test_nothing_is_claimed_of_a_paper_that_does_not_answer(explainer: Explainer, a_paper: MakePaper) -> None:
    assert explainer.explain(parse("deep nets"), a_paper(1, "Deep graphs")) == Why("")
    assert explainer.explain(parse("deep -graph"), a_paper(1, "Deep graphs")) == Why("")


def test_excluded_words_are_never_told(explainer: Explainer, a_paper: MakePaper) -> None:
    why = explainer.explain(parse("deep -(graph tree)"), a_paper(1, "Deep graphs"))

    assert why == Why("word “deep”, in title", ("Deep",))


@given(TEXTS, TEXTS, st.sampled_from(TOPICS))
def test_marks_stand_in_the_stored_text_and_lines_follow_the_matcher(
    explainer: Explainer, a_paper: MakePaper, title: str, abstract: str, topic: str
) -> None:
    paper, query = a_paper(1, title, abstract), parse(topic)

    why = explainer.explain(query, paper)

    assert all(mark and mark in title for mark in why.title)
    assert all(mark and mark in abstract for mark in why.abstract)
    with Batch([paper]) as batch:
        assert bool(why.line) == bool(why.title or why.abstract) == bool(batch.select(query.tree))
