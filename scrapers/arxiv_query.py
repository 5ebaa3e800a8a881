"""Queries in the language of arXiv's search API: checked, completed, and compared with what arXiv made of them.

The language has fields ("ti:"), phrases in double quotes, parentheses, and the operators AND, OR and ANDNOT, in upper
case (arXiv API User's Manual, 5.1). A query that names no field is completed here: each word and each phrase is sought
in all fields, and neighbours without an operator between them must both be found. So `tidal disruption OR "tidal
tail"` is asked as `all:tidal AND all:disruption OR all:"tidal tail"`; the words "and" and "or" in lower case are left
out. A query that names a field anywhere is asked as it was written.
"""

import re
from collections.abc import Iterable

#: What can stand before a colon (User's Manual, 5.1); the dates have been there since 2009.
FIELDS = ("ti", "au", "abs", "co", "jr", "cat", "rn", "id", "all", "submittedDate", "lastUpdatedDate")

_TOKEN = re.compile(r"\"[^\"]*+\"?+|[()]|[^\s()\"]++")
_FIELD = re.compile(r"([A-Za-z_]\w*):")
_OPERATORS = frozenset({"AND", "OR", "ANDNOT"})
_UNHEEDED = frozenset({"and", "or"})
# How arXiv writes a query is its own: brackets are quotes, some parentheses are gone.
_OPENING = re.compile(r"(?<=:)[\s\"(\[]+")
_TYPOGRAPHY = re.compile(r"[()\[\]\"_+\s]+")
#: Archives that are divided: as a category each means all its parts.
_DIVIDED = frozenset(
    {"astro-ph", "cond-mat", "cs", "econ", "eess", "math", "nlin", "physics", "q-bio", "q-fin", "stat"}
)


def query_error(query: str) -> str:
    """Return what is wrong with a query, in one sentence without its stop; "" where nothing is."""
    words = _TOKEN.findall(query)
    if all(word in _UNHEEDED for word in words):
        return "the query has no words"
    if query.count('"') % 2:
        return "the query has a double quote that is not closed"
    for word in words:
        field = _FIELD.match(word)
        if field and field[1] not in FIELDS:
            return (
                f"the query names the field {field[1]}, which arXiv does not have; the fields are {', '.join(FIELDS)}, "
                "and a colon in words goes in double quotes"
            )
        if word == "NOT":
            return "the query uses NOT; arXiv's operators are AND, OR and ANDNOT"
    return _grammar_error(words)


def search_query(query: str, categories: Iterable[str] = ()) -> str:
    """Return what is asked for a query, "" for any paper, in some of the categories, none for any."""
    asked = _completed(query)
    within = " OR ".join(f"cat:{category}{'.*' if category in _DIVIDED else ''}" for category in categories)
    return f"({asked}) AND ({within})" if asked and within else asked or within


def is_same_query(asked: str, answered: str) -> bool:
    """Whether arXiv answered what was asked, apart from blanks, case, quotes and parentheses.

    It answers more than it is asked where it rewrites: an unknown field "x:" becomes "all:x:" (sources.md 3.3), but
    "submittedDate:[1 TO 2]" only changes its brackets.
    """
    return _plain(asked) == _plain(answered)


def _plain(query: str) -> list[str]:
    query = _OPENING.sub("", query.casefold().replace("andnot", "and not"))
    return _TYPOGRAPHY.sub(" ", query).split()


def _grammar_error(words: list[str]) -> str:
    """Return what is wrong with parentheses and operators; "" where nothing is."""
    depth = 1  # as if the whole stood in parentheses
    before = "("
    for word in [*words, ")"]:
        if not depth:
            return "the query has a parenthesis too many"
        depth += {"(": 1, ")": -1}.get(word, 0)
        if before in _OPERATORS | {"("} and word in _OPERATORS | {")"}:
            lonely = [each for each in (before, word) if each in _OPERATORS]
            return f"the query has nothing for {lonely[0]} to join" if lonely else "the query has empty parentheses"
        before = word
    return "the query has a parenthesis that is not closed" if depth else ""


def _completed(query: str) -> str:
    words = _TOKEN.findall(query)
    if any(map(_FIELD.match, words)):
        return " ".join(query.split())
    said: list[str] = []
    for word in words:
        if word in _UNHEEDED:
            continue
        if said and said[-1] not in _OPERATORS | {"("} and word not in _OPERATORS | {")"}:
            said.append("AND")
        said.append(word if word in _OPERATORS | {"(", ")"} else f"all:{word}")
    return " ".join(said).replace("( ", "(").replace(" )", ")")
