"""What filters say of one mailbox each day stops nobody's letters; it is warned of, once they say it of several."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from digests.mail.bounces.reading import Heard
from domain.clock import FixedClock
from domain.letter_events import LetterEvent, LetterEventKind
from paperround.settings import build
from paperround.wiring import House
from storage.tables import DELIVERY

START = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("readers", [1, 5])
def test_refusals_by_filters_stop_nothing_and_are_warned_of(tmp_path, url, readers, caplog):
    values = {"database": {"url": url}, "mail": {"from": "Paperround <p@lab.example>"}}
    house = House(build(values, tmp_path), clock=FixedClock(START))
    for name in range(readers):
        house.desk.subscribe(f"r{name}@lab.example", ["tides"], None, vouched=True, shared=False)
    house.publisher.publish(START)
    with house.database.reading() as connection:
        letters = list(connection.execute(select(DELIVERY.c.id)).scalars())
    refused = [
        LetterEvent("dsn", f"{day}:{each}", each, LetterEventKind.BOUNCE, START, "5.7.1")
        for each in letters
        for day in range(8)
    ]
    assert house.letter_events.record(refused, START) == 8 * readers
    assert house.gauge.look(START + timedelta(hours=1)) == ""
    assert house.installation.hold() is None
    assert ("5 were refused" in caplog.text) == (readers == 5)
    house.database.close()


@pytest.mark.engines("sqlite")
def test_complaints_that_a_mailbox_brings_stop_the_letters_at_once(tmp_path, url):
    values = {"database": {"url": url}, "mail": {"from": "Paperround <p@lab.example>"}}
    house = House(build(values, tmp_path), clock=FixedClock(START))
    for name in range(5):
        house.desk.subscribe(f"r{name}@lab.example", ["tides"], None, vouched=True, shared=False)
    house.publisher.publish(START)

    def read(raw: bytes, *_: object) -> Heard:
        number = int(raw)
        return Heard(events=(LetterEvent("arf", str(number), number, LetterEventKind.COMPLAINT, START),))

    desk = house.bounce_desk
    desk._read = read
    assert [desk.take(str(number).encode()).new for number in range(1, 5)] == [1] * 4
    assert house.installation.hold() is None
    assert desk.take(b"5").new == 1
    assert "called letters spam" in house.installation.hold().sentence
    house.database.close()
