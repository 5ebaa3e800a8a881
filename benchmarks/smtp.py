"""What a letter of 44 KB costs the client alone: over kept connections, with and without PIPELINING, beside smtplib.

Start a sink in a process of its own → send the same letters over 1, 4 and 16 connections, a thread each → count the CPU
time of this process, system time too, and take the best of a few rounds, the ways taking turns → then once more with a
sink 20 ms away, where round trips count and not CPU.
"""

from __future__ import annotations

import multiprocessing
import smtplib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from benchmarks.figures import Figure
from digests.mail.smtp import Relay
from digests.transports.smtp import SmtpTransport
from domain.deliveries import Message
from domain.issues import LetterKind

LETTERS = 1_600  # a round, over all connections
FAR = 100  # letters to the sink that is far away
AWAY = 0.02  # seconds: one round trip
ROUNDS = 3
DATA = (
    b"From: Paperround <digests@example.org>\r\nTo: ann@lab.example\r\nSubject: Three papers\r\n\r\n"
    + b"We ask how far a network can be pushed. Its sensitivity lies in a small s=\r\n" * 570
)
MESSAGE = Message("issue:1f", LetterKind.DIGEST, "digests@example.org", "ann@lab.example", "<1f@example.org>", DATA)

Way = Callable[[int], None]


def run(options: list[str]) -> list[Figure]:
    """Measure; takes no options."""
    if options:
        message = f"smtp takes no options, not {' '.join(options)}"
        raise SystemExit(message)
    figures = []
    with sink(grouped=True) as near, sink(grouped=False) as plain:
        for connections in (1, 4, 16):
            ways = {"one group": ours(near), "one by one": ours(plain), "smtplib": smtplibs(near)}
            best = dict.fromkeys(ways, float("inf"))
            for _ in range(ROUNDS):
                for name, way in ways.items():
                    best[name] = min(best[name], _cpu(way, connections) / LETTERS * 1e6)
            figures += [
                Figure(f"{connections} connections, {name}", best[name], "us/letter", best["smtplib"], "smtplib, kept")
                for name in ("one group", "one by one")
            ]
    with sink(grouped=True, pause=AWAY) as near, sink(grouped=False, pause=AWAY) as plain:
        rates = [FAR / _wall(way) for way in (ours(near), ours(plain), smtplibs(plain))]
    figures += [
        Figure(f"20 ms away, 1 connection, {name}", rate, "letters/s", rates[2], "smtplib, kept")
        for name, rate in zip(("one group", "one by one"), rates, strict=False)
    ]
    return figures


def ours(port: int) -> Way:
    transport = SmtpTransport(Relay("127.0.0.1", port, "none", ehlo_name="bench.example"))

    def way(letters: int) -> None:
        with transport.connect() as connection:
            for _ in range(letters):
                connection.send(MESSAGE, lambda: True)

    return way


def smtplibs(port: int) -> Way:
    def way(letters: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, "bench.example") as client:
            assert client.sock is not None
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(letters):
                client.sendmail(MESSAGE.sender, [MESSAGE.recipient], DATA)

    return way


def _cpu(way: Way, connections: int) -> float:
    threads = [threading.Thread(target=way, args=(LETTERS // connections,)) for _ in range(connections)]
    start = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.process_time() - start


def _wall(way: Way) -> float:
    start = time.perf_counter()
    way(FAR)
    return time.perf_counter() - start


@contextmanager
def sink(*, grouped: bool, pause: float = 0) -> Iterator[int]:
    """Yield the port of a relay in a process of its own that takes everything; `pause` in seconds before an answer."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_listen, args=(there, grouped, pause), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def _listen(there: multiprocessing.connection.Connection, grouped: bool, pause: float) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    there.send(listener.getsockname()[1])
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=_take, args=(sock, grouped, pause), daemon=True).start()


def _take(sock: socket.socket, grouped: bool, pause: float) -> None:
    """Answer all commands that came together together, as a relay that offers PIPELINING does."""
    offers = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n" if grouped else b"250-sink\r\n250 8BITMIME\r\n"
    known = {b"EHLO": offers, b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with sock, suppress(OSError):
        sock.sendall(b"220 sink\r\n")
        while commands := sock.recv(65_536):
            answers = b"".join(known.get(line[:4].upper(), b"250 2.0.0 ok\r\n") for line in commands.splitlines())
            time.sleep(pause)
            sock.sendall(answers)
            if answers.endswith(known[b"DATA"]):
                tail = b""
                while not tail.endswith(b"\r\n.\r\n"):
                    more = sock.recv(262_144)
                    if not more:
                        return
                    tail = (tail + more)[-5:]
                time.sleep(pause)
                sock.sendall(b"250 2.0.0 taken\r\n")
