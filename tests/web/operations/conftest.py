"""An installation with an operator, on loopback; tests put readers and letters into it in whatever state they like."""

import base64
import http.client
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import insert, update

from domain.clock import FixedClock
from domain.deliveries import DeliveryState
from paperround.serving import site as make_site
from paperround.settings import build
from paperround.wiring import House
from storage.tables import CONTENT, DELIVERY, ISSUE, LANE, SUBSCRIBER, SUBSCRIPTION, TOPIC
from web.server import serve

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PASSWORD = "twelve words are enough, Zoë"
_SOURCES = [{"name": "hf", "kind": "huggingface-daily", "url": "http://127.0.0.1:9"}]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def words(self) -> str:
        """What the page says, without its tags and plots."""
        text = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", self.text, flags=re.DOTALL)
        return " ".join(unescape(text).split())

    @property
    def first(self) -> str:
        """The page's first sentence."""
        found = re.search(r'<p class="answer[^"]*">(.*?)</p>', self.text)
        assert found is not None
        return unescape(found[1])

    @property
    def stamp(self) -> str:
        found = re.search(r'name="stamp" value="(\w+)"', self.text)
        assert found is not None
        return found[1]


@dataclass
class Operated:
    address: tuple[str, int]
    house: House
    clock: FixedClock
    number: int = 0

    def ask(self, method: str = "GET", path: str = "/operations", body: bytes | None = None, **headers: str) -> Answer:
        with closing(http.client.HTTPConnection(*self.address, timeout=10)) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body=body, headers=named)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read().decode())

    def later(self, span: timedelta) -> None:
        self.clock.set(self.clock.now() + span)

    def page(self, path: str = "/operations") -> Answer:
        answer = self.ask(path=path, Authorization=basic(PASSWORD))
        assert answer.status == 200, answer.text
        return answer

    def press(self, action: str, **fields: str) -> Answer:
        body = urlencode({"stamp": self.page().stamp, "action": action, **fields}).encode()
        return self.ask(
            "POST", body=body, Authorization=basic(PASSWORD), Content_Type="application/x-www-form-urlencoded"
        )

    def reader(self, state: str = "confirmed", *, hour: int = 7, topics: bool = True) -> int:
        self.number += 1
        number = self.number
        email = f"mira.okafor{number}@lab.example"
        with self.house.database.writing() as connection:
            connection.execute(
                insert(SUBSCRIBER).values(
                    id=number,
                    public_id=f"{number:016x}",
                    email=email,
                    address_key=email,
                    state=state,
                    every="day",
                    weekday=0,
                    hour=hour,
                    zone="UTC",
                    shared=False,
                    created_at=NOW,
                )
            )
            if topics:
                if number == 1 or not connection.execute(TOPIC.select()).first():
                    connection.execute(insert(TOPIC).values(id=1, normal_form="tides", created_at=NOW))
                wish = {"name": "tides", "query": "tides", "position": 0}
                connection.execute(insert(SUBSCRIPTION).values(subscriber_id=number, topic_id=1, **wish))
        return number

    def letter(
        self, state: DeliveryState = DeliveryState.ACCEPTED, *, reader: int = 0, at: datetime = NOW, **values: object
    ) -> int:
        """Keep a letter of a new reader in a state; return the delivery's number."""
        reader = reader or self.reader()
        key, email = f"issue:{reader}:{at.isoformat()}", f"mira.okafor{reader}@lab.example"
        is_open = state in {DeliveryState.PLANNED, DeliveryState.DEFERRED}
        with self.house.database.writing() as connection:
            if not connection.execute(CONTENT.select().where(CONTENT.c.id == 1)).first():
                content = {"content_key": "k", "kind": "digest", "subject": "Tides", "fragments": [], "size": 1}
                connection.execute(insert(CONTENT).values(id=1, **content))
            issue = connection.execute(
                insert(ISSUE)
                .values(
                    public_id=key, subscriber_id=reader, slot=at.date().isoformat(), zone="UTC", cutoff=at,
                    upto_match=0, created_at=at,
                )
                .returning(ISSUE.c.id)
            ).scalar_one()  # fmt: skip
            connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader).values(last_issue_id=issue))
            given = {
                "message_key": key, "issue_id": issue, "subscriber_id": reader, "content_id": 1, "recipient": email,
                "slots": {}, "state": state.value, "message_id": f"<{key}@lab.example>", "date": at,
                "expires_at": at + timedelta(hours=36), "not_before": at if is_open else None,
                "last_try": None if state is DeliveryState.PLANNED else at,
            }  # fmt: skip
            fresh = insert(DELIVERY).values(**{**given, **values}).returning(DELIVERY.c.id)
            return int(connection.execute(fresh).scalar_one())

    def note(self) -> int:
        """Keep the text of a note that nothing matched; return its number."""
        with self.house.database.writing() as connection:
            content = {"content_key": "n", "kind": "quiet", "subject": "Nothing", "fragments": [], "size": 1}
            return int(connection.execute(insert(CONTENT).values(id=2, **content).returning(CONTENT.c.id)).scalar_one())

    def shut(self, reason: str, until: datetime) -> None:
        with self.house.database.writing() as connection:
            lane = {"tokens": 0.0, "filled_at": 0.0, "strikes": 1, "shut_since": NOW}
            connection.execute(insert(LANE).values(name="relay", reason=reason, shut_until=until, **lane))

    def visit(self, status: str = "ok", *, at: datetime = NOW, error: str = "") -> None:
        """Let the source have been asked."""
        number = self.house.runs.claim("collect:hf", at.isoformat(), "one", at, timedelta(minutes=5))
        assert number is not None
        self.house.runs.finish(number, at, status, {"new": 1}, error)


def basic(password: str, user: str = "operator") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def basic_of() -> Callable[..., str]:
    return basic


@pytest.fixture
def password() -> str:
    return PASSWORD


@pytest.fixture
def operated(sqlite_archive: Path, tmp_path: Path) -> Iterator[Callable[..., Operated]]:
    """Open an installation; `web` and `sources` are settings."""
    with ExitStack() as stack:

        def make(sources: list[dict[str, str]] | None = None, **web: object) -> Operated:
            file = shutil.copyfile(sqlite_archive, tmp_path / "archive.db")
            given = {
                "database": {"url": f"sqlite:///{file}"},
                "web": {"operator_password": PASSWORD, **web},
                "mail": {"from": "Paperround <digests@lab.example>"},
                "source": _SOURCES if sources is None else sources,
            }
            clock = FixedClock(NOW)
            house = stack.enter_context(House(build(given, tmp_path), clock=clock))
            address = stack.enter_context(serve(make_site(house), "127.0.0.1", 0, threading.Event()))
            return Operated(address, house, clock)

        yield make


@pytest.fixture
def lab(operated: Callable[..., Operated]) -> Operated:
    """An installation whose source was just read."""
    lab = operated()
    lab.visit()
    return lab
