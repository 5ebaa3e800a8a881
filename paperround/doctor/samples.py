"""Invented values for every kind of letter."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from digests.mail.message import Letter
from digests.render import Renderer
from domain.issues import Digest, Entry, QuietNote, Receipt, Section, Slot, SourceCheck
from domain.papers import AbstractKind, FetchStatus, Identifiers, Paper
from domain.topics import Why
from domain.troubles import Trouble

_NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
_SLOT = Slot("2026-11-20", "UTC", _NOW.date())
_TOPIC = 'mud & "tides" <b>'  # what must be escaped, and is not where a template forgets it
_PAPER = Paper(
    id=1,
    key="arxiv:2611.00001",
    ids=Identifiers(arxiv="2611.00001"),
    title="This is a test letter: mud & tides for $x < 1$",
    abstract="Paperround was asked to send it. It looks as a digest does, and the paper in it is invented. 🌊",
    abstract_kind=AbstractKind.AUTHORS,
    authors=("Ada Sample",),
    author_count=1,
    published=date(2026, 11, 20),
    first_seen=_NOW,
    listed=date(2026, 11, 20),
    first_listed=date(2026, 11, 20),
    url="https://paper.example/1",
    pdf_url="",
    sources=("sample",),
    upvotes=1,
)
_RECEIPT = Receipt(
    (SourceCheck("sample", "A sample source", _NOW.date(), FetchStatus.OK, listed=1, new=1),), new=1, matched=1
)
_NOTHING = Receipt((SourceCheck("sample", "A sample source", None, FetchStatus.FAILED, 0, 0, "no answer"),), 0, 0)
_WHY = Why("word “mud”, in title")
_SECTION = Section(1, _TOPIC, 1, (Entry(_PAPER, 1, _WHY),), ())
DIGEST = Digest(_SLOT, False, (_SECTION,), (_TOPIC,), _RECEIPT, _NOW)  # noqa: FBT003 the value's own order
_FIRST = Digest(_SLOT, True, (), (_TOPIC,), _NOTHING, None)  # noqa: FBT003 the value's own order

# What Renderer is asked for: the method, and what it is given.
_ASKED: tuple[tuple[str, tuple[Any, ...], dict[str, Any]], ...] = (
    ("digest", (DIGEST,), {"shared": False}),
    ("digest", (DIGEST,), {"shared": True}),
    ("digest", (_FIRST,), {"shared": False}),
    ("confirmation", (), {}),
    ("quiet", (QuietNote(_SLOT, date(2026, 11, 17), (_TOPIC,), _NOTHING, _NOW),), {"shared": False}),
    ("quiet", (QuietNote(_SLOT, date(2026, 11, 17), (_TOPIC,), _NOTHING, None),), {"shared": True}),
    ("goodbye", (), {"fresh": True}),
    ("goodbye", (), {"fresh": False}),
    ("preferences", (), {}),
    ("address_change", (), {}),
    ("alert", ((Trouble("source:sample", _NOW, _NOW, "no <answer> in time"),), _NOW), {}),
)


def sample_letters(renderer: Renderer) -> Iterator[Letter]:
    """Yield a letter of every kind that the renderer makes; raises whatever a broken template raises."""
    for name, values, options in _ASKED:
        make = getattr(renderer, name, None)
        if make is not None:
            yield make(*values, **options)
