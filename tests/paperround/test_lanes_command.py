"""`deliveries lanes`: what a person sees of limits, and of what shut a lane."""

from datetime import UTC, datetime, timedelta

from digests.mail.lanes import Rates
from domain.clock import FixedClock
from domain.deliveries import Acceptance
from domain.errors import NotConnected, TransientDeliveryError
from paperround.settings import load
from paperround.wiring import House
from worker.lanes import Lanes
from worker.road import OpenRoad


def test_lanes_that_are_open_are_not_listed(paperround, configured):
    shown = paperround("deliveries", "lanes", "--json")
    assert (shown.code, shown.json["lanes"]) == (0, [])
    assert shown.json["last_hour"] == {"sent": 0, "per_hour": None, "per_second": None}
    assert "Every lane is open." in paperround("deliveries", "lanes").out


def test_what_is_slow_and_shut_is_told_with_its_reason_until_it_is_resumed(paperround, configured):
    now = datetime.now(UTC).replace(microsecond=0)
    with House(load(configured / "paperround.toml", {}, configured), clock=FixedClock(now)) as house:
        road = Lanes(
            records=house.lanes, rates=Rates(), worker="one", is_alive=lambda _: None, hold=house.installation.pause
        )
        road.told("lab.example", Acceptance("250 kept", 250), now)
        road.told("gmail", TransientDeliveryError("relay refused x: 421 [bold]busy", 421), now)
        road.told("lab.example", NotConnected("relay:587 could not be reached: refused"), now)
        road.settle(now)
    shown = paperround("deliveries", "lanes", "--json").json
    assert shown["last_hour"]["sent"] == 1
    relay, gmail = shown["lanes"]
    assert (relay["lane"], relay["per_hour"], relay["strikes"]) == ("relay", None, 1)
    assert relay["why"] == "the relay is out of reach: relay:587 could not be reached: refused"
    assert (gmail["lane"], gmail["per_hour"]) == ("gmail", 60)
    assert gmail["shut_until"] == (now + timedelta(minutes=5)).isoformat()
    assert "[bold]busy" in paperround("deliveries", "lanes").out
    assert paperround("deliveries", "resume").code == 0
    assert paperround("deliveries", "lanes", "--json").json["lanes"] == []


def test_the_relay_is_greeted_with_the_name_of_the_settings(configured):
    given = {"PAPERROUND_MAIL__EHLO_NAME": "digests.lab.example"}
    with House(load(configured / "paperround.toml", given, configured)) as house:
        assert house.route.ehlo_name == "digests.lab.example"


def test_a_folder_has_no_lanes_unless_a_limit_is_set(configured):
    def road_of(**environment: str) -> object:
        settings = load(configured / "paperround.toml", environment, configured)
        with House(settings) as house:
            return house.road

    assert isinstance(road_of(), OpenRoad)
    assert isinstance(road_of(PAPERROUND_MAIL__PER_HOUR="5"), Lanes)
    smtp = {"PAPERROUND_MAIL__TRANSPORT": "smtp", "PAPERROUND_MAIL__POSTAL_ADDRESS": "1 Tide Street"}
    assert isinstance(road_of(**smtp), Lanes)
