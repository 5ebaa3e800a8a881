"""The topic tree as a tsquery: every stem quoted, phrases by `<->`, NOT inside AND alone.

Stems come from FTS5 (cutting.py) and consist of letters, digits, + and #, so none of them can end its quotes. Nothing a
reader types is ever tsquery syntax.
"""

from collections.abc import Mapping

from domain.topics import And, Node, Not, Or, Phrase, Word
from storage.words.bm25 import Leaf, leaves
from storage.words.cutting import Cutter

Stems = Mapping[Leaf, tuple[str, ...]]


def stems_of(*trees: Node) -> dict[Leaf, tuple[str, ...]]:
    """Return the stems of every word and phrase."""
    wanted = list(dict.fromkeys(leaf for tree in trees for leaf in leaves(tree)))
    with Cutter() as cutter:
        found = cutter.stems([leaf.text if isinstance(leaf, Word) else " ".join(leaf.words) for leaf in wanted])
    return dict(zip(wanted, found, strict=True))


def tsquery(tree: Node, stems: Stems, weights: str = "") -> str:
    """Return the text of a tsquery that selects what the tree selects, in the columns of those letters; "" for all."""
    match tree:
        case Word() | Phrase():
            marked = f":{weights}" if weights else ""
            return " <-> ".join(f"'{stem}'{marked}" for stem in stems[tree])
        case Or(parts):
            return " | ".join(f"({tsquery(part, stems, weights)})" for part in parts)
        case And(parts):
            # What is wanted comes first: a NOT is asked only of what the rest lets through.
            ordered = sorted(parts, key=lambda part: isinstance(part, Not))
            return " & ".join(f"({tsquery(part, stems, weights)})" for part in ordered)
        case Not(part):
            return f"!({tsquery(part, stems, weights)})"
