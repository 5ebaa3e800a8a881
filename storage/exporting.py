"""Everything that is kept of one reader, as plain values: text, numbers, lists, and instants in ISO 8601.

    one reading transaction → what is short at once → what is long (issues, deliveries, what was sent) block by block

The links in letters are left out: each acts for the reader, whoever holds it. So are the letters' texts, which say the
same papers; the pages of issues show them. That a new address was asked for is there, and what became of the letter to
it is not: whether one left says whether somebody else has that address.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from domain.errors import UnknownError
from domain.issues import LetterKind
from domain.subscriptions import WEEKDAYS
from storage.database import Database
from storage.reading import BLOCK
from storage.subscribers import one
from storage.suppressions import suppression_of
from storage.tables import (
    ADDRESS_CHANGE,
    CONSENT,
    CONTENT,
    DELIVERY,
    ISSUE,
    ISSUE_PAPER,
    LETTER_EVENT,
    PAPER,
    PROFILE,
    SAVED,
    SENT,
    SHARED_TOPIC,
    SILENCE,
    SUBSCRIBER,
    SUBSCRIPTION,
)

_ISSUES = 50  # a block, with their papers

Plain = Mapping[str, Any]


class Exports:
    """What one database keeps of its readers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, public_id: str) -> Generator[tuple[str, Plain | Iterator[Any] | None]]:
        """Give the parts by name; what is long is given bit by bit, to be taken before the next part is.

        They are of one state of the database. Raises UnknownError if there is no such reader.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(SUBSCRIBER).where(SUBSCRIBER.c.public_id == public_id)).first()
            if row is None:
                raise UnknownError("there is no such reader")
            yield "reader", _reader(connection, row)
            yield "suppression", _suppression(connection, row.address_key)
            yield "address_change", _address_change(connection, row.id)
            yield "topics", _listed(connection, SUBSCRIPTION, row.id, SUBSCRIPTION.c.position, _TOPIC)
            yield "shared_topics", _listed(connection, SHARED_TOPIC, row.id, SHARED_TOPIC.c.at, _SHARED)
            yield "consents", _listed(connection, CONSENT, row.id, CONSENT.c.id, _CONSENT)
            yield "issues", _issues(connection, row.id)
            yield "deliveries", _deliveries(connection, row.id)
            yield "letter_events", _letter_events(connection, row.id)
            yield "silences", _listed(connection, SILENCE, row.id, SILENCE.c.id, _SILENCE)
            yield "sent", _sent(connection, row.id)
            yield "saved", _saved(connection, row.id)
            yield "profile", _profile(connection, row.id)


#: Of a letter: that it was not one to an address which may be somebody else's.
_IS_THEIRS = CONTENT.c.kind != LetterKind.ADDRESS.value
_TOPIC = ("name", "query", "related")
_SHARED = ("public_id", "name", "query", "at")
_CONSENT = ("action", "wording", "at", "place")
_HEARD = ("kind", "source", "at", "received_at", "status", "detail", "points")
_TASTES = ("more", "less")
_SILENCE = ("reason", "first_slot", "last_slot", "slots", "since", "until")
_DELIVERY = (
    *("id", "kind", "subject", "issue", "recipient", "state", "attempts", "message_id", "date", "not_before"),
    *("expires_at", "first_try", "last_try", "reply_code", "enhanced", "reply_text", "reason"),
)


def _reader(connection: Connection, row: Row[Any]) -> Plain:
    reader = one(connection, SUBSCRIBER.c.id == row.id)
    schedule = reader.schedule
    return {
        "id": reader.public_id,
        "email": reader.email,
        "state": reader.state.value,
        "every": schedule.every.value,
        "weekday": WEEKDAYS[schedule.weekday],
        "hour": schedule.hour,
        "ready": schedule.ready,
        "zone": schedule.zone,
        "shared_mailbox": reader.shared,
        "text_only": reader.text_only,
        "choices": asdict(reader.choices),
        **{
            name: _plain(getattr(row, name))
            for name in ("created_at", "confirmed_at", "joined_at", "paused_until", "away_since", "looked_at")
        },
        "changes": reader.revision,
    }


def _suppression(connection: Connection, address_key: str) -> Plain | None:
    held = suppression_of(connection, address_key)
    return None if held is None else _named(held, ("reason", "detail", "at", "was"))


def _address_change(connection: Connection, subscriber_id: int) -> Plain | None:
    mine = select(ADDRESS_CHANGE).where(ADDRESS_CHANGE.c.subscriber_id == subscriber_id)
    asked = connection.execute(mine).first()
    return None if asked is None else _named(asked, ("email", "asked_at"))


def _listed(
    connection: Connection, table: Any, subscriber_id: int, order: Any, names: Sequence[str]
) -> Iterator[Plain]:
    mine = select(table).where(table.c.subscriber_id == subscriber_id).order_by(order)
    for row in connection.execute(mine):
        yield _named(row, names)


def _issues(connection: Connection, subscriber_id: int) -> Iterator[Plain]:
    mine = select(ISSUE).where(ISSUE.c.subscriber_id == subscriber_id)
    held_topics = select(SUBSCRIPTION).where(SUBSCRIPTION.c.subscriber_id == subscriber_id)
    names = {row.topic_id: row.name for row in connection.execute(held_topics)}
    for block in _blocks(connection, mine, ISSUE.c.id, lambda row: row.id, _ISSUES):
        papers: dict[int, list[Plain]] = {}
        held: Select[Any] = (
            select(ISSUE_PAPER.c.issue_id, ISSUE_PAPER.c.topic_id, ISSUE_PAPER.c.why, PAPER.c.key, PAPER.c.title)
            .join(PAPER, PAPER.c.id == ISSUE_PAPER.c.paper_id)
            .where(ISSUE_PAPER.c.issue_id.in_([row.id for row in block]))
            .order_by(ISSUE_PAPER.c.issue_id, ISSUE_PAPER.c.position)
        )
        for row in connection.execute(held):
            topic = names.get(row.topic_id)  # None: one that the reader no longer has, or none
            papers.setdefault(row.issue_id, []).append({**_named(row, ("key", "title", "why")), "topic": topic})
        for row in block:
            shown = _named(row, ("slot", "zone", "cutoff", "created_at"))
            yield {"id": row.public_id, **shown, "papers": papers.get(row.id, [])}


def _deliveries(connection: Connection, subscriber_id: int) -> Iterator[Plain]:
    mine = (
        select(DELIVERY, CONTENT.c.kind, CONTENT.c.subject, ISSUE.c.public_id.label("issue"))
        .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
        .outerjoin(ISSUE, ISSUE.c.id == DELIVERY.c.issue_id)
        .where(DELIVERY.c.subscriber_id == subscriber_id, _IS_THEIRS)
    )
    for block in _blocks(connection, mine, DELIVERY.c.id, lambda row: row.id, BLOCK):
        for row in block:
            yield _named(row, _DELIVERY)


def _letter_events(connection: Connection, subscriber_id: int) -> Iterator[Plain]:
    mine = (
        select(LETTER_EVENT)
        .join(DELIVERY, DELIVERY.c.id == LETTER_EVENT.c.delivery_id)
        .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
        .where(LETTER_EVENT.c.subscriber_id == subscriber_id, _IS_THEIRS)
        .order_by(LETTER_EVENT.c.id)
    )
    for row in connection.execute(mine):
        yield _named(row, _HEARD)


def _sent(connection: Connection, subscriber_id: int) -> Iterator[str]:
    mine = (
        select(SENT.c.paper_id, PAPER.c.key)
        .join(PAPER, PAPER.c.id == SENT.c.paper_id)
        .where(SENT.c.subscriber_id == subscriber_id)
    )
    for block in _blocks(connection, mine, SENT.c.paper_id, lambda row: row.paper_id, BLOCK):
        yield from (str(row.key) for row in block)


def _saved(connection: Connection, subscriber_id: int) -> Iterator[Plain]:
    mine = (
        select(SAVED, PAPER.c.title.label("shown"))
        .outerjoin(PAPER, PAPER.c.id == SAVED.c.paper_id)
        .where(SAVED.c.subscriber_id == subscriber_id)
    )
    for block in _blocks(connection, mine, SAVED.c.id, lambda row: row.id, BLOCK):
        for row in block:
            own = _named(row, ("abstract", "authors", "published")) if row.paper_id is None else {}
            title = row.title if row.paper_id is None else row.shown
            yield {**_named(row, ("key", "liking", "at", "place")), "title": title, **own}


def _profile(connection: Connection, subscriber_id: int) -> Plain | None:
    row = connection.execute(select(PROFILE).where(PROFILE.c.subscriber_id == subscriber_id)).first()
    if row is None:
        return None
    words = {name: [{"word": word, "weight": weight} for _, word, weight, _ in getattr(row, name)] for name in _TASTES}
    edits = [{"word": word, "edit": edit} for word, edit in row.edits.values()]
    return {**words, "edits": edits, **_named(row, ("saved", "disliked", "learned_at", "stale"))}


def _blocks(
    connection: Connection, query: Any, order: Any, number: Callable[[Row[Any]], int], size: int
) -> Iterator[Sequence[Row[Any]]]:
    """Give the rows of a query by a number that rises, some at a time: a driver holds all of what is asked at once."""
    last = 0
    while block := connection.execute(query.where(order > last).order_by(order).limit(size)).all():
        yield block
        last = number(block[-1])


def _named(row: Row[Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
