"""Files that somebody saved: find out what one is, and read it.

Bytes → unpacked, if gzip → JSON lines as a stream, or one text → a page, a capture or a keyword listing → listings.
What a file is is told by its content, never by its name, unless the caller names the kind.
"""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from domain.errors import LayoutChanged, PermanentCollectError, RefusedAnswer, UsageError
from domain.papers import Listing
from scrapers.captures import SOURCE as CAPTURE
from scrapers.captures import looks_like_capture, read_capture
from scrapers.huggingface import DAILY, SEARCH, looks_like_huggingface, read_page, read_saved
from scrapers.keyword_capture import SOURCE as KEYWORD
from scrapers.keyword_capture import looks_like_keyword_capture, read_keyword_capture
from scrapers.records import LONGEST_LINE, looks_like_records, read_json_lines
from scrapers.records import SOURCE as RECORDS
from scrapers.source import Page

_GZIP = b"\x1f\x8b"
_HEAD = 65_536  # characters that tell a text's kind; pages are told by their whole
_LARGEST_TEXT = 64 * 2**20  # bytes of a page or a capture; the largest page known has 2.3 MB (sources.md 1.1)
_LARGEST_RECORDS = 2**30  # bytes of JSON lines, unpacked
_HTML = re.compile(rb"<(?:!doctype|html|head|meta|body)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _TextKind:
    label: str
    looks_like: Callable[[str], bool]
    read: Callable[[str, date], Listing]


def _read_list(text: str, day: date) -> Listing:
    """Read a saved page that is no search, of a day or of a longer time."""
    listing = read_saved(text, day=day)
    if listing.source == SEARCH:
        raise LayoutChanged("the page answers a search")
    return listing


_RECORDS_LABEL = "JSON lines of bibliographic records"
_TEXTS: Mapping[str, _TextKind] = {
    DAILY: _TextKind(
        "a saved Hugging Face papers page",
        looks_like_huggingface,
        _read_list,
    ),
    SEARCH: _TextKind(
        "a saved Hugging Face search page",
        looks_like_huggingface,
        lambda text, day: read_page(text, source=SEARCH, day=day, search=True),
    ),
    CAPTURE: _TextKind(
        "a text capture of one",
        lambda text: looks_like_capture(text[:_HEAD]),
        lambda text, day: read_capture(text, day=day),
    ),
    KEYWORD: _TextKind(
        "a keyword listing with authors as “Last, First”",
        lambda text: looks_like_keyword_capture(text[:_HEAD]),
        lambda text, day: read_keyword_capture(text, day=day),
    ),
}
#: What `kind` may be.
KINDS = (*_TEXTS, RECORDS)


def read_file(name: str, data: bytes, *, day: date, kind: str | None, backlog: bool | None) -> Iterator[Listing]:
    """Read a saved page, a text capture, a keyword listing, or JSON lines, perhaps in gzip; lazily, a listing or more.

    `name` is the file's own; messages do not repeat it. `day` is the day of the visit; a `kind` of None is detected. A
    `backlog` of None means that records are backlog and all else is news.

    Raises:
        UsageError: `kind` is none of KINDS; at once.
        PermanentCollectError: the file is none of the kinds, empty, binary, damaged in its packing, or has no record.
        RefusedAnswer: the file is too large.
        LayoutChanged: the file is of a kind, but that kind's reader refuses it.
        Blocked: a page without a list.

    """
    if kind is not None and kind not in KINDS:
        raise UsageError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    return _listings(name, data, day=day, kind=kind, backlog=backlog)


def _listings(name: str, data: bytes, *, day: date, kind: str | None, backlog: bool | None) -> Iterator[Listing]:
    try:
        if not data or data.isspace():
            raise PermanentCollectError("the file is empty")
        if kind == RECORDS or (kind is None and looks_like_records(_head(data))):
            yield from read_json_lines(_lines(data), day=day, backlog=backlog is not False)
        else:
            yield replace(_read_text(_text(name, data, day), day=day, kind=kind), backlog=backlog is True)
    except (EOFError, OSError, zlib.error) as error:
        raise PermanentCollectError("the gzip file is damaged or cut") from error


def _read_text(text: str, *, day: date, kind: str | None) -> Listing:
    if kind is not None:
        return _TEXTS[kind].read(text, day)
    found = next((kind for kind, row in _TEXTS.items() if row.looks_like(text)), None)
    if found is None:
        labels = [row.label for row in _TEXTS.values()]
        raise PermanentCollectError(f"it is none of: {', '.join([*labels, _RECORDS_LABEL])}")
    # A page says itself whether it lists a day, a longer time or what a search found.
    return read_saved(text, day=day) if found == DAILY else _TEXTS[found].read(text, day)


# -- bytes -------------------------------------------------------------------------------------------------------------


def _open(data: bytes) -> io.BufferedIOBase:
    """Return the bytes as a stream, unpacked as they are read."""
    return gzip.GzipFile(fileobj=io.BytesIO(data)) if data.startswith(_GZIP) else io.BytesIO(data)


def _head(data: bytes) -> str:
    with _open(data) as stream:
        return stream.read(_HEAD).decode("utf-8-sig", errors="replace")


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
    """Return a page or a capture as text: UTF-8, or for a page the charset that it declares; never by guessing."""
    with _open(data) as stream:
        body = stream.read(_LARGEST_TEXT + 1)
    if len(body) > _LARGEST_TEXT:
        raise RefusedAnswer(f"it is larger than {_LARGEST_TEXT:,} bytes, which no page or capture is")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not _HTML.search(body, 0, _HEAD):
            raise PermanentCollectError(f"it is not UTF-8 text, from byte {error.start + 1}") from error
    return Page(url=name, status=200, headers={}, body=body, fetched_at=datetime.combine(day, time(), UTC)).text()
