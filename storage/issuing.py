"""A block of issues, written inside the transaction that freezes it.

    who is still there? → do the papers still stand? → the issues, where the slot has none → papers, the ledger of what
    was sent, the readers' newest issue → the deliveries (mailings.py)

Each step is one statement for the whole block; what becomes of one issue depends on no other, and is what it would be
if they were written one by one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain

from sqlalchemy import Connection

from domain.issues import IssuePlan
from domain.subscriptions import SubscriberState
from storage.driver import Driver
from storage.mailings import Queued, queue_all
from storage.reading import in_blocks

LEFT = "left meanwhile"
CHANGED = "its papers changed meanwhile"
ALTERED = "the reader changed something meanwhile"
THERE = "has this issue already"

_ISSUE = """
INSERT INTO issue (public_id, subscriber_id, slot, zone, cutoff, upto_match, upto_paper, upto_event, created_at, run_id)
VALUES …
ON CONFLICT (subscriber_id, slot) DO NOTHING RETURNING subscriber_id, id
"""
_PAPER = "INSERT INTO issue_paper (issue_id, paper_id, topic_id, position, why) VALUES (?, ?, ?, ?, ?)"
_SENT = "INSERT INTO sent (subscriber_id, paper_id) VALUES (?, ?)"
_HAD = """
SELECT sent.subscriber_id, sent.paper_id FROM (VALUES …) AS wanted
JOIN sent ON sent.subscriber_id = wanted.column1 AND sent.paper_id = wanted.column2
"""
#: The letter tells of an absence that it ends.
_NEWEST = "UPDATE subscriber SET last_issue_id = ?, away_since = NULL WHERE id = ?"
_PAIRS = 10_000  # of a statement: SQLite allows 32,766 values
_BLOCK = 1_000  # issues of a statement


def write_issues(
    connection: Connection, plans: Sequence[IssuePlan], now: datetime, run_id: int, seen: Mapping[int, int]
) -> list[str]:
    """Write issues with their papers, contents and deliveries; return for each plan "" or why it was not written.

    `seen` is reader → their revision when the letter was planned: who has changed something since gets another one.
    """
    passed = [""] * len(plans)
    for places in _turns(plans):
        block = [plans[place] for place in places]
        for place, reason in zip(places, _written(connection, block, now, run_id, seen), strict=True):
            passed[place] = reason
    return passed


def _turns(plans: Sequence[IssuePlan]) -> Iterable[Sequence[int]]:
    """Give the places of the plans so that no reader comes twice in one turn: a later plan sees the earlier one."""
    turns: list[list[int]] = []
    seen: dict[int, int] = {}
    for place, plan in enumerate(plans):
        turn = seen[plan.subscriber_id] = seen.get(plan.subscriber_id, -1) + 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append(place)
    for turn_places in turns:
        yield from in_blocks(turn_places, _BLOCK)


def _written(
    connection: Connection, plans: Sequence[IssuePlan], now: datetime, run_id: int, seen: Mapping[int, int]
) -> list[str]:
    driver = Driver(connection)
    readers = [plan.subscriber_id for plan in plans]
    known = driver.rows("SELECT id, state, revision FROM subscriber WHERE id IN (…)", (), readers)
    confirmed = {number for number, state, _ in known if state == SubscriberState.CONFIRMED.value}
    there = [plan for plan in plans if plan.subscriber_id in confirmed]
    fallen = _fallen(driver, there)
    altered = {number for number, _, revision in known if seen.get(number, revision) != revision}
    whole = [plan for plan in there if plan.subscriber_id not in fallen | altered]
    issues = _issues(driver, whole, now, run_id)
    written = [plan for plan in whole if plan.subscriber_id in issues]
    rows = [
        (issues[plan.subscriber_id], each.paper_id, each.topic_id, each.position, each.why)
        for plan in written
        for each in plan.papers
    ]
    driver.many(_PAPER, rows)
    # In the order of the ledger's key, for the pages that it stands on.
    driver.many(_SENT, sorted((plan.subscriber_id, each.paper_id) for plan in written for each in plan.papers))
    driver.many(_NEWEST, [(issues[plan.subscriber_id], plan.subscriber_id) for plan in written])
    queue_all(connection, [Queued(plan.mailing, plan.subscriber_id, issues[plan.subscriber_id]) for plan in written])
    return [
        LEFT
        if plan.subscriber_id not in confirmed
        else ALTERED
        if plan.subscriber_id in altered
        else CHANGED
        if plan.subscriber_id in fallen
        else ""
        if plan.subscriber_id in issues
        else THERE
        for plan in plans
    ]


def _fallen(driver: Driver, plans: Sequence[IssuePlan]) -> set[int]:
    """Return the readers whose papers are not what they were: one was joined with another, or sent since."""
    wanted = sorted({each.paper_id for plan in plans for each in plan.papers})
    known: set[int] = set()
    for block in in_blocks(wanted, _PAIRS):
        found = driver.rows("SELECT id FROM paper WHERE id IN (…)", (), block)
        known.update(row[0] for row in found)
    fallen = {plan.subscriber_id for plan in plans if not known.issuperset(each.paper_id for each in plan.papers)}
    pairs = [(plan.subscriber_id, each.paper_id) for plan in plans for each in plan.papers]
    for some in in_blocks(pairs, _PAIRS):
        had = driver.in_rows(_HAD, "(?, ?)", len(some), list(chain.from_iterable(some)))
        fallen.update(row[0] for row in had)
    return fallen


def _issues(driver: Driver, plans: Sequence[IssuePlan], now: datetime, run_id: int) -> dict[int, int]:
    """Write the rows of issues; return reader → issue of those whose slot had none."""
    created = driver.instant(now)
    values: list[object] = []
    for plan in plans:
        values += (
            plan.public_id,
            plan.subscriber_id,
            plan.slot.label,
            plan.slot.zone,
            driver.instant(plan.cutoff),
            plan.upto_match,
            plan.upto_paper,
            plan.upto_event,
            created,
            run_id,
        )
    return dict(driver.in_rows(_ISSUE, "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", len(plans), values))
