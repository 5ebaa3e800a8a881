"""Issues and letters: from candidates to frozen fragments."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property

from domain.papers import FetchStatus, Paper
from domain.topics import Tier, Why


@dataclass(frozen=True, slots=True)
class Slot:
    """What an issue is for; computed, never "now"."""

    label: str  #: "2026-11-20" or "2026-W47"
    zone: str  #: IANA name
    day: date  #: the local date on which it was cut


# -- composing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """A matched paper that may go into a letter."""

    topic_id: int
    paper: Paper
    score: float
    tier: Tier = Tier.EXACT


@dataclass(frozen=True, slots=True)
class TopicWish:
    """A reader's topic, as compose needs it; in the reader's own order."""

    topic_id: int
    name: str
    related: bool = False  #: whether related papers fill its section where few match exactly
    query: str = ""  #: as typed


@dataclass(frozen=True, slots=True)
class Reason:
    """One more topic of the reader that a paper answers."""

    topic: str  #: what the reader calls it
    why: Why


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper of a letter, shown in full."""

    paper: Paper
    topic_id: int  #: 0 where it stands there whatever the topics
    why: Why
    tier: Tier = Tier.EXACT
    also: tuple[Reason, ...] = ()  #: the reader's other topics that it answers, in the reader's order
    topic: str = ""  #: the topic's name, where the entry does not stand in its section
    happened: str = ""  #: what became of it since it was sent: "a new version (v3), 26 November"

    def __hash__(self) -> int:
        """Return what equal entries share, without reading all that a paper says: pieces are looked up by entry."""
        others = tuple([(each.topic, each.why.line) for each in self.also])
        return hash((self.paper.id, self.topic_id, self.tier, self.topic, self.happened, self.why.line, others))


@dataclass(frozen=True, slots=True)
class Section:
    """One topic of a letter."""

    topic_id: int
    name: str
    total: int  #: how many papers matched, shown or not; related ones are no matches
    entries: tuple[Entry, ...]  #: matches, and after them related papers where there are few
    overflow: tuple[Paper, ...]  #: matched, but over the caps: shown as titles
    beyond: int = 0  #: of the total: not among the best that matching kept, so only counted
    query: str = ""  #: of the topic, as typed
    since: date | None = None  #: none of its papers was listed before; None where that is not known
    set_aside: frozenset[int] = frozenset()  #: of the overflow, the ids of what is like papers the reader wants less of

    @property
    def matches(self) -> tuple[Entry, ...]:
        """The entries that answer the topic."""
        return tuple(entry for entry in self.entries if entry.tier is Tier.EXACT)

    @property
    def related(self) -> tuple[Entry, ...]:
        """The entries that only have part of what is asked."""
        return tuple(entry for entry in self.entries if entry.tier is not Tier.EXACT)


class AsideKind(StrEnum):
    """What stands in a letter beside the topics."""

    LIKE_SAVED = "like-saved"  # like papers that the reader saved
    LATE_RISERS = "late-risers"  # matched earlier, not sent, and taken off since
    TRENDING = "trending"  # most upvotes for their age, whatever the topics
    SENT_NEWS = "sent-news"  # what became of papers that the reader was sent


@dataclass(frozen=True, slots=True)
class Aside:
    """A small section after the topics, of no matches; only papers like saved ones are a reason for a letter."""

    kind: AsideKind
    entries: tuple[Entry, ...]
    more: int = 0  #: papers that are only counted


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """One line of the receipt: what became of one source since the last issue."""

    source: str  #: the configured name
    label: str  #: "Hugging Face Daily Papers"
    day: date | None  #: newest listing day read; None if nothing could be read
    status: FetchStatus
    listed: int
    new: int
    error: str = ""
    at: datetime | None = None  #: when it was last asked
    detour: bool = False  #: its usual page could not be read, and another place had the same listing
    warning: str = ""  #: what is unusual although nothing failed


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was checked for the reader, new, late or failed."""

    checks: tuple[SourceCheck, ...]
    new: int  #: papers new to the archive since the last issue
    matched: int  #: distinct papers that matched, those only counted included
    at_most: bool = False  #: whether several topics only count papers, so that one may have been counted twice


@dataclass(frozen=True, slots=True)
class Digest:
    """One composed issue, before it is rendered."""

    slot: Slot
    first: bool  #: the first issue of this reader: looks back, and comes even when empty
    sections: tuple[Section, ...]
    topics: tuple[str, ...]  #: the names of all of the reader's topics, matched or not
    receipt: Receipt
    confirmed_at: datetime | None
    welcome_days: int = 7
    asides: tuple[Aside, ...] = ()
    away_since: date | None = None  #: when the reader paused, in their zone; None for one who was not away

    @property
    def set_aside(self) -> int:
        """How many matches are named by title alone because they are like what the reader wants less of."""
        return sum(len(section.set_aside) for section in self.sections)

    def beside(self, kind: AsideKind) -> tuple[Entry, ...]:
        """Return what stands in one of the small sections."""
        return tuple(entry for aside in self.asides if aside.kind is kind for entry in aside.entries)

    @property
    def papers(self) -> tuple[Paper, ...]:
        """Every paper that the letter names: matches in full, matches by title, related ones, those of asides."""
        return (
            *(entry.paper for section in self.sections for entry in section.matches),
            *(paper for section in self.sections for paper in section.overflow),
            *(entry.paper for section in self.sections for entry in section.related),
            *(entry.paper for aside in self.asides for entry in aside.entries),
        )


@dataclass(frozen=True, slots=True)
class QuietNote:
    """What is told a reader whom nothing matched for some days."""

    slot: Slot
    since: date  #: the day of the last letter, or when letters began, in the reader's zone
    topics: tuple[str, ...]  #: the names of all of the reader's topics
    receipt: Receipt  #: what was checked since
    confirmed_at: datetime | None


# -- letters -----------------------------------------------------------------------------------------------------------


class LetterKind(StrEnum):
    """The kinds of letters; the first two are what a reader subscribed to, and alone carry the List-* headers."""

    DIGEST = "digest"
    QUIET = "quiet"  # nothing matched for some days
    CONFIRM = "confirm"
    PREFERENCES = "preferences"  # a fresh link that was asked for
    ADDRESS = "address"  # asks the new address to confirm a change
    GOODBYE = "goodbye"
    ALERT = "alert"  # to the operator


#: What somebody asked for and waits for: it leaves before digests, and rather twice than never.
AWAITED = frozenset({LetterKind.CONFIRM, LetterKind.PREFERENCES, LetterKind.ADDRESS})


class Role(StrEnum):
    """Which part of a message a fragment belongs to."""

    HEAD = "head"
    TEXT = "text"
    TEXT_PERSONAL = "text-personal"  # carries a reader's own links: never on a public page
    SEAM = "seam"  # MIME boundaries and part headers
    HTML = "html"
    HTML_PERSONAL = "html-personal"


@dataclass(frozen=True)
class Fragment:
    r"""An immutable, already encoded piece of a message; a message is the join of its fragments.

    A slot is a name between NUL bytes, `\0h:name\0` in headers and `\0q:name\0` in quoted-printable bodies;
    NUL never stands in a message (RFC 5322 section 2.2).
    """

    role: Role
    body: bytes

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the body: the key under which it is stored once."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Content:
    """What readers with the same papers share: fragments in order."""

    kind: LetterKind
    subject: str  #: as text, not encoded
    fragments: tuple[Fragment, ...]

    @cached_property
    def key(self) -> str:
        """Equal contents have equal keys."""
        digest = hashlib.sha256(f"{self.kind}\n{self.subject}\n".encode("utf-8", "surrogatepass"))
        for fragment in self.fragments:
            digest.update(f"{fragment.role}:{fragment.sha256}\n".encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Mailing:
    """One message that is to leave once: a content and what makes it one reader's own."""

    message_key: str  #: "issue:<public id>", "confirm:<public id>:<n>", "quiet:…": unique, so nothing is queued twice
    subscriber_id: str  #: the subscriber's public id; "" for a letter to the operator
    recipient: str
    content: Content
    slots: Mapping[str, str]  #: slot name → value: to, message-id, date, and the reader's own links
    message_id: str  #: with angle brackets; stable over every try
    date: datetime
    not_before: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class IssuePaper:
    """One paper of an issue, as the sent ledger keeps it."""

    paper_id: int
    topic_id: int
    position: int
    why: str


@dataclass(frozen=True, slots=True)
class IssuePlan:
    """One issue, ready to be frozen together with its papers, content and delivery."""

    public_id: str  #: random; the web page's address
    subscriber_id: int
    slot: Slot
    cutoff: datetime
    upto_match: int  #: the newest match that was considered; the next issue begins after it
    papers: tuple[IssuePaper, ...]
    mailing: Mailing
    upto_paper: int = 0  #: the newest paper that was compared with what the reader saved
    upto_event: int = 0  #: the newest event of papers that was considered


@dataclass(frozen=True, slots=True)
class PublishCounts:
    """What one pass of publish did."""

    due: int = 0
    issues: int = 0
    papers: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    quiet: int = 0  #: notes to readers whom nothing matched for some days; they are among the skipped
    held: str = ""  #: why nothing was planned, in a sentence; "" if nothing stopped it
