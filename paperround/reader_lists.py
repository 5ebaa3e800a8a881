"""A list of readers as a CSV file: read whole, checked whole, and only then acted on."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from digests.addresses import address_key
from domain.errors import UsageError
from domain.subscriptions import LATEST, READY, Cadence, Schedule, weekday_of, zone_of
from paperround.readers import wished_topic

COLUMNS = ("email", "topic", "every", "weekday", "hour", "zone", "state")
_LARGEST_FILE = 64 * 2**20  # bytes


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One mailbox of a list, with all of its topics."""

    email: str
    topics: tuple[str, ...]
    schedule: Schedule | None  #: None where the file says nothing of it
    confirmed: bool  #: the operator vouches


def read_list(file: Path) -> tuple[ListEntry, ...]:
    """Return a file's readers in order; raises UsageError that names the line of whatever is wrong."""
    rows = _rows(file)
    _check_all(rows)
    return tuple(
        ListEntry(
            email=same[0]["email"],
            topics=tuple(row["topic"] for row in same),
            schedule=_schedule(same[0]),
            confirmed=same[0].get("state") == "confirmed",
        )
        for same in rows.values()
    )


def schedule_from(
    every: str | None, weekday: str | None, hour: str | None, zone: str | None, latest: str | None = None
) -> Schedule | None:
    """Return the schedule that was asked for, the rest at its defaults; None if nothing was said of it.

    An hour is 0 to 23, or "ready", or with the latest hour "ready:9"; `latest` says that apart. Raises UsageError.
    """
    if every is None and weekday is None and hour is None and zone is None and latest is None:
        return None
    if weekday is not None and every != "week":
        raise UsageError("a weekday goes with every week: say that too")
    try:
        cadence = Cadence(every or "day")
    except ValueError as error:
        raise UsageError(f"--every must be day or week, not {every!r}") from error
    default = Schedule()
    word, _, last = (hour or "").partition(":")
    ready = word == READY
    if latest is not None and not ready:
        raise UsageError("a latest hour goes with the hour ready: say that too")
    if ready and latest is not None and last:
        raise UsageError(f"the latest hour is said twice: {last!r} and {latest!r}")
    if ready:
        at = _hour_from(latest or last) if latest is not None or ":" in (hour or "") else LATEST
    else:
        at = default.hour if hour is None else _hour_from(hour, f" or {READY}")
    return Schedule(
        every=cadence,
        weekday=weekday_of(weekday) if weekday else default.weekday,
        hour=at,
        zone=default.zone if zone is None else zone_of(zone).key,
        ready=ready,
    )


def _hour_from(text: str, also: str = "") -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 2 and int(text) <= 23):
        raise UsageError(f"hour must be 0 to 23{also}, not {text[:40]!r}")
    return int(text)


def _rows(file: Path) -> dict[str, list[dict[str, str]]]:
    """Return the file's rows by mailbox; raises UsageError that names the line of what is wrong."""
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise UsageError(f"{file} is larger than {_LARGEST_FILE // 2**20} MiB")
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 text (byte {error.start})") from error
    reader = csv.DictReader(StringIO(text, newline=""), restkey="too many")
    columns = [name.strip().lower() for name in reader.fieldnames or ()]
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown or "email" not in columns or "topic" not in columns:
        reason = (
            f"has unknown columns {', '.join(map(repr, unknown))} (fields are divided by commas)"
            if unknown
            else "needs the columns email and topic"
        )
        raise UsageError(f"{file} {reason}; legal: {', '.join(COLUMNS)}")
    reader.fieldnames = columns
    found: dict[str, list[dict[str, str]]] = {}
    for raw in _parsed(reader, file):
        line = f"{file} line {reader.line_num}"
        if "too many" in raw:
            raise UsageError(f"{line} has more fields than the header; put a topic that holds a comma in quotes")
        row = {name: (value or "").strip() for name, value in raw.items()}
        try:
            rows = found.setdefault(address_key(row["email"]), [])
        except UsageError as error:
            raise UsageError(f"{line}: {error}") from error
        rows.append({**row, "line": line})
    return found


def _parsed(reader: "csv.DictReader[str]", file: Path) -> Iterator[dict[str, Any]]:
    try:
        yield from reader
    except csv.Error as error:
        raise UsageError(f"{file} line {reader.line_num} is not CSV: {error}") from error


def _check_all(wanted: dict[str, list[dict[str, str]]]) -> None:
    """Refuse the whole file for one bad row, before anybody is added."""
    for rows in wanted.values():
        first = rows[0]
        for row in rows:
            try:
                wished_topic(row["topic"])
                _schedule(row)
            except UsageError as error:
                raise UsageError(f"{row['line']}: {error}") from error
            if row.get("state", "") not in {"", "pending", "confirmed"}:
                raise UsageError(f"{row['line']}: state must be pending or confirmed, not {row['state']!r}")
            differs = [name for name in COLUMNS[2:] if row.get(name, "") != first.get(name, "")]
            if differs:
                raise UsageError(f"{row['line']}: {differs[0]} differs from an earlier row of the same address")


def _schedule(row: dict[str, str]) -> Schedule | None:
    return schedule_from(
        row.get("every") or None, row.get("weekday") or None, row.get("hour") or None, row.get("zone") or None
    )
