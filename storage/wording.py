"""Pure decisions about words: whose title, abstract and authors a paper shows, and what is kept beside them.

Each of the three shows the words of the source that stands nearest to the authors (`Standing`); what another source
says differently is kept as a wording, so that who said what stays visible.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.papers import AbstractKind, ListedPaper, Standing

FIELDS = ("title", "abstract", "authors")  #: that sources word differently
_ALL = "all"  # in `said_by`: the fields that are not named on their own


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says something, of which version, on a listing of which day."""

    source: str
    standing: int
    version: int | None
    day: date

    @property
    def mark(self) -> list[Any]:
        """What `said_by` keeps of them."""
        return [self.source, int(self.standing), self.version, self.day.isoformat()]


@dataclass(frozen=True, slots=True)
class Offer:
    """The words that a speaker has for one field."""

    field: str
    words: Any  #: a text, or a list of names
    speaker: Speaker
    kind: str = ""  #: of an abstract: whose words it is


@dataclass(frozen=True, slots=True)
class Wording:
    """What a source says of one field beside what is shown; a text of None takes back what it said before."""

    field: str
    text: str | None
    speaker: Speaker


def said_by_all(speaker: Speaker) -> dict[str, Any]:
    """Return `said_by` of a paper that one source alone told of."""
    return {_ALL: speaker.mark}


def offers_of(listed: ListedPaper, speaker: Speaker) -> tuple[Offer, ...]:
    """Return what a listing says in words."""
    return (
        Offer("title", listed.title, speaker),
        Offer("abstract", listed.abstract, speaker, listed.abstract_kind.value),
        Offer("authors", list(listed.authors), speaker),
    )


def held_by(columns: Mapping[str, Any]) -> tuple[Offer, ...]:
    """Return what a paper of the archive shows, each field as its source's offer."""
    return tuple(
        Offer(name, columns[name], _holder(columns, name), columns["abstract_kind"] if name == "abstract" else "")
        for name in FIELDS
    )


def reworded(known: Mapping[str, Any], offers: Iterable[Offer]) -> tuple[dict[str, Any], tuple[Wording, ...]]:
    """Return the columns in which better words are taken, and the wordings to keep or take back."""
    changes: dict[str, Any] = {}
    beside: list[Wording] = []
    said_by = dict(known["said_by"])
    for offer in offers:
        name, held, holder = offer.field, known[offer.field], _holder(known, offer.field)
        better = _is_better(offer, holder, known)
        if not offer.words or (held and better is None):
            continue
        if held == offer.words:
            beside.append(Wording(name, None, offer.speaker))  # it may have said something else before
            if offer.speaker.standing > holder.standing:
                said_by[name] = offer.speaker.mark
        elif held and not better:
            if offer.speaker.source != holder.source:  # what a source said before it corrected itself is no wording
                beside.append(Wording(name, _spelled(offer.words), offer.speaker))
        else:
            if held and holder.source not in ("", offer.speaker.source):
                beside += (Wording(name, _spelled(held), holder), Wording(name, None, offer.speaker))
            changes[name] = offer.words
            said_by[name] = offer.speaker.mark
            if name == "abstract":
                changes["abstract_kind"] = offer.kind
    if said_by != known["said_by"]:
        changes["said_by"] = said_by
    return changes, tuple(beside)


def _is_better(offer: Offer, holder: Speaker, known: Mapping[str, Any]) -> bool | None:
    """Return whether an offer is to be shown before what is there; None where it is not even a wording of it.

    A machine's summary stands in for the authors' abstract, never beside or before it. Of equal standing the newer
    version is heard, and of one version whoever spoke first, who may correct themselves.
    """
    speaker = offer.speaker
    if offer.kind != (known["abstract_kind"] if offer.field == "abstract" else ""):
        return True if offer.kind == AbstractKind.AUTHORS else None
    if speaker.standing != holder.standing:
        return speaker.standing > holder.standing
    if speaker.version is not None and holder.version is not None and speaker.version != holder.version:
        return speaker.version > holder.version
    return speaker.source == holder.source and speaker.day >= holder.day


def _holder(columns: Mapping[str, Any], name: str) -> Speaker:
    """Return whose words a field shows."""
    mark = columns["said_by"].get(name) or columns["said_by"].get(_ALL)
    if mark:
        return Speaker(mark[0], mark[1], mark[2], date.fromisoformat(mark[3]))
    # Of what an earlier schema kept nobody knows who said it; only the authors' own repository is believed before it.
    return Speaker(columns["sources"][0] if columns["sources"] else "", Standing.PUBLISHER, None, columns["listed"])


def _spelled(words: Any) -> str:
    return words if isinstance(words, str) else "; ".join(words)
