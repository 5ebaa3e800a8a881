"""The note beside an SQLite file, `paperround.db.passes`: it remembers how often deliveries began or ended.

The database cannot remember that itself: an older copy put back into its place has forgotten it. The number in the note
only rises, whoever writes first.
"""

import fcntl
import json
import os
from pathlib import Path

from domain.errors import DatabaseUnavailable
from domain.holding import Note


class NoteFile:
    """The note of one database file."""

    def __init__(self, database: Path) -> None:
        # Beside the file itself: one file under two names has one note.
        self.path = Path(f"{database.resolve()}.passes")

    def read(self) -> Note | None:
        """Return the note; None where there is none; one of no archive where it cannot be understood."""
        try:
            said = json.loads(self.path.read_bytes())
            return Note(archive=str(said["archive"]), passes=int(said["passes"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DatabaseUnavailable(f"the note {self.path} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError):
            return Note(archive="", passes=0)

    def write(self, archive: str, passes: int) -> None:
        """Remember a number, durably, unless a higher one of this archive is there; raises DatabaseUnavailable."""
        try:
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                # Two passes that overlap must not write an older number over a newer one.
                fcntl.flock(folder, fcntl.LOCK_EX)
                found = self.read()
                if found is None or found.archive != archive or found.passes < passes:
                    self._replace(json.dumps({"archive": archive, "passes": passes}))
                    os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise DatabaseUnavailable(
                f"the note {self.path} cannot be written ({error.strerror}), so nothing was sent"
            ) from error

    def _replace(self, said: str) -> None:
        draft = self.path.with_name(f".{self.path.name}.new")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(said)
            file.flush()
            os.fsync(handle)
        draft.replace(self.path)
