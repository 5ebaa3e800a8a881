"""What a topic would have brought, and what is wrong with one that cannot be read, in words; values in, values out."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from digests.readable import clean
from digests.wording import counted, cut
from domain.errors import QueryError
from domain.topics import Or, WishedTopic, Word
from web.blocks import Block, Blocks
from web.looked_back import LookedBack
from web.plots.drawing import plot
from web.plots.values import Panel, Series

#: How far a preview looks back, in days.
DAYS = 14
_BEFORE, _AFTER = 20, 10  # columns shown around what is wrong: as many as a phone has room for
_LONGEST = 60  # characters of a word that is shown again
_MANY = 10  # papers a day: more than most letters show in full


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


def told(topic: WishedTopic, found: LookedBack, hints: Sequence[str], blocks: Blocks) -> Told:
    """Return a preview in words."""
    if found.newest is None:
        return Told("The archive has no papers yet.", tuple(hints), Markup(""), (), (), "", ())
    shown = tuple(blocks.block(each.paper, found.newest.year, each.why) for each in found.papers)
    few = len(found.papers) < found.total
    return Told(
        summary=_summary(found.total),
        notes=(*(f"{clean(hint)}." for hint in hints), *_advice(topic, found)),
        chart=Markup(plot(_panel(found.newest, found.per_day))) if found.total else Markup(""),  # noqa: S704 its texts are ours
        excluded=tuple(f"{clean(each.term)} keeps out {counted(each.fewer, 'paper')}." for each in found.excluded),
        additions=tuple(Addition(clean(each.word), _with(topic, each.word), each.papers) for each in found.terms),
        heading=f"The best {len(shown)} of {found.total:,}" if few else counted(len(shown), "paper"),
        blocks=shown,
    )


def fault(text: str, error: QueryError) -> Fault:
    """Return what is wrong with a topic as typed: the sentence with its column, and a caret under it."""
    place = min(max(error.column - 1, 0), len(text))
    begin = max(0, place - _BEFORE)
    end = min(len(text), begin + _BEFORE + _AFTER)
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


def _advice(topic: WishedTopic, found: LookedBack) -> list[str]:
    if not found.total:
        tree = topic.query.tree
        if isinstance(tree, Word) and len(tree.text) > 1:
            return [f"A star at its end finds every word that begins so: {cut(clean(tree.text), _LONGEST)}*"]
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
