"""What became of papers after readers were sent them: events of papers in the ledger of what was sent.

What is news is decided by the number of an event, never by a clock: a later issue takes those numbered after the
newest one that the last issue considered, so each is told once. Events are few;
the ledger is asked for their papers alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, select

from domain.papers import TOLD_AFTERWARDS
from storage.database import Database
from storage.news import sent_among
from storage.tables import EVENT, ISSUE, SENT, SUBSCRIBER

MOST = 50_000  #: events of papers that a block of readers was sent, the newest: of more, the older are not told


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one paper."""

    paper_id: int
    kind: str  #: of TOLD_AFTERWARDS
    note: str  #: the version ("v3"), the journal, the code's address
    day: date


class Afterwards:
    """What became of the papers that one database's readers were sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, reader_ids: Sequence[int], up_to: int) -> dict[int, list[Became]]:
        """Return what became of the papers of readers who had a letter, since it and in order, by reader.

        Considered are the events numbered up to `up_to`.
        """
        if not reader_ids:
            return {}
        last = (
            select(SUBSCRIBER.c.id, ISSUE.c.upto_event)
            .join(ISSUE, ISSUE.c.id == SUBSCRIBER.c.last_issue_id)
            .where(SUBSCRIBER.c.id.in_(reader_ids))
        )
        with self._database.reading() as connection:
            told: dict[int, int] = {row.id: row.upto_event for row in connection.execute(last)}
            if not told or (since := min(told.values())) >= up_to:
                return {}
            # What became of papers that none of these readers was sent does not count towards the most.
            concerns = exists().where(SENT.c.paper_id == EVENT.c.paper_id, SENT.c.subscriber_id.in_(list(told)))
            newest = (
                select(EVENT.c.id, EVENT.c.paper_id, EVENT.c.kind, EVENT.c.note, EVENT.c.day)
                .where(EVENT.c.id > since, EVENT.c.id <= up_to, EVENT.c.kind.in_(TOLD_AFTERWARDS), concerns)
                .order_by(EVENT.c.id.desc())
                .limit(MOST)
            )
            events = [(row.id, Became(*row[1:])) for row in reversed(connection.execute(newest).all())]
            sent = sent_among(connection, list(told), {each.paper_id for _, each in events})
        found = {
            reader: [each for number, each in events if number > told[reader] and each.paper_id in papers]
            for reader, papers in sent.items()
        }
        return {reader: became for reader, became in found.items() if became}
