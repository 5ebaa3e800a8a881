"""The letters that strangers can cause by typing an address, and how many of them leave in an hour.

At most `signups_per_hour` in all, and twenty to one domain; a large keeper of mailboxes is many people's, so to one of
these only the first holds.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, true

from domain.deliveries import DeliveryState
from domain.issues import LetterKind
from domain.mailboxes import is_large, keeper_of
from storage.tables import CONTENT, DELIVERY

A_DOMAIN_AN_HOUR = 20
KINDS = (LetterKind.CONFIRM.value, LetterKind.PREFERENCES.value, LetterKind.ADDRESS.value)
_HOUR = timedelta(hours=1)


def letters_since(since: datetime, *columns: Any) -> Select[Any]:
    """Return a statement for such letters that left, or are to leave, since an instant."""
    return (
        select(*columns)
        .select_from(DELIVERY)
        .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
        .where(
            DELIVERY.c.issue_id.is_(None),
            DELIVERY.c.date > since,
            DELIVERY.c.state != DeliveryState.SKIPPED.value,
            CONTENT.c.kind.in_(KINDS),
        )
    )


def has_room(
    connection: Connection,
    spellings: Collection[str],
    per_hour: int,
    now: datetime,
    *,
    beside: ColumnElement[bool] | None = None,
) -> bool:
    """Whether this hour's letters are not spent: those of all, or those to the domain of an address.

    `spellings` are forms of the one address, since an IDN has two. `beside` leaves out the letter that is asked about.
    """
    lately = letters_since(now - _HOUR, func.count()).where(true() if beside is None else ~beside)
    if connection.execute(lately).scalar_one() >= per_hour:
        return False
    keepers = {keeper_of(each) for each in spellings}
    if any(map(is_large, keepers)):
        return True
    return bool(connection.execute(lately.where(DELIVERY.c.keeper.in_(keepers))).scalar_one() < A_DOMAIN_AN_HOUR)
