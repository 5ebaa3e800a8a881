"""Whatever is sent to a reader's own page, it is no fault of ours."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.topics import WishedTopic
from topics.query import parse

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
pytestmark = pytest.mark.engines("sqlite")


class Fuzzed:
    """One reader's page, pressed at random."""

    def __init__(self, site, reader):
        self.site = site
        self.reader = reader
        self.path = site.path(site.links.preferences(reader.public_id))

    @property
    def now(self):
        return self.site.subscribers.by_public_id(self.reader.public_id)


@pytest.fixture(scope="module")
def fuzzed(site):
    site.clock.set(NOW)
    reader = site.reader(topics=("tides",))
    site.house.changes.add_topic(reader.public_id, None, WishedTopic("moon", parse("moon")), NOW)
    return Fuzzed(site, reader)


_ACTIONS = [
    "add",
    "preview",
    "amend",
    "up",
    "down",
    "remove",
    "share",
    "unshare",
    "schedule",
    "choose",
    "pause",
    "resume",
]
_VALUE = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "0", "1", "2", "-1", "25", "day", "week", "UTC", "Europe/Berlin", "2026-12-01", "tides OR moon"]
    ),
)
_NAMES = [
    "seen",
    "topic",
    "query",
    "name",
    "related",
    "every",
    "weekday",
    "hour",
    "ready",
    "zone",
    "papers",
    "until",
    "text_only",
]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    action=st.sampled_from(_ACTIONS),
    fields=st.dictionaries(st.sampled_from(_NAMES), _VALUE, max_size=8),
    keep=st.booleans(),
)
def test_no_form_is_a_fault_of_ours(fuzzed, action, fields, keep):
    known = (
        {"seen": fuzzed.now.revision, "topic": next((e.topic_id for e in fuzzed.now.subscriptions), 1)} if keep else {}
    )
    sent = {"action": action, **fields, **known}

    answer = fuzzed.site.ask("POST", fuzzed.path, urlencode(sent, errors="surrogatepass").encode(), URLENCODED)

    assert answer.status in {200, 303, 400, 409, 422}
    assert fuzzed.site.ask("GET", fuzzed.path).status == 200


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(body=st.binary(max_size=200))
def test_no_bytes_are_a_fault_of_ours(fuzzed, body):
    assert fuzzed.site.ask("POST", fuzzed.path, body, URLENCODED).status in {400, 409, 422}
