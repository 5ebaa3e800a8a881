"""Letters are announced in the transaction that queues them, to whoever hands out the work on many machines.

    queued (mailings.py) → gathered beside the connection → at the end of the transaction: announced, in it

Announced and queued stand or fall together; what nobody was told of is found by the look for what is due. Storage knows
nothing of who is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection

_GATHERED = "paperround: letters queued in this transaction"


class Announce(Protocol):
    """Tells of letters that were queued."""

    def __call__(self, connection: Any, awaited: Sequence[int], others: Sequence[int]) -> None:
        """Tell, over the driver's own connection and in its transaction; numbers of deliveries in order.

        `awaited` are those that somebody waits for.
        """
        ...


@dataclass(slots=True)
class _Gathered:
    awaited: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)


def gather(connection: Connection, delivery_id: int, *, awaited: bool) -> None:
    """Take note of a letter that was queued in the transaction under way, if anybody is to be told."""
    gathered = connection.info.get(_GATHERED)
    if gathered is not None:
        (gathered.awaited if awaited else gathered.others).append(delivery_id)


def begin(connection: Connection, announce: Announce | None) -> None:
    """Begin to gather; whatever an earlier transaction of this connection left is forgotten."""
    connection.info[_GATHERED] = None if announce is None else _Gathered()


def end(connection: Connection, announce: Announce | None) -> None:
    """Announce what was gathered, before the transaction is committed."""
    gathered = connection.info.pop(_GATHERED, None)
    if announce is not None and gathered is not None and (gathered.awaited or gathered.others):
        announce(connection.connection.driver_connection, gathered.awaited, gathered.others)
