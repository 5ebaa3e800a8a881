"""The desk, as the site asks it: what was typed is read or refused, and whose it is is never told."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digests.links import Purpose
from domain.clock import FixedClock
from domain.errors import AddressError, QueryError, UnknownError, UsageError
from domain.subscriptions import Cadence, Schedule, SubscriberState
from paperround.settings import build
from paperround.wiring import House

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
MIRA = "mira@lab.example"
WEB = {"base_url": "https://papers.lab.example", "secret_key": "k" * 43}


def opened(folder: Path, web: dict[str, str]) -> House:
    mail = {"from": "P <p@lab.example>"}
    settings = build({"database": {"url": f"sqlite:///{folder}/a.db"}, "web": web, "mail": mail}, folder)
    return House(settings, clock=FixedClock(NOW))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path, WEB) as house:
        yield house


def waiting(house: House) -> list[tuple[str, str, dict[str, str]]]:
    """Return the letters that wait: kind, address and links."""
    found = house.outbox.lease("looker", NOW + timedelta(hours=1), timedelta(minutes=1), 99)
    return [(each.kind, each.recipient, dict(each.slots)) for each in found]


def test_a_sign_up_becomes_a_letter_whose_link_confirms(house: House) -> None:
    assert (
        house.desk.sign_up(MIRA, ["Tides = tides", "rivers"], Schedule(Cadence.WEEK, 4), "/subscribe", "web 2") is None
    )
    ((kind, to, slots),) = waiting(house)
    reader = house.desk.find(MIRA)
    assert (kind, to, reader.state) == ("confirm", MIRA, SubscriberState.PENDING)
    assert house.links is not None
    token = slots["confirm"].rpartition("/")[2]
    assert house.links.read(Purpose.CONFIRM, token, NOW) == reader.public_id


def test_a_sign_up_for_who_reads_already_becomes_a_letter_with_a_fresh_link(house: House) -> None:
    reader, _ = house.desk.subscribe(MIRA, ["tides"], None, vouched=True, shared=False)
    assert house.desk.sign_up(MIRA, ["rivers"], None, "/subscribe", "web 2") is None
    ((kind, _, slots),) = waiting(house)
    assert (kind, house.desk.find(MIRA)) == ("preferences", reader)
    assert house.links is not None
    assert house.links.read(Purpose.FRESH, slots["preferences"].rpartition("/")[2], NOW) == reader.public_id


@pytest.mark.parametrize(
    ("email", "topics", "error"),
    [
        ("nobody", ["tides"], AddressError),
        ("a@b.example\r\nBcc: c@d.example", ["tides"], AddressError),
        (MIRA, [], UsageError),
        (MIRA, ["tides AND ("], QueryError),
        (MIRA, [f"topic{number}" for number in range(51)], UsageError),
        (MIRA, [f"{'n' * 101} = tides"], UsageError),
    ],
)
def test_what_cannot_be_read_is_said_and_changes_nothing(house: House, email, topics, error) -> None:
    with pytest.raises(error):
        house.desk.sign_up(email, topics, None, "/subscribe", "web 2")
    assert (list(house.subscribers.everyone()), waiting(house)) == ([], [])


def test_the_letter_can_be_asked_for_again(house: House) -> None:
    house.desk.sign_up(MIRA, ["tides"], None, "/subscribe", "web 2")
    house.desk.resend(MIRA, "/subscribe", "web 2")
    house.desk.resend("stranger@lab.example", "/subscribe", "web 2")
    assert len(waiting(house)) == 1
    with pytest.raises(AddressError):
        house.desk.resend("nobody", "/subscribe", "web 2")


def test_a_personal_installation_takes_no_sign_ups_and_sends_no_links(tmp_path: Path) -> None:
    with opened(tmp_path, {}) as house:
        reader, _ = house.desk.subscribe(MIRA, ["tides"], None, vouched=False, shared=False)
        with pytest.raises(UsageError, match="added by its operator"):
            house.desk.sign_up(MIRA, ["tides"], None, "/subscribe", "web 2")
        assert not house.desk.ask_fresh(reader.public_id)
        assert not house.desk.ask_new_address(reader.public_id, "new@lab.example")


def test_a_reader_gets_a_fresh_link_and_moves_to_a_new_address(house: House) -> None:
    reader, _ = house.desk.subscribe(MIRA, ["tides"], None, vouched=True, shared=False)
    assert house.desk.ask_fresh(reader.public_id)
    assert not house.desk.ask_fresh(reader.public_id)
    assert house.desk.ask_new_address(reader.public_id, "Mira@Sea.example")
    with pytest.raises(AddressError):
        house.desk.ask_new_address(reader.public_id, "sea")
    letters = {kind: (to, slots) for kind, to, slots in waiting(house)}
    assert (letters["preferences"][0], letters["address"][0]) == (MIRA, "Mira@Sea.example")
    assert house.links is not None
    token = letters["address"][1]["confirm"].rpartition("/")[2]
    public_id, asked_at = house.links.read_dated(Purpose.ADDRESS, token, NOW)
    assert house.address_changes.asked(public_id, asked_at) == "Mira@Sea.example"


def test_everything_is_the_same_whole_or_bit_by_bit(house: House) -> None:
    reader, _ = house.desk.subscribe(MIRA, ["tides"], None, vouched=True, shared=False)
    assert json.loads("".join(house.desk.export(reader.public_id))) == house.desk.everything(reader.public_id)
    with pytest.raises(UnknownError):
        house.desk.everything("0" * 16)
