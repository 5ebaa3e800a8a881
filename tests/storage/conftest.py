from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from domain.deliveries import DeliveryState, Outcome
from domain.issues import Content, Fragment, IssuePaper, IssuePlan, LetterKind, Mailing, Role, Slot
from domain.papers import AbstractKind, FetchStatus, ListedPaper, Listing
from domain.subscriptions import Consent, SubscriberState
from domain.topics import Match, Selection, WishedTopic
from storage.archive import Archive
from storage.database import Database
from storage.issues import Issues
from storage.outbox import Outbox
from storage.sending import Ask, Settlement
from storage.subscribers import Signup, Subscribers
from storage.topics import Topics
from topics.query import parse


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with Database(url) as opened:
        yield opened


@pytest.fixture
def archive(database: Database) -> Archive:
    return Archive(database)


@pytest.fixture
def listed() -> Callable[..., ListedPaper]:
    def make(title: str = "Probing the Sensitivity of Neural Tides", **values: Any) -> ListedPaper:
        given: dict[str, Any] = {
            "rank": 1,
            "abstract": f"About {title} we write down at some length what moves, and what does not.",
            "abstract_kind": AbstractKind.AUTHORS,
            "authors": ("Mira Okafor", "Jun Sato"),
            "author_count": 2,
        }
        return ListedPaper(title=title, **{**given, **values})

    return make


@pytest.fixture
def listing() -> Callable[..., Listing]:
    def make(*papers: ListedPaper, **values: Any) -> Listing:
        given: dict[str, Any] = {"source": "hf", "day": date(2026, 11, 20), "status": FetchStatus.OK}
        return Listing(papers=papers, **{**given, **values})

    return make


@pytest.fixture
def reader(database, now):
    def make(name="mira", state=SubscriberState.CONFIRMED, at=now, topic="tides"):
        return Subscribers(database).subscribe(
            Signup(
                email=f"{name}@lab.example",
                address_key=f"{name}@lab.example",
                public_id=name,
                topics=[WishedTopic(topic, parse(topic))],
                schedule=None,
                state=state,
                shared=False,
                consent=[Consent("asked", "1", at)],
            ),
            at,
        )[0]

    return make


@pytest.fixture
def paper(archive, listed, listing, now):
    return archive.add(listing(listed()), now).new[0].id


@pytest.fixture
def issue(database, settle):
    """Freeze a reader's issue of one day, deliver it and return the number of its delivery."""

    def make(reader, at, *, papers=(), text=b"Low.", state=DeliveryState.ACCEPTED, upto=0):
        slot = at.date().isoformat()
        key = f"issue:{reader.public_id}:{slot}"
        content = Content(LetterKind.DIGEST, slot, (Fragment(Role.HEAD, b"Tides\r\n"), Fragment(Role.TEXT, text)))
        mailing = Mailing(
            message_key=key,
            subscriber_id=reader.public_id,
            recipient=reader.email,
            content=content,
            slots={"to": reader.email},
            message_id=f"<{key}@lab.example>",
            date=at,
            not_before=at,
            expires_at=at + timedelta(hours=36),
        )
        plan = IssuePlan(
            public_id=key,
            subscriber_id=reader.id,
            slot=Slot(slot, "UTC", date.fromisoformat(slot)),
            cutoff=at,
            upto_match=upto,
            papers=tuple(IssuePaper(each, 1, place, "why") for place, each in enumerate(papers)),
            mailing=mailing,
        )
        assert Issues(database).run(at).freeze([plan], {}, [], at) == [""]
        if state is DeliveryState.PLANNED:
            return
        outbox = Outbox(database)
        (leased,) = outbox.lease("one", at, timedelta(minutes=15), 1)
        said = f"{reader.email}: thank you"
        settle(leased.id, "one", Outcome(state=state, reply=said, code=250, enhanced="2.0.0", reason=said), at)

    return make


@pytest.fixture
def settle(database):
    """Settle one try alone; say whether the delivery was still the worker's."""

    def one(delivery_id, worker, outcome, at):
        done = Outbox(database).commit(worker, [Settlement(delivery_id, outcome, at)], [], at, timedelta(minutes=15))
        return done.settled == (True,)

    return one


@pytest.fixture
def ask(database):
    """Ask for one letter alone whether it may be sent."""

    def one(leased, worker, at, lease=timedelta(minutes=15), sha256="5a", signature=""):
        asked = Ask(leased.id, leased.kind, leased.recipient.lower(), sha256, signature)
        return Outbox(database).commit(worker, [], [asked], at, lease).permissions[0]

    return one


@pytest.fixture
def count(database):
    def of(table):
        with database.reading() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    return of


@pytest.fixture
def matched(database, now):
    """Hand in matches as a run does, the papers up to the highest number met."""

    def make(*matches: Match, beyond=0, at=now, since=0):
        topics = dict.fromkeys(match.topic_id for match in matches)
        found = [
            Selection(topic, tuple(match for match in matches if match.topic_id == topic), beyond) for topic in topics
        ]
        up_to = max(match.paper_id for match in matches)
        return Topics(database).record(found, since=since, up_to=up_to, now=at)

    return make
