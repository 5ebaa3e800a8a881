"""What a topic would have brought, and what is wrong with one that cannot be read, in words; values in, values out."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from markupsafe import Markup

from digests.readable import clean
from digests.wording import counted
from domain.errors import QueryError
from domain.papers import Paper
from domain.topics import Or, Tier, Why, WishedTopic
from web.blocks import Block, Blocks
from web.plots.drawing import plot
from web.plots.values import Panel, Series

#: How far a preview looks back, in days.
DAYS = 14
_BEFORE, _AFTER = 20, 10  # columns shown around what is wrong: as many as a phone has room for
_MANY = 10  # papers a day: more than most letters show in full


class Selected(Protocol):
    """One paper of a preview."""

    @property
    def paper(self) -> Paper:
        """The paper."""
        ...

    @property
    def tier(self) -> Tier:
        """Whether it answers, or is only related."""
        ...

    @property
    def why(self) -> Why:
        """Why it is there."""
        ...


class Excluded(Protocol):
    """What one exclusion of the query keeps out."""

    @property
    def term(self) -> str:
        """As it is spelled, with the minus."""
        ...

    @property
    def fewer(self) -> int:
        """How many papers."""
        ...


class Neighbour(Protocol):
    """A word to consider."""

    @property
    def word(self) -> str:
        """The word."""
        ...

    @property
    def papers(self) -> int:
        """How many of the best papers have it."""
        ...


class Preview(Protocol):
    """What a query would have brought."""

    @property
    def newest(self) -> date | None:
        """The last of the days looked at; None for an empty archive."""
        ...

    @property
    def per_day(self) -> Mapping[date, int]:
        """Papers by listing day; a day that has none is missing."""
        ...

    @property
    def total(self) -> int:
        """All papers, shown or not."""
        ...

    @property
    def related(self) -> int:
        """How many of them are only related."""
        ...

    @property
    def papers(self) -> Sequence[Selected]:
        """The best of them."""
        ...

    @property
    def excluded(self) -> Sequence[Excluded]:
        """What each exclusion keeps out."""
        ...

    @property
    def terms(self) -> Sequence[Neighbour]:
        """Words to consider."""
        ...


@dataclass(frozen=True, slots=True)
class Addition:
    """A word to consider: the topic with it, and how many of the best papers have it."""

    word: str
    topic: str
    papers: int


@dataclass(frozen=True, slots=True)
class Told:
    """A preview, ready to be shown."""

    summary: str  #: "About 4 papers a day: 57 in the 14 days up to 20 November."
    notes: tuple[str, ...]  #: what may not have been meant so, and what to do where little or much was found
    chart: Markup  #: the days as an SVG; "" for an empty archive
    excluded: tuple[str, ...]
    additions: tuple[Addition, ...]
    heading: str  #: over the papers
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a topic."""

    sentence: str
    excerpt: str = ""  #: the topic around the place, or all of it
    caret: str = ""  #: a line that points at the place
    suggestion: str = ""  #: a topic that can be read; "" where none is obvious


def told(topic: WishedTopic, found: Preview, hints: Sequence[str], blocks: Blocks) -> Told:
    """Return a preview in words."""
    if found.newest is None:
        return Told("The archive has no papers yet.", tuple(hints), Markup(""), (), (), "", ())
    shown = tuple(blocks.block(each.paper, found.newest.year, each.why) for each in found.papers)
    few = len(found.papers) < found.total
    return Told(
        summary=_summary(found.total),
        notes=(*(f"{clean(hint)}." for hint in hints), *_advice(found)),
        chart=Markup(plot(_panel(found.newest, found.per_day))) if found.total else Markup(""),  # noqa: S704 its texts are ours
        excluded=tuple(f"{clean(each.term)} keeps out {counted(each.fewer, 'paper')}." for each in found.excluded),
        additions=tuple(Addition(clean(each.word), _with(topic, each.word), each.papers) for each in found.terms),
        heading=f"The best {len(shown)} of {found.total:,}" if few else counted(len(shown), "paper"),
        blocks=shown,
    )


def fault(text: str, error: QueryError) -> Fault:
    """Return what is wrong with a topic as typed: the sentence with its column, and a caret under it."""
    place = min(max(error.column - 1, 0), len(text))
    begin, end = max(0, place - _BEFORE), min(len(text), place + _AFTER)
    lead = "…" if begin else ""
    before, after = (_one_each(part) for part in (text[begin:place], text[place:end]))
    return Fault(
        sentence=f"{clean(error.reason)} (column {error.column:,}).",
        excerpt=f"{lead}{before}{after}{'…' if end < len(text) else ''}",
        caret=f"{' ' * (len(lead) + _wide(before))}^",
        suggestion=error.suggestion,
    )


def _summary(total: int) -> str:
    if not total:
        return f"No paper of the last {DAYS} days answers this topic."
    found = f"{counted(total, 'paper')} in the last {DAYS} days"
    a_day = round(total / DAYS)
    return f"About {counted(a_day, 'paper')} a day: {found}." if a_day else f"{found}."


def _advice(found: Preview) -> list[str]:
    if not found.total:
        return ["Fewer words find more, and OR between words means either."]
    if found.total > _MANY * DAYS:
        return ["A letter shows the best in full. One more word, or one excluded with a minus, leaves fewer."]
    if found.related:
        have = "has" if found.related == 1 else "have"
        return [f"{found.related:,} of them {have} only part of the words; they fill days on which few papers answer."]
    return []


def _panel(newest: date, per_day: Mapping[date, int]) -> Panel:
    first = newest - timedelta(days=DAYS - 1)
    counts = tuple(per_day.get(first + timedelta(days=n), 0) for n in range(DAYS))
    return Panel(
        title="Papers a day", note="by the day of the listing", first=first, series=(Series("papers", counts),)
    )


def _with(topic: WishedTopic, word: str) -> str:
    """Return a topic as typed with one more word, which binds closer than OR."""
    query = topic.query
    name = "" if topic.name == query.text else f"{topic.name} = "
    return f"{name}({query.text}) {word}" if isinstance(query.tree, Or) else f"{name}{query.text} {word}"


def _one_each(text: str) -> str:
    """Return a text in which every character that cannot be seen takes one column."""
    return "".join(character if clean(character) else " " for character in text)


def _wide(text: str) -> int:
    """Return how many columns a text takes where every glyph has one width, or two."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
