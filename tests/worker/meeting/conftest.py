"""Papers and letters without a site: papers are put into the archive, and a day's round makes letters of them."""

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from digests.transports.memory import MemoryTransport
from domain.clock import FixedClock
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from domain.subscriptions import NO_CHOICES, Choices
from paperround.settings import build
from paperround.wiring import House


@dataclass(frozen=True, slots=True)
class Letter:
    """One reader's letter, as its plain text."""

    subject: str
    text: str  #: on one line, without marks

    @property
    def papers(self) -> list[int]:
        """The numbers of the papers that it names, in its order."""
        return [int(number) for number in re.findall(r"Paper (\d+)\b", self.text)]

    @property
    def related(self) -> list[int]:
        """Those that it says are related."""
        parts = re.split(r"Related, with part of the words:", self.text)[1:]
        return [int(number) for part in parts for number in re.findall(r"Paper (\d+)\b", re.split("-{20}", part)[0])]


@dataclass
class Days:
    """An installation that is told what was listed, and does a day's work when it is asked to."""

    house: House
    clock: FixedClock
    transport: MemoryTransport
    _read: int = field(default=0)

    def reader(self, name: str, *topics: str, choices: Choices = NO_CHOICES, related: bool | None = None) -> None:
        """Add a confirmed reader."""
        address = f"{name}@lab.example"
        self.house.desk.subscribe(address, topics, None, vouched=True, shared=False, choices=choices, related=related)

    def listed(self, *papers: ListedPaper, source: str = "hf", backlog: bool = False) -> None:
        """Store a listing of today, a minute after what was before."""
        self.clock.set(self.clock.now() + timedelta(minutes=1))
        now = self.clock.now()
        self.house.archive.add(Listing(source, now.date(), papers, FetchStatus.OK, backlog=backlog), now)

    def matched(self) -> int:
        """Match; return how many matches are new."""
        return self.house.matcher.match(self.clock.now()).matches

    def letters(self) -> dict[str, Letter]:
        """Let the next morning come: match, publish and deliver; return the letters by reader."""
        self.clock.set(self.clock.now() + timedelta(days=1))
        self.matched()
        self.house.publisher.publish(self.clock.now())
        self.house.deliverer.deliver()
        sent, self._read = self.transport.messages[self._read :], len(self.transport.messages)
        letters = [email.message_from_bytes(each.data, policy=email.policy.default) for each in sent]
        return {each["To"].partition("@")[0]: _letter(each) for each in letters}


def _letter(letter: Any) -> Letter:
    text = letter.get_body(("plain",)).get_content().replace("*", "")
    return Letter(letter["Subject"], " ".join(text.split()))


@pytest.fixture
def days(tmp_path, url: str, clock: FixedClock, transport: MemoryTransport) -> Iterator[Days]:
    values = {
        "database": {"url": url},
        "mail": {"from": "Paperround <p@lab.example>"},
        "digest": {"quiet_note_after_days": 0},  # these are days of digests
    }
    with House(build(values, tmp_path), clock=clock, transport=transport) as house:
        yield Days(house, clock, transport)


@pytest.fixture
def paper() -> Callable[..., ListedPaper]:
    def make(number: int, title: str, abstract: str = "", **values: Any) -> ListedPaper:
        kind = AbstractKind.AUTHORS if abstract else AbstractKind.NONE
        given = {"ids": Identifiers(arxiv=f"2611.{number:05}"), "abstract": abstract, "abstract_kind": kind, **values}
        return ListedPaper(f"{title}: Paper {number}", 1, **given)

    return make


@pytest.fixture
def others(days, paper) -> None:
    """Papers of other things, so that no word of a topic stands in half of them."""
    subjects = ("Quasars", "Yeast", "Glass", "Ballots", "Rings", "Wool", "Primes", "Foxes", "Ports", "Salt")
    days.listed(*(paper(900 + n, f"{subjects[n % 10]} of kind {n}", f"Of {subjects[n // 10]}.") for n in range(100)))
