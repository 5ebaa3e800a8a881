"""Sites of their own for newcomers: an archive with a few papers, limits and rules as a test wants them."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from domain.clock import FixedClock
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from paperround import serving
from paperround.settings import build
from paperround.wiring import House
from storage.tables import CONTENT, DELIVERY, Base
from web.limits import Measures
from web.server import serve

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]  #: names in lower case
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def all(self) -> tuple[object, ...]:
        """Whatever could tell one reader from another."""
        return self.status, {k: v for k, v in self.headers.items() if k != "date"}, self.body


class Place:
    """A site, asked over one connection that is kept."""

    def __init__(self, house: House, address: tuple[str, int]) -> None:
        self.house = house
        self.clock = house.clock
        self._asked = 0.0
        self._connection = http.client.HTTPConnection(*address, timeout=20)

    def close(self) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        if time.monotonic() - self._asked > 2:
            self._connection.close()  # the site lets go of a connection that is not used for 5 seconds
        self._asked = time.monotonic()
        try:
            self._connection.request(method, path, body=body, headers=headers or {})
            answer = self._connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        except http.client.HTTPException:
            self._connection.close()  # it opens again for the next one
            raise

    def sign_up(self, email: str = "ada@lab.example", topic: str | list[str] = "tides", **more: str) -> Answer:
        return self.send(
            [("email", email), *(("topic", each) for each in [topic] * isinstance(topic, str) or topic), *more.items()]
        )

    def send(self, fields: list[tuple[str, str]]) -> Answer:
        return self.ask("POST", "/subscribe", urlencode(fields).encode(), FORM)

    def tables(self) -> list[str]:
        with self.house.database.reading() as connection:
            return [repr(connection.execute(select(table)).all()) for table in Base.metadata.sorted_tables]

    def letters(self, email: str | None = None) -> list[dict[str, str]]:
        """Return the slots of the confirmation letters that wait, to one address or to all."""
        query = select(DELIVERY.c.slots, DELIVERY.c.recipient).join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
        with self.house.database.reading() as connection:
            rows = connection.execute(query.where(CONTENT.c.kind == "confirm")).all()
        return [row.slots for row in rows if email in {None, row.recipient}]


def paper(number: int, title: str, abstract: str = "", upvotes: int | None = None) -> ListedPaper:
    return ListedPaper(
        title=title,
        rank=number,
        ids=Identifiers(arxiv=f"2611.{number:05}"),
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        authors=("Mira Okafor",),
        author_count=1,
        published=date(2026, 11, 19),
        url=f"https://arxiv.org/abs/2611.{number:05}",
        upvotes=upvotes,
    )


def fill(house: House) -> None:
    older = [paper(n, f"Tides of harbour {n}", "A survey of tides." if n % 2 else "On tides.") for n in range(1, 15)]
    newer = [
        *(paper(20 + n, f"Ships {n}", "Of ships and ropes.", upvotes=n) for n in range(12)),
        paper(40, "Loss < 1: a & b <script>alert(1)</script>", "Tides <img src=x onerror=alert(2)>.", upvotes=99),
    ]
    for day, papers in ((date(2026, 11, 18), older), (date(2026, 11, 20), newer)):
        listing = Listing(source="daily", day=day, papers=tuple(papers), status=FetchStatus.OK)
        house.archive.add(listing, NOW)


@pytest.fixture(scope="session")
def open_place(sqlite_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Place]]:
    """Open a site: settings of [web]; limits as web/limits.py writes them; how long an answer takes."""
    with ExitStack() as stack:

        def opened(
            *,
            sign_ups: str = "100000/second",
            previews: str = "100000/second",
            same_seconds: float = 0.0,
            papers: bool = True,
            linked: bool = True,
            **web: object,
        ) -> Place:
            file = copyfile(sqlite_archive, Path(stack.enter_context(TemporaryDirectory())) / "archive.db")
            named = {
                "base_url": "https://digests.example.org",
                "secret_key": "a key of the tests, which is long enough",
            }
            mail = {"from": "Paperround <digests@lab.example>"}
            given = {
                "database": {"url": f"sqlite:///{file}"},
                "web": {**(named if linked else {}), **web},
                "mail": mail,
            }
            house = stack.enter_context(House(build(given, file.parent), clock=FixedClock(NOW)))
            if papers:
                fill(house)
            app = serving.site(
                house, Measures(sign_ups, previews, same_seconds, searches="100000/second"), caching=False
            )
            address = stack.enter_context(serve(app, "127.0.0.1", 0, threading.Event()))
            return stack.enter_context(closing(Place(house, address)))

        yield opened


@pytest.fixture(scope="session")
def place(open_place: Callable[..., Place]) -> Place:
    """A site without limits and without waiting, which tests share; each brings its own addresses."""
    return open_place()
