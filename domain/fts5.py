"""The topic tree in the words of SQLite's FTS5, for every room that keeps such an index.

Text goes through `searchable` before it is indexed and before it is asked for, `match_expression` writes a tree as one
MATCH expression, and `tokens` says beforehand how FTS5 will cut a text. Each token stands quoted in the expression, so
nothing a reader types is ever FTS5 syntax.
"""

import re
import unicodedata

from domain.topics import And, Node, Not, Or, Phrase, Word

#: The tokenizer of every index: Porter's stems, no diacritics, C++ and C# kept whole (stack.md, topic matching).
TOKENIZE = "porter unicode61 remove_diacritics 2 tokenchars '+#'"

#: The combining marks that unicode61 drops from a token without cutting it; found by asking it about every code point.
_DROPPED_MARKS = frozenset((*range(0x300, 0x305), *range(0x306, 0x30D), 0x30F, 0x311, 0x31B, *range(0x323, 0x329))) | {
    0x32D,
    0x32E,
    0x330,
    0x331,
}

#: Letters of today that were vowel signs in 2012 (New Tai Lue, Vedic): unicode61 cuts at them.
_NO_LETTERS_YET = frozenset((*range(0x19B0, 0x19CA), 0x1CF2, 0x1CF3))

_FIRST = r"(?:[^\W_]|[+#])"
_NEXT = rf"(?:[^\W_]|[+#{''.join(sorted(map(chr, _DROPPED_MARKS)))}])"
_BEGINS_TOKEN = re.compile(_FIRST)
_TOKEN = re.compile(f"{_FIRST}{_NEXT}*")


class _Separators(dict[int, str]):
    """For `str.translate`: a character that belongs to no token becomes a space, everything else stays."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = code in _DROPPED_MARKS or (_BEGINS_TOKEN.match(character) and code not in _NO_LETTERS_YET)
        self[code] = character if kept else " "
        return self[code]


_SEPARATORS = _Separators({code: chr(code) for code in range(1, 0x80)} | {0: " "})


def searchable(text: str) -> str:
    """Return the text as FTS5 should see it: NFKC, and one space for each character that belongs to no token.

    unicode61 knows the Unicode of 2012: it takes every younger character, such as 🤗, for a letter, and then
    "🤗Transformers" would be one unfindable word. ASCII is left as it is, but for NUL. The result has as many
    characters as the NFKC form of `text`.
    """
    if text.isascii():
        return text.replace("\0", " ")
    return unicodedata.normalize("NFKC", text).translate(_SEPARATORS)


def tokens(text: str) -> tuple[str, ...]:
    """Return the tokens that FTS5 finds in `searchable(text)`: lower case, unstemmed, still with their diacritics."""
    lowered = searchable(text)
    # Lower case and NFKC can undo each other once ("İ" grows a mark); the second round settles it.
    for _ in range(2):
        lowered = searchable(lowered.lower())
    return tuple(_TOKEN.findall(lowered))


def match_expression(tree: Node) -> str:
    """Return one FTS5 MATCH expression that selects what the tree selects.

    It may be used whole behind a column filter: `{title abstract} : (…)`. The most nested part of an AND or OR comes
    first: FTS5's parser remembers at most 100 open symbols, and a part in front leaves only its parenthesis open.
    """
    match tree:
        case Word(text):
            return f'"{text}"'
        case Phrase(words):
            return '"' + " ".join(words) + '"'
        case Or(parts):
            return " OR ".join(_operands(parts))
        case And(parts):
            wanted = " AND ".join(_operands(tuple(part for part in parts if not isinstance(part, Not))))
            unwanted = " OR ".join(_operands(tuple(part.part for part in parts if isinstance(part, Not))))
            return f"({wanted}) NOT ({unwanted})" if unwanted else wanted
        case Not():
            raise ValueError("A tree that only excludes has no FTS5 expression; topics/query.py lets none through.")


def _operands(parts: tuple[Node, ...]) -> list[str]:
    by_nesting = sorted(parts, key=depth, reverse=True)
    return [match_expression(part) if depth(part) == 0 else f"({match_expression(part)})" for part in by_nesting]


def depth(tree: Node) -> int:
    """Return how many operators stand one inside the other; 0 for a word or phrase."""
    match tree:
        case Word() | Phrase():
            return 0
        case Not(part):
            return 1 + depth(part)
        case And(parts) | Or(parts):
            return 1 + max(map(depth, parts))
