"""What is heard of letters: counted once, scored, and what follows for the reader."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from domain.deliveries import DeliveryState, Outcome
from domain.letter_events import LetterEvent, LetterEventKind, SuppressionReason
from domain.seals import unsealed
from domain.subscriptions import SubscriberState
from storage.keeping import Ages, Keeping
from storage.letter_events import LetterEvents, take_refusal
from storage.subscribers import Subscribers
from storage.suppressions import Suppressions
from storage.tables import CONSENT, DELIVERY, LETTER_EVENT, SUBSCRIBER

K = LetterEventKind
S = SubscriberState
DAY = timedelta(days=1)


@pytest.fixture
def events(database):
    return LetterEvents(database)


@pytest.fixture
def rows(database):
    def of(query):
        with database.reading() as connection:
            return connection.execute(query).all()

    return of


@pytest.fixture
def mira(reader):
    return reader()


@pytest.fixture
def letter(database, issue, mira, rows):
    """Deliver a letter to the reader at an instant and return its number."""

    def make(at, who=mira, **given):
        issue(who, at, **given)
        return rows(select(DELIVERY.c.id).order_by(DELIVERY.c.id.desc()).limit(1))[0].id

    return make


@pytest.fixture
def state(database, mira):
    return lambda who=mira: Subscribers(database).by_public_id(who.public_id).state


def heard(delivery, at, kind=K.BOUNCE, status="5.0.0", source="dsn", **values) -> LetterEvent:
    number = values.pop("number", f"{delivery}:{kind}:{status}")
    return LetterEvent(source, number, delivery, kind, at, status, **values)


def test_a_dead_mailbox_is_suppressed_at_once(events, letter, state, database, now):
    assert events.record([heard(letter(now), now, status="5.1.1")], now) == 1
    assert state() is S.SUPPRESSED
    (found,) = Suppressions(database).list()
    assert (found.reason, found.email, found.at) == (SuppressionReason.BOUNCE, "mira@lab.example", now)
    assert found.detail == "the mailbox does not exist or is closed (5.1.1)"


def test_the_same_report_twice_counts_once(events, letter, rows, now):
    event = heard(letter(now), now)
    assert events.record([event, event], now) == 1
    assert events.record([event], now + DAY) == 0
    assert [row.points for row in rows(select(LETTER_EVENT))] == [1]


def test_four_letters_that_came_back_on_four_days_suppress_the_reader(events, letter, state, rows, now):
    others = [letter(now + day * DAY) for day in range(10, 14)]
    for day in range(4):
        assert state() is S.CONFIRMED
        at = now + day * DAY
        delivery = letter(at)
        # Told by two ways and twice a day: a letter counts once, and a day brings a point at most.
        events.record([heard(delivery, at), heard(delivery, at, source="ses")], at)
        events.record([heard(others[day], at, status="5.3.0")], at)
    assert state() is S.SUPPRESSED
    assert sum(row.points for row in rows(select(LETTER_EVENT))) == 4


def test_reports_out_of_order_come_to_the_same(events, letter, state, now):
    numbers = [letter(now + day * DAY) for day in range(4)]
    for day in (3, 0, 2, 1):
        assert state() is S.CONFIRMED
        events.record([heard(numbers[day], now + day * DAY)], now + 3 * DAY)
    assert state() is S.SUPPRESSED


def test_a_letter_that_arrived_meanwhile_lets_the_reader_begin_at_zero(events, letter, state, now):
    for day in (0, 1, 2, 10.5):
        at = now + day * DAY
        events.record([heard(letter(at), at)], at)
        if day == 2:
            letter(now + 3 * DAY)
    assert state() is S.CONFIRMED


def test_delays_arrivals_and_refused_contents_are_no_points(events, letter, state, rows, now):
    delivery = letter(now)
    told = [(K.DELAYED, "4.4.1"), (K.DELIVERED, "2.0.0"), (K.BOUNCE, "5.7.1"), (K.BOUNCE, "5.7.26")]
    assert events.record([heard(delivery, now, kind, status) for kind, status in told], now) == 4
    assert {row.points for row in rows(select(LETTER_EVENT))} == {0}
    assert state() is S.CONFIRMED


def test_a_complaint_suppresses_at_once_whatever_was_heard_before_or_is_after(events, letter, state, database, now):
    delivery = letter(now)
    events.record([heard(delivery, now, K.COMPLAINT, "", "arf")], now)
    events.record([heard(delivery, now, K.DELIVERED, "", "ses")], now)
    assert state() is S.SUPPRESSED
    assert [each.reason for each in Suppressions(database).list()] == [SuppressionReason.COMPLAINT]


def test_an_unsubscribe_that_a_provider_tells_is_one(events, letter, state, rows, now):
    events.record([heard(letter(now), now, K.UNSUBSCRIBE, "", "mailgun")], now)
    assert state() is S.UNSUBSCRIBED
    assert rows(select(CONSENT.c.action, CONSENT.c.wording))[-1] == ("unsubscribed", "mailgun")


@pytest.mark.parametrize("kind", [K.BOUNCE, K.DELIVERED, K.DELAYED, K.COMPLAINT])
def test_a_report_settles_a_delivery_whose_answer_was_lost(events, letter, rows, now, kind):
    delivery = letter(now, state=DeliveryState.UNCERTAIN)
    events.record([heard(delivery, now, kind)], now)
    (row,) = rows(select(DELIVERY.c.state, DELIVERY.c.not_before))
    assert row == ("accepted", None)


def test_a_report_changes_no_finished_delivery(events, letter, rows, now):
    delivery = letter(now, state=DeliveryState.REJECTED)
    before = rows(select(DELIVERY))
    events.record([heard(delivery, now)], now)
    assert rows(select(DELIVERY)) == before


@pytest.mark.parametrize(
    ("status", "text", "points", "after"),
    [
        ("5.1.1", "550 5.1.1 unknown", 1, S.CONFIRMED),
        ("", "550 no such user", 0, S.CONFIRMED),
        ("", "450 later", 0, S.CONFIRMED),
        ("4.2.2", "452 4.2.2 full", 0.5, S.CONFIRMED),
        ("5.7.1", "554 5.7.1 policy", 0, S.CONFIRMED),
    ],
)
def test_what_the_relay_refused_at_once_feeds_the_score(
    database, letter, state, rows, now, status, text, points, after
):
    delivery = letter(now, state=DeliveryState.REJECTED)
    said = f"relay.example refused 5.1.1.spam@lab.example: {text}"
    outcome = Outcome(DeliveryState.REJECTED, said, code=int(text[:3]), enhanced=status or None, blames=True)
    for at, is_new in ((now, True), (now + DAY, False)):
        with database.writing() as connection:
            assert take_refusal(connection, delivery, outcome, at) is is_new
    assert [row.points for row in rows(select(LETTER_EVENT))] == [points]
    assert state() is after
    assert rows(select(DELIVERY.c.state))[0].state == "rejected"


def test_a_report_of_an_old_an_unknown_or_another_letter_changes_nothing(events, letter, count, state, now):
    delivery = letter(now)
    late = now + 61 * DAY
    assert events.record([heard(delivery, late, status="5.1.1")], late) == 0
    assert events.record([heard(delivery + 1, now, status="5.1.1")], now) == 0
    assert events.record([heard(delivery, now, status="5.1.1", letter="0" * 32)], now) == 0
    assert (count(LETTER_EVENT), state()) == (0, S.CONFIRMED)
    own = "issue:mira:2026-11-20"
    assert events.record([heard(delivery, now, status="5.1.1", letter=own)], now) == 1


def test_a_report_on_an_erased_reader_changes_nothing_and_what_was_suppressed_stays(
    events, letter, count, database, now
):
    delivery = letter(now)
    events.record([heard(delivery, now, K.COMPLAINT)], now)
    Subscribers(database).erase("mira", now)
    assert events.record([heard(delivery, now, status="5.1.1")], now) == 0
    assert count(LETTER_EVENT) == 0
    (kept,) = Suppressions(database).list()
    assert (kept.email, kept.reason) == ("", SuppressionReason.COMPLAINT)


def test_a_bounce_of_an_address_that_the_reader_has_left_does_not_count(events, letter, state, database, now):
    delivery = letter(now)
    with database.writing() as connection:
        connection.execute(update(SUBSCRIBER).values(email="mira@new.example", address_key="mira@new.example"))
    assert events.record([heard(delivery, now, status="5.1.1")], now) == 1
    assert state() is S.CONFIRMED


def test_a_report_on_a_letter_to_the_operator_is_kept_and_scores_nobody(events, letter, count, database, now):
    delivery = letter(now)
    with database.writing() as connection:
        connection.execute(update(DELIVERY).values(subscriber_id=None))
    assert events.record([heard(delivery, now, status="5.1.1")], now) == 1
    assert count(LETTER_EVENT) == 1


def test_a_delivery_is_found_by_its_message_id_or_the_left_part_of_it(events, letter, now):
    delivery = letter(now)
    left = "issue:mira:2026-11-20"
    assert events.delivery_of(f"<{left}@lab.example>") == delivery
    assert events.delivery_of(left) == delivery
    assert [events.delivery_of(each) for each in ("", "<>", "issue", "%", "issue:mira:2026-11-2_")] == [None] * 5


def test_a_message_id_that_could_be_guessed_proves_nothing(events, letter, database, now):
    """From before Message-IDs were sealed: whoever saw the public page of an issue knew its key."""
    delivery = letter(now)
    old = unsealed("issue:mira:2026-11-20")
    assert events.proved_by("issue:mira:2026-11-20") == delivery
    with database.writing() as connection:
        connection.execute(update(DELIVERY).values(message_id=f"<{old}@lab.example>"))
    assert (events.delivery_of(old), events.proved_by(old)) == (delivery, None)


def test_a_delivery_is_found_by_its_message_id_over_an_index(database):
    asked: list[tuple[str, object]] = []
    with database.reading() as connection:
        engine = connection.engine
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    LetterEvents(database).delivery_of("issue:mira:2026-11-20")
    statement, values = next(each for each in asked if "message_id" in each[0])
    with database.writing() as plain:
        if database.dialect == "postgresql":
            plain.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if database.dialect == "sqlite" else "EXPLAIN "
        told = " ".join(str(row) for row in plain.exec_driver_sql(explain + statement, values))
    assert "ix_delivery_message_id" in told


def test_of_old_letters_no_delivery_is_found(events, letter, now):
    letter(now)
    letter(now + 61 * DAY)
    assert events.delivery_of("issue:mira:2026-11-20") is None


def test_no_delivery_is_found_where_none_is(events):
    assert events.delivery_of("issue:mira:2026-11-20") is None


def test_the_gauge_counts_each_reader_who_complained_once_and_what_filters_said_apart(events, letter, reader, now):
    assert (events.counts(now - 7 * DAY), events.refused(now - 7 * DAY)) == ((0, 0), 0)
    ada, jun = reader("ada"), reader("jun")
    first, second, third = letter(now, ada), letter(now, jun), letter(now, reader("noor"))
    later = letter(now + DAY, jun)
    heard_of = [
        heard(first, now, K.COMPLAINT, "", "arf"),
        heard(first, now, K.COMPLAINT, "", "ses"),
        heard(second, now, status="5.0.0", detail="refused as spam"),
        heard(second, now, status="5.7.1"),
        heard(later, now, status="5.7.1"),
        heard(third, now, status="5.2.0"),
    ]
    events.record(heard_of, now)
    assert (events.counts(now - DAY), events.refused(now - DAY)) == ((4, 1), 1)
    assert (events.counts(now), events.refused(now)) == ((1, 0), 0)


def test_a_sweep_forgets_the_words_of_a_report_and_keeps_what_happened(events, letter, rows, database, now):
    delivery = letter(now)
    events.record([heard(delivery, now, detail="no <mira@lab.example>", raw=b"From: a", number="1")], now)
    keeping = Keeping(database)
    ages = Ages(issues=None, replies=None, pending=None, runs=None, bounces=30 * DAY)
    assert keeping.sweep(ages, now + 30 * DAY).bounces == 0
    assert keeping.sweep(ages, now + 31 * DAY).bounces == 1
    assert keeping.sweep(ages, now + 31 * DAY).bounces == 0
    (row,) = rows(select(LETTER_EVENT))
    assert (row.raw, row.detail, row.points, row.status) == (None, "", 1, "5.0.0")
    assert events.record([heard(delivery, now, number="1")], now) == 0
