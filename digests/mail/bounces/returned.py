"""What a report returns of our letter: its headers, from which one knows which letter it was."""

import re
from dataclasses import dataclass

from digests.mail.bounces.opening import RETURNED, Mail, body, opened, parts, value, words
from domain.letter_events import LETTER_HEADER

_HEADERS = 64 * 1024  # octets
_LETTER = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MESSAGE_ID = re.compile(r"<([0-9a-f]{32})@[^<>\s@]+>", re.ASCII)


@dataclass(frozen=True, slots=True)
class Returned:
    """The headers of the letter that a report is about."""

    letter: str = ""  #: the left part of our Message-ID; "" where the headers name no letter of ours
    recipients: frozenset[str] = frozenset()  #: to whom it was addressed, casefolded; often redacted
    return_path: str = ""  #: the envelope sender, as a header


def returned_in(report: Mail) -> Returned:
    """Return what a report returns, headers alone or whole; empty where it returns nothing."""
    for part in parts(report):
        if part.get_content_type() in RETURNED:
            head = body(part)[:_HEADERS].replace(b"\r\n", b"\n").lstrip().partition(b"\n\n")[0]
            found = opened(head + b"\n\n")
            return _read(found) if found is not None else Returned()
    return Returned()


def letter_of(text: str) -> str:
    """Return the left part of a Message-ID of ours, "<…@domain>"; "" for any other text."""
    found = _MESSAGE_ID.fullmatch(text)
    return found[1] if found else ""


def _read(headers: Mail) -> Returned:
    own = value(headers, LETTER_HEADER)
    return Returned(
        letter=own if _LETTER.fullmatch(own) else letter_of(value(headers, "Message-ID")),
        recipients=frozenset(each.casefold() for each in words(value(headers, "To")) if "@" in each),
        return_path=value(headers, "Return-Path"),
    )
