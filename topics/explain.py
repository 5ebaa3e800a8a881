"""Why a paper answers a topic, in words that are true of the stored text; topics/grounds.py finds what they tell.

    both words, in title and abstract · by Kaiming He · 41 upvotes
    related: 2 of 3 words: “neural” in title · “sensitivity” in abstract

Spellings of one stem, such as agent and agents, are told as one word. What is excluded is not told.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from domain.authors import Likeness, is_whole
from domain.papers import Paper
from domain.topics import (
    Author,
    Category,
    Field,
    Leaf,
    Phrase,
    Prefix,
    Query,
    Source,
    Tier,
    Votes,
    Why,
    Word,
    Worded,
    longest_first,
    wanted,
)
from topics.grounds import Found, Grounds, Known, Lookup, Place, because, beginning, holds
from topics.passages import bounds
from topics.related import loosened

_LONGEST_QUOTED = 40  # characters of a word, phrase or name in the line
_MOST_QUOTED = 3  # words
_MOST_NAMED = 2  # authors, categories or sources
_SEEN = 140  # characters of an abstract that are seen wherever it is shown


class Explainer:
    """Says why; used by one thread, closed after use."""

    def __init__(self) -> None:
        self._lookup = Lookup()

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
        asked = self._asked(query)
        told = _told(asked, grounds)
        if is_part and not told:  # a fact alone makes nothing related
            return Why(line="")
        kinds = list({stems: leaf for leaf, stems in reversed(asked.items())}.values())
        words = [_line(told, kinds, is_part=is_part)] if told else []
        return Why(
            line=" · ".join([*words, *_facts(grounds.values())]),
            title=longest_first(paper.title[begin:end] for there in told for begin, end in there.title),
            abstract=longest_first(paper.abstract[begin:end] for there in told for begin, end in there.abstract),
            quote=_quote(paper.abstract, told),
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

    def _asked(self, query: Query) -> dict[Worded, tuple[str, ...]]:
        """Return the words that are wanted, in the order in which they were typed, each with its stems."""
        order = {term: place for place, term in enumerate(query.terms)}
        leaves = [leaf for leaf in wanted(query.tree) if isinstance(leaf, Worded)]
        leaves.sort(key=lambda leaf: order.get(_text(leaf), len(order)))
        return {leaf: self._stems(leaf) for leaf in leaves}

    def _stems(self, leaf: Worded) -> tuple[str, ...]:
        text = _text(leaf)
        return (text,) if isinstance(leaf, Prefix) else self._lookup.stems(text)


def _told(asked: Mapping[Worded, tuple[str, ...]], grounds: Mapping[Leaf, Found]) -> list[Place]:
    """Return what is told of the words, each once: the places of all that have the same stems."""
    told: dict[tuple[str, ...], Place] = {}
    for leaf, stems in asked.items():
        place = grounds.get(leaf)
        if isinstance(place, Place):
            told[stems] = told[stems] | place if stems in told else place
    return list(told.values())


def _quote(abstract: str, told: Iterable[Place]) -> str:
    """Return the passage with most of the words that are seen neither in the title nor in the abstract's beginning."""
    unseen = [there.abstract for there in told if not there.title and there.abstract and there.abstract[0][1] > _SEEN]
    if not unseen:
        return ""
    begin, end = bounds(beginning(abstract), unseen)
    return abstract[begin:end]


def _line(told: Sequence[Place], asked: Sequence[Worded], *, is_part: bool) -> str:
    """Say “both words, in title and abstract”, or of words that stand apart which is where."""
    if is_part:
        counted = f"related: {_counted(told, asked)}"
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
    return _listed([f"“{_short(_text(there.leaf))}”" for there in told])


def _facts(grounds: Iterable[Found]) -> list[str]:
    """Say by whom, in which category, listed by which source, with how many votes."""
    known = [each for each in grounds if isinstance(each, Known)]
    sure = [
        _short(each.proof.text)
        for each in known
        if isinstance(each.leaf, Author) and each.proof.likeness is Likeness.SURE
    ]
    unsure = [
        _perhaps(each.leaf, each.proof.text)
        for each in known
        if isinstance(each.leaf, Author) and each.proof.likeness is not Likeness.SURE
    ]
    categories = [_short(each.proof.text) for each in known if isinstance(each.leaf, Category)]
    sources = [_short(each.proof.text) for each in known if isinstance(each.leaf, Source)]
    votes = {int(each.proof.text) for each in known if isinstance(each.leaf, Votes)}
    said = (("by", sure), ("by", unsure), ("in", categories), ("listed by", sources))
    return [
        *(f"{lead} {_few(names)}" for lead, names in said if names),
        *(f"{number:,} {'upvote' if number == 1 else 'upvotes'}" for number in votes),
    ]


def _perhaps(asked: Author, listed: str) -> str:
    """Return a listed name, and where only its initial agrees with the given name asked for, that name."""
    if not is_whole(asked.names[0]):
        return _short(listed)
    name = " ".join(f"{each.capitalize()}" if is_whole(each) else f"{each.upper()}." for each in asked.names)
    return f"{_short(listed)}, perhaps {_short(name)}"


def _few(names: Iterable[str]) -> str:
    each = list(dict.fromkeys(names))
    more = len(each) - _MOST_NAMED
    return _listed([*each[:_MOST_NAMED], f"{more} more"] if more > 0 else each)


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _text(leaf: Worded) -> str:
    match leaf:
        case Word(text):
            return text
        case Phrase(words):
            return " ".join(words)
        case Prefix(text):
            return f"{text}*"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTED else text[: _LONGEST_QUOTED - 1].rstrip() + "…"
