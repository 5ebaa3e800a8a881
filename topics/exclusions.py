"""What a topic keeps out, and the topic that does not: for telling how many papers each exclusion costs."""

from collections.abc import Iterator

from domain.topics import And, Node, Not, Or
from topics.normal import conjunction, disjunction


def exclusions(tree: Node) -> list[Not]:
    """Return the distinct exclusions of a tree, in its order; what stands within one belongs to it."""
    return list(dict.fromkeys(_exclusions(tree)))


def without(tree: Node, excluded: Not) -> Node:
    """Return the tree that does not exclude this anywhere."""
    match tree:
        case And(parts):
            return conjunction([without(part, excluded) for part in parts if part != excluded])
        case Or(parts):
            return disjunction([without(part, excluded) for part in parts])
        case _:
            return tree


def kept_out(tree: Node, excluded: Not) -> Node:
    """Return the tree of what would answer if this were not excluded, and does not.

    Mostly what is excluded is rare; asked for beside what is wanted, it is found sooner than two sets are compared.
    """
    lacking = without(tree, excluded)
    if isinstance(tree, And) and excluded in tree.parts:
        return conjunction([lacking, excluded.part])
    return And((lacking, Not(tree)))


def _exclusions(tree: Node) -> Iterator[Not]:
    match tree:
        case Not():
            yield tree
        case And(parts) | Or(parts):
            for part in parts:
                yield from _exclusions(part)
        case _:
            pass
