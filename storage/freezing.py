"""The transaction that freezes issues: an issue, its papers, its content and its delivery, or nothing of it.

    issues with their papers and deliveries (issuing.py)
    → slots that stay empty are settled, silences kept, all of it counted, and when each reader is looked at again

The unique key (subscriber, slot) makes a second publish of the same slot harmless, and (subscriber, paper) keeps a
paper from reaching one reader twice. Killed between two blocks, the next publish goes on with who was not looked at.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection, bindparam, case, update

from domain.issues import IssuePlan
from domain.silences import Unserved
from domain.subscriptions import SubscriberState
from storage.database import Database
from storage.issuing import CHANGED, write_issues
from storage.ledger import balances, begin_run, raise_run
from storage.looking import note_looks
from storage.silences import keep
from storage.subscriptions import AT_ONCE
from storage.tables import PUBLISH_RUN, SUBSCRIBER

_NO_LOOKS: Mapping[int, datetime] = MappingProxyType({})
_NOT_SEEN: Mapping[int, int] = MappingProxyType({})


class PublishRun:
    """One publish under way: each block is frozen and counted in one transaction, so its counts always add up."""

    def __init__(self, database: Database, at: datetime) -> None:
        self._database = database
        self._at = at
        self._id: int | None = None

    def freeze(
        self,
        plans: Sequence[IssuePlan],
        empty: Mapping[int, datetime],
        silences: Sequence[Unserved],
        now: datetime,
        looks: Mapping[int, datetime] = _NO_LOOKS,
        *,
        seen: Mapping[int, int] = _NOT_SEEN,
    ) -> list[str]:
        """Write issues with their papers, contents and deliveries, settle empty slots, and count it all, at once.

        `empty` is reader → when nothing was found for them; `silences` says why due readers get no letter; `looks` is
        reader → before when nothing is due, others are looked at again; `seen` is reader → their revision when they
        were looked at. Return for each plan "" if it was written, else why not, which is kept as a silence too.
        """
        if not (plans or empty or silences or looks):
            return []
        with self._database.writing() as connection:
            if not (plans or empty or silences):
                note_looks(connection, looks, self._at, seen)
                return []
            run_id = begin_run(connection, self._at) if self._id is None else self._id
            passed = write_issues(connection, plans, now, run_id, seen)
            again = [plan.subscriber_id for plan, why in zip(plans, passed, strict=True) if why == CHANGED]
            note_looks(connection, {**looks, **dict.fromkeys(again, AT_ONCE)}, self._at, seen)
            unserved = [*silences, *_passed_over(plans, passed)]
            keep(connection, unserved, now)
            _settle_empty(connection, empty)
            raise_run(connection, run_id, planned=passed.count(""), excluded=Counter(each.reason for each in unserved))
        self._id = run_id
        return passed

    def end(self, now: datetime) -> str:
        """Record that the publish is through; return what does not add up, in a sentence, "" if all does."""
        if self._id is None:
            return ""
        with self._database.writing() as connection:
            connection.execute(update(PUBLISH_RUN).where(PUBLISH_RUN.c.id == self._id).values(ended_at=now))
            return "; ".join(filter(None, (each.sentence for each in balances(connection, self._id))))


def _settle_empty(connection: Connection, empty: Mapping[int, datetime]) -> None:
    """Note the looks that found nothing; whoever was away is back with it, and no later letter says otherwise."""
    if empty:
        looked = update(SUBSCRIBER).where(SUBSCRIBER.c.id == bindparam("reader"))
        back = case((SUBSCRIBER.c.state == SubscriberState.CONFIRMED.value, None), else_=SUBSCRIBER.c.away_since)
        values = [{"reader": reader, "looked": at} for reader, at in empty.items()]
        connection.execute(looked.values(looked_at=bindparam("looked"), away_since=back), values)


def _passed_over(plans: Sequence[IssuePlan], passed: Sequence[str]) -> list[Unserved]:
    """Return the plans that were not written; one whose slot has a letter already is no silence (silences.py)."""
    return [
        Unserved(plan.subscriber_id, plan.slot.label, reason)
        for plan, reason in zip(plans, passed, strict=True)
        if reason
    ]
