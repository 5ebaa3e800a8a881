from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from domain.errors import StorageError
from domain.papers import Fetched, FetchStatus
from storage.database import Database
from storage.fetches import DayCount, Fetches
from storage.tables import FETCH, KEPT_PAGE

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def fetches(database):
    return Fetches(database)


def fetched(**values: Any) -> Fetched:
    given: dict[str, Any] = {
        "source": "hf",
        "url": "https://papers.example/date/2026-11-20",
        "day": date(2026, 11, 20),
        "at": AT,
        "seconds": 0.25,
        "bytes": 4,
        "http": 200,
        "status": FetchStatus.OK,
    }
    return Fetched(**{**given, **values})


def test_an_answer_comes_back_as_it_was_recorded(fetches):
    whole = fetched(declared=12, read=11, rejected=1, new=3, etag='"a"', last_modified="Fri", error="one left out")
    number = fetches.record(whole, body=b"<html>\xff</html>", content_type="text/html")
    assert fetches.latest("hf") == whole
    (page,) = fetches.kept("hf")
    assert (page.id, page.fetched, page.content_type, page.body) == (number, whole, "text/html", b"<html>\xff</html>")
    silent = fetched(http=None, status=FetchStatus.FAILED, at=AT + HOUR, error="no answer within 30 seconds")
    fetches.record(silent)
    assert fetches.latest("hf") == silent
    assert len(list(fetches.kept("hf"))) == 1
    assert fetches.latest("nobody") is None
    assert list(fetches.kept("nobody")) == []


def test_the_last_pages_of_each_source_are_kept_the_good_and_the_others_apart(fetches):
    for number in range(4):
        fetches.record(fetched(source="other"), body=b"other %d" % number, keep=2)
    fetches.record(fetched(), body=b"good 0", keep=2)
    for number in range(5):
        fetches.record(fetched(status=FetchStatus.LAYOUT_CHANGED), body=b"bad %d" % number, keep=2)
    fetches.record(fetched(status=FetchStatus.OK_EMPTY), body=b"good 1", keep=2)
    assert [page.body for page in fetches.kept("hf")] == [b"good 0", b"bad 3", b"bad 4", b"good 1"]
    fetches.record(fetched(), body=b"good 2", keep=2)
    assert [page.body for page in fetches.kept("hf")] == [b"bad 3", b"bad 4", b"good 1", b"good 2"]
    assert [page.body for page in fetches.kept("other")] == [b"other 2", b"other 3"]


def test_none_are_kept_where_none_are_wanted(fetches):
    fetches.record(fetched(), body=b"a page")
    fetches.record(fetched(source="other"), body=b"a page")
    fetches.record(fetched(), body=b"another page", keep=0)
    assert list(fetches.kept("hf")) == []
    assert len(list(fetches.kept("other"))) == 1


def test_an_unchanged_page_is_kept_once(fetches):
    first = fetches.record(fetched(), body=b"a page")
    fetches.record(fetched(at=AT + HOUR), body=b"a page")
    assert [page.id for page in fetches.kept("hf")] == [first]
    fetches.record(fetched(url="https://papers.example/date/2026-11-19"), body=b"a page")
    fetches.record(fetched(status=FetchStatus.PARTIAL), body=b"a page")
    assert len(list(fetches.kept("hf"))) == 3
    fetches.record(fetched(), body=b"it changed")
    fetches.record(fetched(), body=b"a page")
    assert [page.body for page in fetches.kept("hf")][-2:] == [b"it changed", b"a page"]


def test_a_damaged_page_is_said_so(database: Database, fetches):
    fetches.record(fetched(), body=b"a page")
    with database.writing() as connection:
        connection.execute(KEPT_PAGE.update().values(body=b"not packed at all"))
    with pytest.raises(StorageError, match=r"kept page of fetch 1 \(hf, .* is damaged"):
        list(fetches.kept("hf"))
    fetches.record(fetched(), body=b"a page")  # and does not stop the next


def test_what_was_asked_lately_is_known_by_source_and_address(fetches):
    url = fetched().url
    fetches.record(fetched(status=FetchStatus.FAILED))
    assert fetches.asked_since("hf", url, AT - HOUR)
    assert fetches.asked_since("hf", url, AT)
    assert not fetches.asked_since("hf", url, AT + HOUR)
    assert not fetches.asked_since("hf", url + "1", AT - HOUR)
    assert not fetches.asked_since("other", url, AT - HOUR)


def test_a_day_counts_its_fullest_answer_and_all_that_was_new(fetches):
    fetches.record(fetched(read=8, new=8))
    fetches.record(fetched(read=12, new=4, at=AT + HOUR, status=FetchStatus.PARTIAL))
    fetches.record(fetched(read=11, at=AT + 2 * HOUR))
    fetches.record(fetched(at=AT + 3 * HOUR, status=FetchStatus.NOT_MODIFIED, http=304))
    fetches.record(fetched(read=90, new=90, at=AT + 4 * HOUR, status=FetchStatus.STALE))
    fetches.record(fetched(day=date(2026, 11, 21), status=FetchStatus.OK_EMPTY))
    fetches.record(fetched(day=date(2026, 11, 22), status=FetchStatus.FAILED))
    fetches.record(fetched(day=date(2026, 10, 1), read=5))
    fetches.record(fetched(source="other", read=99))
    assert fetches.days("hf", date(2026, 11, 1)) == (
        DayCount(day=date(2026, 11, 20), listed=12, new=12, at=AT + 3 * HOUR),
        DayCount(day=date(2026, 11, 21), listed=0, new=0, at=AT),
    )


def test_when_a_source_last_brought_something_new_and_when_it_was_last_read(fetches):
    assert fetches.last_new("hf") is None
    assert fetches.last_good("hf") is None
    fetches.record(fetched(new=2, read=2, day=date(2026, 11, 19)))
    fetches.record(fetched(read=2, at=AT + HOUR, status=FetchStatus.NOT_MODIFIED))
    fetches.record(fetched(at=AT + 2 * HOUR, status=FetchStatus.BLOCKED))
    assert fetches.last_new("hf") == (AT, date(2026, 11, 19))
    assert fetches.last_good("hf") == AT + HOUR


def test_pages_are_given_while_others_go(database: Database, fetches):
    for number in range(3):
        fetches.record(fetched(), body=b"page %d" % number)
    pages = fetches.kept("hf")
    assert next(pages).body == b"page 0"
    with database.writing() as connection:
        connection.execute(delete(FETCH))
    assert list(pages) == []


def test_a_page_that_cannot_be_stored_leaves_no_row(fetches):
    with pytest.raises(StorageError):
        fetches.record(fetched(), body=b"a page", content_type=None)
    assert fetches.latest("hf") is None
