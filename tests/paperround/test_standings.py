"""The operator's page says of readers counted together what planning says of each of them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.operations import Standing
from domain.subscriptions import Cadence, Schedule, Subscriber, SubscriberState, Subscription
from paperround.serving_operations import is_due
from storage.issues import LastIssue, Reader
from worker.planning import due

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
_SPANS = st.integers(min_value=0, max_value=9 * 24).map(lambda hours: timedelta(hours=hours))
_INSTANTS = _SPANS.map(lambda span: NOW - span)
_SCHEDULES = st.builds(
    Schedule,
    every=st.sampled_from(Cadence),
    weekday=st.integers(0, 6),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/Los_Angeles"]),
    ready=st.booleans(),
)


@given(
    _SCHEDULES,
    st.none() | _INSTANTS,
    _INSTANTS,
    st.none() | _INSTANTS,
    st.none() | _INSTANTS,
    st.sampled_from(SubscriberState),
    st.booleans(),
)
def test_readers_who_stand_alike_are_due_when_each_of_them_is(
    schedule, cut, joined_at, looked_at, away_since, state, has_topics
):
    last = None if cut is None else LastIssue(schedule.slot(cut).label, cut, cut)
    subscriber = Subscriber(
        id=1, public_id="a", email="mira@lab.example", state=state, schedule=schedule, shared=False,
        confirmed_at=None, joined_at=joined_at, away_since=away_since,
        subscriptions=(Subscription(1, "tides", "tides", 0),) * has_topics,
    )  # fmt: skip
    standing = Standing(
        number=1, schedule=schedule, confirmed=state is SubscriberState.CONFIRMED, has_topics=has_topics,
        slot=last.slot if last else None, cutoff=cut, came_back=cut is not None and cut < joined_at,
        looked_at=looked_at, is_back=away_since is not None, state=None, held=False, status="",
    )  # fmt: skip

    planned = due(Reader(subscriber, last, looked_at), NOW) is not None

    assert is_due(standing, NOW) is (planned and state is SubscriberState.CONFIRMED)
