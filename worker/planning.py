"""Who is due, and the plan of an issue: pure, so that the same values give the same answer."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zlib import crc32

from digests.compose import Limits
from digests.mail.message import Identity, mailing_slots, message_id
from domain.issues import AsideKind, Content, Digest, Entry, IssuePaper, IssuePlan, Mailing, Slot, TopicWish
from domain.subscriptions import Subscriber, zone_of
from domain.topics import Query
from storage.issues import Reach, Reader
from worker.closing import UNKNOWN, Closings, is_open, next_opening, opened_slot

_NEVER = datetime.min.replace(tzinfo=UTC)


class ReaderLinks(Protocol):
    """Names the addresses that stand in one reader's letters."""

    def unsubscribe(self, public_id: str) -> str:
        """Return the reader's one-click address."""
        ...

    def preferences(self, public_id: str) -> str:
        """Return the address of the reader's own page."""
        ...

    def feedback(self, public_id: str) -> str:
        """Return the address under which the reader says what they want more of, and less."""
        ...

    def issue(self, public_id: str) -> str:
        """Return the address of an issue's page."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings say of every digest."""

    limits: Limits  #: where a reader chose nothing else
    welcome_days: int
    max_age: timedelta  #: after which an unsent digest is worth nothing
    window: timedelta = timedelta()  #: over which the letters of one hour leave; none: all at once


def is_first(reader: Reader) -> bool:
    """Whether the reader's next issue is a first one: none before, or none since they came back."""
    if reader.last is None:
        return True
    joined_at = reader.subscriber.joined_at
    return joined_at is not None and reader.last.created_at < joined_at


def away_since(reader: Reader) -> date | None:
    """Return the day on which a reader paused whose next letter ends the absence, in their zone; None for others."""
    paused = reader.subscriber.away_since
    return None if paused is None else paused.astimezone(zone_of(reader.subscriber.schedule.zone)).date()


def due(reader: Reader, now: datetime, closings: Closings = UNKNOWN) -> Slot | None:
    """Return the slot for which a reader is due at `now`; None if they are not.

    The very first issue leaves at the next publish after confirmation, for the slot that the instant falls into. Any
    other is for the slot that opened last, if it opened after the last issue was cut and was not found empty. One who
    is back from a pause waits for the hour of the present slot: those before it belong to the absence. `closings` says
    whether the sources of those have closed their day who want their letter then.

    An issue or a look of later than `now` was made by a clock that was ahead: it holds up nobody, but a slot that has
    an issue gets no other (docs/decisions/0031).
    """
    if not reader.subscriber.subscriptions:
        return None
    schedule = reader.subscriber.schedule
    if reader.last is None:
        return schedule.slot(now)
    if (
        reader.subscriber.away_since is not None
        and not is_first(reader)
        and not is_open(reader.subscriber, now, closings)
    ):
        return None
    if (found := opened_slot(reader.subscriber, now, closings)) is None:
        return None
    slot, opened = found
    if slot.label == reader.last.slot or slot.label in reader.served or opened <= _settled_up_to(reader, now):
        return None
    found_empty = reader.looked_at is not None and opened <= reader.looked_at <= now and not is_first(reader)
    return None if found_empty else slot


def _settled_up_to(reader: Reader, now: datetime) -> datetime:
    """Return the instant up to which the slots that opened are settled by a letter, or were before there was a reader.

    That is when the newest issue was cut, of those that the clock has come to.
    """
    last = reader.last if reader.last is not None and reader.last.cutoff <= now else reader.earlier
    if last is not None:
        return last.cutoff
    return reader.subscriber.joined_at or _NEVER


def next_look(reader: Reader, now: datetime, closings: Closings = UNKNOWN) -> datetime:
    """Return before when nothing is due for a reader at whom planning has looked at `now`; may be too soon, never late.

    Whatever a reader changes brings another look at once.
    """
    return next_opening(reader.subscriber, now, closings)


def waits(subscriber: Subscriber, now: datetime, window: timedelta) -> timedelta:
    """Return how long after `now` a reader's letter leaves: at their own minute of the window since the slot opened.

    The minute is always the same one, and nobody waits where it is past.
    """
    if not window:
        return timedelta()
    own = timedelta(minutes=crc32(subscriber.public_id.encode()) % max(1, window // timedelta(minutes=1)))
    if subscriber.schedule.ready:
        return own  # it opened just now, for all whose sources closed with it
    return max(timedelta(), subscriber.schedule.due_slot(now)[1] + own - now)


def limits_of(subscriber: Subscriber, limits: Limits) -> Limits:
    """Return how many papers a reader's letters hold: what the reader chose, else what the settings say."""
    return replace(limits, **subscriber.choices.made)


def wishes_of(subscriber: Subscriber, parsed: Callable[[str], Query]) -> list[TopicWish]:
    """Return a reader's topics in the reader's order; `parsed` reads a query as it was typed."""
    return [
        TopicWish(
            topic_id=each.topic_id,
            name=each.name,
            related=parsed(each.query).wants_related(each.related),
            query=each.query,
        )
        for each in subscriber.subscriptions
    ]


def plan(
    subscriber: Subscriber,
    digest: Digest,
    content: Content,
    *,
    named: Collection[int],
    public_id: str,
    cutoff: datetime,
    reach: Reach,
    created: datetime,
    max_age: timedelta,
    identity: Identity,
    links: ReaderLinks | None,
    window: timedelta = timedelta(),
) -> IssuePlan:
    """Return the issue to freeze: due at once, or at the reader's own minute of `window`, worthless `max_age` later.

    `named` are the ids of the papers that the letter names; those it only counts were not sent.
    """
    created += timedelta() if digest.first else waits(subscriber, cutoff, window)
    key = f"issue:{public_id}"
    identifier = message_id(key, identity)
    mailing = Mailing(
        message_key=key,
        subscriber_id=subscriber.public_id,
        recipient=subscriber.email,
        content=content,
        slots=mailing_slots(
            recipient=subscriber.email,
            message_id=identifier,
            date=created,
            confirmed_on=subscriber.confirmed_at.date() if subscriber.confirmed_at else None,
            links=links_of(subscriber, public_id, links),
        ),
        message_id=identifier,
        date=created,
        not_before=created,
        expires_at=created + max_age,
    )
    papers = tuple(
        IssuePaper(paper_id=paper_id, topic_id=topic_id, position=position, why=why)
        for position, (paper_id, topic_id, why) in enumerate(
            each for each in (*_under_topics(digest), *_beside(digest)) if each[0] in named
        )
    )
    return IssuePlan(
        public_id=public_id,
        subscriber_id=subscriber.id,
        slot=digest.slot,
        cutoff=cutoff,
        upto_match=reach.match,
        upto_paper=reach.paper,
        upto_event=reach.event,
        papers=papers,
        mailing=mailing,
    )


def _under_topics(digest: Digest) -> Iterator[tuple[int, int, str]]:
    """Yield paper, topic and every reason of what stands under topics: in full first, then as titles."""
    for section in digest.sections:
        for entry in section.entries:
            yield entry.paper.id, entry.topic_id, _why(entry)
    for section in digest.sections:
        for paper in section.overflow:
            yield paper.id, section.topic_id, ""


def _beside(digest: Digest) -> Iterator[tuple[int, int, str]]:
    """Yield the same of asides, the kind of aside before the reasons; what was sent before is not sent again."""
    for aside in digest.asides:
        for entry in aside.entries if aside.kind is not AsideKind.SENT_NEWS else ():
            yield entry.paper.id, entry.topic_id, ": ".join(filter(None, [aside.kind.value, _why(entry)]))


def _why(entry: Entry) -> str:
    """Return every reason of a paper in one line: "both words, in title; also under “Robustness”: word “robust”"."""
    others = (f"also under “{each.topic}”: {each.why.line}" for each in entry.also)
    return "; ".join(filter(None, [entry.why.line, *others]))


def links_of(subscriber: Subscriber, public_id: str, links: ReaderLinks | None) -> Mapping[str, str]:
    """Return the addresses in a reader's letter; `public_id` is of the issue that has a page.

    A shared mailbox gets no personal token; an installation without a site gets no link at all.
    """
    if links is None:
        return {}
    page = {"issue": links.issue(public_id)}
    if subscriber.shared:
        return page
    return {
        **page,
        "unsubscribe": links.unsubscribe(subscriber.public_id),
        "preferences": links.preferences(subscriber.public_id),
        "feedback": links.feedback(subscriber.public_id),
    }
