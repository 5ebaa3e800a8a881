"""Three days of fifty readers all over the world, through the code that the bench runs, judged by other code."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from benchmarks.simulate import report
from benchmarks.simulate.bench import Result, simulate
from benchmarks.simulate.oracle import Verdict, judge, owed
from benchmarks.simulate.readers import ZONES
from domain.subscriptions import Cadence, Schedule
from storage.database import Database
from storage.tables import ISSUE

# Clocks go back in Europe in the night to Sunday: hour 2 comes twice there.
AUTUMN = date(2026, 10, 24)
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)


def run(folder: Path, url: str, seed: int) -> Result:
    return simulate(
        folder, subscribers=50, days=2, url=url, faults=True, seed=seed, start=AUTUMN, papers=100, references=False
    )


def test_every_reader_gets_each_letter_once_through_all_faults(tmp_path: Path, empty_url: str) -> None:
    result = run(tmp_path, empty_url, 7)

    assert result.verdict.wrong == 0, result.verdict
    assert result.verdict.letters >= 50
    assert result.verdict.owed == result.verdict.issues + result.verdict.silent + result.verdict.excused
    assert result.verdict.waiting == 0
    told = report.told(result)
    assert sum(told["hours"]) > 0
    assert report.svg([told]).startswith("<svg ")
    assert report.table([told, told]).count("\n| 50 |") == 2

    # And the judge is awake: whatever is taken from one account is missed.
    with Database(empty_url) as database:

        def judged() -> Verdict:
            return judge(database, result.people, result.sink, result.first, result.last)

        assert judged() == result.verdict
        once = next(name for name, mail in result.sink.mailed.items() if mail.taken == 1 and not mail.unanswered)
        result.sink.mailed[once].taken = 2
        assert judged().doubled == 1
        mail = result.sink.mailed.pop(once)
        assert judged().lost == 1
        result.sink.mailed["<nobody@lab.example>"] = mail
        assert judged().unknown > 0
        with database.writing() as connection:
            newest = connection.execute(select(func.max(ISSUE.c.id))).scalar_one()
            connection.execute(update(ISSUE).where(ISSUE.c.id == newest).values(slot="2030-01-01"))
        assert (judged().unserved, judged().unowed) == (1, 1)


@given(
    zone=st.sampled_from(sorted(ZONES)),
    hour=st.integers(0, 23),
    weekday=st.none() | st.integers(0, 6),
    minutes=st.integers(0, 3 * 366 * 24 * 60),
    days=st.integers(0, 20),
)
def test_what_is_owed_is_what_the_schedule_opens(
    zone: str, hour: int, weekday: int | None, minutes: int, days: int
) -> None:
    first = EARLIEST + timedelta(minutes=minutes)
    schedule = Schedule(
        every=Cadence.DAY if weekday is None else Cadence.WEEK, weekday=weekday or 0, hour=hour, zone=zone
    )
    last = first + timedelta(days=days)
    opened = {schedule.slot(first).label: first}
    now = first
    while (now := schedule.next_opening(now)) <= last:
        opened.setdefault(schedule.slot(now).label, now)

    assert owed(zone, hour, weekday, first, last) == opened
