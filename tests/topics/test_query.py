import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import QueryError
from domain.fts5 import depth
from domain.topics import And, Not, Or, Phrase, Query, Word
from topics.query import DEEPEST, LONGEST, parse

# Pieces that make a text look like a topic, so that hypothesis meets operators in odd places more than once a year.
LOOKS = (
    "neural vision Sensitivity x c++ in-context the AND OR NOT - ( ) \" “ ” – + & 🤗 ﬁ İ ﷺ é * 深度 don't #P IFNγ β | :"
)
FIELDS = (
    "title: Abstract: author: cat: source: titel: upvotes>=20 votes upvotes < = 7 He, K. O'Brien cs.CL arxiv: （ ： ＊"
    " . , ; / # ab* +ab* c+* cs."
)
PIECES = st.sampled_from([*LOOKS.split(), *FIELDS.split(), " ", " ", " ", " ", "\t", "e\u0301"])
TYPED = st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60)

# Around a word: signs that belong to it, to the language or to nothing.
SIGNS = st.text("+#.-:,/§", max_size=3)
SIGNED = st.tuples(SIGNS, st.sampled_from(["ab", "c", "a.b"]), SIGNS, st.sampled_from(["*", "*,", ""])).map("".join)

WORDS = "neural vision graph protein x the C# in-context neur* upvotes>20 author:he cat:cs.CL source:hf"
LEAVES = [*WORDS.split(), '"neural vision"', '"graph"', '"of the"', '"to be learnt"', 'author:"He, Kaiming"']


@st.composite
def well_formed(draw: st.DrawFn, nesting: int = 4) -> str:
    """A topic with right parentheses and operators."""
    leaf = st.sampled_from(LEAVES)
    kind = draw(st.sampled_from(["leaf", "leaf", "and", "or", "not", "group", "field"] if nesting else ["leaf"]))
    inner = well_formed(nesting - 1) if nesting else st.just("")
    made = {
        "leaf": leaf,
        "field": st.sampled_from(["neural", "(graph OR -vision*)", '"of the"']).map("title:{}".format),
        "and": st.tuples(inner, st.sampled_from([" ", " AND "]), inner).map("".join),
        "or": st.tuples(inner, inner).map(" OR ".join),
        "not": st.tuples(inner, st.sampled_from(["-", "NOT "]), inner).map("{0[0]} {0[1]}({0[2]})".format),
        "group": inner.map("({})".format),
    }
    return draw(made[kind])


def normal(text: str) -> str:
    return parse(text).normal_form


def parsed(text: str) -> Query | None:
    """Return the query, or None for a text that is refused with a column inside it and a suggestion that is read."""
    try:
        return parse(text)
    except QueryError as error:
        column, suggestion = error.column, error.suggestion
    assert 1 <= column <= max(1, len(text))
    if suggestion:
        assert parse(suggestion).terms
        assert suggestion != text
    return None


def test_words_side_by_side_are_wanted_together() -> None:
    query = parse("Neural  sensitivity")

    assert query.tree == And((Word("neural"), Word("sensitivity")))
    assert query.text == "Neural sensitivity"
    assert query.terms == ("neural", "sensitivity")


def test_operators_are_upper_case_and_bind_not_before_and_before_or() -> None:
    tree = parse("graph neural OR protein NOT folding").tree

    assert tree == Or((And((Word("graph"), Word("neural"))), And((Word("protein"), Not(Word("folding"))))))


def test_lower_case_operators_are_common_words_and_passed_over() -> None:
    assert normal("vision and language or speech not text") == "language speech text vision"


@pytest.mark.parametrize("text", ["neural -vision", "neural NOT vision", "neural AND NOT vision", "-vision neural"])
def test_exclusions_have_several_spellings(text: str) -> None:
    assert parse(text).tree == And((Word("neural"), Not(Word("vision"))))


@pytest.mark.parametrize("dash", "-‐‑‒–—−－")
def test_a_dash_that_a_telephone_made_long_still_excludes(dash: str) -> None:
    assert normal(f"neural {dash}vision") == "neural -vision"


def test_a_plus_before_a_word_changes_nothing() -> None:
    assert normal("+neural +sensitivity") == "neural sensitivity"


@pytest.mark.parametrize("text", ['"attention fault"', "“Attention fault”", "„attention fault“", "attention-fault"])
def test_phrases_come_in_any_quotes_and_from_hyphens(text: str) -> None:
    assert parse(text).tree == Phrase(("attention", "fault"))


def test_an_apostrophe_makes_a_phrase_as_the_index_cuts_it() -> None:
    assert parse("don't").tree == Phrase(("don", "t"))


def test_plus_and_number_sign_stay_in_words() -> None:
    assert parse("C++ C# F#").terms == ("c++", "c#", "f#")


def test_one_quoted_word_is_a_word_and_may_be_a_common_one() -> None:
    assert parse('"Sensitivity"').tree == Word("sensitivity")
    assert parse('vitamin "A"').normal_form == '"a" vitamin'


def test_compatibility_characters_are_unfolded() -> None:
    assert parse("ﬁne-tuning").tree == Phrase(("fine", "tuning"))


def test_a_quoted_operator_is_a_word() -> None:
    assert normal('"AND" gate') == '"and" gate'


def test_equal_queries_have_one_normal_form() -> None:
    same = ["b c OR d", "d OR c b", "(d) OR (B AND C)", "c b c OR d OR d", "--d OR (b (c))"]

    assert {normal(text) for text in same} == {"(b c) OR d"}


def test_exclusions_are_brought_to_where_they_can_be_looked_up() -> None:
    assert normal("x -(y OR z)") == normal("x -y -z") == "x -y -z"
    assert normal("x (-y)") == "x -y"
    assert normal("x -(-y -z)") == "x (y OR z)"
    assert normal("x (y OR -z)") == "x -(z -y)"


def test_terms_are_the_wanted_ones_in_order_and_each_once() -> None:
    assert parse('"b c" x -z (y OR x) -(v -w)').terms == ("b c", "x", "y", "w")


@given(TYPED)
def test_any_text_is_a_query_or_an_error_with_a_column(text: str) -> None:
    if (query := parsed(text)) is not None:
        assert query.terms
        assert parse(query.normal_form).tree == query.tree


@given(SIGNED)
def test_a_word_with_signs_and_stars_is_read_again_as_it_is_spelled(text: str) -> None:
    if (query := parsed(text)) is not None:
        again = parse(query.normal_form)
        assert again.tree == query.tree
        assert again.normal_form == query.normal_form


def test_a_plus_before_a_beginning_changes_nothing_whatever_stands_before_it() -> None:
    assert normal(".+neur*") == normal("+neur*") == "neur*"


@given(well_formed())
def test_the_normal_form_reads_as_the_same_tree(text: str) -> None:
    query = parsed(text)
    assume(query)
    again = parse(query.normal_form)

    assert again.tree == query.tree
    assert again.normal_form == query.normal_form
    assert set(again.terms) == set(query.terms)
    assert depth(query.tree) <= DEEPEST
    assert len(query.normal_form) <= LONGEST


@given(well_formed(), well_formed())
def test_order_doubles_and_parentheses_make_no_other_topic(one: str, other: str) -> None:
    assume(parsed(f"({one}) ({other})"))
    expected = normal(f"({one}) ({other})")

    assert normal(f"(({other})) AND ({one}) ({other})") == expected
    assert normal(f"NOT NOT (({one}) ({other}))") == expected
