"""Three days of fifty readers all over the world, through the code that the bench runs, judged by other code."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulate import report
from benchmarks.simulate.bench import Result, simulate
from benchmarks.simulate.oracle import owed
from benchmarks.simulate.readers import ZONES
from domain.subscriptions import Cadence, Schedule

# Clocks go back in Europe in the night to Sunday: hour 2 comes twice there.
AUTUMN = date(2026, 10, 24)
# hypothesis draws between naive instants and gives them their zone.
EARLIEST, LATEST = datetime.min.replace(year=2025), datetime.min.replace(year=2028)


def run(folder: Path, url: str, seed: int) -> Result:
    return simulate(folder, subscribers=50, days=2, url=url, faults=True, seed=seed, start=AUTUMN, references=False)


def test_every_reader_gets_each_letter_once_through_all_faults(tmp_path: Path, empty_url: str) -> None:
    result = run(tmp_path, empty_url, 7)

    assert result.verdict.wrong == 0, result.verdict
    assert result.verdict.letters >= 50
    assert result.verdict.owed == result.verdict.issues + result.verdict.silent + result.verdict.excused
    assert result.verdict.waiting == 0
    told = report.told(result)
    assert sum(told["hours"]) > 0
    assert report.svg([told]).startswith("<svg ")
    assert report.table([told, told]).count("| 50 |") == 2


@given(
    zone=st.sampled_from(sorted(ZONES)),
    hour=st.integers(0, 23),
    weekday=st.none() | st.integers(0, 6),
    first=st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)),
    days=st.integers(0, 20),
)
def test_what_is_owed_is_what_the_schedule_opens(
    zone: str, hour: int, weekday: int | None, first: datetime, days: int
) -> None:
    schedule = Schedule(
        every=Cadence.DAY if weekday is None else Cadence.WEEK, weekday=weekday or 0, hour=hour, zone=zone
    )
    last = first + timedelta(days=days)
    opened = {schedule.slot(first).label: first}
    now = first
    while (now := schedule.next_opening(now)) <= last:
        opened.setdefault(schedule.slot(now).label, now)

    assert owed(zone, hour, weekday, first, last) == opened
