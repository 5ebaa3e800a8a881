"""The views of letters: numbers alone. Nothing says who reads, what they ask for, or where a letter can be seen."""

# ruff: noqa: S608 every word in these statements is ours

from domain.deliveries import DeliveryState
from domain.subscriptions import SubscriberState
from domain.topics import Tier
from storage.views.view import INTEGER, Column, Speech, View, among

S = DeliveryState
_STATES = {
    "accepted": ((S.ACCEPTED,), "the relay took them"),
    "waiting": ((S.PLANNED, S.LEASED, S.SENDING, S.DEFERRED), "on their way, or put off"),
    "uncertain": ((S.UNCERTAIN,), "they may have left"),
    "rejected": ((S.REJECTED,), "the relay said no"),
    "skipped": ((S.SKIPPED,), "the reader had left"),
    "expired": ((S.EXPIRED,), "too old when their turn came"),
}


def of_letters(say: Speech) -> tuple[View, ...]:
    """Return the views, in the order in which they are read."""
    return (_topics(say), _digests(say), _deliveries(say))


def _by_state() -> tuple[Column, ...]:
    return tuple(
        Column(name, f"count(*) FILTER (WHERE {among('d.state', states)})", says, INTEGER)
        for name, (states, says) in _STATES.items()
    )


def _topics(say: Speech) -> View:
    readers = (
        "(SELECT count(*) FROM subscription u JOIN subscriber r ON r.id = u.subscriber_id "
        f"WHERE u.topic_id = t.id AND {among('r.state', [SubscriberState.CONFIRMED])})"
    )
    exact, related = (f"m.tier = {tier.value}" for tier in (Tier.EXACT, Tier.RELATED))
    lately = f"count(p.id) FILTER (WHERE {exact} AND {say.day('p.first_seen')} >= {say.days_ago(7)})"
    return View(
        "topics_activity",
        "What the topics found, in numbers; not what they ask for.",
        (
            Column("topic_id", "t.id", "a number", INTEGER),
            Column("since", say.day("t.created_at"), "the day it was made, UTC"),
            Column("readers", readers, "who are confirmed", INTEGER),
            Column("papers", f"count(p.id) FILTER (WHERE {exact})", "that it ever selected, and keeps", INTEGER),
            Column("papers_7_days", lately, "of them, those stored in the last 7 days", INTEGER),
            Column("newest_listed", f"max(p.listed) FILTER (WHERE {exact})", "the latest listing day of its papers"),
            Column("related", f"count(p.id) FILTER (WHERE {related})", "papers that have part of it", INTEGER),
        ),
        "FROM topic t LEFT JOIN match m ON m.topic_id = t.id LEFT JOIN paper p ON p.id = m.paper_id "
        "GROUP BY t.id, t.created_at",
        key=("topic_id",),
    )


def _digests(say: Speech) -> View:
    day = say.day("i.created_at")
    return View(
        "digest_history",
        "The digests of each day, and what became of them.",
        (
            Column("day", day, "when they were made, UTC"),
            Column("issues", "count(DISTINCT i.id)", "one for each reader", INTEGER),
            Column("papers", "CAST(coalesce(sum(n.papers), 0) AS bigint)", "named in them, all together", INTEGER),
            *_by_state(),
        ),
        "FROM issue i LEFT JOIN delivery d ON d.issue_id = i.id "
        "LEFT JOIN (SELECT issue_id, count(*) AS papers FROM issue_paper GROUP BY issue_id) n ON n.issue_id = i.id "
        f"GROUP BY {day}",
        key=("day",),
        order="day",
    )


def _deliveries(say: Speech) -> View:
    day = say.day("d.date")
    return View(
        "deliveries_per_day",
        "The letters of each day, by kind, and what became of them.",
        (
            Column("day", day, "the letters' date, UTC"),
            Column("kind", "c.kind", "digest or confirm"),
            Column("letters", "count(*)", "how many", INTEGER),
            Column("tries", "CAST(coalesce(sum(d.attempts), 0) AS bigint)", "all together", INTEGER),
            *_by_state(),
        ),
        f"FROM delivery d JOIN content c ON c.id = d.content_id GROUP BY {day}, c.kind",
        key=("day", "kind"),
        facets=("kind",),
        order="day",
    )
