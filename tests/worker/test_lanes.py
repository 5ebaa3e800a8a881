"""Storms, outages and limits, over real databases: a little post office that sends what the road lets it send."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from digests.mail.lanes import Rates
from digests.mail.retries import settle
from domain.deliveries import Acceptance, DeliveryState
from domain.errors import DatabaseBusy, DeliveryError, NotConnected, PermanentDeliveryError, TransientDeliveryError
from domain.lanes import IN_HAND, MINUTE, RELAY, TRIES
from storage.database import Database
from storage.installation import Installation
from storage.lanes import Lanes as LaneRecords
from storage.tables import LANE
from worker.lanes import Lanes

NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
RATES = Rates()
OK = Acceptance("250 2.0.0 kept", 250, "2.0.0")

UNSEEN: Callable[[str], bool | None] = lambda _: None  # noqa: E731 a default of a fixture

#: The relay of a test: keeper, instant → what it answers.
Temper = Callable[[str, datetime], Acceptance | DeliveryError]


@dataclass
class Letter:
    keeper: str
    not_before: datetime
    expires_at: datetime
    attempts: int = 0
    state: DeliveryState = DeliveryState.PLANNED
    at: datetime | None = None  # when it was accepted


@dataclass
class PostOffice:
    """Does what deliver does, without threads, bytes and rows."""

    road: Lanes
    temper: Temper
    letters: list[Letter]
    tries: list[tuple[str, datetime]] = field(default_factory=list)
    reason: str = ""  # why nothing left the last time

    def work(self, now: datetime) -> None:
        """Make one pass."""
        self.reason = ""
        while waiting := [each for each in self.letters if each.state in _OPEN and each.not_before <= now]:
            opening = self.road.opening(now, len(waiting))
            self.reason = opening.reason
            left = Counter(opening.caps)
            batch = []
            for letter in waiting:
                if len(batch) < opening.room and letter.keeper not in opening.shut:
                    if letter.keeper in opening.caps and not left[letter.keeper]:
                        continue
                    left[letter.keeper] -= 1
                    batch.append(letter)
            before = len(self.tries)
            reached = all(self._try(letter, now) for letter in batch)
            self.road.unused(opening.room - (len(self.tries) - before))
            self.road.settle(now)
            if not batch or not reached:
                break

    def until(self, start: datetime, end: datetime, step: timedelta) -> None:
        """Make a pass every `step`."""
        while start < end:
            self.work(start)
            start += step

    def _try(self, letter: Letter, now: datetime) -> bool:
        self.tries.append((letter.keeper, now))
        result = self.temper(letter.keeper, now)
        self.road.told(letter.keeper, result, now)
        outcome = settle(
            result,
            now=now,
            attempts=letter.attempts,
            uncertain_before=False,
            expires_at=letter.expires_at,
            retry_seconds=300,
            uncertain_policy="resend",
            jitter=0.0,
        )
        letter.state, letter.attempts = outcome.state, letter.attempts + outcome.counts
        letter.not_before = outcome.not_before or now
        letter.at = now if outcome.state is DeliveryState.ACCEPTED else None
        return not isinstance(result, NotConnected)


_OPEN = {DeliveryState.PLANNED, DeliveryState.DEFERRED}


def letters(**keepers: int) -> list[Letter]:
    names = [name for name, number in keepers.items() for _ in range(number)]
    return [Letter(name, NOW, NOW + timedelta(hours=36)) for name in names]


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with Database(url) as opened:
        yield opened


@pytest.fixture
def road(database: Database) -> Callable[..., Lanes]:
    """Give a road over the database, as a process that begins has it."""

    def make(rates: Rates = RATES, worker: str = "one", is_alive: Callable[[str], bool | None] = UNSEEN) -> Lanes:
        records, hold = LaneRecords(database), Installation(database).pause
        return Lanes(records=records, rates=rates, worker=worker, is_alive=is_alive, hold=hold)

    return make


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


# -- mail.md section 4, row 5: storms for one domain -------------------------------------------------------------------


@pytest.mark.engines("memory")
@pytest.mark.parametrize(
    "error",
    [
        TransientDeliveryError("relay refused x: 421 4.7.0 try later", 421, "4.7.0"),
        TransientDeliveryError("relay refused x: 451 too many letters", 451),
        TransientDeliveryError("relay refused x: 450 4.7.28 unusual rate", 450, "4.7.28"),
    ],
)
def test_a_storm_of_one_keeper_lets_the_others_go_on_and_all_arrive_later(road, error) -> None:
    def storm(keeper: str, now: datetime) -> Acceptance | DeliveryError:
        return error if keeper == "gmail" and now < minutes(60) else OK

    office = PostOffice(road(), storm, letters(gmail=40, lab=40))
    office.work(NOW)
    assert [each.state for each in office.letters[40:]] == [DeliveryState.ACCEPTED] * 40
    office.until(minutes(1), minutes(200), timedelta(minutes=1))
    assert {each.state for each in office.letters} == {DeliveryState.ACCEPTED}
    assert {each.attempts for each in office.letters} == {1}
    # After the first wave one letter at a time asks whether the storm is over.
    asked = [at for keeper, at in office.tries if keeper == "gmail" and NOW < at < minutes(60)]
    assert len(asked) <= 4


def test_one_dead_mailbox_slows_nobody(road) -> None:
    full = TransientDeliveryError("relay refused x: 452 4.2.2 mailbox full", 452, "4.2.2")
    answers = iter([full, OK, OK])
    office = PostOffice(road(), lambda *_: next(answers), letters(gmail=3))
    office.work(NOW)
    assert [each.state.value for each in office.letters] == ["deferred", "accepted", "accepted"]
    assert office.letters[0].attempts == 1


def test_a_slowed_keeper_gets_the_letters_that_the_road_gave_and_took_back(road, database) -> None:
    error = TransientDeliveryError("relay refused x: 421 busy", 421)
    PostOffice(road(), lambda *_: error, letters(gmail=1)).work(NOW)
    # Passes without a letter to that keeper do not use up what may go to it.
    office = PostOffice(road(), lambda *_: OK, letters(lab=3))
    office.until(minutes(5), minutes(8), timedelta(minutes=1))
    assert road().opening(minutes(8), 10).caps == {"gmail": 1}


# -- mail.md section 4, row 7: the relay is away -----------------------------------------------------------------------


@pytest.mark.engines("memory")
@pytest.mark.parametrize(
    "error",
    [
        NotConnected("relay:587 could not be reached: Connection refused"),
        NotConnected("relay:587 could not be reached: Name or service not known"),
        NotConnected("the conversation with relay:587 failed: its certificate is not trusted: certificate has expired"),
        NotConnected("relay:587 does not offer STARTTLS, and nothing is sent without it"),
    ],
)
def test_an_hour_without_a_relay_spends_nothing_and_everything_arrives(road, error) -> None:
    office = PostOffice(road(), lambda _, now: error if now < minutes(60) else OK, letters(gmail=30, lab=30))
    office.until(NOW, minutes(59), timedelta(minutes=1))
    assert str(error) in office.reason
    assert "since 2026-11-20 07:00 UTC" in office.reason
    assert {each.attempts for each in office.letters} == {0}
    assert len(office.tries) <= 5
    office.until(minutes(59), minutes(96), timedelta(minutes=1))
    assert {each.state for each in office.letters} == {DeliveryState.ACCEPTED}
    assert office.reason == ""


@pytest.mark.engines("memory")
def test_a_wrong_password_for_an_hour_is_tried_a_handful_of_times_and_then_all_arrive(road) -> None:
    wrong = NotConnected("relay:587 refused the log-in of 'p': 535 5.7.8 no", 535, "5.7.8")
    office = PostOffice(road(), lambda _, now: wrong if now < minutes(60) else OK, letters(lab=60))
    office.until(NOW, minutes(60), timedelta(minutes=1))
    assert [at for _, at in office.tries] == [NOW, minutes(15), minutes(45)]
    assert "535 5.7.8 no" in office.reason
    office.until(minutes(60), minutes(120), timedelta(minutes=1))
    assert {(each.state, each.attempts) for each in office.letters} == {(DeliveryState.ACCEPTED, 1)}


def test_resuming_opens_all_lanes_at_once(road, database) -> None:
    wrong = NotConnected("refused the log-in: 535", 535)
    busy = TransientDeliveryError("relay refused x: 421 busy", 421)
    PostOffice(road(), lambda *_: busy, letters(gmail=1)).work(NOW)
    PostOffice(road(), lambda *_: wrong, letters(lab=1)).work(NOW)
    assert road().opening(minutes(1), 10).room == 0
    Installation(database).resume(minutes(1))
    opening = road().opening(minutes(1), 10)
    assert (opening.room, opening.shut, opening.caps) == (10, frozenset(), {})


def test_whoever_tries_the_relay_waits_a_moment_for_what_comes_of_it(road) -> None:
    ours, theirs = road(), road(worker="two")
    PostOffice(ours, lambda *_: NotConnected("away"), letters(lab=1)).work(NOW)
    assert ours.opening(minutes(4), 10).wait is None
    assert ours.opening(minutes(5), 10).room == 1
    waiting = ours.opening(minutes(5), 10)
    assert (waiting.room, waiting.wait) == (0, 0.2)
    assert theirs.opening(minutes(5), 10).wait is None
    ours.told("lab", OK, minutes(5))
    assert ours.opening(minutes(5), 10).room == 10


def test_a_slowed_keeper_gets_no_more_while_its_letter_is_on_the_way(road) -> None:
    ours = road()
    ours.told("gmail", TransientDeliveryError("relay refused x: 421 busy", 421), NOW)
    ours.settle(NOW)
    assert ours.opening(minutes(5), 10).caps == {"gmail": 1}
    ours.told("lab", OK, minutes(5))
    assert ours.opening(minutes(5), 10).shut == {"gmail"}


def test_a_probe_that_found_nothing_to_send_is_given_back(road) -> None:
    first = road()
    PostOffice(first, lambda *_: NotConnected("away"), letters(lab=1)).work(NOW)
    assert first.opening(minutes(5), 10).room == 1
    first.unused(1)
    first.settle(minutes(5))
    assert road().opening(minutes(5), 10).room == 1


# -- a person has to look ----------------------------------------------------------------------------------------------


def test_the_same_refusal_of_policy_over_and_over_holds_everything_until_a_person_resumes(road, database) -> None:
    spam = PermanentDeliveryError("relay refused x: 550 5.7.1 looks like spam", 550, "5.7.1")
    office = PostOffice(road(), lambda keeper, _: spam if keeper == "lab" else OK, letters(gmail=189, lab=10))
    office.work(NOW)
    assert Installation(database).hold() is None
    office.letters = letters(lab=1, gmail=1)
    office.work(NOW)
    hold = Installation(database).hold()
    assert hold is not None
    assert "11 of the last 200 letters were refused with 5.7.1" in hold.reason
    # Who goes on without looking finds the road shut too, after a restart as well.
    stubborn = road().opening(minutes(1), 10)
    assert (stubborn.room, stubborn.reason) == (0, hold.reason)
    Installation(database).resume(minutes(2))
    assert Installation(database).hold() is None
    assert road().opening(minutes(2), 10).room == 10


# -- an hour -----------------------------------------------------------------------------------------------------------


def most_in_an_hour(instants: list[datetime]) -> int:
    ordered = sorted(instants)
    return max((sum(first <= each < first + timedelta(hours=1) for each in ordered) for first in ordered), default=0)


@dataclass
class Process:
    """One that may be killed at any moment; `gone` is what left, whoever sent it."""

    road: Lanes
    gone: list[datetime]
    in_hand: int = 0

    def do(self, step: str, number: int, now: datetime) -> None:
        """Take letters, or be done with some."""
        if step in {"open", "rush"}:
            while number > 0 and (room := self.road.opening(now, number).room):
                self.in_hand += room
                number -= room
            number = self.in_hand
        if step == "open":
            return
        some = min(number, self.in_hand)
        self.in_hand -= some
        if step == "give back":
            self.road.unused(some)
            return
        refused = step == "refuse"
        self.gone += [] if refused else [now] * some
        for _ in range(some):
            self.road.told("lab", TransientDeliveryError("no: 450 4.2.1 no", 450, "4.2.1") if refused else OK, now)


steps = st.lists(
    st.tuples(
        st.sampled_from(["rush", "rush", "open", "send", "refuse", "give back", "settle", "killed"]),
        st.integers(0, 1),  # which process
        st.sampled_from([0, 1, 59, 61, 600, 901, 1740, 2640, 3540, 3599]),  # seconds since the step before
        st.sampled_from([1, 3, 12]),  # letters
    ),
    min_size=8,
    max_size=30,
)


@pytest.mark.engines("memory")
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=100, deadline=None
)
@given(per_hour=st.sampled_from([1, 4, 12]), plan=steps)
def test_never_more_than_per_hour_in_any_60_minutes_whatever_two_processes_do(road, database, per_hour, plan) -> None:
    with database.writing() as connection:
        connection.execute(delete(LANE))
    now, gone, alive = NOW, [], {"one", "two"}

    def process(name: str) -> Process:
        return Process(road(Rates(per_hour=per_hour), name, alive.__contains__), gone)

    processes = [process("one"), process("two")]
    for place, (step, which, seconds, number) in enumerate(plan):
        now += timedelta(seconds=seconds)
        if step == "killed":  # what it had heard and not written, nobody will tell
            alive.discard(("one", "two")[which])
            processes[which] = process(f"heir {place}")
            alive.add(f"heir {place}")
        elif step == "settle":
            processes[which].road.settle(now)
        else:
            processes[which].do(step, number, now)
    assert most_in_an_hour(gone) <= per_hour


@pytest.mark.engines("memory")
def test_the_hourly_limit_is_used_wholly_and_opens_again_after_an_hour(road) -> None:
    rates = Rates(per_hour=25)
    office = PostOffice(road(rates), lambda *_: OK, letters(lab=60))
    office.until(NOW, minutes(61), timedelta(minutes=5))
    assert sum(each.state is DeliveryState.ACCEPTED for each in office.letters) == 25
    office.road = road(rates)
    office.until(minutes(61), minutes(300), timedelta(minutes=5))
    assert {each.state for each in office.letters} == {DeliveryState.ACCEPTED}
    assert most_in_an_hour([each.at for each in office.letters if each.at]) == 25


@pytest.mark.engines("memory")
def test_a_letter_counts_until_the_last_instant_of_its_hour(road) -> None:
    rates = Rates(per_hour=1)
    office = PostOffice(road(rates), lambda *_: OK, letters(lab=1))
    office.work(NOW + timedelta(seconds=59))
    assert road(rates).opening(NOW + timedelta(seconds=3658), 10).room == 0
    assert road(rates).opening(NOW + timedelta(seconds=3660), 10).room == 1


@pytest.mark.engines("memory")
@pytest.mark.parametrize(("is_alive", "after"), [(False, 0), (None, 31)])
def test_what_a_killed_process_had_in_hand_counts_for_an_hour_and_no_longer(road, database, is_alive, after) -> None:
    rates = Rates(per_hour=10)
    assert road(rates, "killed").opening(NOW, 10).room == 1
    survivor = road(rates, is_alive=lambda _: is_alive)
    office = PostOffice(survivor, lambda *_: OK, letters(lab=30))
    office.until(NOW, minutes(61), timedelta(minutes=1))
    assert sum(each.state is DeliveryState.ACCEPTED for each in office.letters) == 9
    survivor.opening(minutes(61 + after), 1)
    survivor.unused(1)
    survivor.settle(minutes(61 + after))
    assert not any(name.startswith(IN_HAND) for name in LaneRecords(database).all())
    office.until(minutes(61 + after), minutes(62 + after), timedelta(minutes=1))
    assert sum(each.state is DeliveryState.ACCEPTED for each in office.letters) == 19


def test_a_living_process_keeps_what_it_has_in_hand_however_long_a_relay_makes_it_wait(road) -> None:
    slow = road(Rates(per_hour=1), "slow")
    assert slow.opening(NOW, 1).room == 1
    other = road(Rates(per_hour=1), "other", lambda _: True)
    assert other.opening(minutes(600), 1).room == 0
    slow.told("lab", PermanentDeliveryError("no", 550), minutes(600))
    slow.settle(minutes(600))
    assert other.opening(minutes(600), 1).room == 1


def test_what_a_pass_neither_told_of_nor_gave_back_counts_as_sent_when_it_ends(road, database) -> None:
    broken = road(Rates(per_hour=10), is_alive=lambda _: True)
    assert broken.opening(NOW, 1).room == 1
    broken.end(NOW)
    assert not any(name.startswith(IN_HAND) for name in LaneRecords(database).all())
    office = PostOffice(broken, lambda *_: OK, letters(lab=30))
    office.work(NOW)
    assert sum(each.state is DeliveryState.ACCEPTED for each in office.letters) == 9


def test_what_left_before_a_limit_was_set_counts_too(road) -> None:
    PostOffice(road(), lambda *_: OK, letters(lab=30)).work(NOW)
    assert road(Rates(per_hour=30)).opening(minutes(30), 10).room == 0
    assert road(Rates(per_hour=30)).opening(minutes(61), 10).room == 3


@pytest.mark.engines("memory")
def test_minutes_of_a_clock_that_was_set_back_count_for_an_hour_from_now(road, database) -> None:
    PostOffice(road(), lambda *_: OK, letters(lab=30)).work(NOW + timedelta(days=400))
    assert road(Rates(per_hour=30)).opening(NOW, 10).room == 0
    assert road(Rates(per_hour=30)).opening(minutes(61), 10).room == 3
    assert len([name for name in LaneRecords(database).all() if name.startswith(MINUTE)]) == 0


# -- memory ------------------------------------------------------------------------------------------------------------


def test_a_restart_in_between_forgets_nothing(road, database) -> None:
    busy = TransientDeliveryError("relay refused x: 421 busy", 421)
    first = road()
    PostOffice(first, lambda keeper, _: busy if keeper == "gmail" else OK, letters(gmail=2, lab=2)).work(NOW)
    before = LaneRecords(database).all()
    assert road().opening(minutes(4), 10) == first.opening(minutes(4), 10)
    assert road().opening(minutes(4), 10).shut == {"gmail"}
    assert LaneRecords(database).all() == before
    assert before["to:gmail"].reason == "gmail asked for patience: 421 busy"


def test_nothing_is_written_where_nothing_was_told(road, database) -> None:
    quiet = road()
    assert quiet.opening(NOW, 10).room == 10
    quiet.unused(10)
    quiet.settle(NOW)
    assert LaneRecords(database).all() == {}


def test_what_could_not_be_written_is_written_the_next_time(road, url, database) -> None:
    lanes = road()
    lanes.told("gmail", TransientDeliveryError("relay refused x: 421 busy", 421), NOW)
    with Database(url, busy_seconds=0.05) as other, database.writing():
        impatient = Lanes(records=LaneRecords(other), rates=RATES, worker="two", is_alive=UNSEEN, hold=lambda *_: None)
        impatient.told("yahoo", TransientDeliveryError("relay refused x: 421 busy", 421), NOW)
        with pytest.raises(DatabaseBusy):
            impatient.settle(NOW)
    with Database(url) as other:
        lanes.settle(NOW)
        assert set(LaneRecords(other).all()) == {"to:gmail", TRIES}


def test_many_threads_that_tell_lose_no_note(road, database) -> None:
    lanes = road()

    def tell() -> None:
        for _ in range(20):
            lanes.told("lab", OK, NOW)
            lanes.settle(NOW)

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    minute = [lane.tokens for name, lane in LaneRecords(database).all().items() if name.startswith(MINUTE)]
    assert minute == [80]


def test_a_relay_that_works_leaves_no_lane_behind(road, database) -> None:
    PostOffice(road(), lambda *_: OK, letters(lab=5)).work(NOW)
    assert RELAY not in LaneRecords(database).all()
