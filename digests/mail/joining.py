r"""From the fragments of a content and one reader's slots to the bytes of a message, or to one part as text.

    compile  neighbours between two slots become one segment: once for a content, whatever the number of its readers
    fill     each slot's value, encoded as its place asks, between the segments: a plain join, the same on every replay
    whole    the signature's header, if there is one, in front of it
    part     fragments + slots → the text or the page, decoded, for the web, the html transport and the command line

A slot is `\0h:name\0` in a header line and `\0q:name\0` in a quoted-printable body; NUL stands in no message. A letter
of 44 KB costs a few microseconds once its content was compiled, so nothing here may search it letter by letter.
"""

import html
import re
import string
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from digests.mail import headers, quoted
from digests.mail.envelope import is_plain
from domain.errors import UsageError
from domain.issues import Fragment, Role

TEXT_ROLES = frozenset({Role.TEXT, Role.TEXT_PERSONAL})
HTML_ROLES = frozenset({Role.HTML, Role.HTML_PERSONAL})
_PERSONAL = frozenset({Role.TEXT_PERSONAL, Role.HTML_PERSONAL})
_TEXT_SLOT = re.compile(r"\0q:([a-z-]+)\0")
_NAME = re.compile(r"[hq]:[a-z-]+")
_ROOM = len("List-Unsubscribe: <>")  # the longest header name that a slot follows
_STRAY = "the letter holds a NUL that is no slot's"
_LETTERS = string.ascii_letters + string.digits
_IN_LINKS = (_LETTERS + "-_.~/:?#+,;@%!$*()=&'[]^").encode()  # RFC 3986, and what stands in links nevertheless
# What is the same in quoted-printable text and in HTML, as long as it is short enough for one line.
_PLAIN = (_LETTERS + "-_.~/:?#+,;@%!$*() ").encode()
_SHORT = 75  # one less than a line, for its soft break
_REMEMBERED = 32 << 20  # octets of segments


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a slot stands."""

    kind: Literal["header", "link", "text", "html"]  #: a link is a header's value between angle brackets
    name: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A message, but for its signature."""

    data: bytes
    is_plain: bool  #: True: envelope.is_plain is true of `data`, and nobody has to look at its octets again


@dataclass(frozen=True, slots=True)
class Compiled:
    """A content that waits for slots."""

    segments: tuple[bytes, ...]  #: what stands before, between and after the slots
    places: tuple[_Place, ...]  #: each once
    order: tuple[int, ...]  #: of the places: which of them follows each segment but the last
    size: int  #: octets of all segments
    is_plain: bool  #: envelope.is_plain, whatever the values are, unless one begins with a dot

    def fill(self, slots: Mapping[str, str]) -> Joined:
        """Return the message; raises UsageError for a slot without a value and for one that would break its line."""
        values = [_encoded(place, slots) for place in self.places]
        out = [b""] * (2 * len(self.segments) - 1)
        out[::2] = self.segments
        out[1::2] = [values[place] for place in self.order]
        return Joined(b"".join(out), self.is_plain and not any(value.startswith(b".") for value in values))


class Joiner:
    """Remembers compiled contents, those used last, up to so many octets; may be used by several threads.

    A content is known by its very tuple of fragments, which whoever reads contents keeps for all who share it
    (storage/shelf.py): an equal tuple that is another object is compiled again, and joined to the same bytes.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._room = remembered
        self._known: OrderedDict[int, tuple[Sequence[Fragment], Compiled]] = OrderedDict()
        self._lock = threading.Lock()

    def join(self, fragments: Sequence[Fragment], slots: Mapping[str, str]) -> Joined:
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
    first, *pieces = b"".join([fragment.body for fragment in fragments]).split(b"\0")
    segments = [first]
    places: dict[_Place, int] = {}
    order: list[int] = []
    for fragment in [each for each in fragments if b"\0" in each.body]:
        inside, odd = divmod(fragment.body.count(b"\0"), 2)
        if odd:
            raise UsageError(_STRAY)
        for _ in range(inside):
            place = _place(pieces[2 * len(order)], fragment.role, is_link=segments[-1].endswith(b"<"))
            segments.append(pieces[2 * len(order) + 1])
            order.append(places.setdefault(place, len(places)))
    # After a value the line goes on, or a new one begins; after an empty one it is one of both. Within a value every
    # line end is CRLF, and no line but its first begins with a dot: _encoded sees to that.
    plain = all(is_plain(value.join(segments)) for value in (b"x", b"\r\n"))
    return Compiled(tuple(segments), tuple(places), tuple(order), sum(map(len, segments)), plain)


def join(fragments: Sequence[Fragment], slots: Mapping[str, str]) -> bytes:
    """Return the message: every fragment in order, slots filled in.

    Raises UsageError for a slot without a value and for a value that would break its line.
    """
    return compiled(fragments).fill(slots).data


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


def _place(slot: bytes, role: Role, *, is_link: bool) -> _Place:
    name = slot.decode("latin-1")
    if not _NAME.fullmatch(name):
        raise UsageError(_STRAY)
    if name.startswith("h:"):
        return _Place("link" if is_link else "header", name[2:])
    return _Place("html" if role in HTML_ROLES else "text", name[2:])


def _encoded(place: _Place, slots: Mapping[str, str]) -> bytes:
    value = _value(slots, place.name)
    kind = place.kind
    if kind in {"header", "link"}:
        return _header_value(place.name, value, is_link=kind == "link")
    if len(value) <= _SHORT and value.isascii():
        plain = value.encode("ascii")
        # Nearly every slot is an address of ours or a date, which both parts take as it is.
        if not plain.translate(None, _PLAIN) and plain[:1].isalnum() and plain[-1:] != b" " and plain[:5] != b"From ":
            return plain
    # The soft break that ends the value's last line stands in the fragment already, after the slot.
    return quoted.encode(html.escape(value) if kind == "html" else value).removesuffix(b"=\r\n")


def _header_value(name: str, value: str, *, is_link: bool) -> bytes:
    """Return a value for a header line; raises UsageError if the line would no longer be one."""
    if not (value.isascii() and value.isprintable()):
        headers.refuse_controls(name, value)
    encoded = value.encode("utf-8")  # only an address under SMTPUTF8 is not ASCII (RFC 6532)
    if is_link and (encoded.translate(None, _IN_LINKS) or not encoded.startswith((b"http://", b"https://"))):
        raise UsageError(f"the link {name!r} is not an http address: {value!r}")
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
