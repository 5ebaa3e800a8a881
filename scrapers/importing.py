"""Files that somebody saved: find out what one is, and read it.

Bytes → unpacked, if gzip → JSON lines as a stream, or one text, by the charset that it declares → listings.
What a file is is told by its content, never by its name, unless the caller names the kind; detecting.py has the table.
"""

import codecs
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time

from domain.errors import PermanentCollectError, RefusedAnswer, UsageError
from domain.papers import Listing
from scrapers.arxiv_mail import SOURCE as ARXIV_MAIL
from scrapers.detecting import TEXTS, detected, is_json_document, refuse_several, why_unread
from scrapers.record import LONGEST_LINE
from scrapers.records import SOURCE as RECORDS
from scrapers.records import looks_like_records, read_json_lines
from scrapers.saved_mail import looks_like_message
from scrapers.source import Page
from scrapers.standing import standing_of
from scrapers.xml import text_of

_GZIP = b"\x1f\x8b"
_OPENING = LONGEST_LINE + 65_536  # bytes that tell whether a file is JSON lines: one line at least
_TELLING_LINES = 100
_LARGEST_TEXT = 64 * 2**20  # bytes of a page or a capture; the largest page known has 2.3 MB (sources.md 1.1)
_LARGEST_RECORDS = 2**30  # bytes of JSON lines, unpacked
_HEAD = 65_536  # bytes
_MARKUP = re.compile(rb"<(?:!doctype|html|head|meta|body|\?xml)\b", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: Files that hold no text, by their first bytes and where these stand.
_NO_TEXT = (
    (0, b"%PDF-", "a PDF"),
    (0, b"PK\x03\x04", "a zip archive, or a document packed as one"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"\x89PNG\r\n", "an image (PNG)"),
    (0, b"\xff\xd8\xff", "an image (JPEG)"),
    (0, b"GIF8", "an image (GIF)"),
    (8, b"WEBP", "an image (WebP)"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"SQLite format 3", "a database (SQLite)"),
    (0, b"\xd0\xcf\x11\xe0", "an old office document or Outlook message"),
)

_ESCAPED = re.compile("[\ud800-\udfff]")  # bytes of a mail that are not UTF-8; nobody else's

#: What `kind` may be.
KINDS = (*(name for kind in TEXTS for name in kind.names), RECORDS)
_BY_NAME = {name: kind for kind in TEXTS for name in kind.names}


def read_file(name: str, data: bytes, *, day: date, kind: str | None, backlog: bool | None) -> Iterator[Listing]:
    """Read what any source can read, a capture, a mail, or JSON lines, perhaps in gzip; lazily, a listing or more.

    `name` is the file's own; messages do not repeat it. `day` is the day of the visit; a `kind` of None is detected. A
    `backlog` of None means that records are backlog and all else is news.

    Raises:
        UsageError: `kind` is none of KINDS; at once.
        PermanentCollectError: the file is none of the kinds, empty, binary, damaged in its packing, or has no record.
        RefusedAnswer: the file is too large.
        LayoutChanged: the file is of a kind, but that kind's reader refuses it.
        Blocked: a page without a list.
        Throttled: an answer that asks for patience.

    """
    if kind is not None and kind not in KINDS:
        raise UsageError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    return _listings(name, data, day=day, kind=kind, backlog=backlog)


def _listings(name: str, data: bytes, *, day: date, kind: str | None, backlog: bool | None) -> Iterator[Listing]:
    try:
        opening = _opening(data)
        are_records = kind == RECORDS or (kind is None and _are_lines(opening))
        text = "" if are_records else _text(name, data, day)
        if are_records or (kind is None and _is_record(text)):
            for records in read_json_lines(_lines(data), day=day, backlog=backlog is not False):
                yield replace(records, standing=standing_of(RECORDS))
        else:
            listing = _read_text(text, day=day, kind=kind)
            yield replace(listing, backlog=backlog is True, standing=standing_of(listing.source))
    except (EOFError, OSError, zlib.error) as error:
        raise PermanentCollectError("the gzip file is damaged or cut") from error


def _read_text(text: str, *, day: date, kind: str | None) -> Listing:
    if not text.strip():  # but for a byte order mark
        raise PermanentCollectError("the file is empty")
    refuse_several(text)
    found = _BY_NAME[kind] if kind is not None else detected(text)
    if found is None:
        raise PermanentCollectError(why_unread(text))
    is_mail = ARXIV_MAIL in found.names
    return found.read(text if is_mail else _ESCAPED.sub("\ufffd", text), day, kind or "")


# -- JSON lines, or one JSON document ----------------------------------------------------------------------------------
#
# Both may begin with "{". A whole object on a line of its own, with other lines beside it, makes JSON lines, even if it
# is of the shape of an API's answer; a document that is printed over many lines has none where a line begins. An object
# alone in the file may be either: an answer if a kind knows it, else a record.


def _are_lines(opening: bytes) -> bool:
    """Whether a file begins as JSON lines do, of which some may be damaged."""
    text = opening.decode("utf-8-sig", errors="replace").strip()
    lines = text.split("\n", _TELLING_LINES)[:_TELLING_LINES]
    return text.startswith("{") and len(lines) > 1 and any(map(_is_object, lines))


def _is_record(text: str) -> bool:
    """Whether a text is one record, or damaged lines of records: no kind knows it, and it is no other document."""
    if not looks_like_records(text) or detected(text) is not None:
        return False
    return not is_json_document(text) or ("\n" not in text.strip() and "title" in json.loads(text))


def _is_object(line: str) -> bool:
    try:
        return line.startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


# -- bytes -------------------------------------------------------------------------------------------------------------


def _open(data: bytes) -> io.BufferedIOBase:
    """Return the bytes as a stream, unpacked as they are read."""
    return gzip.GzipFile(fileobj=io.BytesIO(data)) if data.startswith(_GZIP) else io.BytesIO(data)


def _opening(data: bytes) -> bytes:
    """Return the first bytes; raises PermanentCollectError for a file without text."""
    with _open(data) as stream:
        opening = stream.read(_OPENING)
    if not opening.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise PermanentCollectError("the file is empty")
    for at, magic, what in _NO_TEXT:
        if opening.startswith(magic, at):
            raise PermanentCollectError(f"it is {what}, which import does not read")
    return opening


def _lines(data: bytes) -> Iterator[bytes]:
    """Yield the lines; of one that no record fills, only as much as shows that."""
    size = 0
    whole = True  # whether the next piece begins a line
    with _open(data) as stream:
        while piece := stream.readline(LONGEST_LINE + 2):
            size += len(piece)
            if size > _LARGEST_RECORDS:
                raise RefusedAnswer(f"the records are larger than {_LARGEST_RECORDS:,} bytes; import them in parts")
            if whole:
                yield piece
            whole = piece.endswith(b"\n")


def _text(name: str, data: bytes, day: date) -> str:
    """Return a file as text: by its byte order mark, as UTF-8, or by the charset that it declares; never by guessing.

    A message declares a charset for each of its parts: what is not UTF-8 in it is left for those (surrogate escapes).
    """
    with _open(data) as stream:
        body = stream.read(_LARGEST_TEXT + 1)
    if len(body) > _LARGEST_TEXT:
        raise RefusedAnswer(f"it is larger than {_LARGEST_TEXT:,} bytes, which no page or capture is")
    try:
        charset = next((charset for mark, charset in _BOMS if body.startswith(mark)), "utf-8-sig")
        return body.decode(charset)
    except UnicodeDecodeError as error:
        if looks_like_message(body[:_HEAD].decode("ascii", errors="replace")):
            return body.decode("utf-8", errors="surrogateescape")
        if not _MARKUP.search(body, 0, _HEAD):
            raise PermanentCollectError(
                f"it is not {error.encoding.upper()} text, from byte {error.start + 1}"
            ) from error
    return text_of(Page(url=name, status=200, headers={}, body=body, fetched_at=datetime.combine(day, time(), UTC)))
