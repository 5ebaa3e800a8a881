"""try: real days into a cache, a letter out, no settings."""

from datetime import timedelta
from pathlib import Path

import pytest

from domain.clock import FixedClock
from domain.errors import QueryError
from paperround.demo.play import EVENING
from paperround.trial import trial


def test_it_writes_the_letter_that_the_query_would_have_brought_and_asks_for_old_days_once(tmp_path: Path, site):
    clock = FixedClock(EVENING)
    told = []
    done = trial("speech OR dictation", 3, site.url, tmp_path, progress=told.append, clock=clock)
    assert (done.papers, done.listed, len(done.reports), sum(told)) == (4, 61, 3, 3)
    page = done.letter.read_text(encoding="utf-8")
    assert done.letter.is_relative_to(tmp_path)
    assert "Ten Hours Are Enough" in page
    assert "4 papers answer your topic" in page
    clock.set(EVENING + timedelta(days=4))
    again = trial("speech", 7, site.url, tmp_path, progress=told.append, clock=clock)
    asked = {report.day for report in again.reports}
    assert min(day for day in asked if day) > EVENING.date()
    assert again.papers == 4


def test_a_query_that_cannot_be_read_asks_nobody(tmp_path: Path, site):
    with pytest.raises(QueryError):
        trial("(speech", 3, site.url, tmp_path, progress=lambda _: None)
    assert site.requests == 0


def test_where_no_day_can_be_read_the_last_letter_stays(tmp_path: Path, site):
    clock = FixedClock(EVENING)
    done = trial("speech", 3, site.url, tmp_path, progress=lambda _: None, clock=clock)
    before = done.letter.read_bytes()
    failed = trial("speech", 2, "http://127.0.0.1:9", tmp_path, progress=lambda _: None, clock=clock)
    assert (failed.letter, failed.papers) == (None, 0)
    assert done.letter.read_bytes() == before
