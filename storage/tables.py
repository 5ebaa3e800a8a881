"""The tables. Rows never leave this room: the classes beside this file turn them into the values of `domain`.

Unique keys make every job repeatable: a paper by its key, a sighting by (paper, source, day), a topic by its normal
form, a match by (topic, paper), an issue by (subscriber, slot), a sent paper by (subscriber, paper), a letter by its
message key, a run by (job, slot).

The comments on tables and columns are read by people who look into the archive: docs/schema.md is made from them. What
can be worked out from these tables (the full-text index, the views) is made by derived.py and stands in no migration.

Longer than our 300 lines because the schema is read best in one piece.
"""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

# Names for constraints, so that later migrations can speak of them on every database.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


# Said in literal words, since SQLite uses a partial index only for queries that repeat its condition.
_OPEN = "state IN ('planned','leased','sending','deferred','uncertain')"
OPEN = f"delivery.{_OPEN}"


#: An instant that every clock has passed.
LONG_AGO = "1970-01-01 00:00:00.000000"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC; naive instants are refused on the way in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 the signature is SQLAlchemy's
        """Return the instant in UTC; raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant without a time zone cannot be stored: {value.isoformat()}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 the signature is SQLAlchemy's
        """Return an aware instant in UTC: SQLite gives back what it stored without its zone."""
        if value is None:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(SQLModel):
    """Where every table's metadata gathers."""

    metadata = MetaData(naming_convention=NAMING)


def _instant(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(sa_column=Column(UtcDateTime, nullable=nullable, index=index), default=None)


#: JSON that can be compared and searched where the database knows how.
Json = JSON().with_variant(JSONB(), "postgresql")


def _json(default: str | None = None) -> Any:
    given = None if default is None else text(f"'{default}'")
    return Field(sa_column=Column(Json, nullable=False, server_default=given))


def _parent(target: str, *, primary_key: bool = False, nullable: bool = False, index: bool = False) -> Any:
    key = ForeignKey(target, ondelete="CASCADE")
    return Field(sa_column=Column(key, primary_key=primary_key, nullable=nullable, index=index), default=None)


class PaperRow(Base, table=True):
    """One work, once."""

    __tablename__ = "paper"
    # The orders that people browse in, each with the id that says which of equals comes first.
    __table_args__ = (Index("ix_paper_published_id", "published", "id"), Index("ix_paper_upvotes_id", "upvotes", "id"))

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    title: str
    abstract: str
    abstract_kind: str
    authors: list[str] = _json()
    author_count: int
    published: date | None
    first_seen: datetime = _instant(index=True)
    first_listed: date
    listed: date = Field(index=True)
    url: str
    pdf_url: str
    code_url: str
    project_url: str
    organization: str
    categories: list[str] = _json()
    sources: list[str] = _json()
    upvotes: int | None
    comments: int | None
    backlog: bool
    withdrawn: bool
    version: int | None = None
    # Whose words these are: "title", "abstract", "authors", or "all" for the others → [source, standing, version, day].
    said_by: dict[str, Any] = _json(default="{}")


class IdentifierRow(Base, table=True):
    """A strong id of a paper, or a key that it had before."""

    __tablename__ = "paper_identifier"

    scheme: str = Field(primary_key=True)  # arxiv, doi, openreview; title for a key that the paper had before
    value: str = Field(primary_key=True)
    paper_id: int = _parent("paper.id", index=True)
    place: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})  # the first of a scheme is shown


class TraitRow(Base, table=True):
    """By what records that may be the same work find one another: hashes of a title, of an abstract's opening.

    Without a foreign key: joining two papers would look through all traits for those of the one that goes.
    """

    __tablename__ = "paper_trait"
    __table_args__ = ({"sqlite_with_rowid": False},)

    trait: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    paper_id: int = Field(primary_key=True)


class WordingRow(Base, table=True):
    """What another source said, where it differs from what the paper shows."""

    __tablename__ = "wording"

    paper_id: int = _parent("paper.id", primary_key=True)
    field: str = Field(primary_key=True)  # title, abstract or authors
    source: str = Field(primary_key=True)
    text: str  # authors joined by "; "
    standing: int  # how near the source's words are to the authors' own: the higher of two is shown
    version: int | None = None
    day: date


class EventRow(Base, table=True):
    """What happened to a paper after it was first seen."""

    __tablename__ = "paper_event"
    __table_args__ = (UniqueConstraint("paper_id", "kind", "note"), Index("ix_paper_event_at", "at"))

    id: int | None = Field(default=None, primary_key=True)
    paper_id: int = _parent("paper.id")
    kind: str  # version, withdrawn, returned, joined, named, journal, code
    note: str  # the version ("v3"), the other paper's key, the new id, the journal, the code's address
    source: str
    day: date
    at: datetime = _instant()


class KinRow(Base, table=True):
    """Two papers that may be one work: they are never in one digest."""

    __tablename__ = "paper_kin"
    __table_args__ = ({"sqlite_with_rowid": False},)

    paper_id: int = _parent("paper.id", primary_key=True)  # the younger
    other_id: int = _parent("paper.id", primary_key=True, index=True)


class SightingRow(Base, table=True):
    """That a paper stood on a listing."""

    __tablename__ = "sighting"
    __table_args__ = (
        UniqueConstraint("paper_id", "source", "day"),
        Index("ix_sighting_source_day_paper_id", "source", "day", "paper_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    paper_id: int = _parent("paper.id")
    source: str
    day: date
    rank: int
    upvotes: int | None
    comments: int | None
    seen_at: datetime = _instant()
    # What else the listing said of the paper, by name; what it did not say is left out.
    details: dict[str, Any] = _json(default="{}")


class ValidatorRow(Base, table=True):
    """What a conditional GET of one address needs; written with the papers it stands for."""

    __tablename__ = "page_validator"

    source: str = Field(primary_key=True)
    url: str = Field(primary_key=True)
    etag: str
    last_modified: str
    day: date | None = None  # the listing day of that answer
    given_by: str = Field(default="", sa_column_kwargs={"server_default": ""})  # where redirects led to


class SourceDayRow(Base, table=True):
    """What came of asking a source for a listing day."""

    __tablename__ = "source_day"

    source: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    whole: bool
    tries: int  # in vain, in a row
    asked_at: datetime = _instant()


class CursorRow(Base, table=True):
    """The day up to which a source was read without a gap."""

    __tablename__ = "source_cursor"

    source: str = Field(primary_key=True)
    day: date


class FetchRow(Base, table=True):
    """One answer to one request."""

    __tablename__ = "fetch"
    __table_args__ = (Index("ix_fetch_source_at", "source", "at"), Index("ix_fetch_source_day", "source", "day"))

    id: int | None = Field(default=None, primary_key=True)
    source: str
    url: str
    day: date
    at: datetime = _instant()
    seconds: float
    bytes: int
    http: int | None
    status: str
    declared: int | None
    read: int
    rejected: int
    new: int
    etag: str
    last_modified: str
    error: str


class KeptPageRow(Base, table=True):
    """The raw page of a fetch, packed with zlib, so that it can be read again; the last few of each source."""

    __tablename__ = "kept_page"

    fetch_id: int = _parent("fetch.id", primary_key=True)
    content_type: str
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SiteRow(Base, table=True):
    """How a site wants to be asked, shared by all processes of the installation; instants in seconds since 1970."""

    __tablename__ = "site"

    name: str = Field(primary_key=True)  # the host and port; all of arXiv is one site
    started: dict[str, float] = _json()  # by lane: when the last request began
    busy_until: float  # somebody is asking until then at the latest; 0 for nobody
    holder: str  # who
    held_until: float  # the site asked for patience until then
    strikes: int  # how often in a row it did
    robots: str
    robots_until: float  # how long robots.txt as it stands here is good


class RunRow(Base, table=True):
    """One execution of a job for one slot."""

    __tablename__ = "run"
    __table_args__ = (UniqueConstraint("job", "slot"), Index("ix_run_finished_at", "finished_at"))

    id: int | None = Field(default=None, primary_key=True)
    job: str
    slot: str
    owner: str
    started_at: datetime = _instant()
    lease_until: datetime = _instant()
    finished_at: datetime | None = _instant(nullable=True)
    status: str = ""
    counts: dict[str, Any] = _json()
    error: str = ""


class RematchRow(Base, table=True):
    """That a paper changed after it met the topics: it meets them again, once for each change."""

    __tablename__ = "rematch"

    id: int | None = Field(default=None, primary_key=True)
    paper_id: int = _parent("paper.id")
    # What changed: words (title, abstract or authors), filed (categories or sources), or votes. Of the last two only
    # topics that ask for such a fact meet it again.
    what: str = Field(default="words", sa_column_kwargs={"server_default": "words"})


class MarkerRow(Base, table=True):
    """A named number: how far a job has come, or by what it was done."""

    __tablename__ = "marker"

    name: str = Field(primary_key=True)
    value: int


class SubscriberRow(Base, table=True):
    """An address and its wishes."""

    __tablename__ = "subscriber"
    # Planning looks at those alone whose time has come.
    __table_args__ = (Index("ix_subscriber_state_next_look_id", "state", "next_look", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(unique=True)
    email: str
    address_key: str = Field(unique=True)
    # What all addresses of one mailbox share: without a tag and, to Gmail, dots.
    mailbox: str = Field(default="", index=True, sa_column_kwargs={"server_default": ""})
    state: str
    every: str
    weekday: int
    hour: int
    zone: str
    shared: bool
    created_at: datetime = _instant()
    confirmed_at: datetime | None = _instant(nullable=True)  # when the reader said yes; never when an operator vouched
    joined_at: datetime | None = _instant(nullable=True)  # when letters began, or began again
    papers: int | None = None  # in full in one letter; the installation's setting where nothing is said
    per_topic: int | None = None  # in full under one topic
    late_risers: int | None = None  # of papers not sent before that took off since
    trending: int | None = None  # of what most upvotes go to, whatever the topics
    like_saved: int | None = None  # of papers like those that the reader saved
    sent_news: int | None = None  # of what became of papers that the reader was sent
    last_issue_id: int | None = None  # the newest issue, so that planning need not walk the past
    looked_at: datetime | None = _instant(nullable=True)  # the newest look that found nothing: its slot stays empty
    paused_until: date | None = None  # the day on which letters begin again, in the reader's zone
    away_since: datetime | None = _instant(nullable=True)  # when the reader paused; kept until the letter that ends it
    text_only: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    # Rises with every change of what a reader chose: who changes what they saw before is told.
    revision: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    ready: bool = Field(default=False, sa_column_kwargs={"server_default": false()})  # once sources closed their day
    # Before then no letter is due; whatever a reader changes sets it back to the beginning of time.
    next_look: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, server_default=LONG_AGO), default=None)


class ConsentRow(Base, table=True):
    """What a reader agreed to, and when; append-only."""

    __tablename__ = "consent"

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = _parent("subscriber.id", index=True)
    action: str
    wording: str
    at: datetime = _instant()
    place: str = Field(default="", sa_column_kwargs={"server_default": ""})  # the page or the command it was said by


class AddressChangeRow(Base, table=True):
    """The address that a reader's letters are to go to once its owner confirms."""

    __tablename__ = "address_change"

    subscriber_id: int = _parent("subscriber.id", primary_key=True)
    email: str
    address_key: str
    asked_at: datetime = _instant()  # what its confirmation link names


class TopicRow(Base, table=True):
    """A saved query, once for all who ask it."""

    __tablename__ = "topic"

    id: int | None = Field(default=None, primary_key=True)
    normal_form: str = Field(unique=True)
    created_at: datetime = _instant()
    backfilled: bool = Field(default=False, sa_column_kwargs={"server_default": false()}, index=True)


class SubscriptionRow(Base, table=True):
    """One reader × one topic."""

    __tablename__ = "subscription"

    subscriber_id: int = _parent("subscriber.id", primary_key=True)
    topic_id: int = _parent("topic.id", primary_key=True, index=True)
    name: str
    query: str
    position: int
    related: bool | None = None  # whether related papers are wanted; where nothing is said, if the query is plain words


class SavedRow(Base, table=True):
    """A paper that a reader saved, or wants less of."""

    __tablename__ = "saved"
    __table_args__ = (UniqueConstraint("subscriber_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = _parent("subscriber.id")
    paper_id: int | None = _parent("paper.id", nullable=True, index=True)  # None: the archive has no such paper
    key: str  # the paper's when it was saved; else its strongest id, or a hash of its title
    liking: str  # more, less
    title: str  # and what follows: the reader's own copy of a paper that the archive has not; else empty
    abstract: str
    authors: list[str] = _json()
    published: date | None
    at: datetime = _instant()
    place: str  # where it was said


class ProfileRow(Base, table=True):
    """What was learned from what a reader saved: words and their weights."""

    __tablename__ = "profile"
    # Who is to be learned of again is few.
    __table_args__ = (
        Index(
            "ix_profile_stale",
            "subscriber_id",
            sqlite_where=text("stale"),
            postgresql_where=text("stale"),
        ),
    )

    subscriber_id: int = _parent("subscriber.id", primary_key=True)
    more: list[list[Any]] = _json()  # [[stem, word, weight, saved.id], …], the heaviest first
    less: list[list[Any]] = _json()
    edits: dict[str, list[str]] = _json()  # stem → [word, in or out]
    saved: int  # papers that it was learned from
    disliked: int
    learned_at: datetime | None = _instant(nullable=True)
    stale: bool  # something was saved, taken back or edited since
    revision: int  # rises with each such change: what was learned from an older state is not written


class EmbeddingModelRow(Base, table=True):
    """A sentence model by which papers of the archive were embedded."""

    __tablename__ = "embedding_model"

    id: int | None = Field(default=None, primary_key=True)
    sha256: str = Field(unique=True)  # of the files that decide what it gives
    name: str  # the directory's, or the hub's
    dimensions: int
    at: datetime = _instant()


class EmbeddingRow(Base, table=True):
    """What a sentence model makes of one paper's title and abstract."""

    __tablename__ = "embedding"

    paper_id: int = _parent("paper.id", primary_key=True)
    model_id: int = _parent("embedding_model.id", index=True)
    vector: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # of one length, a signed byte a dimension


class SharedTopicRow(Base, table=True):
    """A topic that its reader, or the operator, shows to whoever has the address of its page."""

    __tablename__ = "shared_topic"

    public_id: str = Field(primary_key=True)
    topic_id: int = _parent("topic.id", index=True)
    subscriber_id: int | None = _parent("subscriber.id", nullable=True, index=True)  # None: the operator
    name: str
    query: str  # as typed
    at: datetime = _instant()


class MatchRow(Base, table=True):
    """A paper that a topic selected; numbered in the order in which it was found."""

    __tablename__ = "match"
    __table_args__ = (
        UniqueConstraint("topic_id", "paper_id"),
        Index("ix_match_topic_id_id", "topic_id", "id"),  # a topic's matches since the last issue
        {"sqlite_autoincrement": True},  # a number is never given twice, even if the newest match goes
    )

    id: int | None = Field(default=None, primary_key=True)
    topic_id: int = _parent("topic.id")
    paper_id: int = _parent("paper.id", index=True)
    score: float
    tier: int
    news: bool  # False where the paper was in the archive before the topic was, or is backlog


class TallyRow(Base, table=True):
    """How many matches one topic had in one run beyond the best that were kept: they are counted in letters."""

    __tablename__ = "tally"
    __table_args__ = (Index("ix_tally_topic_id_match_id", "topic_id", "match_id"),)

    id: int | None = Field(default=None, primary_key=True)
    topic_id: int = _parent("topic.id")
    match_id: int  # the archive's newest match once that run was stored: who has considered that has considered these
    beyond: int
    at: datetime = _instant()
    news: bool  # as the matches were


class PublishRunRow(Base, table=True):
    """The counts of one publish: planned and excluded must add up to due."""

    __tablename__ = "publish_run"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _instant()
    due: int
    planned: int
    excluded: dict[str, int] = _json()
    ended_at: datetime | None = _instant(nullable=True)  # when it was through; never where it was killed
    gone: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})  # of its issues: swept, or erased


class SilenceRow(Base, table=True):
    """Slots in a row for which a reader got no letter, all for one reason."""

    __tablename__ = "silence"
    __table_args__ = (Index("ix_silence_subscriber_id_id", "subscriber_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = _parent("subscriber.id")
    reason: str
    first_slot: str
    last_slot: str
    slots: int
    since: datetime = _instant()
    until: datetime = _instant(index=True)


class IssueRow(Base, table=True):
    """One subscriber's dated letter."""

    __tablename__ = "issue"
    __table_args__ = (UniqueConstraint("subscriber_id", "slot"),)

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(unique=True)
    subscriber_id: int = _parent("subscriber.id")
    slot: str
    zone: str
    cutoff: datetime = _instant()
    upto_match: int
    created_at: datetime = _instant()
    run_id: int | None = Field(default=None, index=True)  # the publish_run that planned it, while that is kept
    # The newest paper that was compared with what the reader saved, and the newest event of papers that was told.
    upto_paper: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    upto_event: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})


class IssuePaperRow(Base, table=True):
    """What stood in an issue; it goes with the issue when that is old."""

    __tablename__ = "issue_paper"

    issue_id: int = _parent("issue.id", primary_key=True)
    paper_id: int = _parent("paper.id", primary_key=True, index=True)
    topic_id: int
    position: int
    why: str


class SentRow(Base, table=True):
    """The sent ledger: no paper goes to one reader twice. It outlives the issues and goes with the reader."""

    __tablename__ = "sent"
    __table_args__ = ({"sqlite_with_rowid": False},)

    subscriber_id: int = _parent("subscriber.id", primary_key=True)
    paper_id: int = _parent("paper.id", primary_key=True, index=True)


class ErasureRow(Base, table=True):
    """That a reader was erased, by a number that says nothing of them: an older backup forgets them again."""

    __tablename__ = "erasure"

    public_id: str = Field(primary_key=True)
    at: datetime = _instant()


class InstallationRow(Base, table=True):
    """Where this archive lives, so that a copy of it sends nothing by itself; one row."""

    __tablename__ = "installation"

    id: int = Field(primary_key=True)
    public_id: str  # random, made with the archive; all copies of it have the same
    home: str  # the file or the database that last sent from it; "" before the first time
    passes: int  # how often deliveries began or ended; a note beside the file remembers it too
    held: str  # why nothing is sent until the operator says so; "" where nothing holds it
    held_at: datetime | None = _instant(nullable=True)  # since when
    complaints_from: datetime | None = _instant(nullable=True)  # those of before were looked at by the operator
    secret: str  # random, made with the archive: seals the addresses of bounces and of suppressions


class FragmentRow(Base, table=True):
    """An immutable, already encoded piece of a message, stored once."""

    __tablename__ = "fragment"

    id: int | None = Field(default=None, primary_key=True)
    sha256: str = Field(unique=True)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ContentRow(Base, table=True):
    """The ordered fragments of a letter; issues with the same papers share it."""

    __tablename__ = "content"

    id: int | None = Field(default=None, primary_key=True)
    content_key: str = Field(unique=True)
    kind: str
    subject: str
    fragments: list[list[Any]] = _json()  # [[role, fragment id], …]
    size: int


class DeliveryRow(Base, table=True):
    """One message's way out."""

    __tablename__ = "delivery"
    __table_args__ = (
        # Leasing looks at open rows only, so its cost does not grow with the past.
        Index(
            "ix_delivery_open",
            "not_before",
            sqlite_where=text(_OPEN),
            postgresql_where=text(_OPEN),
        ),
        # How many left lately: to one keeper of mailboxes, and in all, where complaints are counted.
        Index(
            "ix_delivery_accepted",
            "last_try",
            sqlite_where=text("state = 'accepted'"),
            postgresql_where=text("state = 'accepted'"),
        ),
        Index("ix_delivery_date", "date"),  # what is told of days
        # Letters of no issue lately: what sign-ups may cause in an hour is counted without a look at digests.
        Index(
            "ix_delivery_asked",
            "date",
            sqlite_where=text("issue_id IS NULL"),
            postgresql_where=text("issue_id IS NULL"),
        ),
        # By which a report names a letter; PostgreSQL looks for a beginning with these operators alone.
        Index("ix_delivery_message_id", "message_id", postgresql_ops={"message_id": "text_pattern_ops"}),
        # A number is never given twice: a bounce may come long after its letter's reader was erased.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    message_key: str = Field(unique=True)
    issue_id: int | None = _parent("issue.id", nullable=True, index=True)
    subscriber_id: int | None = _parent("subscriber.id", nullable=True, index=True)  # None: to the operator
    content_id: int = Field(sa_column=Column(ForeignKey("content.id"), nullable=False, index=True))
    recipient: str
    keeper: str = Field(default="", sa_column_kwargs={"server_default": ""})  # who keeps the mailbox: gmail, a domain
    slots: dict[str, str] = _json()
    state: str
    attempts: int = 0
    resent: bool = False  # it went out again after an uncertain try; it will not a second time
    not_before: datetime | None = _instant(nullable=True)  # None: held for the operator, or finished
    lease_until: datetime | None = _instant(nullable=True)
    worker: str = ""
    message_id: str
    date: datetime = _instant()
    expires_at: datetime = _instant()
    sha256: str = ""  # of the message, signature and all; known from the moment it is being sent
    signature: str = Field(default="", sa_column_kwargs={"server_default": ""})  # the DKIM-Signature it was sent with
    reply_code: int | None = None
    enhanced: str = ""
    reply_text: str = ""
    reason: str = ""
    first_try: datetime | None = _instant(nullable=True)
    last_try: datetime | None = _instant(nullable=True)


class LetterEventRow(Base, table=True):
    """What was heard of a letter after a relay took it: a bounce, a complaint."""

    __tablename__ = "letter_event"
    __table_args__ = (UniqueConstraint("source", "source_event_id"), Index("ix_letter_event_at", "at"))

    id: int | None = Field(default=None, primary_key=True)
    source: str  # dsn, arf, body, smtp, ses, mailgun
    source_event_id: str
    delivery_id: int = _parent("delivery.id", index=True)
    subscriber_id: int | None = _parent("subscriber.id", nullable=True, index=True)
    kind: str  # bounce, delayed, complaint, delivered, unsubscribe
    at: datetime = _instant()
    received_at: datetime = _instant(index=True)
    status: str  # the enhanced status code (RFC 3463)
    detail: str
    points: float  # what it adds to the reader's score
    raw: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))  # the report, for some days


class SuppressionRow(Base, table=True):
    """An address that must not be mailed, known by a keyed hash: it outlives the reader."""

    __tablename__ = "suppression"

    address_hash: str = Field(primary_key=True)
    reason: str  # bounce, complaint, operator
    detail: str
    at: datetime = _instant()
    was: str  # the reader's state before; "" where there was no reader


class LaneRow(Base, table=True):
    """How fast letters may leave: all of them, or those to one keeper of mailboxes."""

    __tablename__ = "lane"

    name: str = Field(primary_key=True)  # relay, or "to:" and a keeper
    tokens: float
    filled_at: float  # seconds since 1970
    per_hour: float | None
    strikes: int
    shut_until: datetime | None = _instant(nullable=True)
    shut_since: datetime | None = _instant(nullable=True)
    reason: str


class TroubleRow(Base, table=True):
    """What is broken: a source, planning, delivery. It goes when that works again."""

    __tablename__ = "trouble"

    name: str = Field(primary_key=True)  # "source:NAME", "publish", "deliver"
    since: datetime = _instant()
    last_at: datetime = _instant()
    what: str  # in a sentence
    told_at: datetime | None = _instant(nullable=True)  # when the operator was written to, once


def _table(row: type[Base]) -> Table:
    return row.metadata.tables[str(row.__tablename__)]


# The tables behind the rows, for statements of SQLAlchemy's core, which write in bulk and return plain rows.
PAPER = _table(PaperRow)
IDENTIFIER = _table(IdentifierRow)
TRAIT = _table(TraitRow)
WORDING = _table(WordingRow)
EVENT = _table(EventRow)
KIN = _table(KinRow)
SIGHTING = _table(SightingRow)
VALIDATOR = _table(ValidatorRow)
CURSOR = _table(CursorRow)
SOURCE_DAY = _table(SourceDayRow)
RUN = _table(RunRow)
FETCH = _table(FetchRow)
KEPT_PAGE = _table(KeptPageRow)
SITE = _table(SiteRow)
REMATCH = _table(RematchRow)
MARKER = _table(MarkerRow)
SUBSCRIBER = _table(SubscriberRow)
CONSENT = _table(ConsentRow)
TOPIC = _table(TopicRow)
SUBSCRIPTION = _table(SubscriptionRow)
ADDRESS_CHANGE = _table(AddressChangeRow)
SHARED_TOPIC = _table(SharedTopicRow)
MATCH = _table(MatchRow)
TALLY = _table(TallyRow)
PUBLISH_RUN = _table(PublishRunRow)
ISSUE = _table(IssueRow)
ISSUE_PAPER = _table(IssuePaperRow)
SENT = _table(SentRow)
SAVED = _table(SavedRow)
PROFILE = _table(ProfileRow)
EMBEDDING_MODEL = _table(EmbeddingModelRow)
EMBEDDING = _table(EmbeddingRow)
ERASURE = _table(ErasureRow)
INSTALLATION = _table(InstallationRow)
FRAGMENT = _table(FragmentRow)
CONTENT = _table(ContentRow)
DELIVERY = _table(DeliveryRow)
SILENCE = _table(SilenceRow)
LETTER_EVENT = _table(LetterEventRow)
SUPPRESSION = _table(SuppressionRow)
LANE = _table(LaneRow)
TROUBLE = _table(TroubleRow)
