"""Kill a verb at every step of every transaction, run it again, and say what came of it; one JSON line a kill.

Run as a script, in a process of its own: it forks a child for each kill. A child counts the begins and commits of the
database, and at the step it was told to it kills itself with SIGKILL, so that nothing of Python or of the engine cleans
up: before a commit nothing of the transaction may count, before the next begin all of it must.
"""

import json
import os
import shutil
import signal
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
from sqlalchemy import event, func, select

from domain.clock import FixedClock
from paperround.demo.site import DAYS
from paperround.settings import build
from paperround.wiring import House
from storage.database import Database
from storage.ledger import balances
from storage.news import Newsroom
from storage.tables import ISSUE, MATCH, PUBLISH_RUN, REMATCH

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
# Where hundreds of steps are alike, some are taken; by odd numbers, so that begins and commits are among them. A server
# takes longer for each than a file.
STRIDE = {"first-load": 15, "collect": 5, "match": 3}
STRIDE_ON_SERVER = {"first-load": 31, "collect": 9, "match": 3, "publish": 3, "deliver": 3}


def settings(folder: Path, url: str, site: str) -> Any:
    mail: dict[str, Any] = {"from": "Paperround <p@lab.example>", "dir": "outbox"}
    source = {"name": "hf", "kind": "huggingface-daily", "url": site}
    return build({"database": {"url": url}, "mail": mail, "source": [source]}, folder)


def do(verb: str, house: House) -> None:
    if verb == "collect":
        house.collector.collect(days=DAYS)
    elif verb == "first-load":
        house.collector.collect_due(Event())
    elif verb == "match":
        house.matcher.match(NOW)
    elif verb == "publish":
        house.publisher.publish(NOW)
    else:
        house.deliverer.deliver()


def die_at(house: House, step: int) -> None:
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == step:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(house.database._engine, "commit", count)
    event.listen(house.database._engine, "begin", count)


def in_child(verb: str, chosen: Any, step: int | None) -> bool:
    """Return whether the child was killed."""
    child = os.fork()
    if child == 0:
        try:
            later = timedelta() if step else timedelta(hours=2)
            clock = FixedClock(NOW + later) if verb == "first-load" else None
            with House(chosen, clock=clock) as house:
                if step is not None:
                    die_at(house, step)
                do(verb, house)
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 a child must never return into its parent's code
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise SystemExit(f"{verb} failed at step {step}")
    return os.WIFSIGNALED(status)


def facts(chosen: Any) -> dict[str, Any]:
    with House(chosen) as house:
        stats = house.archive.stats()
        records = house.outbox.records()
        with house.database.reading() as connection:
            found = select(MATCH.c.topic_id, MATCH.c.paper_id, MATCH.c.tier, MATCH.c.news, MATCH.c.score)
            matches = sorted([*row[:4], round(row[4], 6)] for row in connection.execute(found))
            changed = connection.execute(select(func.count()).select_from(REMATCH)).scalar_one()
        readers = [each.id for each in house.subscribers.everyone()]
        counted = Newsroom(house.database).welcome_counted(readers, 10**9, NOW - timedelta(days=365))
        return {
            "papers": stats["papers"],
            "backlog": sum(paper.backlog for paper in house.archive.every()),
            "sightings": stats["sightings"],
            "issues": stats["issues"],
            "states": dict(Counter(each.state for each in records)),
            "message_ids": len({each.message_id for each in records}),
            "matched_up_to": house.topics.matched_up_to(),
            "matches": matches,
            "changed": changed,
            "counted": sorted([*pair, number] for pair, number in counted.items() if number),
            "letters": sorted(each.name for each in (Path(chosen.mail.dir)).glob("*.eml")),
        }


def ledger(url: str) -> dict[str, Any]:
    """Return what the publishes planned, how many issues there are, and what does not add up."""
    with closing(Database(url)) as database, database.reading() as connection:
        kept = balances(connection)
        runs = connection.execute(select(PUBLISH_RUN.c.due, PUBLISH_RUN.c.planned, PUBLISH_RUN.c.excluded)).all()
        return {
            "planned": sum(each.planned for each in kept),
            "issues": connection.execute(select(func.count()).select_from(ISSUE)).scalar_one(),
            "odd": [each.sentence for each in kept if each.sentence],
            "undue": sum(due != planned + sum(excluded.values()) for due, planned, excluded in runs),
        }


class Saved:
    """What the tables of a server's database hold, to be put back: to copy a whole database takes thirty times as long.

    Only for the tests' own server, where we may do everything.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        with psycopg.connect(url) as server:
            found = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
            self._tables = [row[0] for row in found]
            self._numbers = server.execute("SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences").fetchall()
            server.execute("CREATE SCHEMA saved")
            for table in self._tables:
                server.execute(f"CREATE TABLE saved.{table} AS TABLE public.{table}")

    def put_back(self) -> None:
        with psycopg.connect(self._url) as server:
            others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            server.execute(f"SELECT pg_terminate_backend(pid) {others}")
            server.execute("SET session_replication_role = replica")  # no trigger, no order of tables
            for table in self._tables:
                server.execute(f"DELETE FROM public.{table}")  # noqa: S608 its own names
                server.execute(f"INSERT INTO public.{table} SELECT * FROM saved.{table}")  # noqa: S608 its own names
            for name, number in self._numbers:
                server.execute(f"SELECT setval('public.{name}', {max(number, 1)}, {number > 0})")


def main(verb: str, template: Path, url: str, site: str) -> None:
    saved = None if url.startswith("sqlite:") else Saved(url)
    stride = (STRIDE_ON_SERVER if saved else STRIDE).get(verb, 1)
    step = 1 - stride
    killed = True
    while killed:
        step += stride
        folder = template.parent / f"{verb}-{step}"
        shutil.copytree(template, folder)  # with the file of the archive, if it is one
        if saved:
            saved.put_back()
        chosen = settings(folder, url, site)
        killed = in_child(verb, chosen, step)
        after = ledger(chosen.database.url) if verb == "publish" else {}
        if killed:
            in_child(verb, chosen, None)
        print(json.dumps({"step": step, "killed": killed, "after": after, **facts(chosen)}))  # noqa: T201 the result
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
