"""The laws of topic trees: equal topics become equal trees, and each tree has one spelling.

A node either picks papers, or is a `Not` and picks all papers but some. De Morgan's laws keep it so: an OR with an
exclusion in it is everything but some papers, an AND of exclusions likewise; only an AND that also wants something
brings exclusions back to a set that can be looked up. Parts are flat, sorted and each there once.

The functions take parts that are normal already and return a normal node.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from domain.topics import (
    And,
    Author,
    Category,
    Fact,
    Field,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Source,
    Votes,
    Word,
    Worded,
)
from topics.grammar import QUOTES

_COMMON = """
    a about also an and any are as at be been being between both but by could did do does each for from
    had has have having he her here his how i if in into is it its itself may me might my nor not of on
    or our ours shall she should so some such than that the their them then there these they this those
    thus to too upon very was we were what when where whether which while who whom whose why will with
    would you your
"""

#: Passed over in a topic unless they stand in quotes, for nearly every abstract has them.
STOP_WORDS = frozenset(_COMMON.split())

_NO_QUOTES = dict.fromkeys(map(ord, QUOTES), " ")
#: A name that stands without quotes and is read as one word, all of it, not as a field or an operator.
_BARE = re.compile(r"(?!(?:title|abstract|author|cat|source|upvotes):)[^\W_](?:[\w.:-]*[\w-])?")


def complement(part: Node) -> Node:
    """Everything that the part does not pick."""
    return part.part if isinstance(part, Not) else Not(part)


def conjunction(parts: Iterable[Node]) -> Node:
    """What all the parts pick (at least one part)."""
    flat: set[Node] = set()
    for part in parts:
        match part:
            case And(inner):
                flat.update(inner)
            case Not(Or(inner)):
                flat.update(map(complement, inner))
            case _:
                flat.add(part)
    if len(flat) == 1:
        return flat.pop()
    excluded = [part.part for part in flat if isinstance(part, Not)]
    if len(excluded) == len(flat):
        return Not(disjunction(excluded))
    return And(_ordered(flat))


def disjunction(parts: Iterable[Node]) -> Node:
    """What at least one of the parts picks (at least one part)."""
    flat: set[Node] = set()
    for part in parts:
        flat.update(part.parts if isinstance(part, Or) else (part,))
    if len(flat) == 1:
        return flat.pop()
    if any(isinstance(part, Not) for part in flat):
        return complement(conjunction(map(complement, flat)))
    return Or(_ordered(flat))


def asked_of(part: Node, field: Field) -> Node:
    """The part with all its words asked of one field; raises ValueError where one has a field, or is no word."""
    match part:
        case Word(field=None) | Phrase(field=None) | Prefix(field=None):
            return replace(part, field=field)
        case Not(inner):
            return complement(asked_of(inner, field))
        case And(parts):
            return conjunction([asked_of(each, field) for each in parts])
        case Or(parts):
            return disjunction([asked_of(each, field) for each in parts])
        case _:
            raise ValueError(f"{spelled(part)} cannot be asked of {field}")


def fact_name(text: str) -> str:
    """A category's or a source's name as it is compared: lower case, NFKC, single spaces, no quotes."""
    # Lower case and NFKC can undo each other once ("İ" grows a mark); the second round settles it.
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text).lower().translate(_NO_QUOTES)
    return " ".join(text.split())


def spelled(tree: Node) -> str:
    """The tree as a text that `topics.query.parse` reads as the same tree."""
    match tree:
        case And(parts):
            return " ".join(map(_grouped, parts))
        case Or(parts):
            return " OR ".join(map(_grouped, parts))
        case Not(part):
            return "-" + _grouped(part)
        case Word() | Phrase() | Prefix():
            return (f"{tree.field}:" if tree.field else "") + _worded(tree)
        case _:
            return _stated(tree)


def _worded(leaf: Worded) -> str:
    match leaf:
        case Word(text):
            return f'"{text}"' if text in STOP_WORDS or text.startswith("+") else text
        case Phrase(words):
            return '"' + " ".join(words) + '"'
        case Prefix(text):
            return f"{text}*"


def _stated(fact: Fact) -> str:
    match fact:
        case Author(names):
            return f"author:{names[0]}" if len(names) == 1 else f'author:"{" ".join(names)}"'
        case Category(name):
            return f"cat:{_named(name)}"
        case Source(name):
            return f"source:{_named(name)}"
        case Votes(least):
            return f"upvotes>={least}"


def _named(name: str) -> str:
    return name if _BARE.fullmatch(name) else f'"{name}"'


def _grouped(part: Node) -> str:
    return f"({spelled(part)})" if isinstance(part, And | Or) else spelled(part)


def _ordered(parts: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(sorted(parts, key=lambda part: (isinstance(part, Not), spelled(part))))
