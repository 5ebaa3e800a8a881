"""The views of sources: what came of asking them.

Addresses and the words of errors are left out: the address of a feed may hold a token, and errors repeat addresses.
"""

# ruff: noqa: S608 every word in these statements is ours

from domain.papers import FetchStatus
from storage.views.view import INTEGER, REAL, Column, Speech, View, among, yes

_GOOD = among("f.status", [each.value for each in FetchStatus if each.is_good])


def of_sources(say: Speech) -> tuple[View, ...]:
    """Return the views, in the order in which they are read."""
    return (_per_day(), _per_source(say), _health(say), _days(say), _fetches(say), _runs(say))


def _per_day() -> View:
    new = "count(DISTINCT CASE WHEN p.first_listed = s.day THEN p.id END)"
    return View(
        "papers_per_day",
        "How many papers each listing day had.",
        (
            Column("day", "s.day", "the listing day"),
            Column("papers", "count(DISTINCT s.paper_id)", "different papers", INTEGER),
            Column("new", new, "of them, those that no earlier day had", INTEGER),
            Column("sightings", "count(*)", "a paper on three listings counts three times", INTEGER),
            Column("sources", "count(DISTINCT s.source)", "that had any", INTEGER),
        ),
        "FROM sighting s JOIN paper p ON p.id = s.paper_id GROUP BY s.day",
        key=("day",),
        order="day",
    )


def _per_source(say: Speech) -> View:
    first = f"count(DISTINCT CASE WHEN {say.part('p.sources', 0)} = s.source THEN p.id END)"
    alone = f"count(DISTINCT CASE WHEN {say.part('p.sources', 1)} IS NULL THEN p.id END)"
    return View(
        "papers_per_source",
        "What each source brought.",
        (
            Column("source", "s.source", "its name"),
            Column("papers", "count(DISTINCT s.paper_id)", "different papers", INTEGER),
            Column("first_here", first, "of them, those that it had before any other", INTEGER),
            Column("only_here", alone, "of them, those that no other source had", INTEGER),
            Column("sightings", "count(*)", "a paper on three days counts three times", INTEGER),
            Column("first_day", "min(s.day)", "the oldest listing day"),
            Column("last_day", "max(s.day)", "the newest listing day"),
        ),
        "FROM sighting s JOIN paper p ON p.id = s.paper_id GROUP BY s.source",
        key=("source",),
    )


def _health(say: Speech) -> View:
    def newest(column: str, condition: str = "f.id IS NOT NULL") -> str:
        order = "ORDER BY f.at DESC, f.id DESC LIMIT 1"
        return f'(SELECT {column} FROM "fetch" f WHERE f.source = n.source AND {condition} {order})'

    at = say.moment("f.at")
    lately = f"{say.day('f.at')} >= {say.days_ago(7)}"
    new = f'(SELECT coalesce(sum(f.new), 0) FROM "fetch" f WHERE f.source = n.source AND {lately})'
    open_days = "(SELECT count(*) FROM source_day d WHERE d.source = n.source AND NOT d.whole)"
    return View(
        "source_health",
        "How each source is, as far as answers are on record.",
        (
            Column("source", "n.source", "its name"),
            Column(
                "last_status", newest("f.status"), "what the newest answer was; docs/operating.md says what it means"
            ),
            Column("last_http", newest("f.http"), "its HTTP status; empty where no answer came", INTEGER),
            Column("last_asked", newest(at), "when that was, UTC"),
            Column("last_good", newest(at, _GOOD), "when it was last read in full, or had nothing to add"),
            Column("last_new", newest(at, "f.new > 0"), "when it last brought a paper never seen before"),
            Column("new_7_days", f"CAST({new} AS bigint)", "papers never seen before in the last 7 days", INTEGER),
            Column(
                "newest_day",
                "(SELECT max(s.day) FROM sighting s WHERE s.source = n.source)",
                "the newest listing day of its papers",
            ),
            Column(
                "read_up_to",
                "(SELECT c.day FROM source_cursor c WHERE c.source = n.source)",
                "the day up to which it was read without a gap",
            ),
            Column("open_days", open_days, "days that were asked for and are not whole", INTEGER),
        ),
        'FROM (SELECT source FROM "fetch" UNION SELECT source FROM source_cursor UNION SELECT source FROM source_day '
        "UNION SELECT source FROM sighting) n",
        key=("source",),
        facets=("last_status",),
    )


def _days(say: Speech) -> View:
    return View(
        "source_days",
        "What came of asking a source for a listing day; the last 120 days.",
        (
            Column("source", "d.source", "its name"),
            Column("day", "d.day", "the listing day"),
            Column("whole", yes("d.whole"), "yes: it was read in full"),
            Column("tries", "d.tries", "in vain, in a row", INTEGER),
            Column("asked_at", say.moment("d.asked_at"), "the last time, UTC"),
        ),
        "FROM source_day d",
        key=("source", "day"),
        facets=("source", "whole"),
    )


def _fetches(say: Speech) -> View:
    return View(
        "source_fetches",
        "Every answer on record, without addresses.",
        (
            Column("id", "f.id", "a number", INTEGER),
            Column("source", "f.source", "who was asked"),
            Column("day", "f.day", "the listing day that it was asked for, or is of"),
            Column("at", say.moment("f.at"), "when the answer was whole, UTC"),
            Column("status", "f.status", "what came of it; docs/operating.md says what it means"),
            Column("http", "f.http", "the HTTP status; empty where no answer came", INTEGER),
            Column("seconds", "f.seconds", "from the request to the last byte", REAL),
            Column("bytes", "f.bytes", "of the body, unpacked", INTEGER),
            Column("declared", "f.declared", "how many papers the page itself says it has", INTEGER),
            Column("read", "f.read", "how many were read", INTEGER),
            Column("rejected", "f.rejected", "records left out", INTEGER),
            Column("new", "f.new", "papers never seen before", INTEGER),
        ),
        'FROM "fetch" f',
        key=("id",),
        facets=("source", "status", "day"),
        order="id",
    )


def _runs(say: Speech) -> View:
    return View(
        "runs",
        "Every execution of a job.",
        (
            Column("id", "r.id", "a number", INTEGER),
            Column("job", "r.job", "collecting from a source, mostly"),
            Column("slot", "r.slot", "what it was due for"),
            Column("started_at", say.moment("r.started_at"), "UTC"),
            Column("finished_at", say.moment("r.finished_at"), "UTC; empty for one under way, or given up"),
            Column("status", "r.status", "how it ended; empty before that"),
            Column("new", f"CAST({say.part('r.counts', 'new')} AS integer)", "papers never seen before", INTEGER),
        ),
        "FROM run r",
        key=("id",),
        facets=("job", "status"),
        order="id",
    )
