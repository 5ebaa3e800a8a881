"""Kill deliver at every step of a pass over several connections, run it again, and say what came of it.

Run as a script, in a process of its own: it forks a child for each kill. A child counts the begins and commits of its
database, and of each letter the moment after the permission and the one after the answer; at the step it was told to
it kills itself with SIGKILL. One JSON line a kill. Between two kills the same letters are planned anew.
"""

import hashlib
import json
import os
import signal
import socketserver
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from digests.mail.message import Identity, Letter, freeze, mailing_slots, message_id
from digests.transports.registry import transport_of
from digests.transports.transport import MailRoute
from domain.issues import Fragment, IssuePlan, LetterKind, Mailing, Role, Slot
from domain.subscriptions import SubscriberState
from domain.topics import WishedTopic
from paperround.settings import build
from paperround.wiring import House
from storage.database import Database
from storage.issues import Issues
from storage.ledger import balances
from storage.subscribers import Signup, Subscribers
from topics.query import parse

CONNECTIONS = 3
IDENTITY = Identity("Paperround <p@lab.example>", secret="a secret")
_ANEW = text(
    "UPDATE delivery SET state = 'planned', attempts = 0, resent = false, not_before = date, lease_until = NULL, "
    "worker = '', sha256 = '', reply_code = NULL, enhanced = '', reply_text = '', reason = '', "
    "first_try = NULL, last_try = NULL"
)


def plan_letters(database: Database, number: int, now: datetime) -> None:
    """Make confirmed readers, each with a letter that is due."""
    line = Fragment(Role.TEXT, b"Low tide.\r\n.\r\nLeave: \0q:unsubscribe\0=\r\n\r\n")
    content = freeze(Letter(LetterKind.DIGEST, "Tides", (line,)), IDENTITY)
    plans = []
    for each in range(number):
        email, key = f"reader{each}@lab.example", f"issue:{each:04x}"
        signup = Signup(
            email=email,
            address_key=email,
            public_id=f"{each:016x}",
            topics=[WishedTopic("tides", parse("tides"))],
            schedule=None,
            state=SubscriberState.CONFIRMED,
            shared=False,
            consent=[],
        )
        reader = Subscribers(database).subscribe(signup, now)[0]
        identifier = message_id(key, IDENTITY)
        links = {"unsubscribe": f"https://lab.example/u/{each}"}
        mailing = Mailing(
            message_key=key,
            subscriber_id=reader.public_id,
            recipient=email,
            content=content,
            slots=mailing_slots(recipient=email, message_id=identifier, date=now, links=links),
            message_id=identifier,
            date=now,
            not_before=now,
            expires_at=now + timedelta(days=9),
        )
        slot = Slot("2026-11-20", "UTC", date(2026, 11, 20))
        plans.append(IssuePlan(f"{each:04x}", reader.id, slot, now, 0, (), mailing))
    run = Issues(database).run(now)
    assert run.freeze(plans, {}, [], now) == [""] * number
    assert run.end(now) == ""


def serve(log: Path, seen: Callable[[str, int], None]) -> None:
    """Take letters on a loopback port, in a process of its own; a line in `log` for each that had its dot."""

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):  # the sender was killed
                self.talk()

        def talk(self) -> None:
            self.wfile.write(b"220 sink\r\n")
            recipient = b""
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"RCPT":
                    recipient = line.split(b"<")[1].split(b">")[0]
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (line := self.rfile.readline()) not in {b".\r\n", b""}:
                        lines.append(line)
                    if not line:
                        return
                    with log.open("a", encoding="utf-8") as file:
                        file.write(f"{recipient.decode()} {hashlib.sha256(b''.join(lines)).hexdigest()}\n")
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Talk)
    child = os.fork()
    if child == 0:
        server.serve_forever()
    port = server.server_address[1]
    server.server_close()
    seen("127.0.0.1", port)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def settings(folder: Path, url: str, port: int) -> Any:
    mail = {"transport": "smtp", "host": "127.0.0.1", "port": port, "tls": "none", "connections": CONNECTIONS}
    return build({"database": {"url": url}, "mail": {"from": "Paperround <p@lab.example>", **mail}}, folder)


class Steps:
    """Counts what happens, in all threads, and kills its process at one of them."""

    def __init__(self, last: int) -> None:
        self._left = last
        self._lock = threading.Lock()

    def __call__(self, *_: object) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def connect(self) -> "Steps.Connection":
        return Steps.Connection(self, self.inner.connect())

    name = "counted"
    inner: Any

    class Connection:
        def __init__(self, steps: "Steps", inner: Any) -> None:
            self._steps = steps
            self._inner = inner

        def __enter__(self) -> "Steps.Connection":
            self._inner.__enter__()
            return self

        def __exit__(self, *error: object) -> None:
            self._inner.__exit__(*error)

        def send(self, message: Any, before_dot: Callable[[], bool]) -> Any:
            def counted() -> bool:
                given = before_dot()
                self._steps()
                return given

            answer = self._inner.send(message, counted)
            self._steps()
            return answer


def in_child(chosen: Any, step: int | None) -> bool:
    """Make one pass in a child; return whether it was killed."""
    child = os.fork()
    if child == 0:
        try:
            steps = Steps(step or 0)
            mail = chosen.mail
            steps.inner = transport_of(MailRoute(transport="smtp", host=mail.host, port=mail.port, tls="none"))
            with House(chosen, transport=steps) as house:
                event.listen(house.database._engine, "commit", steps)
                event.listen(house.database._engine, "begin", steps)
                house.deliverer.deliver()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 a child must never return into its parent's code
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise SystemExit(f"deliver failed at step {step}")
    return os.WIFSIGNALED(status)


def facts(url: str) -> dict[str, Any]:
    with closing(Database(url)) as database, database.reading() as connection:
        states = connection.execute(text("SELECT state, count(*) FROM delivery GROUP BY state")).all()
        odd = [each.sentence for each in balances(connection) if each.sentence]
    return {"states": {row[0]: row[1] for row in states}, "odd": odd}


def main(folder: Path, url: str, readers: int) -> None:
    with closing(Database(url)) as database:
        plan_letters(database, readers, datetime.now(UTC))
    log = folder / "sink.log"

    def every_step(_: str, port: int) -> None:
        chosen = settings(folder, url, port)
        step, killed = 0, True
        while killed:
            step += 1
            log.write_text("")
            with closing(Database(url)) as database, database.writing() as connection:
                connection.execute(_ANEW)
            killed = in_child(chosen, step)
            after = facts(url)
            if killed:
                in_child(chosen, None)
            took = [line.split() for line in log.read_text().splitlines()]
            result = {
                "step": step,
                "killed": killed,
                "after": after,
                "end": facts(url),
                "reached": len({recipient for recipient, _ in took}),
                "bytes": len({sha for _, sha in took}),
                "doubled": len(took) - len({recipient for recipient, _ in took}),
            }
            print(json.dumps(result))  # noqa: T201 the result

    serve(log, every_step)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
