import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.authors import names
from domain.errors import QueryError
from domain.facts import has
from domain.fts5 import TOKENIZE, is_of_stems, match_expression, searchable
from domain.papers import Paper
from domain.topics import And, Author, Census, Field, Node, Not, Or, Phrase, Prefix, Query, Tier, Topic, Word
from topics.matching import BEST, Batch, Ranking, match
from topics.matching import CensusOf as Ask
from topics.merging import merged
from topics.normal import complement, conjunction, disjunction
from topics.query import parse

MakePaper = Callable[..., Paper]
CensusOf = Callable[[list[Paper]], Ask]

LISTED = [
    "Kaiming He", "He, Kaiming", "K. He", "KM He", "He Kai Ming", "Kai-Ming He", "Jan van der Berg", "Berg",
    "van der Berg", "J. v. Berg", "Müller, Ute", "Ute Mueller", "Jian Gan", "Jiang An", "Michael I. Jordan",
    "Michael B. Jordan", "M. Jordan", "李 明", "Øre, Å.",
]  # fmt: skip
VOCABULARY = ["amber", "birch", "cedar", "dahlia"]
TEXTS = st.lists(st.sampled_from(VOCABULARY), max_size=6).map(" ".join)
FIELDS = st.sampled_from([None, *Field])
LEAVES = st.one_of(
    st.builds(Word, st.sampled_from(VOCABULARY), FIELDS),
    st.builds(Phrase, st.lists(st.sampled_from(VOCABULARY), min_size=2, max_size=3).map(tuple), FIELDS),
    st.builds(Prefix, st.sampled_from(["am", "bir", "cedar", "dahlias"]), FIELDS),
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
        case Word(word, field):
            return any(word in text.split() for text in texts(paper, field))
        case Phrase(words, field):
            return any(f" {' '.join(words)} " in f" {text} " for text in texts(paper, field))
        case Prefix(beginning, field):
            return any(word.startswith(beginning) for text in texts(paper, field) for word in text.split())
        case And(parts):
            return all(picks(part, paper) for part in parts)
        case Or(parts):
            return any(picks(part, paper) for part in parts)
        case Not(part):
            return not picks(part, paper)
        case _:
            raise AssertionError("no facts here")


def texts(paper: Paper, field: Field | None) -> list[str]:
    return [getattr(paper, each) for each in Field if field in {None, each}]


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


def test_a_prefix_finds_words_as_they_are_written_and_not_their_stems(a_paper: MakePaper) -> None:
    papers = [
        a_paper(1, "Neural sensitivities", "We probe networks."),
        a_paper(2, "Sensing soil", "A neuron is sensitive to Schrödinger."),
        a_paper(3, "Insensitive", "Nothing else."),
    ]

    assert picked(papers, "sensitiv*") == [1, 2]
    assert picked(papers, "title:sensitiv*") == [1]
    assert picked(papers, "schröd*") == picked(papers, "schrod*") == [2]
    assert picked(papers, "neur* -abstract:neuro*") == [1]


def test_a_field_wants_its_words_in_it(a_paper: MakePaper) -> None:
    papers = [a_paper(1, "Deep nets", "Some graph."), a_paper(2, "A graph", "Deep nets again.")]

    assert picked(papers, "title:deep") == [1]
    assert picked(papers, 'abstract:"deep nets"') == [2]
    assert picked(papers, "title:(deep OR graph) abstract:graph") == [1]


def test_facts_are_read_off_the_papers(a_paper: MakePaper) -> None:
    papers = [
        replace(a_paper(1, "Tides"), authors=("Mira Okafor", "K. He"), categories=("cs.CL",), upvotes=19),
        replace(a_paper(2, "Tides"), authors=("Kaiming He",), categories=("math.AG", "cs.LG"), upvotes=20),
        replace(a_paper(3, "Tides"), authors=(), sources=("arxiv:cs.CL", "huggingface-daily")),
    ]

    assert picked(papers, 'author:"He, Kaiming"') == [1, 2]
    assert picked(papers, "author:okafor") == [1]
    assert picked(papers, "cat:cs.cl") == [1]
    assert picked(papers, "cat:CS") == [1, 2]
    assert picked(papers, "source:huggingface OR upvotes>=20") == [2, 3]
    assert picked(papers, "source:arxiv -upvotes>=1") == [3]
    assert picked(papers, "source:hugging") == []


def test_scores_are_those_of_the_whole_archive_and_positive(a_paper: MakePaper, census_of: CensusOf) -> None:
    papers = [
        a_paper(1, "Some old notes", "A graph is here."),
        a_paper(2, "Some graph notes", "A word is here."),
        a_paper(3, "Other old notes", "Nothing is here."),
    ]
    with Batch(papers) as batch:
        ranked = Ranking(batch, [Word("graph")], census_of(papers)).rank(Word("graph"))
        rarer = Ranking(batch, [Word("graph")], lambda _: Census(1_000_000, 4.0, {"graph": 2})).rank(Word("graph"))

    assert [paper_id for paper_id, _ in ranked] == [2, 1]
    assert all(0 < score < 3 for _, score in ranked)
    assert all(score > 5 for _, score in rarer)


def test_every_topic_meets_the_papers_once_and_progress_is_told(a_paper: MakePaper, census_of: CensusOf) -> None:
    papers = [a_paper(5, "Graph nets"), a_paper(9, "Graph theory"), a_paper(7, "Graph theory")]
    topics = [Topic(1, parse("graph -nets")), Topic(2, parse("missing")), Topic(3, parse("nets"))]
    told: list[int] = []

    found = list(match(papers, topics, census_of(papers), told.append))

    assert [(each.topic_id, [m.paper_id for m in each.matches]) for each in found] == [(1, [7, 9]), (3, [5])]
    assert told == [3]
    assert list(match([], topics, census_of([]))) == []
    assert list(match(papers, [], census_of(papers))) == []


def test_progress_is_told_on_the_way(a_paper: MakePaper, census_of: CensusOf) -> None:
    told: list[int] = []
    papers = [a_paper(1, "Graph")]

    list(match(papers, [Topic(number, parse("graph")) for number in range(1200)], census_of(papers), told.append))

    assert told == [500, 1000, 1200]


def test_the_best_of_a_topic_are_kept_and_the_others_counted(a_paper: MakePaper, census_of: CensusOf) -> None:
    papers = [a_paper(number, "Graph" if number % 7 else "Graph graph") for number in range(1, 71)]

    (found,) = match(papers, [Topic(1, parse("graph"))], census_of(papers))
    (few,) = match(papers, [Topic(1, parse("graph"))], census_of(papers), best=3)

    assert (len(found.matches), found.beyond) == (BEST, 70 - BEST)
    assert {m.paper_id for m in found.matches[:10]} == set(range(7, 71, 7))
    assert ([m.paper_id for m in few.matches], few.beyond) == ([7, 14, 21], 67)


def test_related_papers_answer_only_where_they_are_wanted_and_few_are_exact(
    a_paper: MakePaper, census_of: CensusOf
) -> None:
    papers = [a_paper(1, "Neural sensitivity"), a_paper(2, "Neural nets"), a_paper(3, "Soil and sea")]
    query = parse("neural sensitivity")
    archive = census_of(papers)

    def tiers(papers: list[Paper], query: Query, *, related: bool) -> list[tuple[int, int]]:
        found = match(papers, [Topic(1, query, related=related)], archive)
        return [(m.paper_id, m.tier) for each in found for m in each.matches]

    assert tiers(papers, query, related=True) == [(1, Tier.EXACT), (2, Tier.RELATED)]
    assert tiers(papers, query, related=False) == [(1, Tier.EXACT)]
    assert tiers(papers[1:], query, related=True) == [(2, Tier.RELATED)]
    many = [*papers, a_paper(4, "Sensitivity of neural tides"), a_paper(5, "Neural, sensitive")]
    assert [tier for _, tier in tiers(many, query, related=True)] == [Tier.EXACT] * 3
    assert tiers(papers, parse("neural sensitivity -nets"), related=True) == [(1, Tier.EXACT)]


def test_at_most_ten_related_papers_are_kept(a_paper: MakePaper, census_of: CensusOf) -> None:
    papers = [a_paper(number, "Neural nets") for number in range(1, 30)]
    archive = census_of([*papers, *(a_paper(number, "Sensitivity") for number in range(30, 99))])

    (found,) = match(papers, [Topic(1, parse("neural sensitivity"), related=True)], archive)

    assert ([m.paper_id for m in found.matches], found.beyond) == (list(range(1, 11)), 0)


def test_batches_are_merged_as_if_they_were_one(a_paper: MakePaper, census_of: CensusOf) -> None:
    papers = [a_paper(number, "Neural nets", "sensitivity" * (number == 8)) for number in range(1, 12)]
    topics = [Topic(1, parse("neural"), related=True), Topic(2, parse("neural sensitivity"), related=True)]
    census = census_of(papers)

    together = list(match(papers, topics, census, best=4))
    apart = merged([match(papers[:5], topics, census, best=4), match(papers[5:], topics, census, best=4)], best=4)

    assert [(each.topic_id, [m.paper_id for m in each.matches], each.beyond) for each in apart] == [
        (each.topic_id, [m.paper_id for m in each.matches], each.beyond) for each in together
    ]


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
def test_sets_are_those_of_the_naive_loop_and_of_fts5_and_all_are_ranked(
    a_paper: MakePaper, census_of: CensusOf, texts: list[tuple[str, str]], trees: list[Node]
) -> None:
    papers = [a_paper(number, *text) for number, text in enumerate(texts, 40)]
    with Batch(papers) as batch:
        ranking = Ranking(batch, trees, census_of(papers))
        for tree in trees:
            selected = batch.select(tree)
            assert selected == [paper.id for paper in papers if picks(tree, paper)]
            if is_of_stems(tree):
                assert selected == sorted(whole(papers, tree))
            ranked = ranking.rank(tree)
            assert sorted(paper_id for paper_id, _ in ranked) == selected
            assert ranked == sorted(ranked, key=lambda each: (-each[1], each[0]))
            related = {paper_id for paper_id, _ in ranking.kindred(Query("", tree, "", ()))}
            assert related.isdisjoint(selected)


def test_a_tree_that_only_excludes_is_refused(a_paper: MakePaper) -> None:
    with Batch([a_paper(1, "amber")]) as batch, pytest.raises(ValueError, match="only excludes"):
        batch.select(Not(Word("amber")))
    with pytest.raises(ValueError, match="only excludes"):
        match_expression(Not(Word("amber")))


@given(
    st.lists(st.lists(st.sampled_from(LISTED), max_size=3).map(tuple), max_size=6),
    st.sampled_from(LISTED),
)
def test_an_author_is_found_by_the_index_of_a_batch_as_by_looking_at_each_paper(
    a_paper: MakePaper, authors: list[tuple[str, ...]], asked: str
) -> None:
    papers = [replace(a_paper(number), authors=each) for number, each in enumerate(authors, 1)]
    leaf = Author(names(asked))
    with Batch(papers) as batch:
        assert batch.select(leaf) == [paper.id for paper in papers if has(paper, leaf)]
