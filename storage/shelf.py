"""Contents within reach: what many letters share is read from the database once, not with every letter.

    ids of contents → those that lie here; the others, and their fragments, from the database → subject and fragments
    one that cannot be read is told in the log and left out: the others' letters must not wait for it

Whoever shares a content gets the very same tuple of fragments, by which digests/mail/joining.py knows it again. What
lies here is true for one pass of one archive: a restore may give a number to another piece, so whoever reads says which
count of passes he found (storage/installation.py), and on another one everything is put away.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from domain.issues import Fragment, LetterKind, Role
from storage.tables import CONTENT, FRAGMENT

log = logging.getLogger("paperround.storage")
_ROOM = 32 << 20  # octets of fragments
_CONTENTS = 512  # each is a list of up to some hundred fragments
_OF_CONTENTS = select(CONTENT.c.id, CONTENT.c.kind, CONTENT.c.subject, CONTENT.c.fragments).where(
    CONTENT.c.id.in_(bindparam("ids", expanding=True))
)
_OF_FRAGMENTS = select(FRAGMENT.c.id, FRAGMENT.c.body).where(FRAGMENT.c.id.in_(bindparam("ids", expanding=True)))
_ROLES = {role.value: role for role in Role}
_KINDS = {kind.value: kind for kind in LetterKind}


@dataclass(frozen=True, slots=True)
class Shelved:
    """A content as letters need it."""

    kind: LetterKind
    subject: str
    fragments: tuple[Fragment, ...]


class Shelf:
    """Keeps what was used last, up to so many octets of fragments; may be used by several threads."""

    def __init__(self, room: int = _ROOM) -> None:
        self._room = self._free = room
        self._fragments: OrderedDict[tuple[str, int], Fragment] = OrderedDict()
        self._contents: OrderedDict[int, Shelved] = OrderedDict()
        self._passes = -1
        self._lock = threading.Lock()

    def contents(self, connection: Connection, ids: Collection[int], passes: int) -> Mapping[int, Shelved]:
        """Return contents by their numbers, within the caller's transaction, in which `passes` was read.

        One that cannot be read is none of them: a piece of it is gone, or it is of a kind that this version knows not.
        """
        with self._lock:
            if passes != self._passes:
                self._clear()
                self._passes = passes
            found = {each: self._contents[each] for each in ids if each in self._contents}
            for each in found:
                self._contents.move_to_end(each)
            missing = [each for each in ids if each not in found]
            if missing:
                found |= self._read(connection, missing)
            return found

    def clear(self) -> None:
        """Put everything away."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        self._fragments.clear()
        self._contents.clear()
        self._free = self._room

    def _read(self, connection: Connection, ids: list[int]) -> dict[int, Shelved]:
        rows = connection.execute(_OF_CONTENTS, {"ids": ids}).all()
        keys = {row.id: [(role, number) for role, number in row.fragments] for row in rows}
        wanted = dict.fromkeys(key for each in keys.values() for key in each)
        pieces = {key: self._fragments[key] for key in wanted if key in self._fragments}
        for key in pieces:
            self._fragments.move_to_end(key)
        missing = [key for key in wanted if key not in pieces]
        if missing:
            numbers = list(dict.fromkeys(number for _, number in missing))
            bodies: dict[int, bytes] = {row.id: row.body for row in connection.execute(_OF_FRAGMENTS, {"ids": numbers})}
            for key in missing:
                if key[0] not in _ROLES or key[1] not in bodies:
                    continue
                piece = pieces[key] = Fragment(_ROLES[key[0]], bytes(bodies[key[1]]))
                self._fragments[key] = piece
                self._free -= len(piece.body)
        found: dict[int, Shelved] = {}
        for row in rows:
            gone = [key for key in keys[row.id] if key not in pieces]
            if gone or row.kind not in _KINDS:
                why = f"no piece {gone[0]}" if gone else f"no letter of the kind {row.kind!r} is known"
                log.error("content %d cannot be read: %s", row.id, why)
                continue
            found[row.id] = Shelved(_KINDS[row.kind], row.subject, tuple([pieces[key] for key in keys[row.id]]))
        self._contents |= found
        self._make_room()
        return found

    def _make_room(self) -> None:
        while len(self._contents) > _CONTENTS:
            self._contents.popitem(last=False)
        while self._free < 0 and self._fragments:
            _, oldest = self._fragments.popitem(last=False)
            self._free += len(oldest.body)
