"""What costs much has few lanes: many searches keep nobody from the other pages."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.clock import FixedClock
from paperround.serving import site as make_site
from paperround.settings import build
from paperround.wiring import House
from web.costly import AT_ONCE, WAITING, Crowded, Lanes
from web.limits import Measures
from web.server import serve

pytestmark = pytest.mark.engines("sqlite")


@pytest.fixture
def slow(sqlite_url, monkeypatch):
    """Serve a site whose searches take until the event is set; give its address and the event."""
    with ExitStack() as stack:
        done = threading.Event()
        house = stack.enter_context(
            House(
                build({"database": {"url": sqlite_url}}, Path.cwd()),
                clock=FixedClock(datetime(2026, 11, 20, 8, 0, tzinfo=UTC)),
            )
        )
        search = house.search.search

        def waits(*values, **named):
            done.wait(20)
            return search(*values, **named)

        monkeypatch.setattr(house.search, "search", waits)
        stack.callback(done.set)

        def made(searches="100000/minute"):
            app = make_site(house, Measures(searches=searches))
            return stack.enter_context(serve(app, "127.0.0.1", 0, threading.Event()))

        yield made, done


def test_sixty_searches_at_once_leave_threads_for_the_other_pages(slow, ask):
    made, done = slow
    address = made()
    with ThreadPoolExecutor(60) as pool:
        paths = [f"/papers?q=tides+OR+{n}" if n % 2 else f"/api/v1/papers?q=tides+OR+{n}" for n in range(60)]
        asked = [pool.submit(ask, address, "GET", path) for path in paths]
        begun = time.monotonic()
        while sum(each.done() for each in asked) < 60 - AT_ONCE - WAITING and time.monotonic() < begun + 5:
            time.sleep(0.01)
        assert ask(address, "GET", "/privacy").status == 200
        assert time.monotonic() - begun < 5
        done.set()
        answers = [each.result() for each in asked]

    turned_away = [each for each in answers if each.status != 200]
    assert len(turned_away) == 60 - AT_ONCE - WAITING
    assert {(each.status, each.headers["retry-after"]) for each in turned_away} == {(503, "5")}
    kinds = {each.headers["content-type"].partition(";")[0] for each in turned_away}
    assert kinds <= {"text/html", "application/problem+json"}
    assert ask(address, "GET", "/papers?q=tides").status == 200


def test_who_searches_too_often_is_told_how_long_to_wait_and_what_is_kept_is_no_count(slow, ask):
    made, done = slow
    done.set()
    address = made(searches="2/minute")
    assert [ask(address, "GET", "/papers?q=tides").status for _ in range(4)] == [200] * 4
    assert ask(address, "GET", "/papers").status == 200
    statuses = [ask(address, "GET", f"/papers?q=tides+{n}") for n in range(2)]
    assert [each.status for each in statuses] == [200, 429]
    assert "Many searches came from your network" in statuses[1].text
    assert 1 <= int(statuses[1].headers["retry-after"]) <= 60
    assert ask(address, "GET", "/api/v1/papers?q=eels").status == 429


@pytest.mark.anyio
async def test_lanes_take_what_comes_up_to_their_bound_and_are_free_again_after_it():
    with pytest.raises(Crowded):
        await Lanes(0, 0).run(int)
    lanes = Lanes(1, 0)
    assert [await lanes.run(int) for _ in range(3)] == [0, 0, 0]
    with pytest.raises(ValueError, match="invalid"):
        await lanes.run(lambda: int("x"))
    assert await lanes.run(int) == 0


@pytest.fixture
def anyio_backend():
    return "asyncio"
