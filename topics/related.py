"""Related papers: those that have part of what a topic wants, for days on which few have all of it.

A part is enough when its score is a fifth of what the topic's stems could give at most (topics.ranking.ceiling): a rare
word alone may do, and a common one does not. What a reader excludes or asks of authors, categories, sources and votes
holds for related papers too.
"""

from collections.abc import Iterable

from domain.topics import And, Node, Not, Or, Phrase, Prefix, Word, wanted

SHARE = 0.2  # of the ceiling (relevance.md, 4)


def loosened(tree: Node) -> Node | None:
    """Return the tree with an OR wherever words are wanted together; None where it picks no more for that.

    An exclusion or a fact stays with the words that it stands beside.
    """
    loose = _loose(tree)
    return None if loose == tree else loose


def related(scored: Iterable[tuple[int, float]], ceiling: float) -> list[tuple[int, float]]:
    """Return those (paper id, score) of part matches that are near enough, best first, equals by id."""
    least = SHARE * ceiling
    return sorted(
        ((paper_id, score) for paper_id, score in scored if score > 0 and score >= least),
        key=lambda each: (-each[1], each[0]),
    )


def _loose(tree: Node) -> Node:
    match tree:
        case Or(parts):
            return Or(_either(parts))
        case And(parts):
            worded = [part for part in parts if _wants_words(part)]
            kept = [part for part in parts if not _wants_words(part)]
            some = _either(worded)
            loose = Or(some) if len(some) > 1 else some[0] if some else None
            if loose is None or worded == [loose]:
                return tree
            return And((loose, *kept)) if kept else loose
        case _:
            return tree


def _either(parts: Iterable[Node]) -> tuple[Node, ...]:
    some: dict[Node, None] = {}
    for part in map(_loose, parts):
        some |= dict.fromkeys(part.parts if isinstance(part, Or) else (part,))
    return tuple(some)


def _wants_words(part: Node) -> bool:
    return not isinstance(part, Not) and any(isinstance(leaf, Word | Phrase | Prefix) for leaf in wanted(part))
