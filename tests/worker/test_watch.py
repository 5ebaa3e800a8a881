"""Someone is told: of what stays broken for a day, once; and a monitor of every complete round."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import select

from digests.mail.message import Letter
from digests.render import Frame, Renderer
from digests.transports.memory import MemoryTransport
from domain.clock import FixedClock
from domain.deliveries import Acceptance, DeliveryCounts, Message
from domain.errors import CollectError, NotConnected, Unreachable
from domain.issues import Fragment, LetterKind, PublishCounts, Role
from domain.papers import FetchStatus
from domain.troubles import Trouble
from paperround.settings import build
from paperround.wiring import House
from storage.tables import CONTENT, DELIVERY
from worker.reports import SourceReport
from worker.watch import PING_PAUSE, Pulse, alert_key, delivering_said, overdue, publishing_said

HOUR = timedelta(hours=1)
START = datetime(2026, 11, 20, 9, tzinfo=UTC)


class AlertWriter(Renderer):
    """A renderer that writes alerts as plainly as can be, and keeps of what."""

    def __init__(self) -> None:
        super().__init__(Frame())
        self.told: list[tuple[str, ...]] = []
        self.broken = False

    def alert(self, troubles: Sequence[Trouble], now: datetime) -> Letter:
        if self.broken:
            raise ZeroDivisionError
        self.told.append(tuple(each.name for each in troubles))
        pieces = (Fragment(Role.TEXT, b"Broken.\r\n"), Fragment(Role.HTML, b"Broken.\r\n"))
        return Letter(LetterKind.ALERT, f"Broken since {now:%Y-%m-%d}", pieces)


class Relay:
    """A transport that is down until it is up."""

    name = "relay"

    def __init__(self) -> None:
        self.is_up = False

    @contextmanager
    def connect(self) -> Iterator["Relay"]:
        yield self

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        if not self.is_up:
            raise NotConnected(f"no relay for {message.recipient}")
        return Acceptance(reply="250 ok", code=250) if before_dot() else None


class Monitor:
    """A loopback server that counts pings."""

    def __init__(self) -> None:
        self.pings = 0
        self.status = 200
        monitor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                monitor.pings += self.path == "/ping/tides"
                self.send_response(monitor.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/ping/tides"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    opened = Monitor()
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def opened(tmp_path: Any, url: str, clock: FixedClock) -> Iterator[Callable[..., House]]:
    houses = []

    def make(transport: Any = None, sources: Sequence[str] = (), mail: Any = None, **operator: str) -> House:
        values = {
            "database": {"url": url},
            "mail": {"from": "Paperround <p@lab.example>", **(mail or {})},
            "operator": operator,
            "source": [{"name": name, "kind": "huggingface-daily", "url": "http://127.0.0.1:9"} for name in sources],
        }
        houses.append(House(build(values, tmp_path), clock=clock, transport=transport or MemoryTransport()))
        houses[-1].renderer = AlertWriter()
        return houses[-1]

    yield make
    for each in houses:
        each.database.close()


def alerts(house: House) -> list[tuple[str, str, int | None]]:
    query = (
        select(DELIVERY.c.message_key, DELIVERY.c.recipient, DELIVERY.c.subscriber_id)
        .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
        .where(CONTENT.c.kind == "alert")
        .order_by(DELIVERY.c.id)
    )
    with house.database.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


def asked(*names: str, status: FetchStatus = FetchStatus.FAILED) -> list[SourceReport]:
    return [SourceReport(name, status, None, error="no usable answer") for name in names]


def test_23_hours_are_no_alert_25_are_one_and_so_are_the_next_25(opened: Any, clock: FixedClock) -> None:
    house = opened(sources=["hf"], email="ops@lab.example")

    def broken_for(hours: int) -> int:
        for _ in range(hours):
            house.watch.collected(asked("hf"))
            house.watch.tell()
            clock.set(clock.now() + HOUR)
        return len(alerts(house))

    assert broken_for(24) == 0, "the newest failure is 23 hours after the first"
    assert broken_for(2) == 1
    assert broken_for(50) == 1, "once until it works"
    house.watch.collected(asked("hf", status=FetchStatus.NOT_MODIFIED))
    assert house.troubles.all() == ()
    assert broken_for(24) == 1
    assert broken_for(2) == 2
    (first, second) = alerts(house)
    assert first[0] != second[0]
    assert first[1:] == ("ops@lab.example", None)


def test_several_troubles_are_one_letter(opened: Any, clock: FixedClock) -> None:
    house = opened(sources=["hf", "arxiv"], email="ops@lab.example")
    for _ in range(2):
        house.watch.collected(asked("hf", "arxiv"))
        house.watch.failed("publish", Unreachable("the disk is full"))
        clock.set(clock.now() + 25 * HOUR)
    told = house.watch.tell()
    assert {each.name for each in told} == {"source:hf", "source:arxiv", "publish"}
    assert len(alerts(house)) == len(house.renderer.told) == 1
    assert opened(sources=["hf", "arxiv"], email="ops@lab.example").watch.tell() == (), "another process knows"


def test_killed_between_letter_and_mark_neither_is_there(opened: Any, clock: FixedClock) -> None:
    house = opened(sources=["hf"], email="ops@lab.example")
    for _ in range(2):
        house.watch.collected(asked("hf"))
        clock.set(clock.now() + 25 * HOUR)
    database = house.troubles._database

    class Dying:
        reading = database.reading

        @contextmanager
        def writing(self) -> Iterator[Any]:
            with database.writing() as connection:
                yield connection
                raise KeyboardInterrupt

    house.troubles._database = Dying()
    with pytest.raises(KeyboardInterrupt):
        house.watch.tell()
    house.troubles._database = database
    assert (alerts(house), house.troubles.all()[0].told_at) == ([], None)
    house.watch.tell()
    assert len(alerts(house)) == 1


@pytest.mark.engines("sqlite")
def test_without_an_address_the_log_tells_once(opened: Any, clock: FixedClock, caplog: Any) -> None:
    house = opened(sources=["hf"])
    for _ in range(3):
        house.watch.collected(asked("hf"))
        clock.set(clock.now() + 25 * HOUR)
    with caplog.at_level(logging.ERROR, "paperround.worker"):
        house.watch.tell()
        house.watch.tell()
    (line,) = caplog.messages
    assert "nobody was written to" in line
    assert "source:hf since 2026-11-20 09:00 UTC: hf is failed: no usable answer" in line
    assert alerts(house) == []


@pytest.mark.engines("sqlite")
def test_an_alert_that_cannot_be_written_is_told_in_the_log(opened: Any, clock: FixedClock, caplog: Any) -> None:
    house = opened(sources=["hf"], email="ops@lab.example")
    house.renderer.broken = True
    for _ in range(2):
        house.watch.collected(asked("hf"))
        clock.set(clock.now() + 25 * HOUR)
    assert house.watch.tell()
    assert "broken for a day (nobody was written to)" in caplog.text


@pytest.mark.engines("sqlite")
def test_a_source_that_is_not_configured_any_more_is_no_trouble(opened: Any, clock: FixedClock) -> None:
    house = opened(email="ops@lab.example")
    for _ in range(2):
        house.watch.collected(asked("hf"))
        clock.set(clock.now() + 25 * HOUR)
    assert house.watch.tell() == ()
    assert house.troubles.all() == ()


def test_a_relay_that_is_down_for_a_day_is_told_in_the_log_too_and_works_again(
    opened: Any, clock: FixedClock, caplog: Any
) -> None:
    relay = Relay()
    house = opened(relay, email="ops@lab.example")
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    for _ in range(14):
        house.rounds.once()
        clock.set(clock.now() + 2 * HOUR)
    (trouble,) = house.troubles.all()
    assert (trouble.name, trouble.since) == ("deliver", START)
    assert trouble.what.startswith("no letter was accepted: ")
    assert len(alerts(house)) == 1
    assert "broken for a day (ops@lab.example is written to): deliver since" in caplog.text
    relay.is_up = True
    clock.set(clock.now() + 5 * HOUR)
    house.rounds.once()
    assert house.troubles.all() == ()


def test_a_relay_that_is_down_is_told_of_though_one_letter_waits_between_its_tries(
    opened: Any, clock: FixedClock
) -> None:
    relay = Relay()
    relay.name = "smtp"  # whose limits are watched: it is not tried with every pass
    house = opened(relay, email="ops@lab.example", mail={"transport": "smtp", "host": "127.0.0.1", "tls": "none"})
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    house.rounds.once()
    for _ in range(27 * 4):
        house.rounds.deliver()
        assert not house.watch.is_calm()
        house.rounds.watch()
        clock.set(clock.now() + HOUR / 4)
    assert len(alerts(house)) == 1
    relay.is_up = True
    house.rounds.deliver()
    clock.set(clock.now() + HOUR)
    house.rounds.deliver()
    assert house.troubles.all() == ()


def test_a_pause_is_a_trouble_until_it_is_over(opened: Any) -> None:
    house = opened()
    house.rounds.once()
    house.installation.pause(house.clock.now())
    house.rounds.once()
    (trouble,) = house.troubles.all()
    assert trouble.what.startswith("letters are held, nothing is sent: the operator paused deliveries")
    house.installation.resume(house.clock.now())
    house.rounds.once()
    assert house.troubles.all() == ()


@pytest.mark.engines("sqlite")
def test_a_job_that_ends_with_an_error_is_a_trouble_and_still_ends_with_it(opened: Any) -> None:
    house = opened()
    house.matcher.is_due = lambda: True
    house.matcher.match = lambda _: 1 / 0
    with pytest.raises(ZeroDivisionError):
        house.rounds.once()
    (trouble,) = house.troubles.all()
    assert (trouble.name, trouble.what) == ("publish", "ZeroDivisionError: division by zero")
    del house.matcher.match, house.matcher.is_due
    house.rounds.once()
    assert house.troubles.all() == ()


@pytest.mark.engines("sqlite")
def test_a_trouble_names_no_reader(opened: Any) -> None:
    house = opened()
    house.watch.failed("publish", ValueError("<mira@lab.example> is no reader"))
    assert house.troubles.all()[0].what == "ValueError: <…> is no reader"


@pytest.mark.engines("sqlite")
def test_letters_that_cannot_be_composed_stay_a_trouble_until_one_can(opened: Any, clock: FixedClock) -> None:
    house = opened()
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    house.renderer.digest = lambda *_, **__: 1 / 0
    house.rounds.once()
    house.rounds.once()  # the reader is put off, nobody is due: that proves nothing
    (trouble,) = house.troubles.all()
    assert trouble.what == "no letter could be composed (1 due); the log says why"
    del house.renderer.digest
    clock.set(clock.now() + 2 * HOUR)
    house.rounds.once()
    assert house.troubles.all() == ()


# -- the monitor -------------------------------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
def test_each_complete_round_is_one_ping_and_one_a_minute_at_most(
    opened: Any, monitor: Monitor, clock: FixedClock
) -> None:
    house = opened(ping_url=monitor.url)
    house.rounds.once()
    assert monitor.pings == 1
    house.rounds.once()
    assert monitor.pings == 1
    clock.set(clock.now() + PING_PAUSE)
    house.rounds.once()
    assert monitor.pings == 2


@pytest.mark.engines("sqlite")
def test_a_round_with_a_failing_source_or_a_held_delivery_pings_nobody(
    opened: Any, monitor: Monitor, clock: FixedClock
) -> None:
    failing = opened(sources=["hf"], ping_url=monitor.url)
    failing.collector.collect_due = lambda *_: (asked("hf"), True)
    failing.rounds.once()
    failing.troubles.works("source:hf")
    held = opened(ping_url=monitor.url)
    held.installation.pause(clock.now())
    held.rounds.once()
    assert monitor.pings == 0
    held.installation.resume(clock.now())
    held.rounds.once()
    assert monitor.pings == 1


@pytest.mark.engines("sqlite")
def test_a_ping_that_fails_is_a_warning_and_nothing_else(
    opened: Any, monitor: Monitor, clock: FixedClock, caplog: Any
) -> None:
    house = opened(ping_url=monitor.url)
    monitor.status = 500
    house.rounds.once()
    (warned,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert warned.getMessage() == f"ping: {monitor.url} answered 500"
    monitor.status = 200
    clock.set(clock.now() + PING_PAUSE)
    house.rounds.once()
    assert monitor.pings == 2


@pytest.mark.engines("sqlite")
def test_left_running_it_pings_once_every_job_has_run_through(opened: Any, monitor: Monitor) -> None:
    house = opened(ping_url=monitor.url)
    stop = threading.Event()
    heard = threading.Timer(10, stop.set)
    heard.start()
    beat = house.pulse.beat

    def beat_and_stop() -> bool:
        done = beat()
        if done:
            stop.set()
        return done

    house.pulse.beat = beat_and_stop
    house.tick(timedelta(milliseconds=50), stop)
    heard.cancel()
    assert monitor.pings == 1


def test_a_round_is_every_job_since_the_last_ping_and_calm() -> None:
    clock, calm, pinged = FixedClock(START), [True], []

    def get(url: str) -> bytes:
        pinged.append(url)
        return b""

    pulse = Pulse(url="https://m.example", get=get, jobs=["a", "b"], is_calm=lambda: calm[0], clock=clock)
    pulse.ran("a")
    assert not pulse.beat()
    pulse.ran("b")
    calm[0] = False
    assert not pulse.beat()
    calm[0] = True
    assert pulse.beat()
    clock.set(START + PING_PAUSE)
    pulse.ran("b")
    assert not pulse.beat(), "a has not run since"
    pulse.ran("a")
    assert pulse.beat()
    assert pinged == ["https://m.example"] * 2


def test_without_an_address_nobody_is_pinged() -> None:
    def get(_: str) -> bytes:
        raise CollectError("nobody is to be asked")

    pulse = Pulse(url="", get=get, jobs=[], is_calm=lambda: True, clock=FixedClock(START))
    assert not pulse.beat()


# -- what counts say, as values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (DeliveryCounts(), None),
        (DeliveryCounts(skipped=2, expired=1), None),
        (DeliveryCounts(accepted=1, deferred=9), ""),
        (DeliveryCounts(deferred=2, uncertain=1), "no letter was accepted: 2 put off, 1 without an answer; "),
        (DeliveryCounts(rejected=1, skipped=2), None),
        (DeliveryCounts(rejected=1, deferred=1), "no letter was accepted: 1 put off, 1 refused; "),
        (DeliveryCounts(rejected=10), "no letter was accepted: 10 refused; "),
        (DeliveryCounts(held="nothing leaves", is_shut=True), "no letter can leave, nothing leaves"),
        (DeliveryCounts(accepted=1, held="nothing is sent: a copy"), "letters are held, nothing is sent: a copy"),
    ],
)
def test_what_a_pass_of_deliver_says_of_delivery(counts: DeliveryCounts, said: str | None) -> None:
    found = delivering_said(counts)
    assert found == said if not said else str(found).startswith(said)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (PublishCounts(), None),
        (PublishCounts(due=2, skipped={"nothing matched": 2}), ""),
        (PublishCounts(due=2, issues=1, skipped={"could not be composed": 1}), ""),
        (PublishCounts(due=2, skipped={"could not be composed": 2}), "no letter could be composed (2 due); the log "),
    ],
)
def test_what_a_publish_says_of_planning(counts: PublishCounts, said: str | None) -> None:
    found = publishing_said(counts)
    assert found == said if not said else str(found).startswith(said)


def test_what_nobody_tried_for_a_day_was_not_broken_for_a_day() -> None:
    once = Trouble("deliver", START, START, "no answer")
    assert overdue([once]) == []
    assert overdue([replace(once, last_at=START + 23 * HOUR)]) == []
    late = replace(once, last_at=START + 24 * HOUR)
    assert overdue([late, replace(late, told_at=START)]) == [late]


def test_an_alert_is_known_by_what_is_broken_and_since_when() -> None:
    one, other = Trouble("deliver", START, START, "a"), Trouble("publish", START, START, "b")
    assert alert_key([one, other]) == alert_key([other, replace(one, what="c", last_at=START + HOUR)])
    assert alert_key([one]) != alert_key([replace(one, since=START + HOUR)])
