"""Why lines of whole trees: facts, fields, prefixes, part matches; and that no line tells what the paper has not."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.authors import likeness, names
from domain.facts import is_in_category, is_source
from domain.papers import Paper
from domain.topics import (
    And,
    Author,
    Category,
    Field,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Source,
    Tier,
    Votes,
    Why,
    Word,
    Worded,
    leaves,
    together,
    wanted,
)
from topics.explain import Explainer
from topics.grounds import LONGEST
from topics.matching import Batch
from topics.query import parse
from topics.related import loosened

MakePaper = Callable[..., Paper]

TITLE, ABSTRACT = Field.TITLE, Field.ABSTRACT
DEEP, NETS, TREE = Word("deep"), Word("nets"), Word("tree")
FILLER = "Nothing of it is to be found in these words, which stand here for the sake of their length alone. "


@pytest.fixture(scope="module")
def explainer() -> Iterator[Explainer]:
    with Explainer() as made:
        yield made


@pytest.fixture(scope="module")
def known(a_paper: MakePaper) -> Paper:
    """Return a paper of which everything is known that can be asked."""
    return replace(
        a_paper(1, "Deep sensitivities", "Of deep nets, sensitive ones."),
        authors=("K. Okafor", "Jun Sato", "Lena Brandt", "Wei Zhang"),
        categories=("cs.LG", "cs.CL", "stat.ML"),
        sources=("huggingface-daily", "arxiv:cs.LG"),
        upvotes=1041,
    )


def asking(tree: Node) -> Query:
    return Query(text="", tree=tree, normal_form="", terms=())


def author(text: str) -> Author:
    return Author(names(text))


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        (author("Jun Sato"), "by Jun Sato"),
        (author("Sato, Jun"), "by Jun Sato"),
        (author("sato"), "by Jun Sato"),
        (author("J. Sato"), "by Jun Sato, for “j. sato”"),
        (author("Kemi Okafor"), "by K. Okafor, for “kemi okafor”"),
        (author("K Okafor"), "by K. Okafor"),
        (Or((author("K Okafor"), author("Kemi Okafor"))), "by K. Okafor"),
        (Or((author("Jun Sato"), author("Mary Shelley"))), "by Jun Sato"),
        (Or(tuple(map(author, ("sato", "brandt", "zhang", "okafor")))), "by Jun Sato, Lena Brandt and 2 more"),
        (Category("cs.cl"), "in cs.CL"),
        (Category("cs"), "in cs.LG"),
        (Or((Category("cs"), Category("stat"))), "in cs.LG and stat.ML"),
        (Or((Category("cs"), Category("cs.lg"))), "in cs.LG"),
        (Source("huggingface"), "on huggingface-daily"),
        (Source("arxiv:cs.lg"), "on arxiv:cs.LG"),
        (Votes(20), "1,041 upvotes"),
        (Or((Votes(20), Votes(50))), "1,041 upvotes"),
        (
            And((author("sato"), Category("cs"), DEEP, Source("arxiv"), Votes(20))),
            "word “deep”, in title and abstract · by Jun Sato · in cs.LG · on arxiv:cs.LG · 1,041 upvotes",
        ),
        (Or((author("sato"), TREE)), "by Jun Sato"),
        (And((DEEP, Not(Category("cs.cv")), Not(Votes(5000)))), "word “deep”, in title and abstract"),
        (Word("deep", TITLE), "word “deep”, in title"),
        (Word("deep", ABSTRACT), "word “deep”, in abstract"),
        (And((Word("deep", ABSTRACT), Word("deep", TITLE))), "word “deep”, in title and abstract"),
        (And((Word("deep", TITLE), NETS)), "“deep” in title · “nets” in abstract"),
        (Phrase(("deep", "net"), ABSTRACT), "phrase “deep net”, in abstract"),
        (Prefix("sensitivit"), "word “sensitivit*”, in title"),
        (Prefix("sens"), "word “sens*”, in title and abstract"),
        (Prefix("sens", ABSTRACT), "word “sens*”, in abstract"),
        (And((Prefix("sens"), DEEP)), "both words, in title and abstract"),
    ],
)  # fmt: skip
def test_the_line_tells_every_kind_of_reason(explainer: Explainer, known: Paper, tree: Node, line: str) -> None:
    assert explainer.explain(asking(tree), known).line == line


@pytest.mark.parametrize(
    ("topic", "line"),
    [
        (
            'title:deep author:"Sato, Jun" nets cat:cs.CL -cat:cs.CV',
            "“deep” in title · “nets” in abstract · by Jun Sato · in cs.CL",
        ),
        ("nets OR sensitivit* OR deep", "“sensitivit*” and “deep” in title · “nets” in abstract"),
        ("source:huggingface upvotes>=20", "on huggingface-daily · 1,041 upvotes"),
        ("title:(tree OR sensitive)", "word “sensitive”, in title"),
        ("sensitivities sensitiv*", "word “sensitivities”, in title and abstract"),
        ("sensitiv* sens* deep", "both words, in title and abstract"),
        ("sensitiv* sensitivit*", "word “sensitiv*”, in title and abstract"),
        ('"deep nets" net*', "phrase “deep nets”, in abstract"),
        ("title:sensitivities sens*", "both words, in title"),
    ],
)
def test_the_line_keeps_to_the_order_in_which_a_topic_was_typed(
    explainer: Explainer, known: Paper, topic: str, line: str
) -> None:
    assert explainer.explain(parse(topic), known).line == line


@pytest.mark.parametrize(
    ("topic", "authors", "line"),
    [
        ('author:"K. He"', ("Kaiming He",), "by Kaiming He, for “K. He”"),
        ('author:"he k"', ("Kaiming He",), "by Kaiming He, for “he k”"),
        ("author:K.He", ("Kaiming He",), "by Kaiming He, for “K.He”"),
        ('author:"Kaiming He"', ("K. He",), "by K. He, perhaps Kaiming He"),
        ('author:"He, Kaiming"', ("K. He",), "by K. He, perhaps Kaiming He"),
        ('author:"kaiming he"', ("K. He",), "by K. He, for “kaiming he”"),
        ("“He” author:“David MacKay”", ("D. MacKay",), "by D. MacKay, perhaps David MacKay"),
        ('author:"K. He"', ("K. He",), "by K. He"),
        ('author:"Kaiming He" OR author:"K. He"', ("Kaiming He",), "by Kaiming He"),
        ('author:("Kaiming He" OR "K. He")', ("K. He",), "by K. He"),
        ('author:("Kaiming He" OR "Jun Sato")', ("K. He", "Jun Sato"), "by Jun Sato; K. He, perhaps Kaiming He"),
        (
            'author:(sato OR brandt OR zhang OR "Kaiming He")',
            ("Jun Sato", "Lena Brandt", "Wei Zhang", "K. He"),
            "by Lena Brandt; Jun Sato; 2 more",
        ),
    ],
)
def test_an_author_is_told_once_and_by_initial_where_no_more_agrees(
    explainer: Explainer, known: Paper, topic: str, authors: tuple[str, ...], line: str
) -> None:
    topic = f"({topic}) -deep" if topic.startswith("author") else topic
    paper = replace(known, title="He", abstract="", authors=authors)

    assert explainer.explain(parse(topic), paper).line.removeprefix("word “he”, in title · ") == line


def test_a_source_is_told_by_what_readers_call_it(known: Paper) -> None:
    with Explainer({"arxiv:cs.LG": "arXiv cs.LG"}) as explainer:
        assert explainer.explain(parse("source:arxiv OR source:huggingface"), known).line == (
            "on arXiv cs.LG and huggingface-daily"
        )


@pytest.mark.parametrize(
    "tree",
    [
        author("Mary Shelley"),
        author("Kemi Sato"),
        Category("cs.l"),
        Category("cs.lg.x"),
        Source("hugging"),
        Votes(1042),
        Word("nets", TITLE),
        Phrase(("deep", "nets"), TITLE),
        Prefix("sensitivities", ABSTRACT),
        Prefix("ensitive"),
        And((DEEP, Not(author("sato")))),
        And((DEEP, Not(Prefix("sens")))),
        And((DEEP, Votes(5000))),
    ],
)
@pytest.mark.parametrize("tier", [Tier.EXACT, Tier.RELATED])
def test_nothing_is_claimed_where_the_tree_does_not_hold(
    explainer: Explainer, known: Paper, tree: Node, tier: Tier
) -> None:
    assert explainer.explain(asking(tree), known, tier) == Why("")


def test_a_paper_of_which_no_votes_are_known_has_none(explainer: Explainer, a_paper: MakePaper) -> None:
    assert explainer.explain(asking(Votes(0)), a_paper(1, "Deep")).line == ""
    assert explainer.explain(asking(Votes(0)), replace(a_paper(1, "Deep"), upvotes=1)).line == "1 upvote"


def test_a_prefix_marks_the_whole_word_that_begins_so(explainer: Explainer, known: Paper) -> None:
    why = explainer.explain(asking(Prefix("sens")), known)

    assert (why.title, why.abstract) == (("sensitivities",), ("sensitive",))


def test_a_word_asked_of_one_field_is_marked_in_that_one_alone(explainer: Explainer, known: Paper) -> None:
    both = [explainer.explain(asking(Word("deep", field)), known) for field in (TITLE, ABSTRACT)]

    assert [(why.title, why.abstract) for why in both] == [(("Deep",), ()), ((), ("deep",))]
    assert (together(both).title, together(both).abstract) == (("Deep",), ("deep",))


@pytest.mark.parametrize(
    ("tree", "texts", "line"),
    [
        (And((DEEP, NETS, TREE)), ("Deep nets", ""), "2 of 3 words: “deep” and “nets”, in title"),
        (And((DEEP, NETS, TREE)), ("Nets", "Deep"), "2 of 3 words: “nets” in title · “deep” in abstract"),
        (And((DEEP, NETS)), ("", "A net"), "1 of 2 words: “nets”, in abstract"),
        (And((DEEP, Phrase(("a", "net")))), ("", "A net"), "1 of 2 words and phrases: “a net”, in abstract"),
        (And((DEEP, NETS)), ("", "A deep net"), "both words, in abstract"),
        (And((DEEP, Or((NETS, TREE)))), ("", "Trees"), "1 of 3 words: “tree”, in abstract"),
        (
            And(tuple(Word(f"w{n}") for n in range(30))),
            ("W1 w2", "w3 w4 w5"),
            "5 of 30 words: 2 in title, 3 in abstract",
        ),
        (And((DEEP, NETS, Category("cs"))), ("", "A net"), "1 of 2 words: “nets”, in abstract · in cs.LG"),
        (And((Word("deep", TITLE), Word("deep", ABSTRACT))), ("Deep", ""), "1 of 2 words: “deep”, in title"),
        (
            And((Word("deep", TITLE), Word("deep", ABSTRACT), NETS)),
            ("Deep", "Deep"),
            "2 of 3 words: “deep” in title · “deep” in abstract",
        ),
        (And((DEEP, Prefix("net"), NETS)), ("Nets", ""), "1 of 2 words: “nets”, in title"),
        (And((DEEP, NETS, Category("math"))), ("", "A net"), ""),
        (And((DEEP, NETS, Not(TREE))), ("", "A net of trees"), ""),
        (And((DEEP, NETS)), ("Graphs", "of trees"), ""),
        (Or((DEEP, NETS)), ("Graphs", "of trees"), ""),
    ],
)
def test_of_a_related_paper_the_words_it_has_are_told(
    explainer: Explainer, a_paper: MakePaper, tree: Node, texts: tuple[str, str], line: str
) -> None:
    paper = replace(a_paper(1, *texts), categories=("cs.LG",))

    why = explainer.explain(asking(tree), paper, Tier.RELATED)

    assert why.line == line
    assert bool(why.title or why.abstract) == bool(line)


def test_a_line_is_short_whatever_the_topic_and_the_paper(explainer: Explainer, a_paper: MakePaper) -> None:
    long = [Word(f"{'w' * 300}{n}") for n in range(3)]
    facts = (Category("c" * 300), Source("s" * 300), author("Jun Sato"), author(f"{'k' * 150} Okafor"))
    paper = replace(
        a_paper(1, " ".join(word.text for word in long)),
        authors=("Jun Sato", f"K. {'Van' * 80} Okafor"),
        categories=("c" * 300,),
        sources=("s" * 300,),
    )

    for tree in (And((*long, DEEP, *facts[:3])), Or((*long, DEEP, *facts))):
        assert 0 < len(explainer.explain(asking(tree), paper, Tier.RELATED).line) < 400


# -- the passage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "abstract", "quote"),
    [
        ("Of graphs", "Deep nets. " + FILLER * 9, ""),
        ("Deep nets", FILLER * 9 + "Deep nets.", ""),
        ("Of graphs", "Deep as ever. " + FILLER * 5 + "Here are nets. " + FILLER * 5, "Here are nets. "),
        ("Of nets", FILLER * 5 + "Here it is deep. " + FILLER * 5, "Here it is deep. "),
        ("Of graphs", f"{FILLER * 4}Deep once. {FILLER * 4}A deep net is here. {FILLER * 4}", "A deep net is here. "),
    ],
)
def test_the_quote_has_the_words_that_would_not_be_seen(
    explainer: Explainer, a_paper: MakePaper, title: str, abstract: str, quote: str
) -> None:
    why = explainer.explain(asking(And((DEEP, NETS))), a_paper(1, title, abstract))

    assert bool(why.quote) == bool(quote)
    assert why.quote.startswith(quote)
    assert len(why.quote) <= 200
    assert why.quote in abstract


def test_a_quote_does_not_cut_tex(explainer: Explainer, a_paper: MakePaper) -> None:
    abstract = FILLER * 5 + r"Here $a + b + c \le \mathrm{deep} x$ holds " + "and " * 100

    why = explainer.explain(asking(DEEP), a_paper(1, "Of nets", abstract))

    assert r"$a + b + c \le \mathrm{deep} x$" in why.quote


def test_several_reasons_of_one_paper_are_one(explainer: Explainer, a_paper: MakePaper) -> None:
    paper = a_paper(1, "Of graphs", f"{FILLER * 4}Trees. {FILLER * 4}A deep net is here.")
    whys = [explainer.explain(asking(tree), paper) for tree in (TREE, And((DEEP, NETS)), Or((NETS, TREE)))]

    both = together(whys)

    assert both.line == whys[0].line
    assert both.abstract == ("Trees", "deep", "net")
    assert both.quote == whys[0].quote
    assert together([]) == Why("")


# -- long texts --------------------------------------------------------------------------------------------------------


def test_what_stands_far_into_a_text_is_told_without_a_mark(explainer: Explainer, a_paper: MakePaper) -> None:
    paper = a_paper(1, "Deep", "and " * LONGEST + "nets")

    why = explainer.explain(asking(And((DEEP, NETS))), paper)

    assert why == Why("“deep” in title · “nets” in abstract", title=("Deep",))
    assert explainer.explain(asking(And((DEEP, Not(NETS)))), paper) == Why("")
    assert explainer.explain(asking(Word("nets", TITLE)), paper) == Why("")
    assert explainer.explain(asking(Prefix("net")), paper) == Why("word “net*”, in abstract")
    assert explainer.explain(asking(NETS), a_paper(1, "Deep")) == Why("")


def test_a_word_that_is_cut_is_not_taken_for_another(explainer: Explainer, a_paper: MakePaper) -> None:
    cut = "and " * (LONGEST // 4 - 1) + "netsuke"
    glued = "x-" * LONGEST + "nets"

    assert explainer.explain(asking(Word("net")), a_paper(1, "", cut)) == Why("")
    assert explainer.explain(asking(Word("net")), a_paper(1, "", glued)) == Why("word “net”, in abstract")


def test_a_megabyte_of_one_word_is_explained(explainer: Explainer, a_paper: MakePaper) -> None:
    why = explainer.explain(asking(Or((DEEP, NETS))), a_paper(1, "Nets", "deep " * 200_000))

    assert why.line == "“nets” in title · “deep” in abstract"


# -- true of the stored text -------------------------------------------------------------------------------------------

VOCABULARY = ("deep", "net", "graph", "tree", "sun", "sunny")
NAMES = ("Jun Sato", "Kemi Okafor", "K. Okafor")
WORDED = st.sampled_from(VOCABULARY) | st.sampled_from([" ", ". ", "-", "$", "{", "é", "🤗"])
TEXTS = st.lists(WORDED, max_size=12).map(" ".join)
PLACES = st.sampled_from([None, TITLE, ABSTRACT])
WORDS = st.builds(Word, st.sampled_from(VOCABULARY), PLACES)
STEMMED = WORDS | st.builds(Phrase, st.tuples(*[st.sampled_from(VOCABULARY)] * 2), PLACES)
LEAVES = (
    STEMMED
    | st.builds(Prefix, st.sampled_from(["de", "sun", "tre"]), PLACES)
    | st.sampled_from([*map(author, NAMES), Category("cs"), Source("daily"), Votes(10)])
)


def trees(of: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Return trees as topics/normal.py makes them: exclusions stand only beside something wanted."""
    return st.recursive(
        of,
        lambda inner: (
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts)))
            | st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts)))
            | st.builds(lambda one, other: And((one, Not(other))), inner, inner)
        ),
        max_leaves=5,
    )


def has(paper: Paper, leaf: Node) -> bool:
    """Whether the paper has it, in plain Python; the vocabulary's words are their own stems."""
    match leaf:
        case Author(asked):
            return any(likeness(asked, listed) for listed in paper.authors)
        case Category(name):
            return any(is_in_category(name, each) for each in paper.categories)
        case Source(name):
            return any(is_source(name, each) for each in paper.sources)
        case Votes(least):
            return paper.upvotes is not None and paper.upvotes >= least
    looked_at = {TITLE: [paper.title], ABSTRACT: [paper.abstract], None: [paper.title, paper.abstract]}[leaf.field]
    return any(stands(leaf, "".join(sign if sign.isalnum() else " " for sign in text).split()) for text in looked_at)


def stands(leaf: Word | Phrase | Prefix, text: list[str]) -> bool:
    if isinstance(leaf, Prefix):
        return any(word.startswith(leaf.text) for word in text)
    asked = [leaf.text] if isinstance(leaf, Word) else list(leaf.words)
    return any(text[n : n + len(asked)] == asked for n in range(len(text)))


def picks(paper: Paper, tree: Node) -> bool:
    match tree:
        case Not(part):
            return not picks(paper, part)
        case And(parts):
            return all(picks(paper, part) for part in parts)
        case Or(parts):
            return any(picks(paper, part) for part in parts)
        case leaf:
            return has(paper, leaf)


PAPERS = st.builds(
    dict,
    title=TEXTS,
    abstract=TEXTS,
    authors=st.lists(st.sampled_from(NAMES), max_size=2).map(tuple),
    categories=st.sampled_from([(), ("cs.LG",), ("csx.LG",)]),
    sources=st.sampled_from([(), ("daily-new",), ("dailynew",)]),
    upvotes=st.sampled_from([None, 9, 10]),
)


@given(PAPERS, trees(LEAVES), st.sampled_from([Tier.EXACT, Tier.RELATED]))
def test_what_is_shown_is_true_of_the_stored_text(
    explainer: Explainer, a_paper: MakePaper, texts: dict[str, object], tree: Node, tier: Tier
) -> None:
    paper = replace(a_paper(1), **texts)
    loose = loosened(tree) if tier is Tier.RELATED else None

    why = explainer.explain(asking(tree), paper, tier)

    is_exact = picks(paper, tree)
    is_related = not is_exact and loose is not None and picks(paper, loose)
    by_fact = any(not isinstance(leaf, Worded) and has(paper, leaf) for leaf in wanted(tree))
    assert is_exact or is_related or not why.line
    assert why.line or not is_exact
    assert why.line or not is_related or by_fact  # a fact alone makes nothing related
    assert "both word:" not in why.line
    assert all(mark in paper.title for mark in why.title)
    assert all(mark in paper.abstract for mark in why.abstract)
    assert why.quote in paper.abstract
    absent = {leaf for leaf in leaves(tree) if not has(paper, leaf)}
    present = {named(leaf) for leaf in wanted(tree) if has(paper, leaf)}
    assert not [leaf for leaf in absent if named(leaf) not in present and named(leaf) in why.line]


def named(leaf: Node) -> str:
    """Return how a line would name it."""
    match leaf:
        case Word(text):
            return f"“{text}”"
        case Phrase(words):
            return f"“{' '.join(words)}”"
        case Prefix(text):
            return f"“{text}*”"
        case _:
            return {Author: "by J", Category: "in cs.LG", Source: "on daily", Votes: "upvotes"}[type(leaf)]


@given(TEXTS, TEXTS, trees(STEMMED.filter(lambda leaf: leaf.field is None)))
def test_a_line_is_empty_exactly_where_matching_picks_nothing(
    explainer: Explainer, a_paper: MakePaper, title: str, abstract: str, tree: Node
) -> None:
    paper = a_paper(1, title, abstract)

    with Batch([paper]) as batch:
        assert bool(explainer.explain(asking(tree), paper).line) == bool(batch.select(tree))
