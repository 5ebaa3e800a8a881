"""What the commit before the dot looks at, what is said of a letter afterwards, and what a publish counts."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text, update

from domain.deliveries import DeliveryState, Outcome
from domain.errors import UnknownError, UsageError
from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.letter_events import LetterEvent, LetterEventKind
from domain.seals import address_hash
from domain.subscriptions import SubscriberState as R
from storage.erasing import erase_readers
from storage.ledger import balances, begin_run, raise_run
from storage.letter_events import LetterEvents
from storage.mailings import queue
from storage.outbox import Outbox
from storage.sending import Permission
from storage.tables import DELIVERY, INSTALLATION, ISSUE, SUBSCRIBER, SUPPRESSION

LEASE = timedelta(minutes=15)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCEPTED = Outcome(DeliveryState.ACCEPTED, reply="250 kept", code=250)


@pytest.fixture
def outbox(database):
    return Outbox(database)


@pytest.fixture
def letter(database, reader, outbox, now):
    """Queue a letter of a kind to a reader in a state, and lease it."""

    def make(kind=LetterKind.DIGEST, state=R.CONFIRMED, name="mira", text=b"Low."):
        whose = reader(name) if kind is not LetterKind.ALERT else None
        email = f"{name}@lab.example"
        content = Content(kind, "Tides", (Fragment(Role.TEXT, text),))
        mailing = Mailing(
            message_key=f"{kind}:{name}",
            subscriber_id=name,
            recipient=email,
            content=content,
            slots={"to": email},
            message_id=f"<{kind}.{name}@lab.example>",
            date=now,
            not_before=now,
            expires_at=now + timedelta(hours=36),
        )
        with database.writing() as connection:
            queue(connection, mailing, whose.id if whose else None, None)
            if whose:
                connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == whose.id).values(state=state.value))
        (leased,) = outbox.lease("one", now, LEASE, 1)
        return leased

    return make


@pytest.fixture
def suppress(database, now):
    def make(reason, email="mira@lab.example"):
        with database.writing() as connection:
            secret = connection.execute(select(INSTALLATION.c.secret)).scalar_one()
            row = {"address_hash": address_hash(secret, email), "reason": reason, "detail": "", "at": now, "was": ""}
            connection.execute(insert(SUPPRESSION).values(row))

    return make


WANTED = {
    LetterKind.DIGEST: {R.CONFIRMED},
    LetterKind.QUIET: {R.CONFIRMED},
    LetterKind.CONFIRM: {R.PENDING},
    LetterKind.PREFERENCES: {R.CONFIRMED, R.PAUSED, R.UNSUBSCRIBED},
    LetterKind.ADDRESS: {R.CONFIRMED, R.PAUSED},
    LetterKind.GOODBYE: {R.UNSUBSCRIBED},
}


@pytest.mark.engines("memory")
@pytest.mark.parametrize("kind", WANTED)
@pytest.mark.parametrize("state", R)
def test_each_kind_of_letter_is_sent_in_the_states_of_a_reader_that_it_is_for(letter, ask, outbox, now, kind, state):
    leased = letter(kind, state)
    wanted = state in WANTED[kind]
    assert ask(leased, "one", now) is (Permission.GIVEN if wanted else Permission.UNWANTED)
    (record,) = outbox.records()
    assert (record.state, record.reason) == (("sending", "") if wanted else ("skipped", f"the reader is {state}"))


@pytest.mark.engines("memory")
def test_a_letter_to_the_operator_has_no_reader(letter, ask, now):
    assert ask(letter(LetterKind.ALERT), "one", now) is Permission.GIVEN


@pytest.mark.parametrize("reason", ["bounce", "complaint", "operator"])
def test_a_suppressed_address_gets_nothing_whatever_its_reader_s_state(letter, suppress, ask, outbox, now, reason):
    leased = letter()
    suppress(reason)
    assert ask(leased, "one", now) is Permission.UNWANTED
    assert outbox.records(DeliveryState.SKIPPED)[0].reason == f"the address is suppressed: {reason}"


@pytest.mark.parametrize(("reason", "given"), [("complaint", True), ("bounce", False), ("operator", False)])
@pytest.mark.parametrize("state", [R.PENDING, R.SUPPRESSED])
def test_who_complained_and_signs_up_again_is_asked(letter, suppress, ask, now, reason, given, state):
    leased = letter(LetterKind.CONFIRM, state)
    suppress(reason)
    assert ask(leased, "one", now) is (Permission.GIVEN if given else Permission.UNWANTED)


def test_another_s_suppression_stops_nothing(letter, suppress, ask, now):
    leased = letter()
    suppress("bounce", email="other@lab.example")
    assert ask(leased, "one", now) is Permission.GIVEN


def test_bytes_and_signature_are_known_from_the_moment_of_sending(letter, ask, outbox, now):
    leased = letter()
    ask(leased, "one", now, sha256="ab" * 32, signature="DKIM-Signature: v=1")
    again = outbox.letter(leased.id)
    assert (again.sha256, again.signature) == ("ab" * 32, "DKIM-Signature: v=1")


def test_what_somebody_waits_for_leaves_before_digests_and_shut_and_capped_keepers_wait(database, letter, outbox, now):
    for name in ("ann", "ben", "cat"):
        letter(name=name)
    confirm = letter(LetterKind.CONFIRM, R.PENDING, "dan")
    outbox.release("one")
    assert [each.id for each in outbox.lease("one", now, LEASE, 1)] == [confirm.id]
    assert outbox.lease("one", now, LEASE, 9, shut=frozenset({"lab.example"})) == ()
    assert len(outbox.lease("one", now, LEASE, 9, caps={"lab.example": 2})) == 2
    assert len(outbox.lease("one", now, LEASE, 9, caps={"elsewhere.example": 0})) == 1


def test_an_operator_lets_a_rejected_letter_leave_again(letter, outbox, settle, now):
    leased = letter()
    settle(leased.id, "one", Outcome(DeliveryState.REJECTED, reply="550 no", code=550, reason="no"), now)
    assert outbox.retry(leased.id, now) is DeliveryState.REJECTED
    (again,) = outbox.lease("one", now, LEASE, 1)
    assert (again.id, again.message_id, again.date) == (leased.id, leased.message_id, leased.date)


def test_an_expired_letter_that_is_tried_again_is_worth_as_long_as_at_first(letter, outbox, now):
    leased = letter()
    outbox.release("one")
    late = now + timedelta(days=9)
    assert outbox.expire(late) == 1
    assert outbox.retry(leased.id, late) is DeliveryState.EXPIRED
    assert outbox.expire(late + timedelta(hours=35)) == 0
    assert len(outbox.lease("one", late, LEASE, 1)) == 1


def test_what_was_accepted_or_is_not_wanted_is_not_tried_again(letter, outbox, settle, ask, now):
    leased = letter()
    ask(leased, "one", now)
    with pytest.raises(UsageError, match="is sending: it is being sent at this moment"):
        outbox.retry(leased.id, now)
    settle(leased.id, "one", ACCEPTED, now)
    with pytest.raises(UsageError, match="is accepted: a relay took it, and nobody gets a letter twice"):
        outbox.retry(leased.id, now)
    with pytest.raises(UsageError, match="is accepted, not uncertain"):
        outbox.resolve(leased.id, now, sent=True)
    with pytest.raises(UnknownError):
        outbox.retry(99, now)


def held(letter, outbox, settle, now):
    leased = letter()
    settle(leased.id, "one", Outcome(DeliveryState.UNCERTAIN, reply="no answer"), now)
    assert outbox.lease("one", now, LEASE, 1) == ()
    return leased


def test_one_that_is_held_counts_as_sent_or_leaves_once_more_as_the_operator_says(letter, outbox, settle, now):
    leased = held(letter, outbox, settle, now)
    outbox.resolve(leased.id, now, sent=False)
    (again,) = outbox.lease("one", now, LEASE, 1)
    assert again.uncertain_before
    settle(again.id, "one", Outcome(DeliveryState.UNCERTAIN, reply="no answer"), now)
    outbox.resolve(leased.id, now, sent=True)
    assert [each.state for each in outbox.records()] == ["accepted"]


@pytest.fixture
def report(database, now):
    """Let a provider say that a letter was delivered."""
    return lambda leased: LetterEvents(database).record(
        [LetterEvent("ses", f"delivered:{leased.id}", leased.id, LetterEventKind.DELIVERED, now)], now
    )


AGAIN = Outcome(DeliveryState.UNCERTAIN, reply="no answer", not_before=NOON)


def test_a_provider_s_word_settles_an_uncertain_letter_and_no_other(letter, outbox, settle, report, now):
    leased = held(letter, outbox, settle, now)
    other = letter(name="ben")
    report(leased)
    report(other)
    assert [each.state for each in outbox.records()] == ["leased", "accepted"]


def test_one_about_to_leave_once_more_is_stopped_by_the_provider_s_word(letter, outbox, settle, ask, report, now):
    leased = held(letter, outbox, settle, now)
    outbox.resolve(leased.id, now, sent=False)
    (again,) = outbox.lease("one", now, LEASE, 1)
    report(leased)
    assert ask(again, "one", now) is Permission.LOST


def test_a_word_that_comes_before_the_answer_is_lost_stops_a_second_copy(letter, outbox, settle, ask, report, now):
    leased = letter()
    ask(leased, "one", now)
    report(leased)
    settle(leased.id, "one", AGAIN, now)
    assert [each.state for each in outbox.records()] == ["accepted"]


def test_a_word_that_comes_before_its_worker_dies_stops_a_second_copy(letter, outbox, ask, report, now):
    leased = letter()
    ask(leased, "one", now)
    report(leased)
    assert outbox.recover(lambda _: False, now, resend=False) == 0
    assert [each.state for each in outbox.records()] == ["accepted"]


@pytest.mark.parametrize("is_early", [True, False])
def test_a_word_on_the_first_copy_stops_a_second_that_was_put_off(letter, outbox, settle, ask, report, now, is_early):
    leased = letter()
    ask(leased, "one", now)
    settle(leased.id, "one", AGAIN, now)
    (again,) = outbox.lease("one", NOON, LEASE, 1)
    ask(again, "one", NOON)
    if is_early:
        report(leased)
    settle(leased.id, "one", Outcome(DeliveryState.DEFERRED, reply="451 later", not_before=NOON), NOON)
    if not is_early:
        report(leased)
    assert [each.state for each in outbox.records()] == ["accepted"]


def test_what_may_have_left_is_never_too_old_but_held_for_the_operator(letter, outbox, settle, ask, now):
    late = now + timedelta(days=9)
    uncertain, put_off, dead, given_up = (letter(name=name) for name in ("ann", "ben", "cat", "dan"))
    for each in (uncertain, put_off, given_up):
        ask(each, "one", now)
        settle(each.id, "one", AGAIN, now)
    for each in outbox.lease("one", NOON, LEASE, 2):
        assert each.uncertain_before
    (third,) = outbox.lease("one", NOON, LEASE, 1)
    settle(uncertain.id, "one", Outcome(DeliveryState.DEFERRED, not_before=NOON), NOON)
    settle(put_off.id, "one", AGAIN, NOON)
    settle(third.id, "one", Outcome(DeliveryState.EXPIRED, reason="too late"), NOON)
    ask(dead, "one", now)
    assert outbox.recover(lambda _: False, late, resend=True) == 1
    assert outbox.expire(late) == 0
    assert [each.state for each in outbox.records()] == ["uncertain"] * 4
    assert outbox.lease("one", late, LEASE, 9) == ()
    outbox.resolve(put_off.id, late, sent=False)
    assert [each.id for each in outbox.lease("one", late, LEASE, 9)] == [put_off.id]


def test_a_publish_adds_up_while_it_runs_and_after_a_reader_was_erased(database, issue, reader, now):
    mira, ben = reader("mira"), reader("ben")
    issue(mira, now)
    issue(ben, now, state=DeliveryState.PLANNED)
    with database.writing() as connection:
        run = begin_run(connection, now)
        raise_run(connection, run, planned=1, excluded={"nothing matched": 2})
        raise_run(connection, run, planned=1, excluded={})
        connection.execute(update(ISSUE).values(run_id=run))
    with database.reading() as connection:
        (balance,) = balances(connection, run)
    assert (balance.planned, balance.accepted, balance.open, balance.sentence) == (2, 1, 1, "")
    with database.writing() as connection:
        erase_readers(connection, [ben.id])
        (balance,) = balances(connection, run)
        assert (balance.open, balance.gone, balance.sentence) == (0, 1, "")
        connection.execute(DELIVERY.delete())
        (balance,) = balances(connection, run)
    assert balance.sentence == f"publish {run} planned 2 letters, but 1 are accounted for"


@pytest.mark.parametrize(
    "damage", ["UPDATE content SET kind = 'strange' WHERE id = 1", "DELETE FROM fragment WHERE id = 1"]
)
def test_a_letter_that_cannot_be_read_is_rejected_and_stands_in_nobody_s_way(
    database, letter, outbox, settle, now, damage, caplog
):
    first = letter(name="ann", text=b"Low.")
    settle(first.id, "one", AGAIN, now)
    for name in ("ben", "cat"):
        letter(name=name, text=b"Low." if name == "ben" else b"High.")
    outbox.release("one")
    with database.writing() as connection:
        connection.execute(text(damage))
    assert [each.recipient for each in outbox.lease("one", NOON, LEASE, 1)] == ["cat@lab.example"]
    assert {each.recipient[:3]: each.state for each in outbox.records()} == {
        "ann": "uncertain",
        "ben": "rejected",
        "cat": "leased",
    }
    assert outbox.lease("one", NOON, LEASE, 9) == ()
    assert "content 1 cannot be read" in caplog.text
