import sqlite3
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import QueryError
from domain.fts5 import TOKENIZE, depth, match_expression, searchable
from domain.papers import Paper
from domain.topics import And, Node, Not, Or, Phrase, Topic, Word
from topics.matching import Batch, match
from topics.normal import complement, conjunction, disjunction
from topics.query import parse

MakePaper = Callable[..., Paper]

VOCABULARY = ["amber", "birch", "cedar", "dahlia"]
TEXTS = st.lists(st.sampled_from(VOCABULARY), max_size=6).map(" ".join)
LEAVES = st.sampled_from(VOCABULARY).map(Word) | st.lists(st.sampled_from(VOCABULARY), min_size=2, max_size=3).map(
    lambda words: Phrase(tuple(words))
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(conjunction),
        st.lists(inner, min_size=1, max_size=3).map(disjunction),
        inner.map(complement),
    ),
    max_leaves=8,
).filter(lambda tree: not isinstance(tree, Not))


def picked(papers: list[Paper], query: str) -> list[int]:
    with Batch(papers) as batch:
        return batch.select(parse(query).tree)


def picks(tree: Node, paper: Paper) -> bool:
    """The naive model: no index, no stems."""
    match tree:
        case Word(text):
            return text in f"{paper.title} {paper.abstract}".split()
        case Phrase(words):
            return any(f" {' '.join(words)} " in f" {text} " for text in (paper.title, paper.abstract))
        case And(parts):
            return all(picks(part, paper) for part in parts)
        case Or(parts):
            return any(picks(part, paper) for part in parts)
        case Not(part):
            return not picks(part, paper)


def whole(papers: list[Paper], tree: Node) -> dict[int, float]:
    """What FTS5 says of the whole expression at once."""
    index = sqlite3.connect(":memory:")
    index.execute(f'CREATE VIRTUAL TABLE paper USING fts5(title, abstract, tokenize="{TOKENIZE}")')
    texts = [(paper.id, searchable(paper.title), searchable(paper.abstract)) for paper in papers]
    index.executemany("INSERT INTO paper(rowid, title, abstract) VALUES (?, ?, ?)", texts)
    question = "SELECT rowid, -bm25(paper, 2, 1) FROM paper WHERE paper MATCH ?"
    answer = dict(index.execute(question, (match_expression(tree),)))
    index.close()
    return answer


def test_words_match_by_stem_in_title_or_abstract(a_paper: MakePaper) -> None:
    papers = [
        a_paper(11, "Neural sensitivities", "We probe networks."),
        a_paper(12, "Small steps", "The sensitivity of a neural model."),
        a_paper(13, "Sensitive soil", "Nothing else."),
    ]

    assert picked(papers, "neural sensitivity") == [11, 12]


def test_a_phrase_wants_its_words_side_by_side_in_one_field(a_paper: MakePaper) -> None:
    papers = [
        a_paper(1, "Attention faults", ""),
        a_paper(2, "A fault of attention", ""),
        a_paper(3, "On attention", "fault by fault"),
        a_paper(4, "", "Attention-fault reports."),
    ]

    assert picked(papers, '"attention fault"') == [1, 4]
    assert picked(papers, "attention fault") == [1, 2, 3, 4]


def test_names_with_signs_are_words_of_their_own(a_paper: MakePaper) -> None:
    papers = [a_paper(1, "Fast C++ kernels"), a_paper(2, "Fast C kernels"), a_paper(3, "Kernels in C#, fast")]

    assert picked(papers, "c++") == [1]
    assert picked(papers, "C#") == [3]
    assert picked(papers, "C") == [2]


def test_marks_ligatures_and_younger_emoji_do_not_hide_a_word(a_paper: MakePaper) -> None:
    papers = [a_paper(1, "Schrödinger ﬁelds"), a_paper(2, "🤗Transformers"), a_paper(3, "Ｗｉｄｅ letters")]

    assert picked(papers, "schrodinger fields") == [1]
    assert picked(papers, "transformer") == [2]
    assert picked(papers, "wide") == [3]


def test_hostile_text_in_a_paper_is_only_text(a_paper: MakePaper) -> None:
    papers = [a_paper(1, 'Loss < 1: a & b <script>"', "nul\0and lone \ud800 surrogate"), a_paper(2, "", "")]

    assert picked(papers, "script nul surrogate") == [1]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("NEAR(deep neural)", [1]),
        ("near deep", [1]),
        ("^deep", [1, 2]),
        ('"deep" neural', [1]),
        ("{deep}", [1, 2]),
        ("deep'; neural", [1]),
        ("deep\\", [1, 2]),
        ("rank deep", []),
        ("paper", []),
        ("deep,neural", []),
        ("neural+deep", []),
    ],
)
def test_fts5_syntax_in_a_topic_is_only_text(a_paper: MakePaper, typed: str, found: list[int]) -> None:
    assert picked([a_paper(1, "A neural net, near and deep"), a_paper(2, "Deep sea")], typed) == found


def test_a_word_in_the_title_weighs_twice_and_scores_are_positive(a_paper: MakePaper) -> None:
    papers = [
        a_paper(1, "Some old notes", "A graph is here."),
        a_paper(2, "Some graph notes", "A word is here."),
        a_paper(3, "Other old notes", "Nothing is here."),
        a_paper(4, "Other new notes", "Nothing is there."),
    ]
    with Batch(papers) as batch:
        ranked = batch.rank(Word("graph"))

    assert [paper_id for paper_id, _ in ranked] == [2, 1]
    assert all(score > 0 for _, score in ranked)


def test_every_topic_meets_the_papers_once_and_progress_is_told(a_paper: MakePaper) -> None:
    papers = [a_paper(5, "Graph nets"), a_paper(9, "Graph theory"), a_paper(7, "Graph theory")]
    topics = [Topic(1, parse("graph -nets")), Topic(2, parse("missing")), Topic(3, parse("nets"))]
    told: list[int] = []

    matches = list(match(papers, topics, told.append))

    assert [(found.topic_id, found.paper_id, found.tier) for found in matches] == [(1, 7, 1), (1, 9, 1), (3, 5, 1)]
    assert told == [3]
    assert list(match([], topics)) == []
    assert list(match(papers, [])) == []


def test_progress_is_told_on_the_way(a_paper: MakePaper) -> None:
    told: list[int] = []

    list(match([a_paper(1, "Graph")], (Topic(number, parse("graph")) for number in range(1200)), told.append))

    assert told == [500, 1000, 1200]


@pytest.mark.parametrize(
    "step",
    [
        "x{0} -({1})",
        "x{0} -z{0} -({1})",
        "x{0} OR y{0} ({1})",
        "(x{0} OR z{0}) (y{0} OR ({1}))",
        "x{0} OR (y{0} -z{0} -({1}))",
        "(x{0} y{0}) OR (x{0} z{0} -({1}))",
    ],
)
def test_the_deepest_topics_are_not_too_deep_for_fts5(a_paper: MakePaper, step: str) -> None:
    papers = [a_paper(number, "x y z", f"x{number} y{number} z{number} x{number + 1}") for number in range(30)]
    typed = "x"
    for level in range(40):
        deeper = step.format(level, typed)
        try:
            tree = parse(deeper).tree
        except QueryError:
            break
        assert sorted(whole(papers, tree)) == picked(papers, deeper)
        typed = deeper
    assert level >= 8


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5), st.lists(TREES, min_size=1, max_size=4))
def test_sets_and_scores_are_those_of_the_naive_loop_and_of_fts5(
    a_paper: MakePaper, texts: list[tuple[str, str]], trees: list[Node]
) -> None:
    papers = [a_paper(number, *text) for number, text in enumerate(texts, 40)]
    with Batch(papers) as batch:
        for tree in trees:
            expected = whole(papers, tree)
            assert batch.select(tree) == sorted(expected) == [paper.id for paper in papers if picks(tree, paper)]
            ranked = batch.rank(tree)
            assert [paper_id for paper_id, _ in ranked] == sorted(expected, key=lambda i: (-dict(ranked)[i], i))
            if depth(tree) <= 1:
                assert dict(ranked) == pytest.approx(expected)


def test_a_score_counts_each_wanted_word_that_is_there_once(a_paper: MakePaper) -> None:
    papers = [a_paper(1, "amber birch"), a_paper(2, "cedar"), a_paper(3, "dahlia"), a_paper(4, "elder")]
    with Batch(papers) as batch:
        both = batch.rank(parse("amber OR birch").tree)
        assert batch.rank(parse("amber (amber OR birch)").tree) == both
        assert batch.rank(parse("amber OR (birch cedar)").tree) == both


def test_an_exclusion_adds_nothing_to_a_score(a_paper: MakePaper) -> None:
    papers = [a_paper(1, "amber birch"), a_paper(2, "cedar"), a_paper(3, "dahlia"), a_paper(4, "elder")]
    with Batch(papers) as batch:
        assert batch.rank(parse("amber -(birch cedar)").tree) == batch.rank(Word("amber"))


def test_a_tree_that_only_excludes_is_refused(a_paper: MakePaper) -> None:
    with Batch([a_paper(1, "amber")]) as batch, pytest.raises(ValueError, match="only excludes"):
        batch.select(Not(Word("amber")))
    with pytest.raises(ValueError, match="only excludes"):
        match_expression(Not(Word("amber")))
