"""The log: one event a line on standard error, as text or as JSON, and never a reader's address or token.

    logging.getLogger("paperround.…") → one handler → its name and facts (events.py, structlog) → veiled → a line

As JSON a line has a stable `event`, its words as `message`, and what they were filled with as fields; as text it has
the words alone, which hold those facts.

Every line passes the same veil, also those of libraries and of tracebacks: whoever adds a call need not remember it.
Breaks within an event are spelled out, so that nobody's words look like another event; a traceback keeps its lines.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal

import structlog
from structlog.typing import Processor

from domain.veiling import veiled_text
from paperround.events import EVENTS, OTHER, Event

Form = Literal["text", "json"]
_CHATTY = ("httpx", "httpcore", "mail.log", "alembic", "uvicorn.access")
_FIRST = ("timestamp", "level", "logger", "event", "message")


class _Ours(logging.StreamHandler[Any]):
    """The one handler that is set up here."""


def set_up(form: Form, *, verbose: bool = False) -> None:
    """Log to standard error in a form; called again it changes the form. A root that others set up stays as it is."""
    root = logging.getLogger()
    if any(not isinstance(each, _Ours) for each in root.handlers):
        return
    for each in list(root.handlers):
        root.removeHandler(each)
    root.addHandler(handler(form))
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    if not verbose:
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)


def handler(form: Form) -> logging.Handler:
    """Return what writes events to standard error."""
    made = _Ours(sys.stderr)
    as_json: list[Processor] = [_named, _veiled, _ordered, structlog.processors.JSONRenderer(ensure_ascii=True)]
    as_text: list[Processor] = [_told, _veiled, _ordered, _as_text]
    made.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[
                _dated,
                structlog.processors.format_exc_info,
                *(as_json if form == "json" else as_text),
            ],
            pass_foreign_args=True,
        )
    )
    return made


def _dated(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say when it happened, which the record knows: a line may be written later."""
    at = datetime.fromtimestamp(event["_record"].created, UTC)
    event["timestamp"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _named(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the event, and give what its words were filled with as fields; what came beside them stays."""
    known, values = _event(event)
    said = event.pop("event")
    if known:
        event.update(zip(known.fields, values, strict=False))
    return {**event, "event": known.name if known else OTHER, "message": said}


def _told(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave out the fields that an event's words hold already."""
    known, _ = _event(event)
    return {name: value for name, value in event.items() if known is None or name not in known.more}


def _event(event: MutableMapping[str, Any]) -> tuple[Event | None, tuple[Any, ...]]:
    """Take what only this log is told off an event; return what kind it is, None for others', and its words' values."""
    record, values = event.pop("_record"), event.pop("positional_args", ())
    event.pop("_from_structlog", None)
    known = EVENTS.get(record.msg) if isinstance(record.msg, str) else None
    return known, values if isinstance(values, tuple) else (values,)


def _veiled(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take addresses and tokens out of every text, however deep it stands."""
    return {name: _veil(value) for name, value in event.items()}


def _veil(value: Any) -> Any:
    match value:
        case str():
            return veiled_text(value)
        case bool() | int() | float() | None:
            return value
        case Mapping():
            return {veiled_text(str(name)): _veil(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_veil(each) for each in value]
        case _:
            return veiled_text(str(value))


def _ordered(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    known = {name: event[name] for name in _FIRST if name in event}
    return {**known, **{name: value for name, value in event.items() if name not in known}}


def _visible(text: str) -> str:
    """Return a text in which what would end or overwrite a line is spelled out: nobody writes a line but the log."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def _as_text(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """Return "2026-11-20T07:00:03.120Z INFO paperround.worker: …", then what else is known, then a traceback."""
    facts = "".join(
        f" {_visible(name)}={value!r}" for name, value in event.items() if name not in {*_FIRST, "exception"}
    )
    traceback = f"\n{event['exception']}" if event.get("exception") else ""
    said = _visible(str(event["event"]))
    return f"{event['timestamp']} {event['level'].upper()} {event['logger']}: {said}{facts}{traceback}"
