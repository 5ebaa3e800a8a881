"""A signup, inside the caller's transaction: a reader is added, comes back, or gets more topics.

    reader by address → new, or what they left is left → topics and consent → a confirmation letter where one is due

Where a stranger may have typed the address (outside.py), the newest wishes take the place of what nobody agreed to.
An address that must not be mailed (suppressions.py) stays so, and what was asked for is remembered; but who complained
may confirm their own new signup, and is back then.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from domain.mailboxes import mailbox_of
from domain.subscriptions import NO_CHOICES, Choices, Consent, Schedule, SubscriberState
from domain.topics import WishedTopic
from storage.erasing import unname
from storage.subscriptions import NOT_AWAY, add_topics, alter
from storage.suppressions import asked_since, complained, remember, suppression_of
from storage.tables import CONSENT, SHARED_TOPIC, SUBSCRIBER, SUBSCRIPTION

S = SubscriberState
_RETURN_FROM = (S.PENDING.value, S.UNSUBSCRIBED.value)


@dataclass(frozen=True, slots=True)
class Signup:
    """What a reader, or the operator for them, asks for."""

    email: str  #: as typed
    address_key: str  #: equal for equal mailboxes
    public_id: str  #: used if the address is new
    topics: Sequence[WishedTopic]
    schedule: Schedule | None  #: None leaves a known reader's as it is
    state: SubscriberState  #: PENDING, or CONFIRMED where the operator vouches
    shared: bool
    consent: Sequence[Consent]
    choices: Choices = NO_CHOICES  #: what is None stays as it is for a known reader
    outside: bool = False  #: whether it was typed on the site, where anyone can type anyone's address


def sign_up(connection: Connection, signup: Signup, now: datetime) -> tuple[int, bool]:
    """Write a signup down; return the reader's number, and whether they are to be asked to confirm."""
    row = connection.execute(select(SUBSCRIBER).where(SUBSCRIBER.c.address_key == signup.address_key)).first()
    held = suppression_of(connection, signup.address_key)
    left: set[int] = set()
    if row is None:
        state = S.SUPPRESSED if held else signup.state
        number = _insert(connection, signup, state, now)
    else:
        comes_back = _comes_back(connection, row, signup)
        number, state = _renew(connection, row, signup, now, afresh=comes_back)
        if comes_back:
            for before in (SUBSCRIPTION, SHARED_TOPIC):
                theirs = delete(before).where(before.c.subscriber_id == number).returning(before.c.topic_id)
                left.update(connection.execute(theirs).scalars())
    if held and (row is None or held.was in _RETURN_FROM):
        remember(connection, signup.address_key, signup.state)
    add_topics(connection, number, signup.topics, now)
    unname(connection, left)
    agreed = [{"subscriber_id": number, **asdict(each)} for each in signup.consent]
    if agreed:
        connection.execute(insert(CONSENT), agreed)
    return number, state is S.PENDING or (signup.state is S.PENDING and complained(held))


def _insert(connection: Connection, signup: Signup, state: SubscriberState, now: datetime) -> int:
    schedule = signup.schedule or Schedule()
    row = {
        "public_id": signup.public_id,
        "email": signup.email,
        "address_key": signup.address_key,
        "mailbox": mailbox_of(signup.address_key).key,
        "state": state.value,
        **_columns(schedule),
        **asdict(signup.choices),
        "shared": signup.shared,
        "created_at": now,
        "joined_at": now if state is S.CONFIRMED else None,
    }
    created = connection.execute(insert(SUBSCRIBER).values(row).returning(SUBSCRIBER.c.id)).scalar_one()
    return int(created)


def _renew(
    connection: Connection, row: Row[Any], signup: Signup, now: datetime, *, afresh: bool
) -> tuple[int, SubscriberState]:
    changes: dict[str, Any] = _columns(signup.schedule) if signup.schedule else {}
    if signup.outside:
        changes = _columns(signup.schedule or Schedule())
        if row.joined_at is None:  # else the spelling is that of one who had letters, and a stranger may type here
            changes["email"] = signup.email
    changes |= asdict(signup.choices) if afresh else signup.choices.made
    if signup.shared and not row.shared:
        changes["shared"] = True
    if row.state in _RETURN_FROM and row.state != signup.state:
        changes |= {"state": signup.state.value, **NOT_AWAY}
        if signup.state is S.CONFIRMED:
            changes["joined_at"] = now
    alter(connection, row.id, changes)
    return int(row.id), S(changes.get("state", row.state))


def _comes_back(connection: Connection, row: Row[Any], signup: Signup) -> bool:
    """Whether someone who signs up had left, or complained, and so asks for everything anew: what they left is left."""
    if row.state == S.UNSUBSCRIBED or signup.outside:
        return True
    if row.state != S.SUPPRESSED or signup.state is not S.PENDING:
        return False
    held = suppression_of(connection, signup.address_key)
    return complained(held) and not asked_since(connection, held, row.id)


def _columns(schedule: Schedule) -> dict[str, Any]:
    return {
        "every": schedule.every.value,
        "weekday": schedule.weekday,
        "hour": schedule.hour,
        "zone": schedule.zone,
        "ready": schedule.ready,
    }
