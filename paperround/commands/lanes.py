"""deliveries lanes: how fast letters may leave, to whom slower, and what is shut."""

from collections.abc import Iterable
from datetime import datetime

import typer
from rich.table import Table

from digests.mail.hourly import gone
from domain.lanes import RELAY, TO, Lane
from paperround.commands.context import Json, opened, report
from paperround.console import plain, table

_COLUMNS = ("lane", "per_hour", "strikes", "shut_until", "shut_since", "why")


def show_lanes(context: typer.Context, as_json: Json = False) -> None:
    """Show how fast letters may leave, which lanes are slow or shut, and why."""
    told = report(context, as_json)
    with opened(context) as house:
        known = house.lanes.all()
        mail = house.settings.mail
        sent = gone(known, house.clock.now())
    rows = [_row(lane) for _, lane in sorted(known.items()) if _is_told(lane)]

    def lines() -> Iterable[str | Table]:
        limit = f" of {mail.per_hour}" if mail.per_hour else ", without a limit"
        yield f"Left in the last hour, or may have: {sent}{limit}."
        if rows:
            yield table(_COLUMNS, ([plain(str(row[name] or "")) for name in _COLUMNS] for row in rows))
        else:
            yield "Every lane is open."

    last_hour = {"sent": sent, "per_hour": mail.per_hour, "per_second": mail.per_second}
    told.show({"last_hour": last_hour, "lanes": rows}, lines)


def _is_told(lane: Lane) -> bool:
    return lane.name.startswith(TO) or (lane.name == RELAY and bool(lane.per_hour or lane.strikes))


def _row(lane: Lane) -> dict[str, object]:
    return {
        "lane": lane.name.removeprefix(TO),
        "per_hour": lane.per_hour,
        "strikes": lane.strikes,
        "shut_until": _instant(lane.shut_until),
        "shut_since": _instant(lane.shut_since),
        "why": lane.reason,
    }


def _instant(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
