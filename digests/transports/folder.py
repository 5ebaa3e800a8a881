"""Letters as files: one .eml for each message, named after its key, so that sending again overwrites and never doubles.

    make the folder → lock it → write beside the place, to the disk → before_dot() → move into place

The move is the last irrevocable step, as the dot is in SMTP. The lock is the folder's own and ends with its process, so
that what a killed process left half written is overwritten by the next one.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from domain.deliveries import Acceptance, Message
from domain.errors import NotConnected, TransientDeliveryError

_KEY = re.compile(r"[a-z]+(?::[A-Za-z0-9]+)+")
_LONGEST = 100  # characters of a key in a file name: file systems end at 255 bytes
_PRIVATE = 0o600  # a letter holds its reader's address and links


class FolderTransport:
    """Writes .eml files; it is its own connection."""

    name = "folder"

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def connect(self) -> Self:
        """Return itself: the folder is opened for each message."""
        return self

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """There is nothing to close."""

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        """Write the message as a file, in place of an earlier one of the same key.

        Raises NotConnected if the folder cannot be written to, TransientDeliveryError if the file stays out of place.
        """
        path = self._directory / f"{file_stem(message.key)}.eml"
        with locked(self._directory), written(path, message.data, mode=_PRIVATE) as place:
            if not before_dot():
                return None
            place()
        return Acceptance(reply=f"written to {path}")


def file_stem(key: str) -> str:
    """Return a file name without ending for a message key: "issue-1f0c" for "issue:1f0c".

    Different keys have different names; any other key than ours gets a digest of it into the name.
    """
    if _KEY.fullmatch(key) and len(key) <= _LONGEST:
        return key.replace(":", "-")
    safe = re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")[:_LONGEST]
    return f"{safe}--{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Make the folder if need be and hold it alone, over all threads and processes; its entries are on disk afterwards.

    Raises NotConnected if there is no such folder to be had.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise NotConnected(f"the folder {directory} cannot be opened: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            raise NotConnected(f"the folder {directory} cannot be locked: {error.strerror}") from error
        yield
        with suppress(OSError):  # a file system that cannot sync a folder keeps its entries in its own way
            os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def written(path: Path, data: bytes, *, mode: int) -> Iterator[Callable[[], None]]:
    """Write `data` to the disk beside `path` and hand out the step that moves it there; without it, nothing stays.

    The folder must be held. Raises NotConnected if it cannot be written, and the step TransientDeliveryError.
    """
    draft = path.with_name(f".{path.name}.part")

    def place() -> None:
        try:
            draft.replace(path)
        except OSError as error:
            raise TransientDeliveryError(f"{path} could not be put in place: {error.strerror}") from error

    try:
        try:
            _write(draft, data, mode)
        except OSError as error:
            raise NotConnected(f"{path} could not be written: {error.strerror}") from error
        yield place
    finally:
        with suppress(OSError):
            draft.unlink()


def _write(path: Path, data: bytes, mode: int) -> None:
    with suppress(FileNotFoundError):
        path.unlink()  # of a killed process; opened anew below, so that no link leads elsewhere
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
