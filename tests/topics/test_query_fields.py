import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.authors import is_whole, names
from domain.topics import And, Author, Category, Field, Not, Or, Phrase, Prefix, Source, Votes, Word
from topics.normal import conjunction, fact_name, spelled
from topics.query import parse

TITLE = Field.TITLE
NAMES = st.text(max_size=30) | st.sampled_from(
    ["OR", "title:x", "cs.CL", "arxiv:cs.CL", "Cell Biology", "-x", "a,", "cs.", "a/b", "a:", "a-", "İ"]
)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("title:deep", Word("deep", TITLE)),
        ("TITLE: Deep", Word("deep", TITLE)),
        ('abstract:"deep nets"', Phrase(("deep", "nets"), Field.ABSTRACT)),
        ("title:in-context", Phrase(("in", "context"), TITLE)),
        ("title:neur*", Prefix("neur", TITLE)),
        ("title:(deep OR graph)", Or((Word("deep", TITLE), Word("graph", TITLE)))),
        ("title:(deep -(graph OR the))", And((Word("deep", TITLE), Not(Word("graph", TITLE))))),
        ("title:-deep x", And((Word("x"), Not(Word("deep", TITLE))))),
        ('title:"the" x', And((Word("the", TITLE), Word("x")))),
        ("Neur*", Prefix("neur")),
        ("neur*, x", And((Prefix("neur"), Word("x")))),
        ("深度*", Prefix("深度")),
        ('author:"He, Kaiming"', Author(("kaiming", "he"))),
        ("author:hinton", Author(("hinton",))),
        ("author:O'Brien", Author(("obrien",))),
        ('Author:(hinton OR "Kaiming He")', Or((Author(("kaiming", "he")), Author(("hinton",))))),
        ("cat:cs.CL", Category("cs.cl")),
        ("cat: cs", Category("cs")),
        ('cat:"Cell  Biology"', Category("cell biology")),
        ("source:arxiv:cs.CL", Source("arxiv:cs.cl")),
        ("cat:cs.LG.", Category("cs.lg")),
        ("cat:cs.", Category("cs")),
        ("cat:,cs.LG", Category("cs.lg")),
        ("cat:(cs.LG, OR cs.CL;)", Or((Category("cs.cl"), Category("cs.lg")))),
        ("source:arxiv:", Source("arxiv")),
        ("source:hf/", Source("hf")),
        ("source:hf/daily", Source("hf/daily")),
        ('cat:"plasma, solid; dust/gas."', Category("plasma, solid; dust/gas.")),
        ('author:"Smith, John, Jr."', Author(("john", "smith"))),
        ("author:He,Kaiming", Author(("kaiming", "he"))),
        ("deep -cat:cs.CV", And((Word("deep"), Not(Category("cs.cv"))))),
        ("upvotes>=20", Votes(20)),
        ("Upvotes >= 1,000", Votes(1000)),
        ("votes≥20", Votes(20)),
        ("upvotes>20", Votes(21)),
        ("upvotes>=1000000", Votes(1_000_000)),
        ("upvotes", Word("upvotes")),
        ("IFNγ", Phrase(("ifn", "gamma"))),
        ("TGF-β", Phrase(("tgf", "beta"))),
        ("https://example.org/x", Phrase(("https", "example", "org", "x"))),
        ("10.1101/x", Phrase(("10", "1101", "x"))),
        ("BERT: deep", And((Word("bert"), Word("deep")))),
        ("TiO2:Nb", Phrase(("tio2", "nb"))),
        ("（deep OR title：nets）", Or((Word("deep"), Word("nets", TITLE)))),
    ],
)
def test_a_topic_may_ask_for_more_than_words(text: str, tree: object) -> None:
    query = parse(text)

    assert query.tree == tree
    assert parse(query.normal_form).tree == tree


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ('title:deep "graph nets" neur*', ("deep", "graph nets", "neur*")),
        ('author:"He, Kaiming" cat:cs.CL', ('author:"kaiming he"', "cat:cs.cl")),
        ("source:(hf OR arxiv) upvotes>=20 -cat:cs", ("source:hf", "source:arxiv", "upvotes>=20")),
        ("title:deep abstract:deep", ("deep",)),
    ],
)
def test_terms_are_words_as_they_are_looked_for_and_facts_as_they_are_spelled(
    text: str, terms: tuple[str, ...]
) -> None:
    assert parse(text).terms == terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('author:"He, Kaiming"', 'author:"Kaiming He"'),
        ('author:"He KM"', 'author:"K. M. He"'),
        ("title:(deep nets)", "title:nets AND title:deep"),
        ("cat:CS.cl OR cat:cs.LG", "cat:(cs.LG OR cs.CL)"),
        ("upvotes>19", "upvotes>=20"),
        ("title:(deep OR -nets) x", "x -(title:nets -title:deep)"),
    ],
)
def test_what_asks_for_the_same_is_one_topic(one: str, other: str) -> None:
    assert parse(one).normal_form == parse(other).normal_form


def test_a_topic_of_words_alone_is_plain_and_any_other_is_exact() -> None:
    assert parse("deep nets").is_plain
    exact = [
        "deep OR nets",
        "deep -nets",
        '"deep nets"',
        "in-context",
        "title:deep",
        "neur*",
        "cat:cs.CL",
        "upvotes>=2",
    ]
    assert not any(parse(text).is_plain for text in exact)


@given(NAMES.map(fact_name).filter(bool))
def test_a_category_and_a_source_are_read_as_they_are_spelled_whatever_their_name_holds(name: str) -> None:
    readable = name.isprintable() and "*" not in name and any(map(str.isalnum, name))
    for fact in (Category(name), Source(name)):
        if readable:
            assert parse(spelled(fact)).tree == fact


@given(NAMES.map(names).filter(lambda found: any(map(is_whole, found))), st.integers(1, 1_000_000))
def test_an_author_and_votes_are_read_as_they_are_spelled(found: tuple[str, ...], least: int) -> None:
    tree = conjunction([Author(found), Votes(least)])

    assert parse(spelled(tree)).tree == tree
