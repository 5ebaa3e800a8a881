"""A relay that is set up wrongly: it refuses everybody the same way, and a person has to look before more is sent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from digests.mail.lanes import Rates
from domain.deliveries import Acceptance
from domain.errors import PermanentDeliveryError
from storage.database import Database
from storage.installation import Installation
from storage.lanes import Lanes as LaneRecords
from worker.lanes import Lanes

NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
OK = Acceptance("250 2.0.0 kept", 250, "2.0.0")


@pytest.fixture
def road(database: Database) -> Callable[[], Lanes]:
    """Open the lanes as one process does."""
    return lambda: Lanes(
        records=LaneRecords(database),
        rates=Rates(),
        worker="here",
        is_alive=lambda _: None,
        hold=Installation(database).pause,
    )


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ("550 relaying denied for {}", "550 relaying denied for …"),
        ("550 5.4.5 Daily user sending limit exceeded. 4f{}", "550 5.4.5 Daily user sending limit exceeded"),
        ("504 5.5.2 <us>: Sender address rejected", "504 5.5.2 <us>: Sender address rejected"),
    ],
)
def test_a_relay_that_refuses_everybody_the_same_way_holds_everything_and_is_quoted(
    road, database, said, quoted
) -> None:
    def answer(_: str, number: int) -> PermanentDeliveryError:
        text = said.format(f"r{number}@lab.example")
        status = text.split()[1] if text.split()[1][0] == "5" else None
        return PermanentDeliveryError(
            f"relay refused r{number}@lab.example: {text}", int(text[:3]), status, phase="rcpt"
        )

    ours = road()
    assert ours.opening(NOW, 11).room == 11
    for number in range(10):
        ours.told("lab", answer("lab", number), NOW)
    ours.told("lab", answer("lab", 9), NOW)  # the same reader again
    ours.settle(NOW)
    assert Installation(database).hold() is None
    ours.told("lab", answer("lab", 10), NOW)
    ours.settle(NOW)
    hold = Installation(database).hold()
    assert hold is not None
    assert f"11 letters in a row were refused with '{quoted}" in hold.reason
    assert "@" not in hold.reason
    assert road().opening(NOW + timedelta(minutes=1), 10).room == 0
    assert Installation(database).hold() == hold


def test_one_letter_that_is_taken_shows_that_the_relay_is_set_up_well(road, database) -> None:
    ours = road()
    for number in range(15):
        error = PermanentDeliveryError(f"relay refused r{number}@x: 550 no such user", 550, phase="rcpt")
        ours.told("lab", OK if number == 8 else error, NOW)
        ours.settle(NOW)
    assert Installation(database).hold() is None
