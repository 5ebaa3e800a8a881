"""From the settings to the reader: what a provider posts to a served house, and what becomes of it."""

import hashlib
import hmac
import http.client
import json
import threading
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit

from domain.clock import FixedClock
from domain.subscriptions import SubscriberState
from paperround.serving import serving
from paperround.settings import build
from paperround.wiring import House
from worker.gauge import Gauge
from worker.publish import Publisher

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
KEY = "a signing key of the tests"


def house_in(folder, **bounces):
    values = {
        "database": {"url": f"sqlite:///{folder}/archive.db"},
        "mail": {"transport": "memory", "from": "Digests <digests@lab.example>", "postal_address": "1 Lab Street"},
        "web": {"base_url": "https://digests.example.org/papers", "secret_key": "k" * 40, "port": 0},
        "bounces": bounces,
    }
    return House(build(values, folder), clock=FixedClock(NOW))


def post(address, path, message):
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)) as connection:
        connection.request("POST", path, json.dumps(message).encode())
        return connection.getresponse().status


def complained(message_id, token="t" * 50):
    stamp = str(int(NOW.timestamp()))
    signature = hmac.new(KEY.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    event = {
        "event": "complained",
        "id": "event-1",
        "timestamp": NOW.timestamp(),
        "message": {"headers": {"message-id": message_id.strip("<>")}},
    }
    return {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": event}


def test_a_complaint_that_a_provider_posts_suppresses_its_reader(tmp_path):
    stop = threading.Event()
    with house_in(tmp_path, mailgun_key=KEY) as house, serving(house, stop) as address:
        house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=False, shared=False)
        house.deliverer.deliver()
        (letter,) = house.outbox.records(None, 5)

        assert post(address, "/papers/webhooks/mailgun", complained(letter.message_id)) == 200
        assert house.letter_events.counts(datetime(2026, 11, 1, tzinfo=UTC)) == (1, 1)
        assert house.desk.find("mira@lab.example").state is SubscriberState.SUPPRESSED
        assert post(address, "/papers/webhooks/mailgun", complained(letter.message_id)) == 200
        assert post(address, "/papers/webhooks/ses", {}) == 404
        assert house.letter_events.counts(datetime(2026, 11, 1, tzinfo=UTC)) == (1, 1)


def test_too_many_complaints_stop_the_planning_until_the_operator_resumes(tmp_path):
    with house_in(tmp_path) as house:
        gauge = Gauge(counts=lambda since: (1000, 5 if since < NOW else 0), installation=house.installation)
        publisher = Publisher(
            issues=house.issues,
            looking=house.looking,
            editor=house.editor,
            quiet=house.quiet_notes,
            stopped=gauge.look,
            wake=house.waking.wake,
            closings=house.closings,
            learn=house.learner.learn,
            clock=house.clock,
        )

        assert "called letters spam" in publisher.publish(NOW).held
        assert "called letters spam" in house.deliverer.deliver().held
        house.installation.resume(NOW)
        assert publisher.publish(NOW).held == ""
