"""Why a paper answers a topic, in words that are true of the stored text; topics/grounds.py finds what they tell.

    both words, in title and abstract · by Kaiming He · 41 upvotes
    2 of 3 words: “neural” in title · “sensitivity” in abstract            of a related paper

Spellings of one stem, such as agent and agents, are told as one word, and so are a word and a prefix of it. What is
excluded is not told.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from domain.papers import Paper
from domain.topics import (
    Field,
    Leaf,
    Phrase,
    Prefix,
    Query,
    Tier,
    Why,
    Word,
    Worded,
    longest_first,
    wanted,
)
from topics.grounds import Found, Grounds, Known, Lookup, Place, because, beginning, holds
from topics.naming import listed, short
from topics.naming import told as facts_told
from topics.passages import bounds
from topics.related import loosened
from topics.surface import Span

_MOST_QUOTED = 3  # words
_SEEN = 140  # characters of an abstract that are seen wherever it is shown

#: What words and phrases have in common that are told as one: their stems, and of a related paper their field too.
_Kind = tuple[tuple[str, ...], Field | None]


class Explainer:
    """Says why; used by one thread, closed after use."""

    def __init__(self, labels: Mapping[str, str] | None = None) -> None:
        """`labels` is configured source name → what readers call it."""
        self._lookup = Lookup()
        self._labels = labels or {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index."""
        self._lookup.close()

    def explain(self, query: Query, paper: Paper, tier: Tier = Tier.EXACT) -> Why:
        """Return the line, the stored texts' own words to be marked, and the passage that has them.

        Of a paper that does not answer the query nothing is claimed: the line is empty. A related paper need only have
        part of the words.
        """
        found = self._lookup.found(query.tree, paper)
        tree, is_part = query.tree, False
        if tier is Tier.RELATED and not holds(tree, found):
            tree, is_part = loosened(tree) or tree, True
        if not holds(tree, found):
            return Why(line="")
        grounds = {leaf: found[leaf] for leaf in because(tree, found)}
        kinds = self._kinds(query, by_field=is_part)
        places = _told(kinds, grounds)
        if is_part and not places:  # a fact alone makes nothing related
            return Why(line="")
        told = _distinct(places)
        asked = {kind: leaf for leaf, kind in reversed(kinds.items()) if kind in told or kind not in places}
        there = list(told.values())
        words = [_line(there, list(asked.values()), is_part=is_part)] if there else []
        known = [each for each in grounds.values() if isinstance(each, Known)]
        return Why(
            line=" · ".join([*words, *facts_told(known, query.text, self._labels)]),
            title=longest_first(paper.title[begin:end] for each in there for begin, end in each.title),
            abstract=longest_first(paper.abstract[begin:end] for each in there for begin, end in each.abstract),
            quote=_quote(paper.abstract, there),
        )

    def grounds(self, query: Query, paper: Paper) -> Grounds:
        """Return where in title and abstract the words stand for which a search finds the paper.

        A search also looks at authors and categories: what was found there alone has no place.
        """
        found = self._lookup.found(query.tree, paper, paper.authors, paper.categories)
        if not holds(query.tree, found):
            return Grounds()
        there = {leaf: found[leaf] for leaf in because(query.tree, found)}.values()
        places = [each for each in there if isinstance(each, Place)]
        return Grounds(
            title=tuple(place.title for place in places if place.title),
            abstract=tuple(place.abstract for place in places if place.abstract),
        )

    def _kinds(self, query: Query, *, by_field: bool) -> dict[Worded, _Kind]:
        """Return the words that are wanted, in the order in which they were typed, each with its kind."""
        order = {term: place for place, term in enumerate(query.terms)}
        leaves = [leaf for leaf in wanted(query.tree) if isinstance(leaf, Worded)]
        leaves.sort(key=lambda leaf: order.get(_text(leaf), len(order)))
        return {leaf: (self._stems(leaf), leaf.field if by_field else None) for leaf in leaves}

    def _stems(self, leaf: Worded) -> tuple[str, ...]:
        return (_text(leaf),) if isinstance(leaf, Prefix) else self._lookup.stems(leaf)


def _told(kinds: Mapping[Worded, _Kind], grounds: Mapping[Leaf, Found]) -> dict[_Kind, Place]:
    """Return what can be told of the words, each once: the places of all that are of one kind."""
    told: dict[_Kind, Place] = {}
    for leaf, kind in kinds.items():
        place = grounds.get(leaf)
        if isinstance(place, Place):
            told[kind] = told[kind] | place if kind in told else place
    return told


def _distinct(told: Mapping[_Kind, Place]) -> dict[_Kind, Place]:
    """Return the same without prefixes that found nothing but what another found."""
    kept = dict(told)
    for kind, place in reversed(list(told.items())):
        others = (other for each, other in kept.items() if each != kind)
        if isinstance(place.leaf, Prefix) and any(_covers(other, place) for other in others):
            del kept[kind]
    return kept


def _covers(one: Place, other: Place) -> bool:
    """Whether one stands, in the same places or around them, wherever the other does."""
    both = ((Field.TITLE, one.title, other.title), (Field.ABSTRACT, one.abstract, other.abstract))
    return all(field not in other.fields or (inner and _around(outer, inner)) for field, outer, inner in both)


def _around(outer: Sequence[Span], inner: Sequence[Span]) -> bool:
    """Whether each of the inner spans lies inside one of the outer; both rise."""
    begins = [begin for begin, _ in outer]
    nearest = ((bisect_right(begins, begin) - 1, end) for begin, end in inner)
    return all(nth >= 0 and end <= outer[nth][1] for nth, end in nearest)


def _quote(abstract: str, told: Iterable[Place]) -> str:
    """Return the passage with most of the words that are seen neither in the title nor in the abstract's beginning."""
    unseen = [there.abstract for there in told if not there.title and there.abstract and there.abstract[0][1] > _SEEN]
    if not unseen:
        return ""
    begin, end = bounds(beginning(abstract), unseen)
    return abstract[begin:end]


def _line(told: Sequence[Place], asked: Sequence[Worded], *, is_part: bool) -> str:
    """Say “both words, in title and abstract”, or of words that stand apart which is where."""
    if is_part and len(told) < len(asked):
        counted = _counted(told, asked)
        return f"{counted}: {_named(told)}" if len(told) <= _MOST_QUOTED else f"{counted}{_spread(told)}"
    in_title, elsewhere = _apart(told)
    if in_title and elsewhere:
        return _named(told) if len(told) <= _MOST_QUOTED else f"{_counted(told, asked)}{_spread(told)}"
    if len(told) == 1:
        return f"{_kind([told[0].leaf])} {_named(told)}"
    if len(told) < len(asked) and len(told) <= _MOST_QUOTED:
        return _named(told)
    return f"{_counted(told, asked)}{_spread(told)}"


def _named(told: Sequence[Place]) -> str:
    """Say which word is where."""
    in_title, elsewhere = _apart(told)
    if in_title and elsewhere:
        return f"{_quoted(in_title)} in title · {_quoted(elsewhere)} in abstract"
    return f"{_quoted(told)}, in {_where(told)}"


def _spread(told: Sequence[Place]) -> str:
    """Say how many words are where."""
    in_title, elsewhere = _apart(told)
    if in_title and elsewhere:
        return f": {len(in_title)} in title, {len(elsewhere)} in abstract"
    return f", in {_where(told)}"


def _apart(told: Sequence[Place]) -> tuple[list[Place], list[Place]]:
    """Return those that stand in the title, whatever else, and those that do not."""
    return [each for each in told if Field.TITLE in each.fields], [e for e in told if Field.TITLE not in e.fields]


def _where(told: Sequence[Place]) -> str:
    """Return the field of all of them: the title goes before the abstract, unless all stand in both."""
    if all(len(there.fields) == len(Field) for there in told):
        return "title and abstract"
    return "title" if Field.TITLE in told[0].fields else "abstract"


def _counted(told: Sequence[Place], asked: Sequence[Worded]) -> str:
    if len(told) < len(asked):
        return f"{len(told)} of {len(asked)} {_kind(asked)}"
    kind = _kind(asked)
    if len(told) > 2:
        return f"all {len(told)} {kind}"
    return "word and phrase" if kind == "words and phrases" else f"both {kind}"


def _kind(asked: Sequence[Worded]) -> str:
    phrases = sum(isinstance(leaf, Phrase) for leaf in asked)
    plural = "s" if len(asked) > 1 else ""
    if 0 < phrases < len(asked):
        return "words and phrases"
    return f"phrase{plural}" if phrases else f"word{plural}"


def _quoted(told: Sequence[Place]) -> str:
    return listed([f"“{short(_text(there.leaf))}”" for there in told])


def _text(leaf: Worded) -> str:
    match leaf:
        case Word(text):
            return text
        case Phrase(words):
            return " ".join(words)
        case Prefix(text):
            return f"{text}*"
