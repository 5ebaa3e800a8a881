"""Messages that come back: one that cannot be read is told of, and those behind it are taken in."""

from datetime import UTC, datetime

from digests.mail.bounces.reading import Heard
from domain.clock import FixedClock
from storage.letter_events import LetterEvents
from worker.bounces import BounceDesk

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_fault_that_nobody_foresaw_is_the_message_s_own(database):
    def read(raw: bytes, *_: object) -> Heard:
        if raw == b"((((":
            raise RecursionError
        return Heard(ignored="it is no bounce and no complaint")

    desk = BounceDesk(events=LetterEvents(database), paths=None, clock=FixedClock(NOW), read=read)
    told = [desk.take(raw).ignored for raw in (b"((((", b"hello")]
    assert told == ["it cannot be read, in a way that was not foreseen", "it is no bounce and no complaint"]
