from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import UsageError
from storage.paging import Cursor, Order, cursor_from

VALUES = {
    Order.RELEVANCE: st.floats(allow_nan=False, allow_infinity=False),
    Order.FIRST_SEEN: st.datetimes(timezones=st.just(UTC)),
    Order.PUBLISHED: st.dates() | st.none(),
    Order.UPVOTES: st.integers(0, 10**17) | st.none(),
}


@pytest.mark.parametrize("order", Order)
@given(data=st.data(), paper_id=st.integers(0, 10**17))
def test_a_cursor_is_read_as_it_was_written(data: st.DataObject, order: Order, paper_id: int) -> None:
    cursor = Cursor(data.draw(VALUES[order]), paper_id)

    assert cursor_from(str(cursor), order) == cursor
    assert " " not in str(cursor)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("", Order.RELEVANCE),
        ("@", Order.UPVOTES),
        ("5", Order.UPVOTES),
        ("5@", Order.UPVOTES),
        ("5@-1", Order.UPVOTES),
        ("-5@1", Order.UPVOTES),
        ("5@1.5", Order.UPVOTES),
        ("5@" + "9" * 100, Order.UPVOTES),
        ("9" * 100 + "@1", Order.UPVOTES),
        ("٥@٥", Order.UPVOTES),
        ("@1", Order.RELEVANCE),
        ("@1", Order.FIRST_SEEN),
        ("nan@1", Order.RELEVANCE),
        ("inf@1", Order.RELEVANCE),
        ("1e999@1", Order.RELEVANCE),
        ("2026-11-20@1", Order.FIRST_SEEN),
        ("2026-11-20T08:00:00@1", Order.FIRST_SEEN),
        ("0001-01-01T00:00:00+14:00@1", Order.FIRST_SEEN),
        ("2026-13-40@1", Order.PUBLISHED),
        ("2026-11-20T08:00:00Z@1", Order.PUBLISHED),
        ("5@3", Order.PUBLISHED),
        ("\0@1", Order.PUBLISHED),
        ("'; DROP TABLE paper; --@1", Order.RELEVANCE),
    ],
)
def test_a_forged_cursor_is_refused_in_a_sentence_that_names_it(text: str, order: Order) -> None:
    with pytest.raises(UsageError, match=f"no place in papers ordered by {order.value}"):
        cursor_from(text, order)


@given(text=st.text(), order=st.sampled_from(Order))
def test_whatever_is_typed_is_a_cursor_or_refused(text: str, order: Order) -> None:
    try:
        cursor = cursor_from(text, order)
    except UsageError:
        return
    assert cursor_from(str(cursor), order) == cursor


def test_a_cursor_in_another_zone_is_the_same_instant() -> None:
    there = cursor_from("2026-11-20T09:00:00+01:00@7", Order.FIRST_SEEN)

    assert there == Cursor(datetime(2026, 11, 20, 8, tzinfo=UTC), 7)
    assert str(Cursor(date(2026, 11, 20), 7)) == "2026-11-20@7"
