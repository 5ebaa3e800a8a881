"""Reading JSON of unknown shape: a missing or wrong value is "" or one sentence, never an exception of Python's own."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from digests.readable import clean
from domain.errors import UnreadableWebhook

LONGEST_DETAIL = 500  # characters
_LONGEST_ID = 200


def document(body: bytes | str) -> Mapping[str, Any]:
    """Return the JSON object that `body` is. Raises UnreadableWebhook, also for what is nested too deep."""
    try:
        found = json.loads(body.decode("utf-8") if isinstance(body, bytes) else body)
    except (ValueError, RecursionError) as error:
        raise UnreadableWebhook("it is not JSON in UTF-8") from error
    if not isinstance(found, dict):
        raise UnreadableWebhook("it is JSON, but not an object")
    return found


def inner(found: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return the object at `path`; an empty one where there is none."""
    for name in path:
        value = found.get(name)
        if not isinstance(value, dict):
            return {}
        found = value
    return found


def text(found: Mapping[str, Any], *path: str) -> str:
    """Return the text at `path`; "" where there is none."""
    *outer, name = path
    value = inner(found, *outer).get(name)
    return value if isinstance(value, str) else ""


def needed(found: Mapping[str, Any], *path: str) -> str:
    """Return the text at `path`. Raises UnreadableWebhook where there is none, or an empty one."""
    value = text(found, *path)
    if not value:
        raise UnreadableWebhook(f"{'.'.join(path)} is missing or is no text")
    return value


def rows(found: Mapping[str, Any], name: str, most: int = 200) -> Sequence[Mapping[str, Any]]:
    """Return the objects of the list called `name`, at most `most` of them; none where there is no list."""
    value = found.get(name)
    return [each for each in value[:most] if isinstance(each, dict)] if isinstance(value, list) else []


def line(value: str) -> str:
    """Return text from outside as one printable line of at most 500 characters."""
    shown = "".join(each if each.isprintable() else " " for each in clean(value[: 4 * LONGEST_DETAIL]))
    return " ".join(shown.split())[:LONGEST_DETAIL]


def identifier(found: Mapping[str, Any], *path: str) -> str:
    """Return the text at `path` by which a report is known again. Raises UnreadableWebhook where none is left of it."""
    value = line(needed(found, *path))[:_LONGEST_ID]
    if not value:
        raise UnreadableWebhook(f"{'.'.join(path)} holds nothing that can be read")
    return value


def moment(value: str | float, what: str) -> datetime:
    """Return an instant in UTC of ISO 8601 text with a zone, or of seconds since 1970. Raises UnreadableWebhook."""
    try:
        if not isinstance(value, str):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(value)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UnreadableWebhook(f"{what} is not an instant") from error
    raise UnreadableWebhook(f"{what} has no zone")
