"""What the head of an answer means: a page, a refusal, or a wish to be left alone for a while."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from domain.errors import Blocked, NotThere, PermanentCollectError, Throttled, Unreachable

# 406 is how arXiv turns away who asks too much (sources.md 3.3).
_THROTTLING = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.NOT_ACCEPTABLE}
_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
_REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_LEFT = re.compile(r";\s*r=(\d{1,9})(?!\d)")
_RESET = re.compile(r";\s*t=(\d{1,6})(?!\d)")
_LIST_LIMIT = 2_000  # characters of a RateLimit header; a site has a handful of windows


def judge(status: int, headers: Mapping[str, str], url: str, *, now: datetime, conditional: bool) -> None:
    """Raise what a status other than a page's means; `conditional` says that 304 is an answer to what was asked.

    Raises:
        Throttled: the site asks for patience; `retry_after` if it said how much.
        Unreachable: the site failed.
        Blocked: 401 or 403.
        NotThere: 404 or 410.
        PermanentCollectError: any other refusal.

    """
    if is_good(status) and (conditional or status != HTTPStatus.NOT_MODIFIED):
        return
    if status in _THROTTLING:
        raise Throttled(f"{url} asks for patience ({status})", retry_after(headers, now))
    # RateLimit stands on any answer: only Retry-After makes a failure a wish.
    if status == HTTPStatus.SERVICE_UNAVAILABLE and (stated := _stated(headers, now)) is not None:
        raise Throttled(f"{url} asks for patience ({status})", stated)
    if 500 <= status < 600 or status in _TRANSIENT:
        raise Unreachable(f"{url} answered {status}")
    if status in _REFUSALS:
        raise Blocked(f"{url} refused us ({status})")
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise NotThere(f"{url} answered {status}")
    raise PermanentCollectError(f"{url} answered {status}")


def is_good(status: int) -> bool:
    """Whether a status is that of a page, or of one that has not changed."""
    return 200 <= status < 300 or status == HTTPStatus.NOT_MODIFIED


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return how long a site that throttles asks us to wait: Retry-After, or `t` of RateLimit (sources.md 1.4).

    None where it does not say, or nothing that can be read.
    """
    stated = _stated(headers, now)
    if stated is not None:
        return stated
    reset = _RESET.search(headers.get("ratelimit", "")[:_LIST_LIMIT])
    return spent_window(headers) or (timedelta(seconds=int(reset[1])) if reset else None)


def _stated(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return what Retry-After says, in seconds or as a date (RFC 9110 section 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 8:
        return timedelta(seconds=int(value))
    with suppress(ValueError, OverflowError, TypeError):  # whatever else stands there says nothing
        instant = parsedate_to_datetime(value)
        return max(timedelta(), (instant if instant.tzinfo else instant.replace(tzinfo=UTC)) - now)
    return None


def spent_window(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long until a window of requests begins anew in which none is left; None if all have some left.

    The header is `RateLimit: "api";r=0;t=44`, a list with one item a window (sources.md 1.4).
    """
    waits = []
    for window in headers.get("ratelimit", "")[:_LIST_LIMIT].split(","):
        left, reset = _LEFT.search(window), _RESET.search(window)
        if left and reset and int(left[1]) == 0:
            waits.append(timedelta(seconds=int(reset[1])))
    return max(waits, default=None)
