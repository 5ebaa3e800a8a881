"""scrape: what Prometheus costs the site: CPU of one `GET /metrics` over an archive with readers and letters.

    readers of 24 zones with a topic each, a letter a day for each, nearly all accepted, some open → rows in blocks
    → `/metrics` over loopback, each time eleven seconds later, so that nothing is remembered → the same at once

Beside it stands plain SQL that counts the letters by state, a walk through all of them, with sqlite3 in the same run;
and `/healthz` by the same client. `--readers N`, `--days N`, of letters to each.
"""

import argparse
import http.client
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import insert, update

from benchmarks.figures import Figure, cpu_seconds
from domain.clock import FixedClock
from paperround.serving import site
from paperround.settings import build
from paperround.wiring import House
from storage.tables import CONTENT, DELIVERY, ISSUE, SUBSCRIBER, SUBSCRIPTION, TOPIC
from web.server import serve

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
_ZONES = [f"Etc/GMT{hours:+d}" for hours in range(-12, 12)]
_OPEN = 50  # of so many letters of the last day one is open
_BLOCK = 5_000


def run(options: list[str]) -> list[Figure]:
    """Return the CPU of a scrape beside that of a walk through all letters."""
    parser = argparse.ArgumentParser(prog="scrape")
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=10)
    chosen = parser.parse_args(options)
    with TemporaryDirectory() as name:
        folder, clock = Path(name), FixedClock(NOW)
        given = {"database": {"url": f"sqlite:///{folder}/archive.db"}, "mail": {"transport": "memory"}}
        with House(build(given, folder), clock=clock) as house:
            _fill(house, chosen.readers, chosen.days)
            with serve(site(house), "127.0.0.1", 0, threading.Event()) as address:

                def anew() -> None:
                    clock.set(clock.now() + timedelta(seconds=11))
                    _get(address, "/metrics")

                anew()
                cost = cpu_seconds(anew, 7)
                again = cpu_seconds(lambda: _get(address, "/metrics"), 7)
                health = cpu_seconds(lambda: _get(address, "/healthz"), 7)
            with closing(sqlite3.connect(folder / "archive.db")) as plain:
                walk = cpu_seconds(lambda: plain.execute(_WALK).fetchall(), 7)
    what = f"{chosen.readers:,} readers, {chosen.readers * chosen.days:,} letters"
    return [
        Figure(f"/metrics, {what}", 1000 * cost, "ms CPU", 1000 * walk, "SQL that counts all letters by state"),
        Figure("/metrics again, within ten seconds", 1000 * again, "ms CPU", 1000 * health, "/healthz"),
    ]


_WALK = "SELECT state, count(*), min(date) FROM delivery GROUP BY state"


def _get(address: tuple[str, int], path: str) -> None:
    with closing(http.client.HTTPConnection(*address, timeout=60)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")


def _fill(house: House, readers: int, days: int) -> None:
    """Keep readers, and a letter of each of the last days for each."""
    with house.database.writing() as connection:
        content = {"content_key": "k", "kind": "digest", "subject": "Tides", "fragments": [], "size": 1}
        connection.execute(insert(CONTENT).values(id=1, **content))
        connection.execute(insert(TOPIC).values(id=1, normal_form="tides", created_at=NOW))
        for table, rows in (  # the newest day first
            (SUBSCRIBER, map(_reader, range(1, readers + 1))),
            (SUBSCRIPTION, map(_wish, range(1, readers + 1))),
            (ISSUE, (_issue(readers, day, each) for day in range(days) for each in range(1, readers + 1))),
            (DELIVERY, (_letter(readers, day, each) for day in range(days) for each in range(1, readers + 1))),
        ):
            for block in _blocks(rows):
                connection.execute(insert(table), block)
        connection.execute(update(SUBSCRIBER).values(last_issue_id=SUBSCRIBER.c.id))


def _blocks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while block := list(islice(rows, _BLOCK)):
        yield block


def _reader(number: int) -> dict[str, Any]:
    email = f"reader{number}@lab{number % 300}.example"
    return {
        "id": number, "public_id": f"{number:016x}", "email": email, "address_key": email, "state": "confirmed",
        "every": "day", "weekday": 0, "hour": 6 + number % 4, "zone": _ZONES[number % len(_ZONES)], "shared": False,
        "created_at": NOW - timedelta(days=90), "next_look": NOW + timedelta(hours=number % 24),
    }  # fmt: skip


def _wish(number: int) -> dict[str, Any]:
    return {"subscriber_id": number, "topic_id": 1, "name": "tides", "query": "tides", "position": 0}


def _issue(readers: int, day: int, number: int) -> dict[str, Any]:
    at = NOW - timedelta(days=day)
    return {
        "id": readers * day + number, "public_id": f"{day}-{number}", "subscriber_id": number,
        "slot": at.date().isoformat(), "zone": "UTC", "cutoff": at, "upto_match": 0, "created_at": at,
    }  # fmt: skip


def _letter(readers: int, day: int, number: int) -> dict[str, Any]:
    at, is_open = NOW - timedelta(days=day, minutes=1), day == 0 and number % _OPEN == 0
    key = f"issue:{day}:{number}"
    return {
        "message_key": key, "issue_id": readers * day + number, "subscriber_id": number, "content_id": 1,
        "recipient": f"reader{number}@lab{number % 300}.example", "slots": {},
        "state": "planned" if is_open else "accepted", "message_id": f"<{key}@lab.example>", "date": at,
        "expires_at": at + timedelta(hours=36), "not_before": at if is_open else None,
        "last_try": None if is_open else at,
    }  # fmt: skip
