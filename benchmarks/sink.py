"""An SMTP receiver that keeps nothing but, if asked, a line of each letter's Message-ID, written before it is answered.

`python -m benchmarks.sink [LOG]` listens on a free port of the loopback, prints it, and serves until it is killed.
asyncio's protocols, no task a connection: it must be faster than what it measures. A process of its own, so that its
CPU is not counted, and so that it outlives the senders that are killed.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_END = b"\r\n.\r\n"
_ID = re.compile(rb"^Message-ID: *(<[^>]*>)", re.MULTILINE | re.IGNORECASE)
_ANSWERS = {b"MAIL": b"250 2.1.0 ok\r\n", b"RCPT": b"250 2.1.5 ok\r\n", b"RSET": b"250 2.0.0 ok\r\n"}
_HELLO = b"250-sink\r\n250-PIPELINING\r\n250-SIZE 10000000\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"


class Sink(asyncio.Protocol):
    """One conversation; `log` is a descriptor that Message-IDs are appended to, or None."""

    def __init__(self, log: int | None) -> None:
        self._log = log
        self._heard = bytearray()
        self._in_letter = False
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Take commands and letters as they come."""
        self._heard += data
        answers: list[bytes] = []
        while True:
            if self._in_letter:
                # A lone dot right at the beginning ends an empty letter.
                end = 0 if self._heard.startswith(b".\r\n") else self._heard.find(_END)
                if end < 0:
                    break
                if self._log is not None:
                    found = _ID.search(self._heard, 0, 8192)
                    os.write(self._log, (found[1] if found else b"-") + b"\n")
                del self._heard[: end + (3 if self._heard.startswith(b".\r\n") else 5)]
                self._in_letter = False
                answers.append(b"250 2.0.0 taken\r\n")
                continue
            line, found, _ = self._heard.partition(b"\r\n")
            if not found:
                break
            del self._heard[: len(line) + 2]
            verb = bytes(line[:4]).upper()
            if verb == b"DATA":
                self._in_letter = True
                answers.append(b"354 go on\r\n")
            elif verb in {b"EHLO", b"HELO"}:
                answers.append(_HELLO if verb == b"EHLO" else b"250 sink\r\n")
            elif verb == b"QUIT":
                self._transport.write(b"".join([*answers, b"221 2.0.0 bye\r\n"]))
                self._transport.close()
                return
            else:
                answers.append(_ANSWERS.get(verb, b"502 5.5.1 no\r\n"))
        if answers:
            self._transport.write(b"".join(answers))


async def _serve(log: int | None) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Sink(log), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def sink(log: Path | None = None) -> Iterator[int]:
    """Run one in a process of its own; give its port."""
    command = [sys.executable, "-m", "benchmarks.sink", *([str(log)] if log else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    opened = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if len(sys.argv) > 1 else None
    asyncio.run(_serve(opened))
