"""Papers out of the archive, into stdout or a file: a block at a time, and a file whole or not at all."""

import os
import secrets
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from digests.citations.formats import Format
from domain.errors import Interrupted
from domain.papers import Paper

_BLOCK = 200  # papers written at once


def take(
    papers: Iterable[Paper],
    form: Format,
    journals: Callable[[Collection[int]], Mapping[int, str]],
    out: BinaryIO,
    *,
    stop: threading.Event,
    advance: Callable[[int], None],
) -> int:
    """Write papers in a format, in UTF-8, and return how many; `advance` is told after each block.

    Raises Interrupted once `stop` is set; then a part was written.
    """
    written = 0
    coming = iter(papers)
    out.write(form.head().encode())
    while block := tuple(islice(coming, _BLOCK)):
        if stop.is_set():
            raise Interrupted("interrupted; the export is not whole")
        known = journals([paper.id for paper in block]) if form.wants_journal else {}
        out.write("".join(form.entry(paper, known.get(paper.id, "")) for paper in block).encode())
        written += len(block)
        advance(len(block))
    out.flush()
    return written


@contextmanager
def sink(output: Path | None) -> Iterator[BinaryIO]:
    """Give stdout, or a file that takes its name only when all of it is there and on disk; raises OSError.

    A device or a pipe that stands there is written to as it is.
    """
    if output is None:
        with suppress(BrokenPipeError):  # who read it has left (`| head`), and wants no more
            yield sys.stdout.buffer
        return
    place = output.resolve()  # a link stays one
    if place.exists() and not place.is_file():
        with place.open("wb") as device:
            yield device
        return
    part = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
