"""Every figure of /metrics: its name without "paperround_" → what kind it is, its labels, and what it says. Pure.

    gauge     what is so now, or was in a window that moves on: may fall
    counter   what was done in all, over all workers and restarts: only rises, but for an archive that is put back
    summary   how many there were and how long they took together: `_count` and `_sum`, each of which only rises

Names follow Prometheus: base units, `_seconds`, `_bytes`, `_total` for a counter alone. docs/metrics.md is this table;
a test compares the two.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from domain.deliveries import DeliveryState
from domain.operations import VERBS, Passes, Sizes, Works
from domain.papers import FetchStatus
from domain.subscriptions import SubscriberState
from web.operations.values import Figures, SourceLine, View

Kind = Literal["gauge", "counter", "summary"]
Found = Mapping[tuple[str, ...], float]

_OPEN = frozenset(
    {
        DeliveryState.PLANNED,
        DeliveryState.LEASED,
        DeliveryState.SENDING,
        DeliveryState.DEFERRED,
        DeliveryState.UNCERTAIN,
    }
)
_ENDS = ("accepted", "deferred", "rejected", "uncertain", "skipped", "expired")
_LATE = 900  # seconds after which a source that was to be asked, and was not, is overdue
NEVER = float("inf")
#: A queue without jobs shows noughts, so that a rule sees that it was empty.
_NO_JOBS: Found = {(queue, state): 0.0 for queue in VERBS for state in ("waiting", "doing", "failed")}


@dataclass(frozen=True, slots=True)
class Figure:
    """What one figure is."""

    kind: Kind
    labels: tuple[str, ...]
    says: str


def _gauge(says: str, *labels: str) -> Figure:
    return Figure("gauge", labels, says)


def _counter(says: str, *labels: str) -> Figure:
    return Figure("counter", labels, says)


FIGURES: Mapping[str, Figure] = MappingProxyType(
    {
        # what there is
        "papers": _gauge("Papers in the archive."),
        "sightings": _gauge("Times that a paper stood on a list."),
        "topics": _gauge("Distinct topics."),
        "matches": _gauge("Matches of a topic and a paper that are kept."),
        "readers": _gauge("Readers by state.", "state"),
        "suppressed": _gauge("Addresses that are not mailed.", "reason"),
        "database_bytes": _gauge("What the database takes on disk."),
        "disk_free_bytes": _gauge("What is free where the archive's file lies; absent with a server."),
        "build_info": _gauge(
            "1, with the version of the site's process and the kind of database.", "version", "engine"
        ),
        "schema_version": _gauge("Number of the database's schema."),
        # collect
        "source_lag_seconds": _gauge("Seconds since a source was last read in full; +Inf for never.", "source"),
        "source_overdue": _gauge("1 where a source was to be asked 15 minutes ago and was not.", "source"),
        "source_status": _gauge("1 for the status of a source's last visit.", "source", "status"),
        "source_last_success_timestamp_seconds": _gauge("When a source was last read in full.", "source"),
        "papers_collected_total": _counter("Papers never seen before that workers brought in."),
        # match
        "papers_unmatched": _gauge("Papers that topics have not been held against, or have to be again."),
        "matches_made_total": _counter("Matches that workers found."),
        # publish
        "readers_to_plan": _gauge("Confirmed readers whom planning has yet to look at."),
        "planning_longest_wait_seconds": _gauge("How long the first of them waits past their look; 0 for none."),
        "readers_unserved": _gauge("Readers whose slot of the last 24 hours has no letter, by why.", "reason"),
        "today": _gauge("Readers whose hour came in the last 24 hours, by what became of their letter.", "fate"),
        "letters_planned_total": _counter("Letters that planning made.", "kind"),
        # deliver
        "deliveries": _gauge("Letters by state: open ones all, ended ones of the last 24 hours.", "state"),
        "delivery_ends_total": _counter("How workers' tries to send a letter ended.", "end"),
        "outbox_due": _gauge("Letters whose time to leave has come."),
        "outbox_oldest_due_seconds": _gauge("How long the first of them waits past its time; 0 for none."),
        "last_accepted_timestamp_seconds": _gauge("When a relay took a letter last; 0 for never."),
        "oldest_open_delivery_seconds": _gauge("Age of the oldest letter that has not ended; 0 for none."),
        "deliveries_put_off": _gauge('Letters told "later", by keeper of mailboxes; small ones together.', "keeper"),
        "undecided": _gauge("Letters that may have left and wait for the operator's word."),
        "bounces": _gauge("Bounces heard of in the last 24 hours."),
        "complaints": _gauge("Complaints heard of in the last 24 hours."),
        "held": _gauge("1 while nothing is sent until the operator says so."),
        "relay_shut": _gauge("1 while the relay is not tried."),
        # every verb
        "pass_duration_seconds": Figure(
            "summary", ("verb",), "Passes of workers that had something to do, and the seconds they took."
        ),
        "pass_failures_total": _counter("Passes that ended with an error.", "verb"),
        "pass_last_finished_timestamp_seconds": _gauge("When the newest such pass ended.", "verb"),
        "pass_last_duration_seconds": _gauge("How long it took.", "verb"),
        "run_last_finished_timestamp_seconds": _gauge("When the newest run of a job ended.", "job"),
        "run_last_duration_seconds": _gauge("How long that run took.", "job"),
        "trouble": _gauge("1 for each thing that does not work.", "name"),
        "workers": _gauge("Worker processes that were heard of in the last 3 minutes."),
        "worker_last_seen_timestamp_seconds": _gauge("When any worker was last heard of; absent for never."),
        "jobs": _gauge("Jobs of Procrastinate by queue: waiting, doing, failed; absent without it.", "queue", "state"),
    }
)


def figures(view: View, found: Figures) -> Iterator[tuple[str, Found]]:
    """Yield what every figure shows, by its labels; a summary under `NAME_count` and `NAME_sum`."""
    yield from _kept(view, found)
    yield from _sources(view)
    yield from _fates(view)
    yield from _backlog(view, found.works)
    yield from _done(found.works.passes)
    yield from _machinery(found.works, found.sizes)


def _kept(view: View, found: Figures) -> Iterator[tuple[str, Found]]:
    sizes, works, look = found.sizes, found.works, view.look
    yield "papers", {(): sizes.papers}
    yield "sightings", {(): sizes.sightings}
    yield "topics", {(): sizes.topics}
    yield "matches", {(): works.matches}
    yield "readers", {(state.value,): look.readers.get(state, 0) for state in SubscriberState}
    yield "suppressed", {(reason,): number for reason, number in look.suppressed.items()}
    yield "database_bytes", {(): works.database_bytes}
    yield "disk_free_bytes", {} if found.disk_free is None else {(): found.disk_free}
    yield "build_info", {(found.version, works.engine): 1}
    yield "schema_version", {(): int(works.schema) if works.schema.isdecimal() else 0}


def _sources(view: View) -> Iterator[tuple[str, Found]]:
    def lag(each: SourceLine) -> float:
        return max(0.0, (view.now - each.last_good).total_seconds()) if each.last_good else NEVER

    def is_overdue(each: SourceLine) -> bool:
        if each.next_visit is None:
            return not each.status
        return (view.now - each.next_visit).total_seconds() > _LATE

    yield "source_lag_seconds", {(each.name,): lag(each) for each in view.sources}
    yield "source_overdue", {(each.name,): is_overdue(each) for each in view.sources}
    yield (
        "source_status",
        {(each.name, status.value): each.status == status for each in view.sources for status in FetchStatus},
    )
    yield (
        "source_last_success_timestamp_seconds",
        {(each.name,): _instant(each.last_good) for each in view.sources if each.last_good},
    )


def _fates(view: View) -> Iterator[tuple[str, Found]]:
    look, today = view.look, view.today
    waiting = {each.state: each for each in look.waiting}
    oldest = min((each.oldest for each in look.waiting), default=view.now)
    fates = {
        "got": today.got,
        "waiting": today.waiting,
        "unplanned": today.unplanned,
        "refused": today.turned_away,
        "undecided": today.undecided,
        "expired": today.expired,
        "nothing_matched": today.nothing_matched,
    }
    yield "today", {(fate,): number for fate, number in fates.items()}
    states = {each: waiting[each].number if each in waiting else 0 for each in _OPEN}
    ended = {each: look.ended.get(each, 0) for each in DeliveryState if each not in _OPEN}
    yield "deliveries", {(each.value,): {**states, **ended}[each] for each in DeliveryState}
    yield "readers_unserved", {(reason,): number for reason, number in look.unserved.items()}
    yield "oldest_open_delivery_seconds", {(): max(0.0, (view.now - oldest).total_seconds())}
    yield "undecided", {(): sum(each.held for each in look.waiting)}
    yield "bounces", {(): look.day.bounces}
    yield "complaints", {(): look.day.complaints}


def _backlog(view: View, works: Works) -> Iterator[tuple[str, Found]]:
    backlog = works.backlog
    yield "papers_unmatched", {(): backlog.unmatched}
    yield "readers_to_plan", {(): backlog.to_plan}
    yield "planning_longest_wait_seconds", {(): backlog.longest_wait}
    yield "outbox_due", {(): backlog.due}
    yield "outbox_oldest_due_seconds", {(): backlog.oldest_due}
    yield "last_accepted_timestamp_seconds", {(): _instant(backlog.last_accepted)}
    yield "deliveries_put_off", {(keeper,): number for keeper, number in backlog.put_off.items()}
    yield "held", {(): view.hold is not None}
    yield "relay_shut", {(): bool(view.look.shut)}
    yield "trouble", {(each.name,): 1 for each in view.troubles}


def _done(passes: tuple[Passes, ...]) -> Iterator[tuple[str, Found]]:
    counts = {each.verb: each.counts for each in passes}
    yield "papers_collected_total", {(): counts["collect"].get("new", 0)}
    yield "matches_made_total", {(): counts["match"].get("matches", 0)}
    planned = {"digest": counts["publish"].get("issues", 0), "quiet": counts["publish"].get("quiet", 0)}
    yield "letters_planned_total", {(kind,): number for kind, number in planned.items()}
    yield "delivery_ends_total", {(end,): counts["deliver"].get(end, 0) for end in _ENDS}
    yield "pass_duration_seconds_count", {(each.verb,): each.ended for each in passes}
    yield "pass_duration_seconds_sum", {(each.verb,): each.seconds for each in passes}
    yield "pass_failures_total", {(each.verb,): each.failed for each in passes}
    ended = [each for each in passes if each.last_at is not None]
    yield "pass_last_finished_timestamp_seconds", {(each.verb,): _instant(each.last_at) for each in ended}
    yield "pass_last_duration_seconds", {(each.verb,): each.last_seconds for each in ended}


def _machinery(works: Works, sizes: Sizes) -> Iterator[tuple[str, Found]]:
    yield "run_last_finished_timestamp_seconds", {(each.job,): _instant(each.finished_at) for each in sizes.runs}
    yield "run_last_duration_seconds", {(each.job,): each.seconds for each in sizes.runs}
    yield "workers", {(): works.workers}
    yield (
        "worker_last_seen_timestamp_seconds",
        {(): _instant(works.worker_seen)} if works.worker_seen else {},
    )
    waiting: dict[tuple[str, ...], float] = {} if works.jobs is None else dict(_NO_JOBS)
    for each in works.jobs or ():
        waiting[each.queue, each.state] = each.number
    yield "jobs", waiting


def _instant(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0
