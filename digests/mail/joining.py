r"""From the fragments of a content and one reader's slots to the bytes of a message, or to one part as text.

    compile  neighbours between two slots become one segment: once for a content, whatever the number of its readers
    fill     each slot's value, encoded as its place asks, between the segments: the plain join, the same on every replay
    whole    the signature's header, if there is one, in front of it
    part     fragments + slots → the text or the page, decoded, for the web, the html transport and the command line

A slot is `\0h:name\0` in a header line and `\0q:name\0` in a quoted-printable body; NUL stands in no message. A letter
of 44 KB costs a few microseconds once its content was compiled, so nothing here may search it letter by letter.
"""

import binascii
import html
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from digests.mail import headers, quoted
from domain.errors import UsageError
from domain.issues import Fragment, Role

TEXT_ROLES = frozenset({Role.TEXT, Role.TEXT_PERSONAL})
HTML_ROLES = frozenset({Role.HTML, Role.HTML_PERSONAL})
_PERSONAL = frozenset({Role.TEXT_PERSONAL, Role.HTML_PERSONAL})
_TEXT_SLOT = re.compile(r"\0q:([a-z-]+)\0")
_NAME = re.compile(r"[hq]:[a-z-]+")
_ROOM = len("List-Unsubscribe: <>")  # the longest header name that a slot follows
_URL = re.compile(r"https?://[!#-;=?-\[\]-_a-z~]+")
_REMEMBERED = 32 << 20  # octets of segments


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a slot stands."""

    kind: Literal["header", "link", "text", "html"]  #: a link is a header's value between angle brackets
    name: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """A content that waits for slots: segment, place, segment, place, …, segment."""

    segments: tuple[bytes, ...]  #: one more than there are places
    places: tuple[_Place, ...]

    @property
    def size(self) -> int:
        """Octets of all segments."""
        return sum(map(len, self.segments))

    def fill(self, slots: Mapping[str, str]) -> bytes:
        """Return the message; raises UsageError for a slot without a value and for one that would break its line."""
        values: dict[_Place, bytes] = {}
        out = [self.segments[0]]
        for place, segment in zip(self.places, self.segments[1:], strict=True):
            value = values.get(place)
            if value is None:
                value = values[place] = _encoded(place, _value(slots, place.name))
            out += (value, segment)
        return b"".join(out)


class Joiner:
    """Remembers compiled contents, those used last, up to so many octets; may be used by several threads.

    A content is known by its very tuple of fragments, which whoever reads contents keeps for all who share it
    (storage/shelf.py): an equal tuple that is another object is compiled again, and joined to the same bytes.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._room = remembered
        self._known: OrderedDict[int, tuple[Sequence[Fragment], Compiled]] = OrderedDict()
        self._lock = threading.Lock()

    def join(self, fragments: Sequence[Fragment], slots: Mapping[str, str]) -> bytes:
        """Return the message; raises as `join` does."""
        return self._compiled(fragments).fill(slots)

    def _compiled(self, fragments: Sequence[Fragment]) -> Compiled:
        key = id(fragments)  # nobody else's while the tuple is held below
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known[1]
        made = compiled(fragments)
        with self._lock:
            if key not in self._known:
                self._known[key] = (fragments, made)
                self._room -= made.size
            while self._room < 0 and len(self._known) > 1:
                _, (_, oldest) = self._known.popitem(last=False)
                self._room += oldest.size
        return made


def compiled(fragments: Sequence[Fragment]) -> Compiled:
    """Return a content ready to be filled; raises UsageError for a NUL that belongs to no slot."""
    segments = [b""]
    places: list[_Place] = []
    for is_html, group in groupby(fragments, lambda fragment: fragment.role in HTML_ROLES):
        pieces = b"".join([fragment.body for fragment in group]).split(b"\0")
        if len(pieces) % 2 == 0:
            raise UsageError("the letter holds a NUL that is no slot's")
        segments[-1] += pieces[0]
        for position in range(1, len(pieces), 2):
            places.append(_place(pieces[position], is_link=segments[-1].endswith(b"<"), is_html=is_html))
            segments.append(pieces[position + 1])
    return Compiled(tuple(segments), tuple(places))


def join(fragments: Sequence[Fragment], slots: Mapping[str, str]) -> bytes:
    """Return the message: every fragment in order, slots filled in.

    Raises UsageError for a slot without a value and for a value that would break its line.
    """
    return compiled(fragments).fill(slots)


def whole(signature: str, joined: bytes) -> bytes:
    """Return what goes over the wire: the DKIM-Signature header, "" for none, before the joined message."""
    return b"%s\r\n%s" % (signature.encode("ascii"), joined) if signature else joined


def part(
    fragments: Sequence[Fragment], kind: Literal["html", "text"], *, personal: bool, slots: Mapping[str, str]
) -> str:
    """Return one part, decoded, with or without the pieces that carry a reader's own links.

    Lines end in a plain newline. Raises UsageError for a slot without a value.
    """
    roles = HTML_ROLES if kind == "html" else TEXT_ROLES
    wanted = roles if personal else roles - _PERSONAL
    text = quoted.decode(b"".join(fragment.body for fragment in fragments if fragment.role in wanted))

    def fill(found: re.Match[str]) -> str:
        value = _value(slots, found[1])
        return html.escape(value) if kind == "html" else value

    return _TEXT_SLOT.sub(fill, text)


def _place(slot: bytes, *, is_link: bool, is_html: bool) -> _Place:
    name = slot.decode("latin-1")
    if not _NAME.fullmatch(name):
        raise UsageError("the letter holds a NUL that is no slot's")
    if name.startswith("h:"):
        return _Place("link" if is_link else "header", name[2:])
    return _Place("html" if is_html else "text", name[2:])


def _encoded(place: _Place, value: str) -> bytes:
    if place.kind == "header" or place.kind == "link":
        return _header_value(place.name, value, bracketed=place.kind == "link")
    return _quoted(html.escape(value) if place.kind == "html" else value)


def _quoted(value: str) -> bytes:
    """Return a value for a quoted-printable body; the soft break that ends its last line stands there already."""
    if value.isascii() and value.isprintable() and value:
        # quoted.encode by its shortest way, which is right unless a blank ends a line or a risky word begins one.
        lines = binascii.b2a_qp(value.encode("ascii") + b"\r\n", istext=True)
        if b"=20\r\n" not in lines and b"\n." not in lines and b"\nFrom " not in lines and lines[:1] not in b".F":
            return lines[:-2]
    return quoted.encode(value).removesuffix(b"=\r\n")


def _header_value(name: str, value: str, *, bracketed: bool) -> bytes:
    """Return a value for a header line; raises UsageError if the line would no longer be one."""
    headers.refuse_controls(name, value)
    if bracketed and not _URL.fullmatch(value):
        raise UsageError(f"the link {name!r} is not an http address: {value!r}")
    encoded = value.encode("utf-8")  # only an address under SMTPUTF8 is not ASCII (RFC 6532)
    if len(encoded) > headers.LONGEST_LINE - _ROOM:
        raise UsageError(f"{name!r} is too long for a header line: {len(encoded)} octets")
    return encoded


def _value(slots: Mapping[str, str], name: str) -> str:
    """Return a slot's value; raises UsageError if there is none."""
    try:
        return slots[name]
    except KeyError:
        raise UsageError(
            f"the letter has a place for {name!r}, but this reader's message has no value for it"
        ) from None
