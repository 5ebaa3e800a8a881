"""A topic as typed becomes a tree: text → tokens → (lark) parts → normal tree → Query.

The text is looked over first (length, control characters), so that what comes later is short and printable. Lark cuts
it up (topics/grammar.py) and calls `_Builder` from the inside out while it reads; each call joins parts that are normal
already, so nothing here walks down a tree that a reader made deep. Operators are upper case; AND binds closer than OR,
and words side by side are an AND. Every complaint names the column, and what was meant where that is obvious
(topics/mending.py).

docs/topics.md tells the language to readers.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedToken, v_args

from domain.authors import is_whole, names
from domain.errors import QueryError
from domain.fts5 import depth, tokens
from domain.topics import Author, Category, Field, Leaf, Node, Not, Phrase, Prefix, Query, Source, Votes, Word
from topics.grammar import AFTER_NAME, DASHES, DEEPEST, GRAMMAR, narrow
from topics.mending import (
    Edit,
    Wrong,
    column,
    either,
    listed,
    mended,
    quoted,
    shortened,
    span,
    unexpected,
    unknown_field,
    without,
)
from topics.normal import STOP_WORDS, asked_of, complement, conjunction, disjunction, fact_name, spelled

#: Characters, of the text as typed and of its normal form.
LONGEST = 1000
MOST_VOTES = 1_000_000

_TURNING_MARKS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_FIELD_NAME = re.compile(r"[^\W\d]+")
_AFTER_WORD = ",.;:!?"  # what may follow a word without belonging to it
_COMMAS = re.compile(r"[,;，；、]+")
_VOTES = re.compile(r"\w+\s*(?P<sign>\W+?)\s*(?P<number>[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3})+)[,.;]?")


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the text, read."""

    node: Node | None  #: None: nothing but stop words
    column: int  #: where it begins; for an exclusion, where that begins
    terms: tuple[tuple[str, bool], ...]  #: words, phrases and facts in order; True: wanted
    level: int = 0  #: parentheses inside one another


def parse(text: str) -> Query:
    """Read a topic as typed; its normal form reads as an equal tree.

    Raises QueryError, whose column counts characters of `text` from 1, and whose suggestion can be read.
    """
    try:
        return _read(text)
    except Wrong as wrong:
        raise QueryError(wrong.reason, wrong.column, mended(text, wrong, _read)) from wrong


def _read(text: str) -> Query:
    _look_over(text)
    narrowed = narrow(text)
    try:
        part = cast("_Part", _reader().parse(narrowed))
    except UnexpectedToken as error:
        raise unexpected(list(_reader().lex(narrowed)), error.token) from error
    wanted = tuple(dict.fromkeys(term for term, is_wanted in part.terms if is_wanted))
    if isinstance(part.node, Not):
        raise Wrong("A topic must also want something; this one only excludes", part.column)
    if part.node is None or all(STOP_WORDS.issuperset(term.split()) for term in wanted):
        raise Wrong("These words are too common to look for", part.column)
    normal_form = spelled(part.node)
    if len(normal_form) > LONGEST:
        raise Wrong(f"A topic has at most {LONGEST:,} characters; this one spelled out has more", 1)
    return Query(text=" ".join(text.split()), tree=part.node, normal_form=normal_form, terms=wanted)


def _look_over(text: str) -> None:
    if len(text) > LONGEST:
        raise Wrong(f"A topic has at most {LONGEST:,} characters; this one has {len(text):,}", LONGEST + 1)
    if not text.strip():
        raise Wrong("A topic needs at least one word", 1)
    for place, character in enumerate(text):
        is_control = unicodedata.category(character) in {"Cc", "Cs"} and character not in "\t\n\r"
        if is_control or unicodedata.bidirectional(character) in _TURNING_MARKS:
            reason = f"A topic cannot hold the control character U+{ord(character):04X}"
            raise Wrong(reason, place + 1, (place, place + 1, " "))


@v_args(inline=True)
class _Builder(Transformer[Token, _Part]):
    """One method for each rule of the grammar."""

    def either(self, *parts: _Part) -> _Part:
        return _joined(disjunction, parts)

    def both(self, *parts: _Part) -> _Part:
        return _joined(conjunction, parts)

    def word(self, token: Token) -> _Part:
        name, _, rest = token.partition(":")
        if rest and not rest.startswith("//") and _FIELD_NAME.fullmatch(name):
            raise unknown_field(token, name)
        found = tokens(token.lstrip("+"))
        if not any(map(_has_letter, found)):
            if token.strip(DASHES) == "":
                # Whether it excludes what follows or is a mark between two words, only the reader knows.
                raise Wrong(f"“{shortened(token)}” wants a word right after it", column(token))
            reason = f"“{shortened(token)}” holds no letter or digit, so no paper can have it"
            raise Wrong(reason, column(token), (*span(token), " OR " if token.strip("|") == "" else " "))
        if "*" in token:
            return _leaf(_starred(token), column(token))
        if len(found) == 1 and found[0] in STOP_WORDS:
            return _Part(None, column(token), ())
        return _leaf(_words(found), column(token))

    def phrase(self, token: Token) -> _Part:
        inside = token[1:-1]
        found = tokens(inside)
        if not any(map(_has_letter, found)):
            raise Wrong("The quotes hold no word", column(token), without(token))
        if "*" in inside:
            begins = [tokens(word.rstrip("*")) for word in inside.split() if "*" in word]
            instead = inside if all(map(_may_begin, begins)) else f'"{inside.replace("*", "")}"'
            place = column(token) + token.index("*")
            raise Wrong("A star cannot stand in quotes", place, (*span(token), instead))
        return _leaf(_words(found), column(token))

    def unclosed(self, token: Token) -> _Part:
        raise _never_closed(token)

    def strange(self, token: Token) -> _Part:
        raise unknown_field(token, token[:-1])

    def votes(self, token: Token) -> _Part:
        return _leaf(_votes(token), column(token))

    def exclusion(self, operator: Token, part: _Part) -> _Part:
        terms = tuple((term, not is_wanted) for term, is_wanted in part.terms)
        return _made(part.node and complement(part.node), (part,), terms, column(operator))

    def group(self, opening: Token, part: _Part, _: Token) -> _Part:
        if part.level == DEEPEST:
            raise Wrong(f"Parentheses stand more than {DEEPEST} deep", column(opening))
        return replace(part, level=part.level + 1)

    def scoped(self, field: Token, part: _Part) -> _Part:
        try:
            node = part.node and asked_of(part.node, Field(field[:-1].lower()))
        except ValueError as error:
            raise Wrong(f"“{field}” holds words and phrases, but no other field", column(field)) from error
        return replace(part, node=node, column=column(field))

    def fact(self, field: Token, *rest: Token) -> _Part:
        facts = [_fact(field, token, is_alone=len(rest) == 1) for token in rest if token.type not in {"OPEN", "CLOSE"}]
        return _Part(disjunction(facts), column(field), tuple((spelled(fact), True) for fact in facts))


def _joined(join: Callable[[Iterable[Node]], Node], parts: tuple[_Part, ...]) -> _Part:
    nodes = [part.node for part in parts if part.node is not None]
    node = join(nodes) if nodes else None
    place = parts[0].column
    if isinstance(node, Not):  # an exclusion made it so: the complaint will point there
        place = next(part.column for part in parts if isinstance(part.node, Not))
    return _made(node, parts, tuple(term for part in parts for term in part.terms), place)


def _made(node: Node | None, parts: tuple[_Part, ...], terms: tuple[tuple[str, bool], ...], place: int) -> _Part:
    if node is not None and depth(node) > DEEPEST:
        raise Wrong(f"Operators stand more than {DEEPEST} deep", place)
    return _Part(node, place, terms, max(part.level for part in parts))


def _leaf(leaf: Leaf, place: int) -> _Part:
    match leaf:
        case Word(text):
            term = text
        case Phrase(words):
            term = " ".join(words)
        case _:
            term = spelled(leaf)
    return _Part(leaf, place, ((term, True),))


def _words(found: tuple[str, ...]) -> Word | Phrase:
    return Word(found[0]) if len(found) == 1 else Phrase(found)


def _starred(token: Token) -> Prefix:
    """Read a word with a star, of which at least a letter is there."""
    start, end = span(token)
    written = token.lstrip("+").rstrip(_AFTER_WORD)
    begin = written.rstrip("*")
    found = tokens(begin)
    if "*" in begin or begin == written:
        pieces = [piece for piece in written.split("*") if any(map(_has_letter, tokens(piece)))]
        if len(pieces) == 1:
            instead = pieces[0] + ("*" if begin != written else "")
        else:
            instead = f"{pieces[0]}*" if _may_begin(tokens(pieces[0])) else f'"{" ".join(pieces)}"'
        raise Wrong("A star stands only at the end of a word", start + token.index("*") + 1, (start, end, instead))
    star = start + token.rindex("*") + 1
    if len(found) > 1:
        instead = " ".join((*found[:-1], found[-1] + "*" if _may_begin(found[-1:]) else found[-1]))
        raise Wrong("A star wants one word before it, without a hyphen or another mark", star, (start, end, instead))
    if not _may_begin(found):
        instead = f'"{begin}"' if found[0] in STOP_WORDS else begin
        raise Wrong("A star wants at least two letters before it", star, (start, end, instead))
    return Prefix(found[0].lstrip("+"))  # as it is read again: a plus before a word changes nothing


def _may_begin(found: tuple[str, ...]) -> bool:
    return len(found) == 1 and sum(map(str.isalnum, found[0])) >= 2


def _votes(token: Token) -> Votes:
    start, end = span(token)
    read = _VOTES.fullmatch(token)
    number = int(read["number"].replace(",", "")) if read else -1
    least = {">=": number, "=>": number, "≥": number, ">": number + 1}.get(read["sign"]) if read else None
    if read and least is None:
        fewer = {"<": number, "<=": number + 1, "=<": number + 1, "≤": number + 1}.get(read["sign"])
        instead = f"upvotes>={number}" if fewer is None else f"-upvotes>={fewer}"
        raise Wrong("Upvotes are asked for as upvotes>=20, at least so many", start + 1, (start, end, instead))
    if least is None or not 1 <= least <= MOST_VOTES:
        raise Wrong(f"“upvotes>=” wants a number from 1 to {MOST_VOTES:,} after it", start + 1)
    return Votes(least)


def _fact(field: Token, token: Token, *, is_alone: bool) -> Author | Category | Source:
    if token.type == "UNCLOSED":
        raise _never_closed(token)
    start, end = span(token)
    text = token[1:-1] if token.type == "PHRASE" else token.strip(AFTER_NAME)
    if "*" in text:
        edit: Edit = (start, end, str(token).replace(".*", "").replace("*", ""))
        raise Wrong(f"“{field}” takes no star", start + token.index("*") + 1, edit)
    if field.lower() == "author:":
        several = [quoted(name) for name in listed(text)]
        found = names(text)
        if found and not any(map(is_whole, found)):
            raise Wrong("An initial alone is no name to look for", start + 1)
    else:
        several = list(filter(None, _COMMAS.split(text))) if token.type == "WORD" else []
        found = (fact_name(text),)
    if not any(map(_has_letter, found)):
        raise Wrong(f"“{field}” wants a name after it", start + 1, (span(field)[0], end, " "))
    if len(several) > 1:
        instead = either(several) if is_alone else " OR ".join(several)
        raise Wrong(
            f"“{field}” takes one name, or several in parentheses with OR between", start + 1, (start, end, instead)
        )
    if field.lower() == "cat:" and token.type == "WORD" and "/" in text:
        reason = "A category has a dot between its parts; one with a slash stands in quotes"
        raise Wrong(reason, start + token.index("/") + 1, (start, end, text.replace("/", ".")))
    match field.lower():
        case "author:":
            return Author(found)
        case "cat:":
            return Category(found[0])
        case _:
            return Source(found[0])


def _never_closed(token: Token) -> Wrong:
    end = span(token)[1]
    return Wrong("This quote is never closed", column(token), (end, end, '"'))


def _has_letter(token: str) -> bool:
    return any(character.isalnum() for character in token)


@cache
def _reader() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="basic", transformer=_Builder())
