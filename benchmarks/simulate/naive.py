"""What the simulated day is set beside: a loop over readers, as it first comes to mind, and bare inserts into SQLite.

the loop    a reader's matches by a query → a Jinja template, text and HTML → EmailMessage → one transaction that
            remembers the letter → the same sink; no cap, no order, no receipt, no links, no state of delivery
the rows    as many rows of the same four tables, as long, by executemany in one transaction with synchronous=FULL
"""

from __future__ import annotations

import sqlite3
import time
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from jinja2 import Environment
from sqlalchemy import select

from domain.deliveries import Message
from domain.issues import LetterKind
from storage.tables import DELIVERY, ISSUE, ISSUE_PAPER, MATCH, PAPER, SENT, SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.simulate.readers import Simulated
    from benchmarks.simulate.sink import SinkTransport
    from paperround.wiring import House

_PAPERS = 16  # in a letter, as many as the settings of a house say
_TEXT = "{% for paper in papers %}{{ paper.title }}\n{{ paper.url }}\n{{ paper.abstract }}\n\n{% endfor %}"
_HTML = (
    "<html><body>{% for paper in papers %}<h2><a href='{{ paper.url }}'>{{ paper.title }}</a></h2>"
    "<p>{{ paper.authors|join(', ') }}</p><p>{{ paper.abstract }}</p>{% endfor %}</body></html>"
)


def loop(house: House, readers: Mapping[int, Simulated], sink: SinkTransport, folder: Path, most: int) -> float | None:
    """Return the µs of CPU that a letter costs which is made by itself; None where nobody of `most` readers has one."""
    environment = Environment(autoescape=True)
    text, html = environment.from_string(_TEXT), environment.from_string(_HTML)
    since = house.clock.now() - timedelta(days=1)
    done = 0
    with sqlite3.connect(folder / "naive.db") as remembered:
        remembered.execute("PRAGMA synchronous=FULL")
        remembered.execute("CREATE TABLE letter(reader INTEGER, at TEXT, octets BLOB)")
        cpu = time.process_time()
        for number, reader in list(readers.items())[:most]:
            matched = (
                select(PAPER.c.title, PAPER.c.abstract, PAPER.c.url, PAPER.c.authors)
                .join(MATCH, MATCH.c.paper_id == PAPER.c.id)
                .join(SUBSCRIPTION, SUBSCRIPTION.c.topic_id == MATCH.c.topic_id)
                .where(SUBSCRIPTION.c.subscriber_id == number, PAPER.c.first_seen > since)
                .order_by(MATCH.c.score.desc())
                .limit(_PAPERS)
            )
            with house.database.reading() as connection:
                papers = connection.execute(matched).mappings().all()
            if not papers:
                continue
            letter = EmailMessage(policy=SMTP)
            letter["From"], letter["To"], letter["Subject"] = "p@lab.example", reader.email, papers[0]["title"][:60]
            letter.set_content(text.render(papers=papers))
            letter.add_alternative(html.render(papers=papers), subtype="html")
            data = letter.as_bytes()
            with remembered:
                remembered.execute("INSERT INTO letter VALUES (?, ?, ?)", (number, since.isoformat(), data))
            name = f"<naive-{number}@lab.example>"
            sink.send(Message(name, LetterKind.DIGEST, "p@lab.example", reader.email, name, data), lambda: True)
            done += 1
        cpu = time.process_time() - cpu
    remembered.close()
    return cpu / done * 1e6 if done else None


def rows(house: House, folder: Path, most: int) -> float | None:
    """Return the µs of CPU a letter that inserting its rows takes by itself; None where there is no letter."""
    with house.database.reading() as connection:
        issues = [tuple(map(str, row)) for row in connection.execute(select(ISSUE).limit(most))]
        numbers = [int(row[0]) for row in issues]
        if not numbers:
            return None
        within = ISSUE_PAPER.c.issue_id.between(min(numbers), max(numbers))
        named = connection.execute(select(ISSUE_PAPER).where(within)).all()
        papers = [tuple(map(str, row)) for row in named]
        posted = select(DELIVERY).where(DELIVERY.c.issue_id.between(min(numbers), max(numbers)))
        deliveries = [tuple(map(str, row)) for row in connection.execute(posted)]
    # The ledger of what was sent has a row for each paper of each issue.
    sent = [row[:2] for row in papers]
    tables: dict[str, list[tuple[str, ...]]] = {
        ISSUE.name: issues,
        ISSUE_PAPER.name: papers,
        DELIVERY.name: deliveries,
        SENT.name: sent,
    }
    with sqlite3.connect(folder / "rows.db", isolation_level=None) as bare:
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        for name, values in tables.items():
            bare.execute(f"CREATE TABLE {name}({', '.join(f'c{n}' for n in range(len(values[0]) if values else 1))})")
        cpu = time.process_time()
        bare.execute("BEGIN")
        for name, values in tables.items():
            if values:
                bare.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(values[0]))})", values)
        bare.execute("COMMIT")
        cpu = time.process_time() - cpu
    bare.close()
    return cpu / len(issues) * 1e6
