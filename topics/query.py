"""A topic as typed becomes a tree: text → tokens → (lark) parts → normal tree → Query.

The text is looked over first (length, control characters), so that what comes later is short and printable. Lark cuts
it into words, phrases, operators and parentheses, and calls `_Builder` from the inside out while it reads; each call
joins parts that are normal already, so nothing here walks down a tree that a reader made deep. Operators are upper
case; AND binds closer than OR, and words side by side are an AND. Every complaint names the column.

docs/topics.md tells the language to readers.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedToken, v_args

from domain.errors import QueryError
from domain.fts5 import depth, tokens
from domain.topics import Node, Not, Phrase, Query, Word
from topics.normal import STOP_WORDS, complement, conjunction, disjunction, spelled

#: Characters, of the text as typed and of its normal form.
LONGEST = 1000
#: Parentheses inside one another; also operators. More would be beyond FTS5's parser (100 open symbols).
DEEPEST = 30

_GRAMMAR = r"""
    ?start: either
    either: both (_OR both)*
    both: factor (_AND? factor)*
    ?factor: exclusion | group | WORD -> word | PHRASE -> phrase | UNCLOSED -> unclosed
    exclusion: (NOT | DASH) factor
    group: OPEN either CLOSE

    OPEN: "("
    CLOSE: ")"
    _OR.2: /OR(?![^\s()"“”„＂])/
    _AND.2: /AND(?![^\s()"“”„＂])/
    NOT.2: /NOT(?![^\s()"“”„＂])/
    DASH.2: /[-‐‑‒–—−－](?=[^\s)])/
    PHRASE.3: /["“”„＂][^"“”„＂]*["“”„＂]/
    UNCLOSED.2: /["“”„＂][^"“”„＂]*/
    WORD.1: /[^\s()"“”„＂]+/
    %ignore /\s+/
"""
_DASHES = "-‐‑‒–—−－"
_OPERATORS = {"_OR": "OR", "_AND": "AND", "NOT": "NOT", "DASH": "-"}
_FIELDS = frozenset({"title", "abstract", "author", "cat", "source"})
_TURNING_MARKS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the text, read."""

    node: Node | None  #: None: nothing but stop words
    column: int  #: where it begins; for an exclusion, where that begins
    terms: tuple[tuple[str, bool], ...]  #: words and phrases in order; True: wanted
    level: int = 0  #: parentheses inside one another


def parse(text: str) -> Query:
    """Read a topic as typed; its normal form reads as an equal tree.

    Raises QueryError, whose column counts characters of `text` from 1.
    """
    _look_over(text)
    try:
        part = cast("_Part", _reader().parse(text))
    except UnexpectedToken as error:
        raise _complaint(text, error.token) from error
    wanted = tuple(dict.fromkeys(term for term, is_wanted in part.terms if is_wanted))
    if isinstance(part.node, Not):
        raise QueryError("A topic must also want something; this one only excludes", part.column)
    if part.node is None or all(STOP_WORDS.issuperset(term.split()) for term in wanted):
        raise QueryError("These words are too common to look for", part.column)
    normal_form = spelled(part.node)
    if len(normal_form) > LONGEST:
        raise QueryError(f"A topic has at most {LONGEST:,} characters; this one spelled out has more", 1)
    return Query(text=" ".join(text.split()), tree=part.node, normal_form=normal_form, terms=wanted)


def _look_over(text: str) -> None:
    if len(text) > LONGEST:
        raise QueryError(f"A topic has at most {LONGEST:,} characters; this one has {len(text):,}", LONGEST + 1)
    if not text.strip():
        raise QueryError("A topic needs at least one word", 1)
    for column, character in enumerate(text, 1):
        is_control = unicodedata.category(character) in {"Cc", "Cs"} and character not in "\t\n\r"
        if is_control or unicodedata.bidirectional(character) in _TURNING_MARKS:
            raise QueryError(f"A topic cannot hold the control character U+{ord(character):04X}", column)


@v_args(inline=True)
class _Builder(Transformer[Token, _Part]):
    """One method for each rule of the grammar."""

    def either(self, *parts: _Part) -> _Part:
        return _joined(disjunction, parts)

    def both(self, *parts: _Part) -> _Part:
        return _joined(conjunction, parts)

    def word(self, token: Token) -> _Part:
        column = _column(token)
        name, colon, rest = token.partition(":")
        if colon and name.isalpha() and (rest or name.lower() in _FIELDS):
            raise QueryError(
                f"“{_short(name)}:” would search one field, which is not part of the topic language yet", column
            )
        if token.rstrip(",.;:").endswith("*"):
            raise QueryError(
                "A star would search by prefix, which is not part of the topic language yet", column + token.rindex("*")
            )
        found = tokens(token.lstrip("+"))
        if not any(map(_has_letter, found)):
            if token.strip(_DASHES) == "":
                raise QueryError(f"“{_short(token)}” wants a word right after it", column)
            raise QueryError(f"“{_short(token)}” holds no letter or digit, so no paper can have it", column)
        if len(found) == 1 and found[0] in STOP_WORDS:
            return _Part(None, column, ())
        return _leaf(found, column)

    def phrase(self, token: Token) -> _Part:
        found = tokens(token[1:-1])
        if not any(map(_has_letter, found)):
            raise QueryError("The quotes hold no word", _column(token))
        return _leaf(found, _column(token))

    def unclosed(self, token: Token) -> _Part:
        raise QueryError("This quote is never closed", _column(token))

    def exclusion(self, operator: Token, part: _Part) -> _Part:
        terms = tuple((term, not is_wanted) for term, is_wanted in part.terms)
        return _made(part.node and complement(part.node), (part,), terms, _column(operator))

    def group(self, opening: Token, part: _Part, _: Token) -> _Part:
        if part.level == DEEPEST:
            raise QueryError(f"Parentheses stand more than {DEEPEST} deep", _column(opening))
        return _Part(part.node, part.column, part.terms, part.level + 1)


def _joined(join: Callable[[Iterable[Node]], Node], parts: tuple[_Part, ...]) -> _Part:
    nodes = [part.node for part in parts if part.node is not None]
    node = join(nodes) if nodes else None
    column = parts[0].column
    if isinstance(node, Not):  # an exclusion made it so: the complaint will point there
        column = next(part.column for part in parts if isinstance(part.node, Not))
    return _made(node, parts, tuple(term for part in parts for term in part.terms), column)


def _made(node: Node | None, parts: tuple[_Part, ...], terms: tuple[tuple[str, bool], ...], column: int) -> _Part:
    if node is not None and depth(node) > DEEPEST:
        raise QueryError(f"Operators stand more than {DEEPEST} deep", column)
    return _Part(node, column, terms, max(part.level for part in parts))


def _leaf(found: tuple[str, ...], column: int) -> _Part:
    node = Word(found[0]) if len(found) == 1 else Phrase(found)
    return _Part(node, column, ((" ".join(found), True),))


def _has_letter(token: str) -> bool:
    return any(character.isalnum() for character in token)


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


@cache
def _reader() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="basic", transformer=_Builder())


def _complaint(text: str, wrong: Token) -> QueryError:
    """Say what the grammar did not expect, in the reader's words."""
    before: Token | None = None
    opened: list[Token] = []
    for token in _reader().lex(text):
        if token.start_pos == wrong.start_pos and wrong.type != "$END":
            break
        if token.type == "OPEN":
            opened.append(token)
        elif token.type == "CLOSE":
            opened.pop()
        before = token
    if before is not None and before.type in _OPERATORS:
        return QueryError(f"“{before}” wants a word after it", _column(before))
    if wrong.type == "$END":
        return QueryError("This parenthesis is never closed", _column(opened[-1]))
    if wrong.type in _OPERATORS:
        return QueryError(f"“{wrong}” wants a word before it", _column(wrong))
    if opened:
        return QueryError("The parentheses hold nothing", _column(opened[-1]))
    return QueryError("This parenthesis closes nothing", _column(wrong))
