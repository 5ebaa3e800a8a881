"""An archive that is held, or finds itself to be a copy, sends nothing; everything else goes on."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text

from domain.clock import FixedClock
from domain.deliveries import Acceptance, DeliveryCounts, Message
from paperround.demo.play import EVENING
from paperround.demo.site import DAYS, DemoSite, read_pages
from paperround.settings import build
from paperround.wiring import House
from storage.backup import back_up
from storage.restoring import prepared

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
READERS = ("ann", "ben", "cat", "dan")


class Relay:
    """A transport that keeps what it took, and does something before the letter of one reader."""

    name = "relay"

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.before: dict[str, Callable[[], object]] = {}

    @contextmanager
    def connect(self) -> Iterator["Relay"]:
        yield self

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        self.before.pop(message.recipient.partition("@")[0], lambda: None)()
        if not before_dot():
            return None
        self.taken.append(message)
        return Acceptance(reply="250 kept", code=250)


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def open_house(relay: Relay, clock: FixedClock) -> Iterator[Callable[[Path], House]]:
    opened: list[House] = []

    def make(folder: Path) -> House:
        mail = {"from": "Paperround <p@lab.example>", "connections": 1}
        chosen = build({"database": {"url": "sqlite:///archive.db"}, "mail": mail}, folder)
        opened.append(House(chosen, transport=relay, clock=clock))
        return opened[-1]

    yield make
    for house in opened:
        house.database.close()


@pytest.fixture
def home(tmp_path: Path, relay: Relay, clock: FixedClock) -> Path:
    """The folder of an archive with four readers, each with a letter due."""
    folder = tmp_path / "home"
    folder.mkdir()
    with DemoSite(read_pages()) as site:
        source = {"name": "hf", "kind": "huggingface-daily", "url": site.url}
        values = {"database": {"url": "sqlite:///archive.db"}, "source": [source]}
        with House(build(values, folder), transport=relay, clock=clock) as house:
            for name in READERS:
                house.desk.subscribe(f"{name}@lab.example", ["speech"], None, vouched=True, shared=False)
            house.collector.collect(days=DAYS)
            house.matcher.match(EVENING)
            assert house.publisher.publish(EVENING).issues == len(READERS)
    return folder


def states(house: House) -> list[str]:
    return sorted(each.state for each in house.outbox.records())


def test_a_copied_folder_sends_nothing_until_the_operator_says_so(home, tmp_path, open_house, relay, clock):
    assert open_house(home).deliverer.deliver() == DeliveryCounts(accepted=4)
    with open_house(home).database.writing() as connection:
        connection.execute(text("UPDATE delivery SET state = 'planned', not_before = expires_at WHERE id > 2"))
    shutil.copytree(home, tmp_path / "copy")
    copy = open_house(tmp_path / "copy")
    clock.set(NOW + timedelta(hours=1))
    with copy.database.writing() as connection:
        connection.execute(text("UPDATE delivery SET not_before = date WHERE state = 'planned'"))
    for _ in range(2):
        counts = copy.deliverer.deliver()
        assert "copied, moved or restored since it last sent; 2 letters wait" in counts.held
    assert len(relay.taken) == 4
    assert copy.installation.resume(clock.now(), skip_waiting=True).skipped == 2
    assert copy.deliverer.deliver() == DeliveryCounts()
    assert states(copy) == ["accepted", "accepted", "skipped", "skipped"]
    assert len(relay.taken) == 4


def test_what_waits_in_a_held_archive_expires_as_ever(home, open_house, relay, clock):
    house = open_house(home)
    house.installation.pause(NOW)
    clock.set(NOW + timedelta(days=30))
    counts = house.deliverer.deliver()
    assert (counts.expired, bool(counts.held)) == (4, True)
    assert relay.taken == []


def test_a_pause_in_the_middle_of_a_pass_stops_the_next_letter(home, open_house, relay):
    house, operator = open_house(home), open_house(home)
    relay.before["ben"] = lambda: operator.installation.pause(NOW)
    assert house.deliverer.deliver() == DeliveryCounts(accepted=1)
    assert states(house) == ["accepted", "planned", "planned", "planned"]
    assert house.deliverer.deliver().held.startswith("nothing is sent: the operator paused deliveries; 3 letters wait")
    operator.installation.resume(NOW)
    assert house.deliverer.deliver() == DeliveryCounts(accepted=3)
    assert len({message.message_id for message in relay.taken}) == len(relay.taken) == 4


def test_a_restore_in_the_middle_of_a_pass_stops_the_next_letter(home, tmp_path, open_house, relay):
    house = open_house(home)
    backup = tmp_path / "backup.db"

    def back_up_and_restore() -> None:
        # The worst moment: the copy knows these letters as leased by this very worker.
        back_up(open_house(home).database, backup, NOW, lambda _done, _total: None)
        with prepared(backup, home / "archive.db", NOW) as ready:
            ready.put(NOW, lambda _done, _total: None)

    relay.before["ben"] = back_up_and_restore
    assert house.deliverer.deliver() == DeliveryCounts(accepted=1)
    assert len(relay.taken) == 1
    assert "restored from backup.db" in house.deliverer.deliver().held
    house.installation.resume(NOW)
    assert house.deliverer.deliver() == DeliveryCounts(accepted=3)
    assert len(relay.taken) == 4


def test_issues_of_the_days_since_a_backup_can_be_counted_as_sent(home, tmp_path, open_house, relay, clock):
    """The letters went out after the backup was taken; the restored archive plans the same ones again."""
    house = open_house(home)
    back_up(house.database, tmp_path / "backup.db", NOW, lambda _done, _total: None)
    assert house.deliverer.deliver() == DeliveryCounts(accepted=4)
    with prepared(tmp_path / "backup.db", home / "archive.db", NOW) as ready:
        ready.put(NOW, lambda _done, _total: None)
    assert "4 letters wait" in house.deliverer.deliver().held
    house.installation.resume(clock.now(), skip_waiting=True)
    assert house.deliverer.deliver() == DeliveryCounts()
    assert len(relay.taken) == 4


def test_a_pass_with_nothing_due_writes_nothing(home, open_house):
    house = open_house(home)
    assert house.deliverer.deliver() == DeliveryCounts(accepted=4)
    note = home / "archive.db.passes"
    before = (house.database.file.read_bytes(), note.read_text(), note.stat().st_mtime_ns)
    statements: list[str] = []
    event.listen(house.database._engine, "after_execute", lambda *said: statements.append(str(said[1])))
    with house.database.reading() as connection:
        changes = connection.execute(text("PRAGMA data_version")).scalar()
    assert house.deliverer.deliver() == DeliveryCounts()
    with house.database.reading() as connection:
        assert connection.execute(text("PRAGMA data_version")).scalar() == changes
    assert not [each for each in statements if "installation SET" in each]
    assert (house.database.file.read_bytes(), note.read_text(), note.stat().st_mtime_ns) == before


def test_a_worker_is_not_confused_by_topics_whose_ids_mean_something_else_after_a_restore(home, tmp_path, open_house):
    house = open_house(home)
    back_up(house.database, tmp_path / "backup.db", NOW, lambda _done, _total: None)
    house.desk.subscribe("eve@lab.example", ["weather OR climate"], None, vouched=True, shared=False)
    house.matcher.match(EVENING)  # the new topic's id is known to this worker now
    with prepared(tmp_path / "backup.db", home / "archive.db", NOW) as ready:
        ready.put(NOW, lambda _done, _total: None)
    house.desk.subscribe("fay@lab.example", ["dictation"], None, vouched=True, shared=False)
    (stored,) = [each for each in house.topics.all() if each.normal_form == "dictation"]
    (asked,) = house.matcher._read([stored])
    assert (asked.id, asked.query.normal_form) == (stored.id, "dictation")
