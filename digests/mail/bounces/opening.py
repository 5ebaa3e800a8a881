"""A message from strangers, opened within bounds: time linear in its size, whatever it holds.

    the first half megabyte, or as much of it as has 400 boundaries → every Content-Type looked at: message/* made a
    leaf, what nests too deep or is too long made plain text → stdlib's parser, which then has nothing to go deep into

A returned message is a leaf too: nobody needs more of it than its headers.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message
from itertools import islice
from typing import TypeAlias

#: Larger messages are not looked at: no report is so large.
LARGEST = 10_000_000
_READ = 512 * 1024  # bytes; what a report says of a letter stands before what it returns of it
_NESTS = 12  # multiparts in one message; stdlib compares every line with the boundaries of all that are open
_TYPE = 2_000  # octets; stdlib reads parameters in quadratic time
_PARTS = 100
_BOUNDARIES = 400  # lines that may begin a part; stdlib makes an object of each, be it empty
_VALUES = 20
_VALUE = 2_000  # characters of one header's value
_LINE = 998  # octets (RFC 5322 section 2.1.1)
_CONTENT_TYPE = re.compile(rb"^content-type:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb"^--", re.MULTILINE)
_BETWEEN = re.compile(r'[\s,;()<>"\[\]]+')
_MESSAGE = re.compile(rb"(content-type:\s*)message/", re.IGNORECASE)

#: How the parts of a report are called here.
DELIVERY_STATUS = ("text/x-delivery-status", "text/x-global-delivery-status")
FEEDBACK_REPORT = "text/x-feedback-report"
RETURNED = ("text/x-rfc822", "text/x-global", "text/rfc822-headers", "text/x-global-headers")

Mail: TypeAlias = Message


def opened(raw: bytes, limit: int = _READ) -> Mail | None:
    """Return a message as a tree of parts without nested messages; None for what no parser can read."""
    text = raw[:limit].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    further = next(islice(_BOUNDARY.finditer(text), _BOUNDARIES, None), None)
    text = text[: further.start()] if further else text
    nests = 0

    def tame(found: re.Match[bytes]) -> bytes:
        nonlocal nests
        header = found[0]
        nests += b"boundary" in header.lower()
        if len(header) > _TYPE or nests > _NESTS:
            return b"Content-Type: text/plain"
        return _MESSAGE.sub(rb"\1text/x-", header, count=1)

    try:
        return message_from_bytes(_CONTENT_TYPE.sub(tame, text))
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # what damage a parser has not met yet must not stop the pipe it came through


def short_lines(raw: bytes, limit: int) -> bytes:
    """Return the beginning of a message, each line cut where the standard ends it: for readers with patterns."""
    return b"\n".join(line[:_LINE] for line in raw[:limit].replace(b"\r\n", b"\n").split(b"\n"))


def values(message: Mail, name: str) -> list[str]:
    """Return what the headers of one name say, read as UTF-8 (RFC 6532), each on one line; of many the first."""
    wanted = name.lower()
    found = (said for known, said in message.raw_items() if known.lower() == wanted)
    return [
        _line(said[:_VALUE].encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
        for said in islice(found, _VALUES)
    ]


def value(message: Mail, name: str) -> str:
    """Return what the first header of a name says; "" where there is none."""
    return next(iter(values(message, name)), "")


def parts(message: Mail) -> Iterator[Mail]:
    """Give the leaves of a message in order, at most a hundred."""
    return (part for part in islice(message.walk(), _PARTS) if not part.is_multipart())


def words(text: str) -> list[str]:
    """Return the words of a header that lists addresses, without brackets and quotes: addresses are among them.

    By a pattern, because stdlib's reader of addresses goes as deep into "((((" as a stranger likes.
    """
    return [each for each in _BETWEEN.split(text[:_LINE]) if each]


def body(part: Mail) -> bytes:
    """Return a leaf's content without its transfer encoding."""
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        return b""
    return content if isinstance(content, bytes) else b""


def printable(text: str, most: int = 500) -> str:
    """Return text from outside as one printable line of at most so many characters."""
    return _line("".join(each if each.isprintable() else " " for each in text[: 4 * most]))[:most]


def _line(text: str) -> str:
    return " ".join(text.split())
