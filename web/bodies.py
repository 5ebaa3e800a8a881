"""The body of a request: read whole before anybody looks at it, and neither too large nor too slow nor odd."""

import asyncio
from collections.abc import Sequence
from enum import Enum
from urllib.parse import parse_qsl

from starlette.types import Message, Receive

LARGEST_BODY = 65_536  # octets; our largest form has a few hundred
SLOWEST_BODY = 20.0  # seconds from the head of a request to the end of its body
MOST_FIELDS = 1_000  # of a form; the largest of ours has some five for each of a reader's topics
FORM = b"application/x-www-form-urlencoded"
FORM_WITH_FILE = b"multipart/form-data"


class Unread(Enum):
    """Why there is no body."""

    GONE = "the client went away before it was whole: nothing was asked"
    TOO_LARGE = "over the limit"
    TOO_SLOW = "not whole in time"


def declared(lengths: list[bytes]) -> int:
    """Return the length that a request claims for its body; 0 where it claims none."""
    length = lengths[0] if lengths else b""
    return int(length[:20]) if length.isdigit() else 0  # no machine has a body of 21 digits


async def read(receive: Receive, most: int, seconds: float) -> bytes | Unread:
    """Return the body of at most `most` octets, if it is there within these seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await _whole(receive, most)
    except TimeoutError:
        return Unread.TOO_SLOW


def is_form(types: list[bytes], *, with_file: bool = False) -> bool:
    """Return whether a body may be one of our forms, or one with a file: it says so, or says nothing."""
    known = {FORM_WITH_FILE} if with_file else {FORM, b""}
    return (not types and not with_file) or (bool(types) and types[0].partition(b";")[0].strip().lower() in known)


def pairs(body: bytes, most: int, *, strict: bool = False) -> Sequence[tuple[str, str]]:
    """Return the fields of a form in their order, empty ones too.

    Raises ValueError for more than `most`, and where it is `strict` for whatever no browser writes; else what is no
    UTF-8 is replaced.
    """
    how = "strict" if strict else "replace"
    text = body.decode("ascii" if strict else "utf-8", how)  # what is not ASCII, a form writes as %XX
    return parse_qsl(
        text, keep_blank_values=True, strict_parsing=strict and bool(body), errors=how, max_num_fields=most
    )


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body that was read already, then whatever comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _whole(receive: Receive, most: int) -> bytes | Unread:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return Unread.GONE
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            return Unread.TOO_LARGE
    return bytes(body)
