"""A lab with readers, papers and a relay without a socket: what becomes of letters between a listing and a mailbox."""

import email
import email.policy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from domain.clock import FixedClock
from domain.deliveries import Acceptance, Message
from domain.errors import DeliveryError
from domain.issues import LetterKind
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from domain.subscriptions import Consent, Schedule, Subscriber
from paperround.settings import build
from paperround.wiring import House


@dataclass
class Relay:
    """A transport that keeps what it took, refuses whom it was told to, and lets a test act around the dot."""

    name: str = "relay"
    taken: list[Message] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    refused: dict[str, DeliveryError] = field(default_factory=dict)  #: by recipient, before the dot
    lost: dict[str, DeliveryError] = field(default_factory=dict)  #: by recipient, after the dot
    before: Callable[[Message], object] = lambda _: None  #: done before a letter asks for its dot
    after: Callable[[Message], object] = lambda _: None  #: done after the dot, before the answer

    @contextmanager
    def connect(self) -> Iterator["Relay"]:
        yield self

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        self.tried.append(message.recipient)
        if message.recipient in self.refused:
            raise self.refused[message.recipient]
        self.before(message)
        if not before_dot():
            return None
        self.taken.append(message)
        self.after(message)
        if message.recipient in self.lost:
            raise self.lost[message.recipient]
        return Acceptance(reply="250 kept", code=250)

    def digests(self, name: str = "") -> list[EmailMessage]:
        """Return the digests that were taken, those of one reader if one is named."""
        return [
            email.message_from_bytes(each.data, policy=email.policy.default)
            for each in self.taken
            if each.kind is LetterKind.DIGEST and each.recipient.startswith(name)
        ]


@dataclass
class Lab:
    """One installation, in as many processes as a test opens houses."""

    open: Callable[[], House]  #: another house on the same archive, as another process would be
    house: House
    relay: Relay
    clock: FixedClock

    def reader(self, name: str, *topics: str, schedule: Schedule | None = None) -> Subscriber:
        """Add a confirmed reader."""
        return self.house.desk.subscribe(f"{name}@lab.example", topics, schedule, vouched=True, shared=False)[0]

    def leave(self, reader: Subscriber) -> None:
        """Let a reader leave by one click."""
        now = self.clock.now()
        assert self.house.subscribers.unsubscribe(reader.public_id, Consent("unsubscribed", "1", now))

    def listed(self, *papers: ListedPaper, source: str = "hf") -> None:
        """Store a listing of today."""
        now = self.clock.now()
        self.house.archive.add(Listing(source, now.date(), papers, FetchStatus.OK), now)

    def publish(self, house: House | None = None) -> int:
        """Match what is new and freeze the letters that are due; return how many."""
        chosen, now = house or self.house, self.clock.now()
        chosen.matcher.match(now)
        return chosen.publisher.publish(now).issues

    def round(self) -> int:
        """Publish and deliver; return how many letters were planned."""
        planned = self.publish()
        self.house.deliverer.deliver()
        return planned

    def states(self) -> dict[str, str]:
        """Return the state of each reader's newest digest, by the name in the address."""
        records = [each for each in self.house.outbox.records() if each.kind == LetterKind.DIGEST.value]
        return {each.recipient.partition("@")[0]: each.state for each in reversed(records)}

    def reasons(self) -> dict[str, str]:
        """Return why each reader's newest digest is where it is."""
        records = [each for each in self.house.outbox.records() if each.kind == LetterKind.DIGEST.value]
        return {each.recipient.partition("@")[0]: each.reason for each in reversed(records)}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 20, 9, tzinfo=UTC))


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
def lab_with(tmp_path: Path, url: str, relay: Relay, clock: FixedClock) -> Iterator[Callable[..., Lab]]:
    """Give a lab with these sections of settings; one connection, so that letters leave one by one."""
    with ExitStack() as opened:

        def make(*, mail: dict[str, Any] | None = None, **sections: dict[str, Any]) -> Lab:
            values = {
                "database": {"url": url},
                "mail": {"from": "Paperround <p@lab.example>", "connections": 1, **(mail or {})},
                **sections,
            }

            def another() -> House:
                return opened.enter_context(House(build(values, tmp_path), transport=relay, clock=clock))

            return Lab(open=another, house=another(), relay=relay, clock=clock)

        yield make


@pytest.fixture
def lab(lab_with: Callable[..., Lab]) -> Lab:
    return lab_with()


@pytest.fixture
def paper() -> Callable[..., ListedPaper]:
    """Make a listed paper; its abstract is its own unless another is given."""

    def make(number: int, title: str = "", *, arxiv: str | None = "", **changes: Any) -> ListedPaper:
        name = title or f"Tides of Place {number}"
        identifier = f"2611.{number:05}" if arxiv == "" else arxiv
        values: dict[str, Any] = {
            "title": name,
            "rank": number,
            "ids": Identifiers(arxiv=identifier) if identifier else Identifiers(),
            "abstract": f"What moves at place {number} under the moon, told at length by two who measured.",
            "abstract_kind": AbstractKind.AUTHORS,
            "authors": ("Mira Okafor", "Jun Sato"),
            "author_count": 2,
            "url": f"https://arxiv.org/abs/{identifier}" if identifier else "",
        }
        return ListedPaper(**{**values, **changes})

    return make


@pytest.fixture
def papers(paper: Callable[..., ListedPaper]) -> Callable[[int], Sequence[ListedPaper]]:
    def make(number: int) -> Sequence[ListedPaper]:
        return [paper(each) for each in range(1, number + 1)]

    return make
