"""Near in meaning: papers that may have none of a topic's words and are about what it asks, where few answer.

    the topic's words as a text (mixing.asked) → cosines with the papers that keep its facts and exclusions
        → those from the floor on, beside the part matches that are related by their words → ordered by the mix

Only of a topic that is words beside facts and exclusions can it be said what all of it means: where facts stand inside
an OR with words, nothing is near but what has the words.
"""

from collections.abc import Callable, Mapping, Sequence

from domain.topics import NEAR_IN_MEANING, And, Leaf, Node, Not, Or, Why, Worded, leaves

#: The cosine from which a paper is near. On the shared collections (relevance.md) what is near has the topic right more
#: often than what is related by its words, on each of them, from .55 on: 48, 15 and 17 of 100 beside 26, 8 and 16.
FLOOR = 0.55
NEAR = Why(line=NEAR_IN_MEANING)

#: Tells the cosines of a text with those of some papers that have a vector.
CosinesOf = Callable[[str, Sequence[int]], Mapping[int, float]]


def conditions(tree: Node) -> tuple[Node, ...] | None:
    """Return what must hold of a paper that is near, facts and exclusions; None where nothing can be near."""
    parts = tree.parts if isinstance(tree, And) else (tree,)
    worded = [part for part in parts if _is_words(part)]
    others = tuple(part for part in parts if not _is_words(part))
    return others if worded and not any(_wants_words(part) for part in others) else None


def near(cosines: Mapping[int, float]) -> list[int]:
    """Return the ids of those that are near, in their order."""
    return [paper_id for paper_id, cosine in cosines.items() if cosine >= FLOOR]


def told(why: Why) -> Why:
    """Return why a paper that is near is shown: its words where it has some, which are more."""
    return why if why.line else NEAR


def _is_words(part: Node) -> bool:
    match part:
        case And(parts) | Or(parts):
            return all(map(_is_words, parts))
        case Not():
            return False
        case _:
            return _is_anywhere(part)


def _wants_words(part: Node) -> bool:
    return not isinstance(part, Not) and any(isinstance(leaf, Worded) for leaf in leaves(part))


def _is_anywhere(leaf: Leaf) -> bool:
    """Whether it is a word that may stand anywhere: one that is asked of the title says where, and not only what."""
    return isinstance(leaf, Worded) and leaf.field is None
