"""Invented values for every kind of letter."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from digests.mail.message import Letter
from digests.render import Renderer
from domain.issues import Digest, Entry, LetterKind, QuietNote, Receipt, Section, Slot, SourceCheck
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

_QUIET_SINCE = date(2026, 11, 17)


def sample_letters(renderer: Renderer) -> Iterator[Letter]:
    """Yield a letter of every kind; raises whatever a broken template raises."""
    yield renderer.digest(DIGEST, shared=False)
    yield renderer.digest(DIGEST, shared=True)
    yield renderer.digest(_FIRST, shared=False)
    yield renderer.linked(LetterKind.CONFIRM)
    yield renderer.quiet(QuietNote(_SLOT, _QUIET_SINCE, (_TOPIC,), _NOTHING, _NOW), shared=False)
    yield renderer.quiet(QuietNote(_SLOT, _QUIET_SINCE, (_TOPIC,), _NOTHING, None), shared=True)
    yield renderer.goodbye(fresh=True)
    yield renderer.goodbye(fresh=False)
    yield renderer.linked(LetterKind.PREFERENCES)
    yield renderer.linked(LetterKind.ADDRESS)
    yield renderer.alert((Trouble("source:sample", _NOW, _NOW, "no <answer> in time"),), _NOW)
