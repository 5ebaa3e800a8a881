"""What is known of one paper beside its words, as lines for its page. Values in, values out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from digests.readable import clean, readable, shorten
from digests.wording import counted, cut, full_date
from domain.papers import AbstractKind, Announcement, Paper, PaperEvent, Sighting, Wording
from web.addresses import day_path

_LONGEST_NAME = 80
_LONGEST_NOTE = 400  # characters of a comment
_SHOWN = 20  #: authors, and places where a paper was listed, that are seen at once

_EVENTS = {
    "version": "A new version",
    "withdrawn": "Withdrawn",
    "returned": "No longer withdrawn",
    "joined": "Found to be the same as",
    "named": "Also known as",
    "journal": "Published:",
    "code": "Its code is out:",
}
_ANNOUNCED = {
    Announcement.NEW: "new",
    Announcement.CROSS: "cross-listed",
    Announcement.REPLACE: "a new version",
    Announcement.REPLACE_CROSS: "a new version, cross-listed",
}
_KINDS = {
    AbstractKind.AUTHORS: "Abstract",
    AbstractKind.SUMMARY: "Summary",
    AbstractKind.NONE: "",
}
_WHOSE = {
    AbstractKind.AUTHORS: "",
    AbstractKind.SUMMARY: "Not the authors’ words: their abstract is not known here, and this stands in for it.",
    AbstractKind.NONE: "No abstract is known here. The paper’s own page may have one.",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One list that a paper stood on."""

    day: str  #: "20 November 2026"
    path: str  #: of the day's page
    source: str
    details: str  #: "rank 3 · 41 votes"; may be ""


@dataclass(frozen=True, slots=True)
class Otherwise:
    """Other words for a paper."""

    lead: str  #: "Title as arXiv cs.LG has it"
    text: str


@dataclass(frozen=True, slots=True)
class Abstract:
    """What stands where the abstract belongs."""

    heading: str
    text: str
    whose: str


def label(source: str, labels: Mapping[str, str]) -> str:
    """Return what readers call a source."""
    return cut(clean(labels.get(source, source)), _LONGEST_NAME) or "a source without a name"


def abstract(paper: Paper) -> Abstract:
    """Return the abstract, whole and readable, and whose words it is."""
    text = readable(paper.abstract)
    kind = paper.abstract_kind if text else AbstractKind.NONE
    return Abstract(_KINDS[kind], text if kind is not AbstractKind.NONE else "", _WHOSE[kind])


def authors(paper: Paper) -> tuple[list[str], list[str], str]:
    """Return the authors seen at once, those after them, and what is said of the rest."""
    names = [name for each in paper.authors if (name := cut(readable(each), _LONGEST_NAME))]
    unnamed = paper.author_count - len(paper.authors)
    more = f"{counted(unnamed, 'more author' if names else 'author')} not named here" if unnamed > 0 else ""
    return names[:_SHOWN], names[_SHOWN:], more


def facts(paper: Paper) -> list[str]:
    """Return what stands under the authors: the organization, the days, votes, comments."""
    said = [
        shorten(readable(paper.organization), _LONGEST_NAME),
        f"published {full_date(paper.published)}" if paper.published else "",
        f"listed {full_date(paper.first_listed)}",
        f"version {paper.version}" if paper.version else "",
        f"▲\u00a0{counted(paper.upvotes, 'vote')}" if paper.upvotes and paper.upvotes > 0 else "",
        counted(paper.comments, "comment") if paper.comments and paper.comments > 0 else "",
    ]
    return [each for each in said if each]


def places(sightings: Sequence[Sighting], labels: Mapping[str, str]) -> tuple[list[Place], list[Place]]:
    """Return where a paper was listed, the newest first: the places seen at once, and the others."""
    told = [
        Place(full_date(each.day), day_path(each.day), label(each.source, labels), " · ".join(_details(each)))
        for each in reversed(sightings)
    ]
    return told[:_SHOWN], told[_SHOWN:]


def _details(sighting: Sighting) -> Iterator[str]:
    yield f"rank {sighting.rank:,}"
    if sighting.upvotes and sighting.upvotes > 0:
        yield counted(sighting.upvotes, "vote")
    if sighting.announcement:
        yield _ANNOUNCED[sighting.announcement]
    if sighting.version:
        yield f"v{sighting.version}"
    if sighting.stars:
        yield f"{counted(sighting.stars, 'star')} of its code"


def remarks(sightings: Sequence[Sighting]) -> list[str]:
    """Return the authors' comments and where it appeared, as lists said, each once."""
    said = (words for each in sightings for words in (each.comment, each.journal))
    return [text for text in dict.fromkeys(shorten(readable(words), _LONGEST_NOTE) for words in said) if text]


def summaries(paper: Paper, sightings: Sequence[Sighting]) -> list[str]:
    """Return the summaries that stand beside the abstract, the newest first, each once."""
    said = dict.fromkeys(readable(each.summary) for each in reversed(sightings))
    shown = readable(paper.abstract)
    return [text for text in said if text and text != shown]


def history(events: Sequence[PaperEvent], labels: Mapping[str, str]) -> list[str]:
    """Return what happened to a paper, in order."""
    return [
        f"{full_date(each.day)}: {_EVENTS.get(each.kind, 'Changed')} {cut(clean(each.note), _LONGEST_NAME)}".rstrip()
        + f" ({label(each.source, labels)})"
        for each in events
    ]


def wordings(said: Sequence[Wording], labels: Mapping[str, str]) -> list[Otherwise]:
    """Return what other sources say of it."""
    return [
        Otherwise(f"{clean(each.field).capitalize()} as {label(each.source, labels)} has it", readable(each.text))
        for each in said
    ]


def described(text: str, limit: int = 200) -> str:
    """Return the beginning of a text, for what shows a link to the page."""
    return shorten(text, limit)


def slashed(day: date) -> str:
    """Return "2026/11/20", as the tags of citations have days."""
    return day.isoformat().replace("-", "/")
