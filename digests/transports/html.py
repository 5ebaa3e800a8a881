"""A digest without mail: a page for each issue, an index of them, and an Atom feed (RFC 4287).

    the letter's page → the disk → before_dot() → its page in place → index.html and feed.atom anew from all pages

Each page carries what the index needs in a comment at its end, so that the folder alone is the truth: pages can be
removed, and the next letter puts the index right. The folder is held meanwhile: two processes write in turn.
"""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser
from pathlib import Path
from types import TracebackType
from typing import Self

from jinja2 import Environment, PackageLoader, StrictUndefined

from digests.plain_page import page_of_text
from digests.transports.folder import file_stem, locked, written
from domain.deliveries import Acceptance, Message
from domain.errors import PermanentDeliveryError, TransientDeliveryError
from domain.issues import LetterKind

_PUBLIC = 0o666  # less the umask: a web server may read them
_INDEX = "index.html"
_LISTINGS = (_INDEX, "feed.atom")
_IN_FEED = 50
_NOTE = re.compile(rb"<!-- paperround (\{.*\}) -->\s*\Z", re.DOTALL)
_NOTE_ROOM = 16384  # octets at a page's end that hold the note
_LONGEST_TEXT = 300  # characters of each text in the note: at most twelve octets a character


@dataclass(frozen=True, slots=True)
class _Note:
    """What the index knows of a page."""

    title: str
    lead: str  #: the letter's first sentence; "" if it has none
    updated: str  #: RFC 3339, UTC
    id: str  #: a URN made from the Message-ID: stable over every try
    name: str  #: whose digest, as the From header says
    feed: str  #: a URN made from the sender's address


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of the folder, for the templates."""

    href: str
    note: _Note

    @property
    def year(self) -> str:
        """The year it was sent in."""
        return self.note.updated[:4]


class HtmlTransport:
    """Writes pages into a folder; it is its own connection."""

    name = "html"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._templates = Environment(
            loader=PackageLoader("digests", "templates/html"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def connect(self) -> Self:
        """Return itself: the folder is opened for each message."""
        return self

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """There is nothing to close."""

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        """Write the message's page, in place of an earlier one of the same key, and the listings.

        Raises PermanentDeliveryError for a letter that is no digest or has no text, NotConnected if the folder
        cannot be written to, TransientDeliveryError if the page or the listings cannot be put in place.
        """
        if message.kind is not LetterKind.DIGEST:
            raise PermanentDeliveryError(f"a {message.kind} letter goes to one reader alone and cannot become a page")
        path = self._directory / f"{file_stem(message.key)}.html"
        page = _page(message)
        with locked(self._directory):
            with written(path, page, mode=_PUBLIC) as place:
                if not before_dot():
                    return None
                place()
            self._list_pages()
        return Acceptance(reply=f"written to {path}")

    def _list_pages(self) -> None:
        """Write the index and the feed from what the folder holds."""
        try:
            found = [(path, _note(path)) for path in self._directory.glob("*.html") if path.name != _INDEX]
        except OSError as error:
            raise TransientDeliveryError(f"{self._directory} cannot be read: {error.strerror}") from error
        pages = [_Page(href=path.name, note=note) for path, note in found if note]
        pages.sort(key=lambda page: (page.note.updated, page.href), reverse=True)
        for name in _LISTINGS:
            listing = self._templates.get_template(name).render(pages=pages, newest=pages[0].note, in_feed=_IN_FEED)
            with written(self._directory / name, listing.encode(), mode=_PUBLIC) as place:
                place()


def _page(message: Message) -> bytes:
    """Return the page of a digest: its HTML part, or its text where it has none, and the note behind it."""
    mail = BytesParser(EmailMessage, policy=policy.default).parsebytes(message.data)
    part = mail.get_body(("html", "plain"))
    sent = getattr(mail["date"], "datetime", None)
    if part is None or sent is None:
        raise PermanentDeliveryError(f"the letter {message.key} has no text or no Date and cannot become a page")
    page: str = part.get_content()
    if not (has_page := part.get_content_type() == "text/html"):
        page = page_of_text(str(mail["subject"] or ""), page.replace("\r\n", "\n"))
    sender = mail["from"].addresses[0] if mail["from"] and mail["from"].addresses else None
    note = _Note(
        title=_line(str(mail["subject"] or "Without a subject")),
        lead=_line(_Lead.of(page)) if has_page else "",
        updated=_instant(sent).strftime("%Y-%m-%dT%H:%M:%SZ"),
        id=_urn(f"mid:{message.message_id}"),
        name=_line(sender.display_name if sender else "") or "Paperround",
        feed=_urn(f"mailto:{sender.addr_spec if sender else ''}"),
    )
    # ASCII, and no bracket that could end the comment; backslashes keep it the same JSON.
    text = json.dumps(asdict(note)).replace("<", "\\u003c").replace(">", "\\u003e")
    return page.rstrip().encode("utf-8", "replace") + f"\n<!-- paperround {text} -->\n".encode("ascii")


def _note(path: Path) -> _Note | None:
    """Return the note at a page's end; None for a page that is not ours."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _NOTE_ROOM))
        found = _NOTE.search(file.read())
    if not found:
        return None
    try:
        return _Note(**{str(name): str(value) for name, value in json.loads(found[1]).items()})
    except (AttributeError, ValueError, TypeError):  # edited by hand: no longer ours
        return None


class _Lead(HTMLParser):
    """Reads the text of a page's first h1."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._inside = self._over = False

    @classmethod
    def of(cls, page: str) -> str:
        """Return it; "" if there is none."""
        reader = cls()
        reader.feed(page)
        return reader.text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 the parser's own names
        """Enter the first h1."""
        self._inside = self._inside or (tag == "h1" and not self._over)

    def handle_endtag(self, tag: str) -> None:
        """Leave it for good."""
        if tag == "h1":
            self._inside, self._over = False, True

    def handle_data(self, data: str) -> None:
        """Keep what stands inside."""
        if self._inside:
            self.text += data


def _line(text: str) -> str:
    """Return a text as one line without controls, which XML could not carry, cut to a length."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:_LONGEST_TEXT]


def _instant(sent: datetime) -> datetime:
    """Return the Date header in UTC; "-0000" is UTC as well (RFC 5322 section 3.3)."""
    return sent.astimezone(UTC) if sent.tzinfo else sent.replace(tzinfo=UTC)


def _urn(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, name).urn
