"""One reader's digest and content become the plan of an issue: pure, so that the same values give the same plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from digests.compose import Limits
from digests.mail.message import mailing_slots, message_id
from domain.issues import Content, Digest, IssuePaper, IssuePlan, Mailing
from domain.subscriptions import Subscriber


class ReaderLinks(Protocol):
    """Names the addresses that stand in one reader's letters."""

    def unsubscribe(self, public_id: str) -> str:
        """Return the reader's one-click address."""
        ...

    def preferences(self, public_id: str) -> str:
        """Return the address of the reader's own page."""
        ...

    def issue(self, public_id: str) -> str:
        """Return the address of an issue's page."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings say of every digest."""

    limits: Limits
    welcome_days: int
    max_age: timedelta  #: after which an unsent digest is worth nothing


def plan(
    subscriber: Subscriber,
    digest: Digest,
    content: Content,
    *,
    public_id: str,
    cutoff: datetime,
    upto_match: int,
    created: datetime,
    max_age: timedelta,
    domain: str,
    links: ReaderLinks | None,
) -> IssuePlan:
    """Return the issue to freeze: due at once, worthless after `max_age`."""
    key = f"issue:{public_id}"
    identifier = message_id(key, domain)
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
            links=_links(subscriber, public_id, links),
        ),
        message_id=identifier,
        date=created,
        not_before=created,
        expires_at=created + max_age,
    )
    whys = {
        entry.paper.id: (entry.topic_id, entry.why.line) for section in digest.sections for entry in section.entries
    }
    titled = {paper.id: (section.topic_id, "") for section in digest.sections for paper in section.overflow}
    papers = tuple(
        IssuePaper(paper_id=paper_id, topic_id=topic_id, position=position, why=why)
        for position, (paper_id, (topic_id, why)) in enumerate({**whys, **titled}.items())
    )
    return IssuePlan(
        public_id=public_id,
        subscriber_id=subscriber.id,
        slot=digest.slot,
        cutoff=cutoff,
        upto_match=upto_match,
        papers=papers,
        mailing=mailing,
    )


def _links(subscriber: Subscriber, public_id: str, links: ReaderLinks | None) -> Mapping[str, str]:
    """A shared mailbox gets no personal token; an installation without a site gets no link at all."""
    if links is None:
        return {}
    page = {"issue": links.issue(public_id)}
    if subscriber.shared:
        return page
    return {
        **page,
        "unsubscribe": links.unsubscribe(subscriber.public_id),
        "preferences": links.preferences(subscriber.public_id),
    }
