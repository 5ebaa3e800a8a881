"""The records of the lanes, and processes that share them."""

import subprocess
import sys
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from domain.errors import UsageError
from domain.lanes import RELAY, TRIES, Lane
from storage.installation import Installation
from storage.lanes import Lanes
from storage.tables import LANE

everywhere = pytest.mark.engines("sqlite", "memory", "postgresql")


@pytest.fixture
def lanes(database) -> Lanes:
    return Lanes(database)


def test_a_lane_has_the_columns_of_the_table() -> None:
    assert {field.name for field in fields(Lane)} == {column.name for column in LANE.columns}


@everywhere
def test_what_was_decided_is_what_is_known(lanes, now) -> None:
    relay = Lane(RELAY, 1.5, 1_700_000_000.123456, None, 3, now, now - timedelta(hours=1), "é: no answer")
    keeper = Lane("to:lab.example", per_hour=60.0)
    seen = []
    lanes.change(lambda known: seen.append(known) or {RELAY: relay, keeper.name: keeper})
    assert lanes.all() == {RELAY: relay, keeper.name: keeper}
    lanes.change(lambda known: seen.append(known) or {RELAY: replace(relay, strikes=4), keeper.name: None})
    assert lanes.all() == {RELAY: replace(relay, strikes=4)}
    assert seen == [{}, {RELAY: relay, keeper.name: keeper}]


@everywhere
def test_what_could_not_be_decided_changes_nothing(lanes) -> None:
    lanes.change(lambda _: {RELAY: Lane(RELAY, strikes=1)})

    def refuse(_: object) -> dict[str, Lane | None]:
        raise UsageError("no")

    with pytest.raises(UsageError):
        lanes.change(refuse)
    assert lanes.all() == {RELAY: Lane(RELAY, strikes=1)}


@everywhere
def test_what_keepers_took_is_counted_over_the_last_hour(lanes, database, reader, issue, now) -> None:
    issue(reader("mira"), now - timedelta(minutes=90))
    issue(reader("jun"), now - timedelta(minutes=30))
    with database.reading() as connection:
        (keeper,) = connection.exec_driver_sql("SELECT DISTINCT keeper FROM delivery").scalars()
    assert lanes.taken({keeper, "gmail"}, now) == {keeper: 1}
    assert lanes.taken((), now) == {}


@everywhere
def test_resuming_opens_all_lanes_and_forgets_no_limit(lanes, database, now) -> None:
    shut = {"per_hour": 60.0, "strikes": 2, "shut_until": now, "shut_since": now, "reason": "busy"}
    kept = {"minute:29000000": Lane("minute:29000000", 7.0), "in hand:one": Lane("in hand:one", 2.0)}
    gone = {"to:lab": Lane("to:lab", **shut), TRIES: Lane(TRIES, reason=". 5.7.1")}
    lanes.change(lambda _: {**kept, **gone, RELAY: Lane(RELAY, 0.5, 9.0, **shut)})
    Installation(database).resume(now)
    assert lanes.all() == {**kept, RELAY: Lane(RELAY, 0.5, 9.0)}


_TAKES = """
import sys
from datetime import UTC, datetime
from digests.mail.lanes import Rates
from domain.errors import TransientDeliveryError
from storage.database import Database
from storage.lanes import Lanes as LaneRecords
from worker.lanes import Lanes

url, name = sys.argv[1:]
now = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
with Database(url) as database:
    road = Lanes(records=LaneRecords(database), rates=Rates(per_hour=200), worker=name, is_alive=lambda _: True,
                 hold=lambda *_: None)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(15):
        road.told(f"{name}-{number}", TransientDeliveryError("busy: 421 busy", 421), now)
        road.settle(now)
    print(sum(road.opening(now, 7).room for _ in range(25)))
"""


def test_two_processes_at_once_lose_no_strike_and_take_no_letter_twice(url, lanes) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _TAKES, url, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    for each in processes:
        assert each.stdout.readline() == "ready\n"
    for each in processes:
        each.stdin.write("\n")
        each.stdin.flush()
    taken = [int(each.communicate(timeout=60)[0]) for each in processes]
    assert [each.returncode for each in processes] == [0, 0]
    assert sum(taken) == 200
    struck = {name: lane.strikes for name, lane in lanes.all().items() if name.startswith("to:")}
    assert struck == {f"to:{name}-{number}": 1 for name in ("one", "two") for number in range(15)}
