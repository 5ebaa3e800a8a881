"""Where this archive lives, and whether it may send: the one row of `installation`, and the note beside the file.

    begin a pass: decide, count, commit → the note → letters → end: count, commit → the note

The note is written after the commit and before the first letter. So it never says more than the database, unless an
older state was put back; a crash in between leaves it saying less, which holds nobody (docs/decisions/0013).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, text, update

from domain.deliveries import DeliveryState
from domain.errors import UsageError
from domain.holding import COMPLAINED, Hold, Note, Residence, reason_to_hold
from storage.database import Database
from storage.lanes import open_lanes
from storage.note import NoteFile
from storage.tables import DELIVERY, INSTALLATION, OPEN

PAUSED = "the operator paused deliveries"
#: How the reason of a copy begins that is not whole: it cannot be resumed.
UNFINISHED = "this is an unfinished copy"
_SKIPPED = "it may have been sent before: the operator counted what waited as sent"
# What would be sent sooner or later; not what waits for the operator's word alone.
_WAITS = and_(
    text(OPEN),
    or_(
        DELIVERY.c.not_before.is_not(None),
        DELIVERY.c.state.in_([DeliveryState.LEASED.value, DeliveryState.SENDING.value]),
    ),
)


@dataclass(frozen=True, slots=True)
class Released:
    """What `resume` did."""

    was: str  #: what held it; "" if nothing did
    waiting: int  #: letters that will be sent
    skipped: int  #: letters that count as sent


class Installation:
    """The whereabouts of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._note = NoteFile(database.file) if database.file is not None else None

    def hold(self) -> Hold | None:
        """Return what would hold a delivery now; None if nothing does. Nothing is written."""
        note = self._read_note()  # before the database: a number that is written meanwhile is no sign of anything
        with self._database.reading() as connection:
            reason = self._reason(connection, residence(connection), note)
            return Hold(reason, _waiting(connection)) if reason else None

    def begin(self, now: datetime) -> Hold | None:
        """Begin a pass; return what holds it: then nothing may be sent. The first pass ever makes this its home.

        Raises StorageError, also where the note cannot be written.
        """
        hold = self._settle_hold(now)
        if hold is not None:
            return hold
        with self._database.writing() as connection:
            kept = residence(connection)
            if kept.held:
                return Hold(kept.held, _waiting(connection))
            home = self._database.home(connection)
            if not home:
                return None
            if self._note and not kept.passes:
                self._note.write(kept.archive, 0)  # a crash after the commit must not look like a note that is missing
            _write(connection, home=home, passes=kept.passes + 1)
        self._remember(kept.archive, kept.passes + 1)
        return None

    def end(self) -> None:
        """Count the end of a pass: a copy that was taken during it has counted less."""
        with self._database.writing() as connection:
            if not self._database.home(connection):
                return
            kept = residence(connection)
            _write(connection, passes=kept.passes + 1)
        self._remember(kept.archive, kept.passes + 1)

    def pause(self, now: datetime, reason: str = PAUSED) -> Hold:
        """Hold every letter from now on, those of a pass that is under way too; what holds it already stays."""
        hold = self._settle_hold(now)
        if hold is not None:
            return hold
        with self._database.writing() as connection:
            _write(connection, held=reason, held_at=now)
            return Hold(reason, _waiting(connection))

    def resume(self, now: datetime, *, skip_waiting: bool = False) -> Released:
        """Let this archive send from here, on every lane at once; with `skip_waiting` what waits counts as sent.

        Raises UsageError for a copy that is not whole.
        """
        hold = self._settle_hold(now)
        note = self._read_note()
        with self._database.writing() as connection:
            kept = residence(connection)
            if kept.held.startswith(UNFINISHED):
                raise UsageError(f"{kept.held}; it cannot be resumed before it is whole")
            open_lanes(connection)
            # What never reached the relay waits for nothing but that: its mailbox has said nothing.
            put_off = DELIVERY.c.state == DeliveryState.DEFERRED.value, DELIVERY.c.attempts == 0
            connection.execute(update(DELIVERY).where(text(OPEN), *put_off).values(not_before=now))
            skipped = _skip(connection) if skip_waiting else 0
            waiting = _waiting(connection)
            home = self._database.home(connection)
            known = note.passes if note is not None and note.archive == kept.archive else 0
            passes = max(kept.passes, known)
            if self._note:
                self._note.write(kept.archive, passes)  # as in `begin`
            # Complaints count anew from here: a person has looked at the old ones.
            anew = {"complaints_from": now} if kept.held.startswith(COMPLAINED) else {}
            _write(connection, home=home, passes=passes + 1, held="", held_at=None, **anew)
        self._remember(kept.archive, passes + 1)
        return Released(was=hold.reason if hold else "", waiting=waiting, skipped=skipped)

    def counts_from(self) -> datetime | None:
        """Return when the operator last resumed what complaints had held; None if they never did hold anything."""
        with self._database.reading() as connection:
            found: datetime | None = connection.execute(select(INSTALLATION.c.complaints_from)).scalar_one()
        return found

    def _settle_hold(self, now: datetime) -> Hold | None:
        """Decide whether something holds this archive, and keep the reason if so."""
        hold = self.hold()
        if hold is not None:
            with self._database.writing() as connection:
                if not residence(connection).held:
                    _write(connection, held=hold.reason, held_at=now)
        return hold

    def _reason(self, connection: Connection, kept: Residence, note: Note | None) -> str:
        return reason_to_hold(kept, self._database.home(connection), note, noted=self._note is not None)

    def _read_note(self) -> Note | None:
        return self._note.read() if self._note else None

    def _remember(self, archive: str, passes: int) -> None:
        if self._note:
            self._note.write(archive, passes)


def residence(connection: Connection) -> Residence:
    """Return what an archive remembers of where it lives."""
    row = connection.execute(select(INSTALLATION)).one()
    return Residence(archive=row.public_id, home=row.home, passes=row.passes, held=row.held)


def mark_held(connection: Connection, reason: str, now: datetime) -> None:
    """Hold an archive that is about to be a copy, whatever its numbers say."""
    _write(connection, held=reason, held_at=now)


def _write(connection: Connection, **values: Any) -> None:
    connection.execute(update(INSTALLATION).values(values))


def _waiting(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(DELIVERY).where(_WAITS)).scalar_one())


def _skip(connection: Connection) -> int:
    values = {
        "state": DeliveryState.SKIPPED.value,
        "reason": _SKIPPED,
        "not_before": None,
        "lease_until": None,
        "worker": "",
    }
    return connection.execute(update(DELIVERY).where(_WAITS).values(values)).rowcount
