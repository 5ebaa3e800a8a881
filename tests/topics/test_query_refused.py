import time

import pytest

from domain.errors import QueryError
from topics.query import parse

NO_FIELD = "“{}:” is no field; there are title:, abstract:, author:, cat:, source: and upvotes>="


def complaint(text: str) -> tuple[str, int]:
    with pytest.raises(QueryError) as caught:
        parse(text)
    return caught.value.reason, caught.value.column


@pytest.mark.parametrize(
    ("text", "reason", "column"),
    [
        ("", "A topic needs at least one word", 1),
        (" \t ", "A topic needs at least one word", 1),
        ('deep "neural', "This quote is never closed", 6),
        ("deep (neural", "This parenthesis is never closed", 6),
        ("(deep (neural)", "This parenthesis is never closed", 1),
        ("deep neural)", "This parenthesis closes nothing", 12),
        ("deep ()", "The parentheses hold nothing", 6),
        ('deep ""', "The quotes hold no word", 6),
        ('deep "…"', "The quotes hold no word", 6),
        ("deep AND", "“AND” wants a word after it", 6),
        ("deep OR AND neural", "“OR” wants a word after it", 6),
        ("(deep OR) neural", "“OR” wants a word after it", 7),
        ("OR deep", "“OR” wants a word before it", 1),
        ("deep (AND neural)", "“AND” wants a word before it", 7),
        ("deep NOT", "“NOT” wants a word after it", 6),
        ("deep -", "“-” wants a word right after it", 6),
        ("deep - neural", "“-” wants a word right after it", 6),
        ("-deep", "A topic must also want something; this one only excludes", 1),
        ("the -deep -neural", "A topic must also want something; this one only excludes", 5),
        ("deep OR -neural", "A topic must also want something; this one only excludes", 9),
        ("of the", "These words are too common to look for", 1),
        ('"of the"', "These words are too common to look for", 1),
        ("speech & language", "“&” holds no letter or digit, so no paper can have it", 8),
        ("llm 🤗", "“🤗” holds no letter or digit, so no paper can have it", 5),
        ("deep +", "“+” holds no letter or digit, so no paper can have it", 6),
        ("x title:", "“title:” wants a word, a phrase or parentheses after it", 3),
        ("x title:(deep author:he)", "“title:” holds words and phrases, but no other field", 3),
        ("x title:upvotes>=3", "“title:” holds words and phrases, but no other field", 3),
        ("x author:", "“author:” wants a name after it", 3),
        ("x author:42", "“author:” wants a name after it", 10),
        ("x author:K.", "An initial alone is no name to look for", 10),
        ('x author:"He', "This quote is never closed", 10),
        ("x author:(Kaiming He)", "“author:(…)” holds names with OR between them", 19),
        ("x author:()", "The parentheses hold nothing", 10),
        ("x cat:cs.LG,cs.CL", "“cat:” takes one name, or several in parentheses with OR between", 7),
        ("x cat:cs/LG", "A category has a dot between its parts; one with a slash stands in quotes", 9),
        ('x author:"He, Kaiming; Wu, Yi"', "“author:” takes one name, or several in parentheses with OR between", 10),
        ("x cat:cs.*", "“cat:” takes no star", 10),
        ("x titel:deep", NO_FIELD.format("titel"), 3),
        ("x rowid:5", NO_FIELD.format("rowid"), 3),
        ("x paper_fts:a", NO_FIELD.format("paper_fts"), 3),
        ('x rowid:"a b"', NO_FIELD.format("rowid"), 3),
        ("x a*b", "A star stands only at the end of a word", 4),
        ("x *ab", "A star stands only at the end of a word", 3),
        ("x a*", "A star wants at least two letters before it", 4),
        ("x self-superv*", "A star wants one word before it, without a hyphen or another mark", 14),
        ('x "deep net*"', "A star cannot stand in quotes", 12),
        ("x *", "“*” holds no letter or digit, so no paper can have it", 3),
        ("x upvotes:20", "Upvotes are asked for as upvotes>=20, at least so many", 3),
        ("x upvotes<20", "Upvotes are asked for as upvotes>=20, at least so many", 3),
        ("x upvotes>=", "“upvotes>=” wants a number from 1 to 1,000,000 after it", 3),
        ("x upvotes>=0", "“upvotes>=” wants a number from 1 to 1,000,000 after it", 3),
        ("x upvotes>=1000001", "“upvotes>=” wants a number from 1 to 1,000,000 after it", 3),
        ("x upvotes>=many", "“upvotes>=” wants a number from 1 to 1,000,000 after it", 3),
        ("deep\0neural", "A topic cannot hold the control character U+0000", 5),
        ("deep \u202eneural", "A topic cannot hold the control character U+202E", 6),
        ("deep \ud800", "A topic cannot hold the control character U+D800", 6),
        ("x" * 10_000, "A topic has at most 1,000 characters; this one has 10,000", 1001),
        ("(" * 200 + "x" + ")" * 200, "Parentheses stand more than 30 deep", 170),
        ("-(" * 200 + "x" + ")" * 200, "Parentheses stand more than 30 deep", 340),
        ("(" * 40 + "x" + ")" * 40, "Parentheses stand more than 30 deep", 10),
        ("ﷺ-" * 300, "A topic has at most 1,000 characters; this one spelled out has more", 1),
    ],
)
def test_each_complaint_names_its_column(text: str, reason: str, column: int) -> None:
    assert complaint(text) == (reason, column)


def test_operators_are_not_nested_without_end() -> None:
    text = "x" + "".join(f" (a{n} OR b" for n in range(40)) + ")" * 40

    assert complaint(text)[0] == "Operators stand more than 30 deep"
    assert (
        complaint("x" + "".join(f" -(y{n} z" for n in range(25)) + ")" * 25)[0] == "Operators stand more than 30 deep"
    )


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1000,
        "-" * 1000,
        "NOT " * 250,
        '"' * 999,
        "x OR " * 200,
        "-(" * 500,
        "* " * 500,
        "title:" * 166,
        "a*b " * 250,
        "author:(" * 125,
        "x" + "(" * 999,
    ],
)
def test_a_hostile_topic_is_refused_at_once(text: str) -> None:
    start = time.process_time()

    complaint(text)

    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ('deep "neural', 'deep "neural"'),
        ("deep (neural", "deep (neural)"),
        ("((deep OR (neural", "((deep OR (neural)))"),
        ("deep neural)", "deep neural"),
        ("(deep OR) neural", "(deep) neural"),
        ("deep AND", "deep"),
        ("OR deep", "deep"),
        ("deep OR AND neural", "deep AND neural"),
        ("deep NOT", "deep"),
        ("deep -", "deep"),
        ("deep - neural", ""),
        ('deep ""', "deep"),
        ("deep () OR", "deep"),
        ('deep "', "deep"),
        ("speech & language", "speech language"),
        ("deep | neural", "deep OR neural"),
        ("deep 🤗", "deep"),
        ("deep\0neural", "deep neural"),
        ("titel:deep", "title:deep"),
        ("Titles:(deep OR nets)", "title:(deep OR nets)"),
        ('au:"Kaiming He"', 'author:"Kaiming He"'),
        ("category:cs.CL", "cat:cs.CL"),
        ("rowid:5", '"rowid:5"'),
        ("ZnO:Al films", '"ZnO:Al" films'),
        ('rowid:"a b" x', 'rowid "a b" x'),
        ("deep title:", "deep"),
        ("deep cat:-cs.CV", "deep -cat:cs.CV"),
        ("author:(Kaiming He)", 'author:"Kaiming He"'),
        ("author:(Kaiming He", 'author:"Kaiming He"'),
        ("cat:(cs.CL, cs.LG)", "cat:(cs.CL OR cs.LG)"),
        ("author:(Kaiming He OR Wu)", 'author:("Kaiming He" OR Wu)'),
        ('author:(Kaiming He OR "Wu, Yi" OR)', 'author:("Kaiming He" OR "Wu, Yi")'),
        ('author:("Kaiming He" Wu)', 'author:("Kaiming He" OR Wu)'),
        ("author:(He, Kaiming)", 'author:"He, Kaiming"'),
        ("author:(He, Kaiming; Wu, Yi)", 'author:("He, Kaiming" OR "Wu, Yi")'),
        ("author:(Kaiming He, Yi Wu, Mira Okafor)", 'author:("Kaiming He" OR "Yi Wu" OR "Mira Okafor")'),
        ("author:(Kaiming He, Wu, Mira Okafor)", ""),
        ('author:"Kaiming He, Yi Wu, Mira Okafor"', 'author:("Kaiming He" OR "Yi Wu" OR "Mira Okafor")'),
        ('author:"He, Kaiming; Wu, Yi"', 'author:("He, Kaiming" OR "Wu, Yi")'),
        ("cat:cs.LG,cs.CL", "cat:(cs.LG OR cs.CL)"),
        ("cat:cs.LG;cs.CL, deep", "cat:(cs.LG OR cs.CL) deep"),
        ("cat:(cs.LG,cs.CL OR cs.AI)", "cat:(cs.LG OR cs.CL OR cs.AI)"),
        ("cat:(cs.LG,cs.CL)", "cat:(cs.LG OR cs.CL)"),
        ("cat:(cs.LG,cs.CL cs.AI)", "cat:(cs.LG OR cs.CL OR cs.AI)"),
        ("source:hf,arxiv", "source:(hf OR arxiv)"),
        ("cat:cs/LG", "cat:cs.LG"),
        ("cat:cs/LG,cs/CL", "cat:(cs.LG OR cs.CL)"),
        ("author:(deep -he)", ""),
        ("cat:cs.*", "cat:cs"),
        ("author:hint*", "author:hint"),
        ("A* search", '"A" search'),
        ("x* deep", "x deep"),
        ("sens*ity", "sens*"),
        ("a*b", '"a b"'),
        ("*bert*", "bert*"),
        ("*bert", "bert"),
        ("self-superv*", "self superv*"),
        ('"deep neur*"', "deep neur*"),
        ('"A* search"', '"A search"'),
        ("upvotes=20", "upvotes>=20"),
        ("upvotes: 20 deep", "upvotes>=20 deep"),
        ("vote:20", "upvotes>=20"),
        ("deep upvotes<20", "deep -upvotes>=20"),
        ("deep upvotes<=20", "deep -upvotes>=21"),
        ("upvotes>=many", ""),
        ("-deep", ""),
        ("of the", ""),
        ("*", ""),
        ('"', ""),
        ("x" * 2_000, ""),
    ],
)
def test_what_was_meant_is_suggested_where_it_is_obvious(text: str, suggestion: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)

    assert caught.value.suggestion == suggestion
    assert str(caught.value).endswith(f"; perhaps {suggestion}" if suggestion else ")")
    assert not suggestion or parse(suggestion).terms


@pytest.mark.parametrize(
    "text", ["NEAR(a b)", "^deep", "{title}: deep", "深度学习", "x", "10.1101/x", "2401.01234", "b-", "e.g."]
)
def test_what_means_something_elsewhere_is_looked_for_as_words(text: str) -> None:
    assert parse(text).terms


@pytest.mark.parametrize(
    "text", ["AND", "OR", "NOT", "-", "+", "*", "^", ":", "(", ")", '"', "title:", "upvotes>=", "🤗", "a"]
)
def test_an_operator_alone_is_refused_without_a_suggestion(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)

    assert caught.value.column == 1
    assert not caught.value.suggestion
