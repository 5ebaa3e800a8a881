"""What the webhooks answer, whatever comes: so that each provider stops, or sends again, as it should."""

import hashlib
import hmac
import json
import logging
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digests.mail.webhooks.registry import Keys, configured
from domain.clock import FixedClock
from domain.errors import DatabaseBusy, TransientCollectError, UsageError
from domain.letter_events import LetterEventKind
from web.app import create_app
from web.guard import LARGEST_BODY
from web.rendering import Rendering, SiteFacts
from web.server import serve
from web.webhooks import LARGEST_WEBHOOK, WebhookPages, Webhooks

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
KEY = "a signing key of the tests"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:letters"
OURS = "<0123456789abcdef0123456789abcdef@lab.example>"


class Events:
    """The records of letters, in memory: each event once."""

    def __init__(self):
        self.kept = {}
        self.busy = False

    def record(self, events, now):  # noqa: ARG002 as the records have it
        if self.busy:
            raise DatabaseBusy("another process holds the database")
        new = {(each.source, each.source_event_id): each for each in events}.items() - self.kept.items()
        new = [(key, event) for key, event in new if key not in self.kept]
        self.kept.update(new)
        return len(new)

    def delivery_of(self, message_id):
        if self.busy:
            raise DatabaseBusy("another process holds the database")
        return 7 if message_id in {OURS, OURS[1:33]} else None


class Hooks:
    """A site with webhooks, on loopback."""

    def __init__(self, stack, ask, amazon, *, prefix="", keys=None):
        self.events, self.followed = Events(), []
        self.internet = amazon.Internet()
        self.trouble = None
        chosen = {"ses_topics": (TOPIC,), "mailgun_key": KEY} if keys is None else keys
        rendering = Rendering(SiteFacts(prefix=prefix))
        hooks = Webhooks(configured(Keys(self.internet, **chosen)), self.events, self.follow)
        pages = WebhookPages(hooks, FixedClock(NOW), rendering)
        larger = {"/webhooks/": LARGEST_WEBHOOK}
        app = create_app(rendering=rendering, groups=[pages], healthy=lambda: True, larger=larger)
        self._address = stack.enter_context(serve(app, "127.0.0.1", 0, threading.Event()))
        self._ask = ask

    def follow(self, now):
        self.followed.append(now)
        if self.trouble is not None:
            raise self.trouble

    def post(self, path, message, **more):
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self._ask(self._address, "POST", path, body, **more)

    def ask(self, method, path):
        return self._ask(self._address, method, path)


@pytest.fixture
def hooks(ask, amazon):
    with ExitStack() as stack:
        yield Hooks(stack, ask, amazon)


def mailgun(kind="complained", event_id="event-1", *, at=NOW, key=KEY, **fields):
    stamp, token = str(int(at.timestamp())), hashlib.sha256(f"{event_id}{kind}".encode()).hexdigest()[:50]
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    event = {
        "event": kind,
        "id": event_id,
        "timestamp": NOW.timestamp(),
        "message": {"headers": {"message-id": OURS[1:-1]}},
        **fields,
    }
    return {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": event}


# -- what is taken -----------------------------------------------------------------------------------------------------


def test_a_report_is_recorded_once_however_often_it_comes(hooks, amazon):
    for _ in range(3):
        assert hooks.post("/webhooks/ses", amazon.notification(amazon.bounce())).status == 200
        assert hooks.post("/webhooks/mailgun", mailgun()).status == 200

    bounce, complaint = hooks.events.kept["ses", "feedback-1"], hooks.events.kept["mailgun", "event-1"]
    assert len(hooks.events.kept) == 2
    assert (bounce.delivery_id, bounce.kind, bounce.status) == (7, LetterEventKind.BOUNCE, "5.1.1")
    assert complaint.kind is LetterEventKind.COMPLAINT
    assert complaint.raw is not None
    assert hooks.followed == [NOW, NOW]


def test_reports_may_come_in_any_order(hooks):
    assert hooks.post("/webhooks/mailgun", mailgun("complained", "late")).status == 200
    assert hooks.post("/webhooks/mailgun", mailgun("delivered", "early")).status == 200

    assert [each.kind for each in hooks.events.kept.values()] == [LetterEventKind.COMPLAINT, LetterEventKind.DELIVERED]
    assert hooks.events.kept["mailgun", "early"].raw is None


def test_a_letter_that_is_not_ours_is_taken_and_forgotten(hooks):
    foreign = mailgun(message={"headers": {"message-id": "other@lab.example"}})

    assert hooks.post("/webhooks/mailgun", foreign).status == 200
    assert hooks.post("/webhooks/mailgun", mailgun("opened", "opened")).status == 200
    assert hooks.events.kept == {}
    assert hooks.followed == []


def test_an_instant_in_the_future_is_now(hooks):
    hooks.post("/webhooks/mailgun", mailgun(timestamp=NOW.timestamp() + 1e9))

    assert hooks.events.kept["mailgun", "event-1"].at == NOW


def test_what_follows_may_fail_and_the_report_stays(hooks):
    hooks.trouble = UsageError("the gauge is broken")

    assert hooks.post("/webhooks/mailgun", mailgun()).status == 200
    assert len(hooks.events.kept) == 1


def test_a_subscription_is_confirmed(hooks, amazon):
    assert hooks.post("/webhooks/ses", amazon.subscription()).status == 200

    assert "Action=ConfirmSubscription" in hooks.internet.asked[-1]


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_who_cannot_prove_it_gets_403(hooks, amazon):
    assert hooks.post("/webhooks/mailgun", mailgun(key="another key")).status == 403
    assert hooks.post("/webhooks/mailgun", mailgun(at=NOW - timedelta(days=1))).status == 403
    assert hooks.post("/webhooks/ses", {**amazon.notification(amazon.bounce()), "MessageId": "x"}).status == 403
    assert hooks.events.kept == {}


def test_the_same_signature_with_another_event_gets_403(hooks):
    hooks.post("/webhooks/mailgun", mailgun())
    forged = mailgun()
    forged["event-data"]["id"] = "event-2"

    assert hooks.post("/webhooks/mailgun", forged).status == 403


@pytest.mark.parametrize("body", [b"", b"\x00\xff\xfe", b"[]", b"[" * 60_000, b"signature=1&event-data=2"])
@pytest.mark.parametrize("provider", ["ses", "mailgun"])
def test_what_cannot_be_read_gets_400(hooks, provider, body):
    assert hooks.post(f"/webhooks/{provider}", body).status == 400


def test_a_message_may_be_as_large_as_sns_sends_and_no_larger(hooks):
    padded = mailgun(padding="x" * (LARGEST_BODY * 2))
    over = b'{"signature": "' + b"x" * LARGEST_WEBHOOK

    assert hooks.post("/webhooks/mailgun", padded).status == 200
    assert hooks.post("/webhooks/mailgun", over).status == 413
    assert hooks.post("/confirm/token", b"x" * (LARGEST_BODY + 1)).status == 413


def test_ten_megabytes_are_not_waited_for(hooks):
    answer = hooks.post("/webhooks/ses", b"x", headers={"Content-Length": str(10 * 1024 * 1024)})

    assert answer.status == 413


def test_a_busy_database_asks_to_be_told_again(hooks):
    hooks.events.busy = True
    answer = hooks.post("/webhooks/mailgun", mailgun())
    assert (answer.status, "retry-after" in answer.headers) == (503, True)

    hooks.events.busy = False
    assert hooks.post("/webhooks/mailgun", mailgun()).status == 200
    assert len(hooks.events.kept) == 1


def test_a_certificate_that_cannot_be_fetched_asks_to_be_told_again(hooks, amazon):
    hooks.internet.answers, hooks.internet.error = {}, TransientCollectError("no answer")

    answer = hooks.post("/webhooks/ses", amazon.notification(amazon.bounce()))

    assert (answer.status, answer.headers["retry-after"]) == (503, "60")


@pytest.mark.parametrize("path", ["/webhooks/postmark", "/webhooks/", "/webhooks", "/webhooks/SES", "/webhooks/ses/x"])
def test_a_provider_that_is_not_there_gets_404(hooks, path):
    assert hooks.post(path, mailgun()).status == 404


def test_a_provider_that_is_not_set_up_gets_404(ask, amazon):
    with ExitStack() as stack:
        hooks = Hooks(stack, ask, amazon, keys={"mailgun_key": KEY})

        assert hooks.post("/webhooks/ses", amazon.notification(amazon.bounce())).status == 404
        assert hooks.post("/webhooks/mailgun", mailgun()).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_a_post_is_taken(hooks, method):
    assert hooks.ask(method, "/webhooks/ses").status == 405


def test_webhooks_live_below_the_path_of_the_site(ask, amazon):
    with ExitStack() as stack:
        hooks = Hooks(stack, ask, amazon, prefix="/papers")
        padded = mailgun(padding="x" * (LARGEST_BODY * 2))

        assert hooks.post("/papers/webhooks/mailgun", padded).status == 200
        assert hooks.post("/webhooks/mailgun", mailgun()).status == 404


@pytest.mark.engines("sqlite")
def test_a_site_without_providers_has_no_webhooks(site, personal):
    assert site.ask("POST", "/webhooks/ses", b"{}").status == 404
    assert personal.ask("POST", "/webhooks/mailgun", b"{}").status == 404


# -- the log and any shape ---------------------------------------------------------------------------------------------


def test_the_log_says_what_happened_without_keys_addresses_or_bodies(hooks, amazon, caplog):
    with caplog.at_level(logging.DEBUG):
        hooks.post("/webhooks/ses", amazon.notification(amazon.bounce()))
        hooks.post("/webhooks/ses", amazon.subscription())
        for _ in range(5):
            hooks.post("/webhooks/mailgun", mailgun(key="another key", recipient="mira@lab.example"))

    said = [each.getMessage() for each in caplog.records if each.name == "paperround.web"]
    assert said[0] == "webhook ses: bounce 5.1.1"
    assert len([each for each in said if "refused" in each]) == 1
    for secret in ("mira@", "another key", KEY, "2336412f37fb687f5d51e6e2425f004a", "no such user"):
        assert secret not in caplog.text


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Type", "TopicArn", "signature", "token", "event-data", "id"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(SHAPES, st.sampled_from(["ses", "mailgun"]))
def test_no_shape_of_json_is_our_fault(hooks, shape, provider):
    assert hooks.post(f"/webhooks/{provider}", shape).status in {400, 403}
    assert hooks.events.kept == {}
