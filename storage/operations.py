"""What an operator wants to know at a glance: how readers stand today, what waits, what came back, what went wrong.

    standings   every reader's newest letter and last look, counted by what they have in common: the readers, once
    open        what waits, by state: the open deliveries alone (ix_delivery_open)
    ended       what became of the letters of the last day: ix_delivery_date
    heard       bounces and complaints of the last month: ix_letter_event_received_at; accepted: ix_delivery_accepted
    arrived     who signed up lately: the readers, once
    failures    the last letters and runs that went wrong: newest first, of the last days alone

Nothing here walks all deliveries or all papers; `sizes` counts papers and sightings by walking one index of each. With
100,000 readers and 1,000,000 deliveries a look takes two to three seconds on SQLite and a busy machine, half of it for
the readers: the page and the figures of ten seconds share one (paperround/serving_operations.py).
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, case, exists, func, or_, select, text

from domain.deliveries import DeliveryState
from domain.issues import LetterKind
from domain.lanes import RELAY
from domain.letter_events import LetterEventKind
from domain.operations import DAY, Arrivals, Failure, Heard, Look, RunEnd, RunError, Sizes, Standing, Waiting
from domain.silences import NOTHING_MATCHED
from domain.subscriptions import Cadence, Schedule, SubscriberState
from storage.database import Database
from storage.passes import PASS, WORKER
from storage.subscriptions import known_zone
from storage.tables import (
    CONTENT,
    DELIVERY,
    ISSUE,
    LANE,
    LETTER_EVENT,
    OPEN,
    PAPER,
    RUN,
    SIGHTING,
    SILENCE,
    SUBSCRIBER,
    SUBSCRIPTION,
    SUPPRESSION,
    TOPIC,
)

LATELY, WEEK, MONTH = timedelta(days=3), timedelta(days=7), timedelta(days=30)
_FAILURES = 10
_FAILED = (DeliveryState.REJECTED.value, DeliveryState.EXPIRED.value)
S = SubscriberState
_HELD = DELIVERY.c.not_before.is_(None)
_OPEN_STATES = ("planned", "leased", "sending", "deferred", "uncertain")


class Operations:
    """What one database tells its operator."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self, now: datetime) -> Look:
        """Return how things stand; nothing is written."""
        with self._database.reading() as connection:
            shut = connection.execute(
                select(LANE.c.reason, LANE.c.shut_until).where(LANE.c.name == RELAY, LANE.c.shut_until > now)
            ).first()
            held = _failures(connection, and_(text(OPEN), DELIVERY.c.state == "uncertain", _HELD), held=True)
            return Look(
                standings=_standings(connection, now),
                unserved=_unserved(connection, now - DAY),
                waiting=_waiting(connection),
                ended=_ended(connection, now - DAY),
                day=_heard(connection, now - DAY),
                week=_heard(connection, now - WEEK),
                month=_heard(connection, now - MONTH),
                arrivals=_arrivals(connection, now - WEEK),
                readers={S(row[0]): row[1] for row in connection.execute(_by(SUBSCRIBER.c.state))},
                suppressed={row[0]: row[1] for row in connection.execute(_by(SUPPRESSION.c.reason))},
                failures=(
                    *held,
                    *_failures(
                        connection, and_(DELIVERY.c.date > now - LATELY, DELIVERY.c.state.in_(_FAILED)), held=False
                    ),
                ),
                errors=_errors(connection, now - LATELY),
                shut=shut.reason if shut else "",
                shut_until=shut.shut_until if shut else None,
                last_run=connection.execute(select(func.max(RUN.c.finished_at))).scalar(),
            )

    def sizes(self) -> Sizes:
        """Return how much is kept, and how the newest run of each job ended."""
        is_run = RUN.c.finished_at.is_not(None), RUN.c.job != WORKER, RUN.c.job.not_like(f"{PASS}%")
        newest = select(func.max(RUN.c.id)).where(*is_run).group_by(RUN.c.job)
        ends = select(RUN.c.job, RUN.c.started_at, RUN.c.finished_at).where(RUN.c.id.in_(newest)).order_by(RUN.c.job)
        with self._database.reading() as connection:
            return Sizes(
                papers=_number(connection, PAPER.c.id),
                sightings=_number(connection, SIGHTING.c.id),
                topics=_number(connection, TOPIC.c.id),
                runs=tuple(
                    RunEnd(row.job, row.finished_at, (row.finished_at - row.started_at).total_seconds())
                    for row in connection.execute(ends)
                ),
            )


def _by(column: Any) -> Any:
    return select(column, func.count()).group_by(column)


def _number(connection: Connection, column: Any) -> int:
    return int(connection.execute(select(func.count(column))).scalar_one())


def _standings(connection: Connection, now: datetime) -> tuple[Standing, ...]:
    """Count readers by how they stand: each reader once, their newest issue by its key, its delivery by the issue's."""
    is_late = and_(DELIVERY.c.id.is_not(None), DELIVERY.c.date > now - DAY)
    alike = {
        "every": SUBSCRIBER.c.every,
        "weekday": SUBSCRIBER.c.weekday,
        "hour": SUBSCRIBER.c.hour,
        "zone": SUBSCRIBER.c.zone,
        "ready": case((SUBSCRIBER.c.ready, 1), else_=0),
        "confirmed": case((SUBSCRIBER.c.state == S.CONFIRMED.value, 1), else_=0),
        "has_topics": case((exists().where(SUBSCRIPTION.c.subscriber_id == SUBSCRIBER.c.id), 1), else_=0),
        "slot": ISSUE.c.slot,
        "cutoff": ISSUE.c.cutoff,
        "came_back": case((ISSUE.c.created_at < SUBSCRIBER.c.joined_at, 1), else_=0),
        "looked_at": SUBSCRIBER.c.looked_at,
        "is_back": case((SUBSCRIBER.c.away_since.is_not(None), 1), else_=0),
        "state": case((is_late, DELIVERY.c.state), else_=None),
        "held": case((and_(is_late, DELIVERY.c.state == "uncertain", _HELD), 1), else_=0),
        "enhanced": case((is_late, DELIVERY.c.enhanced), else_=None),
        "code": case((is_late, DELIVERY.c.reply_code), else_=None),
        "is_note": case((CONTENT.c.kind == LetterKind.QUIET.value, 1), else_=0),
    }
    each = (
        select(*(value.label(name) for name, value in alike.items()))
        .select_from(SUBSCRIBER)
        .outerjoin(ISSUE, ISSUE.c.id == SUBSCRIBER.c.last_issue_id)
        .outerjoin(DELIVERY, DELIVERY.c.issue_id == ISSUE.c.id)
        .outerjoin(CONTENT, and_(is_late, CONTENT.c.id == DELIVERY.c.content_id))
        .where(or_(SUBSCRIBER.c.state == S.CONFIRMED.value, is_late))
        .subquery()
    )
    rows = connection.execute(select(*each.c, func.count().label("number")).group_by(*each.c))
    return tuple(
        Standing(
            number=row.number,
            schedule=Schedule(
                every=Cadence(row.every),
                weekday=row.weekday,
                hour=row.hour,
                zone=known_zone(row.zone),
                ready=bool(row.ready),
            ),
            confirmed=bool(row.confirmed),
            has_topics=bool(row.has_topics),
            slot=row.slot,
            cutoff=row.cutoff,
            came_back=bool(row.came_back),
            looked_at=row.looked_at,
            is_back=bool(row.is_back),
            state=DeliveryState(row.state) if row.state else None,
            held=bool(row.held),
            status=_status(row.enhanced, row.code),
            is_note=bool(row.is_note),
        )
        for row in rows
    )


def _unserved(connection: Connection, since: datetime) -> dict[str, int]:
    """Count readers without a letter by reason, from their silences of the last day: ix_silence_until."""
    query = (
        select(SILENCE.c.reason, func.count(SILENCE.c.subscriber_id.distinct()))
        .join(SUBSCRIBER, SUBSCRIBER.c.id == SILENCE.c.subscriber_id)
        .outerjoin(ISSUE, ISSUE.c.id == SUBSCRIBER.c.last_issue_id)
        .where(
            SILENCE.c.until > since,
            SILENCE.c.reason != NOTHING_MATCHED,
            or_(ISSUE.c.id.is_(None), ISSUE.c.created_at < SILENCE.c.until),
        )
        .group_by(SILENCE.c.reason)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _waiting(connection: Connection) -> tuple[Waiting, ...]:
    query = (
        select(
            DELIVERY.c.state,
            func.count().label("number"),
            func.count(case((and_(DELIVERY.c.state == "uncertain", _HELD), 1))).label("held"),
            func.min(DELIVERY.c.date).label("oldest"),
            func.min(DELIVERY.c.not_before).label("next_try"),
        )
        .where(text(OPEN))
        .group_by(DELIVERY.c.state)
    )
    found = {
        row.state: Waiting(DeliveryState(row.state), row.number, row.held, row.oldest, row.next_try)
        for row in connection.execute(query)
    }
    return tuple(found[state] for state in _OPEN_STATES if state in found)


def _ended(connection: Connection, since: datetime) -> dict[DeliveryState, int]:
    query = _by(DELIVERY.c.state).where(DELIVERY.c.date > since, DELIVERY.c.state.not_in(_OPEN_STATES))
    return {DeliveryState(row[0]): row[1] for row in connection.execute(query)}


def _heard(connection: Connection, since: datetime) -> Heard:
    accepted = select(func.count()).where(DELIVERY.c.state == "accepted", DELIVERY.c.last_try > since)
    kinds = _by(LETTER_EVENT.c.kind).where(LETTER_EVENT.c.received_at > since)
    heard = {row[0]: row[1] for row in connection.execute(kinds)}
    return Heard(
        accepted=int(connection.execute(accepted).scalar_one()),
        bounces=heard.get(LetterEventKind.BOUNCE.value, 0),
        complaints=heard.get(LetterEventKind.COMPLAINT.value, 0),
    )


def _arrivals(connection: Connection, since: datetime) -> Arrivals:
    """Count who came by themselves: whoever was vouched for has no instant of confirming."""
    said_yes = SUBSCRIBER.c.confirmed_at.is_not(None)
    asked = or_(said_yes, SUBSCRIBER.c.state == S.PENDING.value)
    row = connection.execute(
        select(func.count(), func.count(case((said_yes, 1)))).where(SUBSCRIBER.c.created_at > since, asked)
    ).one()
    return Arrivals(asked=row[0], confirmed=row[1])


def _failures(connection: Connection, which: Any, *, held: bool) -> tuple[Failure, ...]:
    query = select(DELIVERY).where(which).order_by(DELIVERY.c.date.desc(), DELIVERY.c.id.desc()).limit(_FAILURES)
    return tuple(
        Failure(
            delivery_id=row.id,
            recipient=row.recipient,
            state=DeliveryState(row.state),
            status=_status(row.enhanced, row.reply_code),
            said=row.reply_text or row.reason,
            at=row.date,
            held=held,
        )
        for row in connection.execute(query)
    )


def _errors(connection: Connection, since: datetime) -> tuple[RunError, ...]:
    query = (
        select(RUN.c.job, RUN.c.status, RUN.c.error, RUN.c.finished_at)
        .where(RUN.c.finished_at > since, RUN.c.error != "")
        .order_by(RUN.c.finished_at.desc())
        .limit(_FAILURES)
    )
    return tuple(RunError(row.job, row.status, row.error, row.finished_at) for row in connection.execute(query))


def _status(enhanced: str | None, code: int | None) -> str:
    return enhanced or (str(code) if code else "")
