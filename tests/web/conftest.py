"""A real site on loopback over a real database; tests speak HTTP to it and look into the tables."""

import http.client
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from digests.links import Links
from digests.mail.message import Identity, freeze, mailing_slots, message_id
from digests.render import Frame, Renderer
from domain.clock import FixedClock
from domain.issues import Digest, Entry, IssuePlan, Mailing, Receipt, Section, Slot
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing, Paper
from domain.subscriptions import Schedule, Subscriber, SubscriberState
from domain.topics import Why
from paperround.serving import site as make_site
from paperround.settings import build
from paperround.wiring import House
from storage.database import Database
from storage.issues import Issues
from storage.outbox import Outbox
from storage.subscribers import Signup, Subscribers, WishedTopic
from storage.tables import Base
from topics.query import parse
from web.limits import Measures
from web.server import serve

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
KEY = "a key of the tests, which is long enough to sign"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]  #: names in lower case
    text: str


def _ask(
    address: tuple[str, int],
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    with closing(http.client.HTTPConnection(*address, timeout=10)) as connection:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, answer.read().decode("utf-8"))


@dataclass
class Site:
    address: tuple[str, int]
    database: Database
    links: Links
    clock: FixedClock
    subscribers: Subscribers
    issues: Issues
    outbox: Outbox
    house: House
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return _ask(self.address, method, path, body, headers)

    def path(self, link: str) -> str:
        """Return the path of a link of this site."""
        return link.removeprefix("https://digests.example.org")

    def tables(self) -> list[str]:
        with self.database.reading() as connection:
            return [repr(connection.execute(select(table)).all()) for table in Base.metadata.sorted_tables]

    def reader(
        self, state: SubscriberState = SubscriberState.CONFIRMED, topics: tuple[str, ...] = ("tides",)
    ) -> Subscriber:
        number = next(self._numbers)
        email = f"mira{number}@lab.example"
        reader, _ = self.subscribers.subscribe(
            Signup(
                email=email,
                address_key=email,
                public_id=f"{number:016x}",
                topics=[WishedTopic(name, parse("tides")) for name in topics],
                schedule=Schedule(hour=7, zone="Europe/Berlin"),
                state=state,
                shared=False,
                consent=[],
            ),
            NOW,
        )
        return reader

    def state(self, reader: Subscriber) -> SubscriberState:
        found = self.subscribers.by_public_id(reader.public_id)
        assert found is not None
        return found.state

    def issue(self, reader: Subscriber) -> str:
        """Freeze a letter of one paper for a reader; return its public id."""
        public_id = f"Issue-{reader.id}"
        key = f"issue:{public_id}"
        links = {
            "unsubscribe": self.links.unsubscribe(reader.public_id),
            "preferences": self.links.preferences(reader.public_id),
            "feedback": self.links.feedback(reader.public_id),
            "issue": self.links.issue(public_id),
        }
        sender = Identity(sender="Paperround <digests@lab.example>", secret="a secret")
        slots = mailing_slots(
            recipient=reader.email,
            message_id=message_id(key, sender),
            date=NOW,
            confirmed_on=NOW.date(),
            links=links,
        )
        mailing = Mailing(
            message_key=key,
            subscriber_id=reader.public_id,
            recipient=reader.email,
            content=freeze(Renderer(Frame(linked=True)).digest(_digest(), shared=False), sender),
            slots=slots,
            message_id=slots["message-id"],
            date=NOW,
            not_before=NOW,
            expires_at=NOW + timedelta(hours=36),
        )
        plan = IssuePlan(
            public_id=public_id,
            subscriber_id=reader.id,
            slot=Slot("2026-11-20", "UTC", NOW.date()),
            cutoff=NOW,
            upto_match=0,
            papers=(),
            mailing=mailing,
        )
        assert self.issues.run(NOW).freeze([plan], {}, [], NOW) == [""]
        return public_id


def _digest() -> Digest:
    paper = Paper(
        id=1,
        key="arxiv:2611.00001",
        ids=Identifiers(arxiv="2611.00001"),
        title="Loss < 1: a & b <script>alert(1)</script>",
        abstract="We ask how far a tide can be pushed.",
        abstract_kind=AbstractKind.AUTHORS,
        authors=("Mira Okafor",),
        author_count=1,
        published=date(2026, 11, 20),
        first_seen=NOW,
        listed=date(2026, 11, 20),
        first_listed=date(2026, 11, 20),
        url="https://arxiv.org/abs/2611.00001",
        pdf_url="",
        sources=("daily",),
        upvotes=None,
    )
    entry = Entry(paper, 1, Why(line="both words"))
    return Digest(
        slot=Slot("2026-11-20", "UTC", NOW.date()),
        first=False,
        sections=(Section(topic_id=1, name="tides", total=1, entries=(entry,), overflow=()),),
        topics=("tides",),
        receipt=Receipt(checks=(), new=1, matched=1),
        confirmed_at=NOW,
    )


def _serve(url: str, stack: ExitStack, *, prefix: str = "", linked: bool = True, busy_seconds: float = 30.0) -> Site:
    web = {"base_url": f"https://digests.example.org{prefix}", "secret_key": KEY} if linked else {}
    mail = {"from": "Paperround <digests@lab.example>"}
    settings = build({"database": {"url": url}, "web": web, "mail": mail}, Path.cwd())
    database, clock = Database(url, busy_seconds=busy_seconds), FixedClock(NOW)
    house = stack.enter_context(House(settings, clock=clock, database=database))
    app = make_site(house, Measures(previews="100000/minute", searches="100000/minute"), caching=False)
    address = stack.enter_context(serve(app, "127.0.0.1", 0, threading.Event()))
    links = house.links or Links("https://digests.example.org", KEY)
    return Site(address, database, links, clock, house.subscribers, house.issues, house.outbox, house)


@pytest.fixture
def ask() -> Callable[..., Answer]:
    """Ask a site that is known by its address alone."""
    return _ask


@pytest.fixture(scope="session")
def site(engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site of a lab; every test brings its own readers."""
    with ExitStack() as stack:
        if engine == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('site')}/archive.db"
        else:
            postgres = request.getfixturevalue("postgres")
            url = stack.enter_context(postgres.database(postgres.archive()))
        yield _serve(url, stack)


@pytest.fixture(scope="session")
def personal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation without a site: no link was ever signed."""
    with ExitStack() as stack:
        yield _serve(f"sqlite:///{tmp_path_factory.mktemp('personal')}/archive.db", stack, linked=False)


@pytest.fixture(scope="session")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that lives under a path."""
    with ExitStack() as stack:
        yield _serve(f"sqlite:///{tmp_path_factory.mktemp('below')}/archive.db", stack, prefix="/papers")


@pytest.fixture
def below_with_papers(sqlite_url: str) -> Iterator[Site]:
    """A site of a test's own that lives under a path: that of all stays without papers."""
    with ExitStack() as stack:
        yield _serve(sqlite_url, stack, prefix="/papers")


@pytest.fixture
def impatient(sqlite_url: str) -> Iterator[Site]:
    """A site that does not wait for a database that somebody else holds."""
    with ExitStack() as stack:
        yield _serve(sqlite_url, stack, busy_seconds=0.05)


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with papers of the last 16 days, and of one day long before; nothing is added to them."""
    with ExitStack() as stack:
        site = _serve(f"sqlite:///{tmp_path_factory.mktemp('stocked')}/archive.db", stack)
        for ago in (80, *reversed(range(16))):
            day = NOW.date() - timedelta(days=ago)
            papers = tuple(_listed(ago * 3 + nth, day, nth + 1) for nth in range(3))
            site.house.archive.add(
                Listing(source="daily", day=day, papers=papers, status=FetchStatus.OK), NOW - timedelta(days=ago)
            )
        yield site


def _listed(number: int, day: date, rank: int) -> ListedPaper:
    """Return a paper on tides; every third is on eels too. The newest three are as hostile as papers come."""
    odd = number < 3
    title = ("<script>alert(1)</script> & ]]> tides\u202e\x0b", "Tides of $\\beta$ & eels", "\U0001f30a tides" * 40)
    return ListedPaper(
        title=title[number] if odd else f"Tides, observation {number}" + (" of eels" if number % 3 == 0 else ""),
        rank=rank,
        ids=Identifiers(doi="10.1101/a(b)<c>") if number == 1 else Identifiers(arxiv=f"2611.{number:05d}"),
        abstract="" if number == 2 else f"We ask how far a tide can be pushed by {number} moons & <b>why</b>.",
        abstract_kind=AbstractKind.NONE if number == 2 else AbstractKind.AUTHORS,
        authors=() if number == 2 else ("Mira <i>Okafor</i>", "Jun Wei"),
        author_count=2,
        published=None if number == 2 else day,
        url="javascript:alert(1)" if number == 0 else f"https://lab.example/{number}?a=1&b=ä",
        categories=("cs.LG", "<&\x1f>") if odd else ("cs.LG",),
        upvotes=number % 40,
    )
