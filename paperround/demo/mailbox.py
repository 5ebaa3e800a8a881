"""The demo's mailbox: a real SMTP receiver on the loopback that keeps each message as a file.

aiosmtpd speaks the protocol and undoes the dot-stuffing; what it hands over is written byte for byte. The file is named
after the Message-ID, so a message that comes a second time (mail.md section 2: uncertain deliveries are sent again with
the same Message-ID) replaces its own copy and stays one file.

aiosmtpd's own Controller is not used, because on port 0 it cannot tell which port it was given, and on stopping it
leaves connections to the garbage collector. Here the socket is bound first, and the loop runs in one thread until asked
to end.
"""

import asyncio
import hashlib
import re
import socket
from email.parser import BytesHeaderParser
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

_HOST = "127.0.0.1"
#: Longest stem of a file name; most file systems take 255 bytes.
_STEM = 150


class Mailbox:
    """Receives mail on 127.0.0.1, and nowhere else, while the `with` block lasts.

    Every accepted message is one file `<name>.eml` in `folder`, which is created if it is missing, with the CRLF lines
    that came over the wire. A file is complete from the moment it appears. When the folder cannot be written, the
    sender hears 452 and keeps its message.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = _HOST
        self._keeper = _Keeper(folder)
        self._socket: socket.socket | None = None
        self._loop = _Loop()

    @property
    def port(self) -> int:
        """The port that was free; raises RuntimeError outside the `with` block."""
        if self._socket is None:
            raise RuntimeError("the demo's mailbox is not open")
        return int(self._socket.getsockname()[1])

    @property
    def received(self) -> int:
        """How many messages were accepted so far, those that came twice counted twice."""
        return self._keeper.received

    def __enter__(self) -> Self:
        """Bind a free port and begin to listen; raises OSError if folder or loopback refuse."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._socket = socket.create_server((_HOST, 0))
        self._loop.start(self._socket, self._keeper)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up on whoever is connected, and wait until all is closed."""
        self._loop.stop()
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def file_name(data: bytes) -> str:
    """Return a file name for a message: its Message-ID where that is harmless, made harmless and unique where not."""
    stated = str(BytesHeaderParser().parsebytes(data).get("Message-ID", "")).strip().strip("<>")
    stem = re.sub(r"[^A-Za-z0-9@._+=-]", "_", stated).lstrip(".")[:_STEM]
    if not stated:
        return f"{hashlib.sha256(data).hexdigest()[:32]}.eml"
    if stem != stated:
        # Two strange ids may become one harmless name; the digest keeps them two files.
        stem += "-" + hashlib.sha256(stated.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return f"{stem}.eml"


class _Keeper:
    """What aiosmtpd hands each message to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.received = 0

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks the method up by this name
        self,
        server: SMTP,  # noqa: ARG002 - and passes all three
        session: Session,  # noqa: ARG002 - as above
        envelope: Envelope,
    ) -> str:
        """Keep one message; the answer is what the sender hears after its final dot."""
        data = envelope.original_content or b""
        try:
            name = self._keep(data)
        except OSError as problem:
            return f"452 4.3.1 the demo's mailbox cannot be written: {problem.strerror}"
        self.received += 1
        return f"250 2.0.0 kept as {name}"

    def _keep(self, data: bytes) -> str:
        name = file_name(data)
        # The receiver is one thread, so this name is nobody else's; the leading dot keeps it out of *.eml.
        growing = self._folder / f".{name}.part"
        try:
            growing.write_bytes(data)
            growing.replace(self._folder / name)
        finally:
            growing.unlink(missing_ok=True)
        return name


class _Loop:
    """One asyncio loop in one thread, from `start` to `stop`."""

    def __init__(self) -> None:
        self._thread: Thread | None = None
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def start(self, listener: socket.socket, handler: _Keeper) -> None:
        ready = Event()
        self._thread = Thread(
            target=lambda: asyncio.run(self._serve(listener, handler, ready)), name="demo-mailbox", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        if self._running is not None and self._thread is not None:
            loop, ending = self._running
            loop.call_soon_threadsafe(ending.set)
            self._thread.join()
        self._running = self._thread = None

    async def _serve(self, listener: socket.socket, handler: _Keeper, ready: Event) -> None:
        loop, ending = asyncio.get_running_loop(), asyncio.Event()
        callers: list[SMTP] = []

        def answer() -> SMTP:
            # The name is given, because aiosmtpd would ask the resolver for one.
            callers.append(SMTP(handler, hostname="localhost", enable_SMTPUTF8=True, loop=loop))
            return callers[-1]

        try:
            server = await loop.create_server(answer, sock=listener)
            self._running = (loop, ending)
        finally:
            ready.set()
        await ending.wait()
        # First nobody new: closing the server while a connection is being accepted would leave that one to the garbage
        # collector. Then, as an accepted connection gets its transport a turn of the loop later, while a task waits for
        # it, go round until nobody holds a transport and no other task is left.
        loop.remove_reader(listener)
        while len(asyncio.all_tasks()) > 1 or any(caller.transport is not None for caller in callers):
            for caller in callers:
                if isinstance(caller.transport, asyncio.WriteTransport):
                    caller.transport.abort()
            await asyncio.sleep(0)
        server.close()
        await server.wait_closed()
