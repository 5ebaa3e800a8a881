"""What filters say of one mailbox each day stops nobody's letters; it is warned of, once they say it of several."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

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
