r"""From a letter to the bytes of a message, and back.

    freeze   letter + identity → content: head, seams and the letter's own fragments, all encoded, shared by readers
    slots    what makes a content one reader's own: to, message-id, date and that reader's links

What comes of both, the bytes of a message, is joining.py's. A slot is `\0h:name\0` in a header line and `\0q:name\0`
in a quoted-printable body; NUL stands in no message.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from digests import wording
from digests.mail import headers
from digests.mail.joining import HTML_ROLES, TEXT_ROLES
from domain.errors import UsageError
from domain.issues import Content, Fragment, LetterKind, Role
from domain.letter_events import LETTER_HEADER
from domain.seals import seal

#: Constant, so that joining needs no search: "=_" cannot occur in quoted-printable text (RFC 2045 section 6.7).
BOUNDARY = "=_paperround"

_LIST_KINDS = frozenset({LetterKind.DIGEST, LetterKind.QUIET})  # what a reader subscribed to
_LONGEST_LIST_ID = 255
_URL = re.compile(r"https?://[!#-;=?-\[\]-_a-z~]+")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.\[\]:-]+>")


@dataclass(frozen=True, slots=True)
class Letter:
    """A rendered letter: its parts are encoded already, each fragment once for all who share it."""

    kind: LetterKind
    subject: str
    fragments: tuple[Fragment, ...]  #: the text part's, then the HTML part's, in order
    named: frozenset[int] = frozenset()  #: the ids of the papers that a digest names
    listed: bool = False  #: whether it carries the List-* headers with links: its reader can leave by one


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the letters come from."""

    sender: str  #: "Paperround <digests@example.org>"
    #: The archive's, which keys the Message-IDs; no default, so that nobody leaves it out by accident.
    secret: str = field(repr=False, kw_only=True)
    reply_to: str = ""  #: the same form; "" for none
    list_name: str = "Paperround"  #: the words before the List-Id
    bounce_domain: str = ""  #: a domain whose mail comes back to us; "" for none

    @property
    def address(self) -> str:
        """The bare address of `sender`, its domain as A-labels; raises AddressError."""
        return headers.address(headers.split_mailbox(self.sender)[1])

    @property
    def domain(self) -> str:
        """The domain of `sender`, as A-labels; raises AddressError."""
        return self.address.rpartition("@")[2]


def freeze(letter: Letter, identity: Identity, *, text_only: bool = False) -> Content:
    """Return the content of a letter: what is stored once and joined for every reader.

    `text_only` leaves the page out: the whole message is then the text part, whose fragments are those of everyone.
    Raises UsageError where the subject or the identity holds a control character, AddressError for a bad sender.
    """
    texts = tuple(fragment for fragment in letter.fragments if fragment.role in TEXT_ROLES)
    pages = tuple(fragment for fragment in letter.fragments if fragment.role in HTML_ROLES)
    form = _part_headers("text/plain") if text_only else [f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"']
    head = (
        Fragment(Role.HEAD, _head(letter, identity, form)),
        Fragment(Role.HEAD, f"{headers.unstructured('Subject', letter.subject)}\r\n\r\n".encode("ascii")),
    )
    if text_only:
        return Content(kind=letter.kind, subject=letter.subject, fragments=(*head, *texts))
    fragments = (
        *head,
        Fragment(Role.SEAM, _seam("text/plain", first=True)),
        *texts,
        Fragment(Role.SEAM, _seam("text/html")),
        *pages,
        Fragment(Role.SEAM, f"\r\n--{BOUNDARY}--\r\n".encode("ascii")),
    )
    return Content(kind=letter.kind, subject=letter.subject, fragments=fragments)


def mailing_slots(
    *,
    recipient: str,
    message_id: str,
    date: datetime,
    confirmed_on: date | None = None,
    links: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the slot values of one reader's message.

    `date` is aware; `links` are the reader's own addresses by slot name: unsubscribe, preferences, issue, confirm.
    Raises AddressError for a recipient that no header can carry, UsageError for a malformed Message-ID or link.
    """
    if not _MESSAGE_ID.fullmatch(message_id):
        raise UsageError(f"{message_id!r} is not a Message-ID")
    slots = {
        "to": headers.address(recipient),
        "message-id": message_id,
        "letter": message_id[1:].rpartition("@")[0],
        "date": headers.date_text(date),
    }
    if confirmed_on is not None:
        slots["confirmed"] = wording.full_date(confirmed_on)
    for name, link in (links or {}).items():
        if not _URL.fullmatch(link):
            raise UsageError(f"the link {name!r} is not an http address: {link!r}")
        slots[name] = link
    return slots


def message_id(message_key: str, identity: Identity) -> str:
    """Return the Message-ID of a message: the same for the same key, and 128 bits that nobody can guess.

    A report is believed for its left part, and message keys are no secret: an issue's stands in its page's address.
    """
    return f"<{seal(identity.secret, 'message-id', message_key).hex()[:32]}@{identity.domain}>"


def _head(letter: Letter, identity: Identity, form: Sequence[str]) -> bytes:
    """Return the header lines that every letter of this kind shares, slots left standing; `form` says what it holds."""
    lines = [headers.mailbox("From", identity.sender), "To: \0h:to\0"]
    if identity.reply_to:
        lines.append(headers.mailbox("Reply-To", identity.reply_to))
    lines += [
        "Date: \0h:date\0",
        "Message-ID: \0h:message-id\0",
        f"{LETTER_HEADER}: \0h:letter\0",
        "MIME-Version: 1.0",
        *form,
        "Auto-Submitted: auto-generated",  # RFC 3834 section 5
        "X-Auto-Response-Suppress: All",
    ]
    if letter.kind in _LIST_KINDS:
        lines += ["Precedence: bulk", _list_id(identity)]
    if letter.kind in _LIST_KINDS and letter.listed:
        lines += [
            # RFC 8058 section 3.1: one https address, on one line. No mailto beside it: somebody would have to read
            # that mailbox, and nothing here does.
            "List-Unsubscribe: <\0h:unsubscribe\0>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "List-Help: <\0h:preferences\0>",
        ]
        if letter.kind is LetterKind.DIGEST:  # a quiet note has no page of its own
            lines.append("List-Archive: <\0h:issue\0>")
    if identity.bounce_domain and letter.kind is not LetterKind.ALERT:
        lines += _feedback(letter.kind, identity)
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _list_id(identity: Identity) -> str:
    """Return the header by which mailboxes know the list: its id never changes, whatever the name (RFC 2919 section 3).

    It carries no link, so every digest has one for mailbox filters, also a personal one. Raises UsageError where the
    domain leaves no room for the 255 octets of section 4.
    """
    identifier = f"digest.{identity.domain}"
    if len(identifier) > _LONGEST_LIST_ID:
        raise UsageError(f"mail.from: the domain {identity.domain!r} is too long for a List-Id")
    return headers.fold(
        "List-Id", [*headers.phrase(headers.refuse_controls("List-Id", identity.list_name)), f"<{identifier}>"]
    )


def _feedback(kind: LetterKind, identity: Identity) -> list[str]:
    """Return the headers by which providers tell of complaints, where we have a mailbox that hears them.

    Both count only in a signed letter. The address is the one that all bounce addresses are details of, so that one
    mailbox gets both; a report is traced by the letter that it returns (RFC 9477). Gmail shows its
    figures by the last field of Feedback-ID, which has 5 to 15 characters and never changes, and by the first.
    """
    sender = hashlib.sha256(identity.domain.encode("ascii")).hexdigest()[:12]
    return [
        f"CFBL-Address: b@{headers.ascii_domain(identity.bounce_domain)}; report=arf",
        f"Feedback-ID: {kind}:paperround:{sender}",
    ]


def _seam(media_type: str, *, first: bool = False) -> bytes:
    """Return the boundary and the headers before a part (RFC 2046 section 5.1)."""
    seam = "".join(f"{line}\r\n" for line in [f"--{BOUNDARY}", *_part_headers(media_type), ""])
    return (seam if first else f"\r\n{seam}").encode("ascii")


def _part_headers(media_type: str) -> list[str]:
    """Return the headers of a body, of a part as of a whole message."""
    return [f"Content-Type: {media_type}; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"]
