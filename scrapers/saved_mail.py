"""A message that somebody saved (.eml): its subjects and its plain texts, decoded.

The parser is the standard library's with its older policy: the newer one reads headers by a recursive grammar, which
hostile headers exhaust. How deep the parts nest is bounded before anything is parsed; a part that cannot be decoded is
passed over, and nothing but text is looked at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from domain.errors import PermanentCollectError, RefusedAnswer
from scrapers.text import collapse

# What a message begins with: the mark of a mailbox, or a header that mail programs write.
_BEGINS = re.compile(
    r"\s{0,20}(?:From \S[^\n]{0,300}\n|(?:[!-9;-~]{1,76}:[^\n]*\n(?:[ \t][^\n]*\n)*){0,100}?"
    r"(?:Subject|From|To|Date|Received|Return-Path|Delivered-To|MIME-Version|Content-Type|Message-ID):)",
    re.IGNORECASE,
)
_NEXT_OF_MAILBOX = re.compile(r"\n\r?\nFrom \S+[ \t][^\n]*[0-9]{4}[ \t\r]*\n[!-9;-~]{1,76}:")
_NESTS = re.compile(r"content-type:\s*\"?(?:message|multipart)/", re.IGNORECASE)
# The standard library's reader of a header's parameters is quadratic in their number.
_CONTENT_TYPE = re.compile(r"(?<![^\r\n])content-type:[^\n]*+(?:\n[ \t][^\n]*+)*+", re.IGNORECASE)
_LONGEST_TYPE = 5_000  # characters; those known have 100
_MOST_NESTED = 20  # parts that hold parts; a forwarded message has three
_MOST_PARTS = 200
_PACKINGS = frozenset({"", "7bit", "8bit", "binary", "quoted-printable", "base64"})
_LARGEST = 2**24  # characters; the largest mail known has 0.2 MB
_LONGEST_SUBJECT = 1_000


@dataclass(frozen=True, slots=True)
class SavedMail:
    """What a message says."""

    subjects: str  #: its own and those of the messages that it carries, one a line
    texts: tuple[str, ...]  #: of its plain parts, in their order


def looks_like_message(text: str) -> bool:
    """Whether a text begins with the headers of a message, or as a mailbox does."""
    return _BEGINS.match(text[:65_536]) is not None


def looks_like_mailbox(text: str) -> bool:
    """Whether a text is a mailbox (mbox) of more than one message."""
    return text.startswith("From ") and _NEXT_OF_MAILBOX.search(text) is not None


def open_mail(text: str) -> SavedMail:
    """Return what a message says.

    Raises:
        PermanentCollectError: it is a mailbox of several messages.
        RefusedAnswer: it is larger, wordier of its types, or nests its parts deeper, than mail programs make it.

    """
    if looks_like_mailbox(text):
        raise PermanentCollectError("it is a mailbox of several messages; save each as a file of its own")
    longest = max((len(found[0]) for found in _CONTENT_TYPE.finditer(text)), default=0)
    if len(text) > _LARGEST or longest > _LONGEST_TYPE or len(_NESTS.findall(text)) > _MOST_NESTED:
        raise RefusedAnswer("the message is larger, or its parts are nested deeper, than mail programs make it")
    message = message_from_bytes(_bytes(text.lstrip()))
    parts = [part for part, _ in zip(message.walk(), range(_MOST_PARTS), strict=False)]
    return SavedMail(
        subjects="\n".join(_subject(part) for part in parts if "subject" in part),
        texts=tuple(_texts(parts)),
    )


def _bytes(text: str) -> bytes:
    """Return the bytes that the text was read from: a part has a charset of its own."""
    try:
        return text.encode("utf-8", errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", errors="replace")


def _subject(part: Message) -> str:
    value = str(part.get("subject", ""))[:_LONGEST_SUBJECT]
    try:
        return collapse(str(make_header(decode_header(value))))
    except (HeaderParseError, LookupError, ValueError):
        return collapse(value)


def _texts(parts: list[Message]) -> Iterator[str]:
    for part in parts:
        packing = str(part.get("content-transfer-encoding", "")).strip().lower()
        if part.get_content_type() == "text/plain" and not part.is_multipart() and packing in _PACKINGS:
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                yield _decoded(content, str(part.get_content_charset("utf-8")))


def _decoded(content: bytes, charset: str) -> str:
    try:
        return content.decode("utf-8-sig")  # strict, and so never wrong; then what the part declares
    except UnicodeDecodeError:
        pass
    try:
        return content.decode(charset, errors="replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", errors="replace")
