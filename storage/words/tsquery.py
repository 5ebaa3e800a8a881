"""The topic tree as a tsquery: every stem quoted, phrases by `<->`, NOT inside AND alone.

Stems come from FTS5 (cutting.py) and consist of letters, digits, + and #, so none of them can end its quotes. Nothing a
reader types is ever tsquery syntax.
"""

from collections.abc import Iterable, Mapping

from domain.topics import And, Field, Node, Not, Or, Phrase, Word, leaves, words_of
from storage.words.cutting import Cutter
from storage.words.tsvector import WEIGHTS

Worded = Word | Phrase
Stems = Mapping[Worded, tuple[str, ...]]
_LETTERS = dict(zip((Field.TITLE, Field.ABSTRACT), WEIGHTS, strict=False))


def stems_of(tree: Node) -> dict[Worded, tuple[str, ...]]:
    """Return the stems of every word and phrase."""
    asked = list(dict.fromkeys(leaf for leaf in leaves(tree) if isinstance(leaf, Word | Phrase)))
    with Cutter() as cutter:
        found = cutter.stems([" ".join(words_of(leaf)) for leaf in asked])
    return dict(zip(asked, found, strict=True))


def letters_of(field: Field | None, everywhere: str) -> str:
    """Return the letters of the columns that a word is looked for in: its field's, or those given."""
    return everywhere if field is None else _LETTERS[field]


def tsquery(tree: Node, stems: Stems, letters: str = "") -> str:
    """Return the text of a tsquery that selects what a tree of words and phrases selects.

    Words without a field are looked for in the columns of those letters, or in all.
    """
    match tree:
        case Word(_, field) | Phrase(_, field):
            return placed(stems[tree], letters_of(field, letters))
        case Or(parts):
            return " | ".join(f"({tsquery(part, stems, letters)})" for part in parts)
        case And(parts):
            # What is wanted comes first: a NOT is asked only of what the rest lets through.
            ordered = sorted(parts, key=lambda part: isinstance(part, Not))
            return " & ".join(f"({tsquery(part, stems, letters)})" for part in ordered)
        case Not(part):
            return f"!({tsquery(part, stems, letters)})"
        case _:
            raise ValueError(f"{type(tree).__name__} is not asked of an index of stems")


def placed(stems: Iterable[str], letters: str = "") -> str:
    """Return the text of a tsquery for stems side by side, in the columns of those letters or in all."""
    marked = f":{letters}" if letters else ""
    return " <-> ".join(f"'{stem}'{marked}" for stem in stems)
