"""Messages in files: one alone, many in an mbox, one a file in a Maildir, or what a mail server pipes in."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from domain.errors import UsageError

#: How many bytes of one message are read; one more than any report may have.
_MOST = 10_000_001
_LINE = 1_000_000
# "From somebody@example.org Fri Nov 20 08:00:00 2026" (RFC 4155); a sentence that begins with "From" is none.
_FROM = re.compile(rb"From \S{1,320} +[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d{2}:\d{2}(:\d{2})?[ \d]")


def messages_in(place: Path) -> Iterator[tuple[str, bytes]]:
    """Give (name, message) of a file or a Maildir, whose files stay where they are.

    Raises UsageError for a folder that is no Maildir, OSError for what cannot be read.
    """
    if not place.is_dir():
        with place.open("rb") as file:
            for number, raw in enumerate(messages(file), 1):
                yield (str(place) if number == 1 else f"{place}, message {number}"), raw
        return
    folders = [place / name for name in ("new", "cur") if (place / name).is_dir()]
    if not folders:
        raise UsageError(f"{place} is a folder, but no Maildir: it has neither new nor cur")
    for each in sorted(file for folder in folders for file in folder.iterdir() if file.is_file()):
        with each.open("rb") as file:
            yield str(each), file.read(_MOST)


def messages(file: BinaryIO) -> Iterator[bytes]:
    """Give the messages of a stream: those of an mbox one by one, else all of it as one; of one too long its head."""
    lines: list[bytes] = []
    size = 0
    first = file.readline(_LINE)
    is_mbox = bool(_FROM.match(first))
    if not is_mbox:
        yield first + file.read(_MOST - len(first))
        return
    was_blank = False
    while line := file.readline(_LINE):
        if was_blank and _FROM.match(line):
            yield b"".join(lines)
            lines, size = [], 0
        elif size < _MOST:
            lines.append(line)
            size += len(line)
        was_blank = not line.strip(b"\r\n")
    yield b"".join(lines)
