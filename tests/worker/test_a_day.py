"""Paperround left alone: a site that changes, a clock that moves, and nobody's hand on it."""

import email
import email.policy
import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep

import pytest

from digests.transports.memory import MemoryTransport
from domain.clock import FixedClock
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from domain.subscriptions import Schedule
from paperround.settings import build
from paperround.wiring import House

HOUR = timedelta(hours=1)


class Site:
    """A listing site whose pages a test changes while it is being read."""

    def __init__(self) -> None:
        self.papers: dict[date, list[str]] = {}
        self.broken = False
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body, status = site.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str) -> tuple[bytes, int]:
        if not path.startswith("/papers/date/"):
            return b"", 404
        day = date.fromisoformat(path.rpartition("/")[2])
        if self.broken:
            return b"<html>Please prove that you are human.</html>", 200
        items = [
            {
                "title": title,
                "paper": {
                    "id": f"2611.9{''.join(re.findall(r'[0-9]+', title)).zfill(4)}",
                    "title": title,
                    "summary": f"{title}, told at length and with care.",
                    "authors": [{"name": "Mira Okafor"}],
                    "publishedAt": "2026-11-18T00:00:00.000Z",
                    "submittedOnDailyAt": f"{day}T00:00:00.000Z",
                    "upvotes": 3,
                },
            }
            for title in self.papers.get(day, [])
        ]
        props = {"dailyPapers": items, "dateString": day.isoformat(), "periodType": "day", "query": {}}
        blob = escape(json.dumps(props))
        page = f'<html><body><div data-target="DailyPapers" data-props="{blob}"></div></body></html>'
        return page.encode(), 200

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    opened = Site()
    yield opened
    opened.close()


@pytest.fixture
def transport() -> MemoryTransport:
    return MemoryTransport()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 19, 0, 30, tzinfo=UTC))


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def house(tmp_path, url, site, clock, transport, stop) -> Iterator[House]:
    values = {
        "database": {"url": url},
        "mail": {"from": "Paperround <p@lab.example>"},
        "source": [{"name": "hf", "kind": "huggingface-daily", "url": site.url, "every": "1h"}],
    }
    with House(build(values, tmp_path), clock=clock, transport=transport, stop=stop) as opened:
        yield opened


def letters(transport: MemoryTransport) -> list:
    return [email.message_from_bytes(each.data, policy=email.policy.default) for each in transport.messages]


def titles(letter) -> set[str]:
    return set(re.findall(r"Tides of Day \d+ Hour \d+", letter.get_body(("plain",)).get_content().replace("*", "")))


def until(met: Callable[[], bool]) -> None:
    end = monotonic() + 20
    while not met():
        assert monotonic() < end, "it did not happen in time"
        sleep(0.01)


def test_left_alone_for_two_days_it_collects_publishes_and_delivers(house, site, clock, transport, stop):
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    listed: dict[int, set[str]] = {19: set(), 20: set(), 21: set()}
    rounds = {"collect": 0, "publish": 0, "deliver": 0}
    for name in rounds:
        job = getattr(house.rounds, name)

        def counted(*site: str, name: str = name, job: Callable[..., object] = job) -> None:
            job(*site)
            rounds[name] += 1

        setattr(house.rounds, name, counted)
    runner = threading.Thread(target=house.tick, args=(timedelta(milliseconds=30), stop))
    runner.start()
    try:
        for _ in range(56):
            now = clock.now()
            site.broken = now.day == 19 and now.hour in {3, 4}
            if now.hour % 6 == 0:
                title = f"Tides of Day {now.day} Hour {now.hour}"
                site.papers.setdefault(now.date(), []).append(title)
                listed[now.day].add(title)
            before = dict(rounds)
            until(lambda before=before: all(rounds[name] >= before[name] + 2 for name in rounds))
            clock.set(now + HOUR)
    finally:
        stop.set()
        runner.join()
    sent = letters(transport)
    slots = [each.slot for each in reversed(house.issues.records())]
    assert slots == ["2026-11-19", "2026-11-20", "2026-11-21"]
    assert len(sent) == 3
    shown = [titles(letter) for letter in sent]
    assert shown[0] == {"Tides of Day 19 Hour 0"}
    # A paper that came before seven is in that morning's letter, one that came later in the next; none is in two.
    assert shown[1] == listed[19] - shown[0] | {"Tides of Day 20 Hour 0", "Tides of Day 20 Hour 6"}
    assert shown[0] | shown[1] | shown[2] == listed[19] | listed[20] | {t for t in listed[21] if t in shown[2]}
    assert not shown[0] & shown[1]
    assert not shown[1] & shown[2]
    assert [each.state for each in house.outbox.records()] == ["accepted"] * 3
    statuses = [run.status for run in house.runs.since("collect:hf", None)]
    assert len(statuses) == 56
    assert statuses.count(FetchStatus.BLOCKED) == 2


def test_a_letter_says_that_a_source_could_not_be_read(house, site, clock, transport):
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    site.papers[clock.now().date()] = ["Tides of Day 19 Hour 0"]
    house.rounds.once()
    site.broken = True
    clock.set(clock.now() + HOUR)
    site_day = clock.now().date()
    house.rounds.once()
    site.broken = False
    site.papers[site_day].append("Tides of Day 19 Hour 1")
    clock.set(clock.now() + HOUR)
    house.rounds.collect()
    site.broken = True
    clock.set(datetime(2026, 11, 20, 7, 5, tzinfo=UTC))
    house.rounds.once()
    first, second = letters(transport)
    assert "1 listed, 1 new. Nothing failed" in " ".join(first.get_body(("plain",)).get_content().split())
    text = " ".join(second.get_body(("plain",)).get_content().split())
    assert titles(second) == {"Tides of Day 19 Hour 1"}
    assert "could not be read today" in text


def test_nothing_new_is_no_letter_and_the_first_letter_comes_all_the_same(house, site, clock, transport):
    house.desk.subscribe("mira@lab.example", ["quasars"], None, vouched=True, shared=False)
    house.rounds.once()
    clock.set(clock.now() + timedelta(days=1, hours=8))
    _, published, _ = house.rounds.once()
    assert (published.due, published.issues, dict(published.skipped)) == (1, 0, {"nothing matched": 1})
    (only,) = letters(transport)
    assert "looks back 7 days" in only.get_body(("plain",)).get_content()


def test_a_new_topic_of_an_old_reader_brings_what_came_since_their_last_letter(house, site, clock, transport):
    house.desk.subscribe("mira@lab.example", ["quasars"], None, vouched=True, shared=False)
    house.rounds.once()
    site.papers[clock.now().date()] = ["Tides of Day 19 Hour 2"]
    clock.set(clock.now() + HOUR)
    house.rounds.once()
    house.desk.change_topics("mira@lab.example", ["tides"], [])
    clock.set(datetime(2026, 11, 20, 7, 5, tzinfo=UTC))
    house.rounds.once()
    assert titles(letters(transport)[-1]) == {"Tides of Day 19 Hour 2"}


def test_days_that_were_missed_are_read_when_it_is_on_again(house, site, clock, transport):
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    site.papers[date(2026, 11, 19)] = ["Tides of Day 19 Hour 0"]
    house.rounds.once()
    site.papers[date(2026, 11, 19)].append("Tides of Day 19 Hour 23")
    for day in range(20, 28):
        site.papers[date(2026, 11, day)] = [f"Tides of Day {day} Hour 1"]
    clock.set(datetime(2026, 11, 27, 9, tzinfo=UTC))
    house.rounds.once()
    missed = {"Tides of Day 19 Hour 23", *(f"Tides of Day {day} Hour 1" for day in range(20, 28))}
    assert titles(letters(transport)[-1]) == missed


def test_a_day_that_could_not_be_read_is_asked_for_until_it_can(house, site, clock):
    for day in range(10, 21):
        site.papers[date(2026, 11, day)] = [f"Tides of Day {day} Hour 1"]
    clock.set(datetime(2026, 11, 10, 9, tzinfo=UTC))
    house.rounds.collect()
    answer = site.answer
    site.answer = lambda path: (b"oops", 200) if path.endswith("2026-11-13") else answer(path)
    clock.set(datetime(2026, 11, 20, 9, tzinfo=UTC))
    house.rounds.collect()
    house.collector.collect(days=[date(2026, 11, 20)])
    assert house.states.state("hf").cursor == date(2026, 11, 12)
    site.answer = answer
    clock.set(datetime(2026, 11, 20, 10, tzinfo=UTC))
    house.rounds.collect()
    assert house.states.state("hf").cursor == date(2026, 11, 20)
    assert house.archive.stats()["papers"] == 11


def test_a_reader_whose_hour_falls_into_the_night_of_a_laptop_is_served_in_the_morning(house, site, clock, transport):
    schedule = Schedule(hour=22)
    house.desk.subscribe("mira@lab.example", ["tides"], schedule, vouched=True, shared=False)
    house.rounds.once()
    for day in (20, 21, 22):
        site.papers[date(2026, 11, day)] = [f"Tides of Day {day} Hour 8"]
        for hour in (9, 17):
            clock.set(datetime(2026, 11, day, hour, tzinfo=UTC))
            house.rounds.once()
    # The first letter was the nineteenth's; the slot of the twentieth opens at 22 and is served on the 21st at 9.
    assert [titles(each) for each in letters(transport)[1:]] == [
        {"Tides of Day 20 Hour 8", "Tides of Day 21 Hour 8"},
        {"Tides of Day 22 Hour 8"},
    ]
    assert [each.slot for each in house.issues.records()] == ["2026-11-21", "2026-11-20", "2026-11-19"]


def test_a_slot_that_stayed_empty_is_not_filled_at_a_random_hour(house, site, clock, transport):
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    house.rounds.once()
    clock.set(datetime(2026, 11, 20, 7, 0, tzinfo=UTC))
    house.rounds.once()
    site.papers[date(2026, 11, 20)] = ["Tides of Day 20 Hour 14"]
    clock.set(datetime(2026, 11, 20, 14, 0, tzinfo=UTC))
    house.rounds.once()
    assert len(letters(transport)) == 1
    clock.set(datetime(2026, 11, 21, 7, 0, tzinfo=UTC))
    house.rounds.once()
    assert titles(letters(transport)[-1]) == {"Tides of Day 20 Hour 14"}


def test_one_who_left_and_returns_gets_a_first_letter_and_not_the_whole_past(house, site, clock, transport):
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    house.rounds.once()
    house.desk.unsubscribe("mira@lab.example")
    for day in range(1, 27):
        site.papers[date(2026, 12, day)] = [f"Tides of Day {day} Hour 12"]
        clock.set(datetime(2026, 12, day, 13, tzinfo=UTC))
        house.rounds.once()
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    house.rounds.once()
    last = letters(transport)[-1]
    assert "looks back 7 days" in last.get_body(("plain",)).get_content()
    assert titles(last) == {f"Tides of Day {day} Hour 12" for day in range(19, 27)}


def test_a_letter_that_cannot_be_made_stops_nobody_elses(house, site, clock, transport):
    site.papers[clock.now().date()] = ["Tides of Day 19 Hour 0"]
    for name in ("ann", "ben", "cat"):
        house.desk.subscribe(f"{name}@lab.example", [f"{name.title()} = tides"], None, vouched=True, shared=False)
    rendered = house.renderer.digest

    def broken(digest, *, shared):
        if digest.topics == ("Ben",):
            raise ZeroDivisionError
        return rendered(digest, shared=shared)

    house.renderer.digest = broken
    _, counts, _ = house.rounds.once()
    assert (counts.due, counts.issues, dict(counts.skipped)) == (3, 2, {"could not be composed": 1})
    house.renderer.digest = rendered
    assert house.rounds.once()[1].due == 0
    clock.set(clock.now() + HOUR)
    assert house.rounds.once()[1].issues == 1


def test_an_abstract_that_arrives_later_is_matched_then(house, archive_with_card, clock):
    house.desk.subscribe("mira@lab.example", ["hypergraph"], None, vouched=True, shared=False)
    archive_with_card("")
    assert house.matcher.match(clock.now()).matches == 0
    archive_with_card("We study the hypergraph.")
    assert house.matcher.match(clock.now()).matches == 1
    assert house.matcher.match(clock.now()).matches == 0


@pytest.fixture
def archive_with_card(house, clock):
    def add(abstract: str) -> None:
        kind = AbstractKind.AUTHORS if abstract else AbstractKind.NONE
        paper = ListedPaper("Nets", 1, Identifiers(arxiv="2611.90001"), abstract=abstract, abstract_kind=kind)
        house.archive.add(Listing("hf", date(2026, 11, 19), (paper,), FetchStatus.OK), clock.now())

    return add


def test_a_paper_that_no_longer_answers_is_not_in_the_letter(house, archive_with_card, clock, transport):
    house.desk.subscribe("mira@lab.example", ["nets -survey"], None, vouched=True, shared=False)
    archive_with_card("")
    house.matcher.match(clock.now())
    archive_with_card("This is a survey.")
    house.publisher.publish(clock.now())
    house.deliverer.deliver()
    assert "Nets" not in letters(transport)[0].get_body(("plain",)).get_content()


def test_after_a_kill_while_collecting_no_letter_is_cut_from_the_old_archive(house, site, clock, transport):
    site.papers[date(2026, 11, 19)] = ["Tides of Day 19 Hour 0"]
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    slot = datetime(2026, 11, 19, 0, 30, tzinfo=UTC).isoformat()
    dead = house._owner.rsplit("/", 2)[0] + "/1/ffff"
    house.runs.claim("collect:hf", slot, dead, clock.now(), timedelta(hours=1))
    house.rounds.once()
    assert titles(letters(transport)[0]) == {"Tides of Day 19 Hour 0"}


def test_papers_of_different_days_are_ordered_by_how_rare_a_word_is_in_the_archive(house, site, clock, transport):
    site.papers[date(2026, 11, 18)] = [f"Rivers of Day 18 Hour {n}" for n in range(40)] + ["Tides of Day 18 Hour 1"]
    site.papers[date(2026, 11, 19)] = ["Tides and Tides of Day 19 Hour 2"]
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    house.rounds.once()
    (letter,) = letters(transport)
    assert letter["Subject"].startswith("Tides and Tides")


def test_a_first_letter_waits_until_something_could_be_read(house, site, clock, transport):
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    site.broken = True
    house.rounds.once()
    assert letters(transport) == []
    site.broken = False
    site.papers[clock.now().date()] = ["Tides of Day 19 Hour 0"]
    clock.set(clock.now() + HOUR)
    house.rounds.once()
    assert titles(letters(transport)[0]) == {"Tides of Day 19 Hour 0"}


def test_a_stop_ends_the_waiting_at_once(house, stop):
    threading.Timer(0.2, stop.set).start()
    started = monotonic()
    house.tick(timedelta(minutes=1), stop)
    assert monotonic() - started < 10


def test_a_site_that_dawdles_holds_neither_the_others_nor_the_letters_for_long(tmp_path, url, site, clock, transport):
    values = {
        "database": {"url": url},
        "mail": {"from": "Paperround <p@lab.example>"},
        "source": [
            {"name": "slow", "kind": "huggingface-daily", "url": "http://127.0.0.1:9"},
            {"name": "hf", "kind": "huggingface-daily", "url": site.url},
        ],
    }
    site.papers[clock.now().date()] = ["Tides of Day 19 Hour 0"]
    with House(build(values, tmp_path), clock=clock, transport=transport) as house:
        house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
        _, quick = house.rounds.sites
        (report,) = house.rounds.collect(quick)
        assert (report.source, report.new) == ("hf", 1)
        house.rounds.publish()
        house.rounds.deliver()
        assert letters(transport) == [], "the other site has not been asked yet"
        clock.set(clock.now() + timedelta(minutes=10))
        house.rounds.publish()
        house.rounds.deliver()
        assert titles(letters(transport)[0]) == {"Tides of Day 19 Hour 0"}
