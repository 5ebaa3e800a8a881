"""A reader moves to another address: what waits goes along, what may have left stays, the old one gets nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from domain.deliveries import DeliveryState, Outcome
from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.subscriptions import Consent, SubscriberState
from storage.address_changes import AddressChanges
from storage.mailings import queue
from storage.outbox import Outbox
from storage.sending import Ask, Permission
from storage.tables import DELIVERY, SUBSCRIBER

LEASE = timedelta(minutes=15)
OLD, NEW = "mira@lab.example", "Mira@bücher.example"
NEW_KEY, IN_A_HEADER = "mira@xn--bcher-kva.example", "Mira@xn--bcher-kva.example"
MOVED = "the reader's address changed"


def letter_of(kind, key, email, header, now):
    return Mailing(
        message_key=key,
        subscriber_id="mira",
        recipient=email,
        content=Content(kind, "Tides", (Fragment(Role.TEXT, b"Low."),)),
        slots={"to": header, "unsubscribe": "https://lab.example/unsubscribe/x"},
        message_id=f"<{key.replace(':', '.')}@lab.example>",
        date=now,
        not_before=now,
        expires_at=now + timedelta(hours=36),
    )


@pytest.fixture
def outbox(database):
    return Outbox(database)


@pytest.fixture
def mira(reader):
    return reader("mira")


@pytest.fixture
def wait(database, mira, now):
    """Let a letter to the old address wait."""

    def make(kind=LetterKind.DIGEST, key="", state=SubscriberState.CONFIRMED):
        with database.writing() as connection:
            queue(connection, letter_of(kind, key or f"{kind}:1", OLD, OLD, now), mira.id, None)
            connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == mira.id).values(state=state.value))

    return make


@pytest.fixture
def move(database, mira, now):
    """Let the reader move, by the letter to the new address and its link."""

    def go():
        changes = AddressChanges(database, per_hour=200)
        asked = letter_of(LetterKind.ADDRESS, "address:mira:1", NEW, IN_A_HEADER, now)
        assert changes.ask(mira.public_id, NEW, NEW_KEY, lambda *_: asked, now)
        assert changes.confirm(mira.public_id, now, Consent("address changed", "1", now, "/address"))

    return go


def rows(database):
    query = select(DELIVERY.c.recipient, DELIVERY.c.keeper, DELIVERY.c.slots).order_by(DELIVERY.c.id)
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


@pytest.mark.parametrize("kind", [LetterKind.DIGEST, LetterKind.QUIET])
def test_what_was_planned_and_never_tried_goes_to_the_new_address(database, outbox, wait, move, ask, now, kind):
    wait(kind)
    move()
    slots = {"to": IN_A_HEADER, "unsubscribe": "https://lab.example/unsubscribe/x"}
    assert rows(database)[0] == (NEW, "bücher.example", slots)
    leased = {each.kind: each for each in outbox.lease("one", now, LEASE, 9)}
    assert (leased[kind].recipient, leased[kind].slots) == (NEW, slots)


def test_a_letter_that_may_have_left_stays_one_to_the_old_address_and_is_skipped(
    database, outbox, wait, move, ask, settle, now
):
    wait()
    (leased,) = outbox.lease("one", now, LEASE, 1)
    ask(leased, "one", now)
    later = now + timedelta(hours=1)
    settle(leased.id, "one", Outcome(DeliveryState.UNCERTAIN, reply="no answer", not_before=later), now)
    move()
    assert rows(database)[0][0] == OLD
    leased = next(each for each in outbox.lease("one", later, LEASE, 9) if each.kind is LetterKind.DIGEST)
    assert ask(leased, "one", later) is Permission.UNWANTED
    assert [each.reason for each in outbox.records(DeliveryState.SKIPPED)] == [MOVED]


def test_a_letter_that_was_only_put_off_moves_along_as_if_nobody_had_tried_it(
    database, outbox, wait, move, ask, settle, now
):
    wait()
    (leased,) = outbox.lease("one", now, LEASE, 1)
    assert ask(leased, "one", now, signature="DKIM-Signature: of these bytes") is Permission.GIVEN
    refused = Outcome(
        DeliveryState.DEFERRED, reply="451 full", code=451, enhanced="4.2.2", not_before=now + timedelta(hours=4)
    )
    settle(leased.id, "one", refused, now)
    move()
    leased = next(each for each in outbox.lease("two", now, LEASE, 9) if each.kind is LetterKind.DIGEST)
    assert (leased.recipient, leased.keeper, leased.sha256, leased.signature) == (NEW, "bücher.example", "", "")
    assert (leased.attempts, leased.slots["to"]) == (0, IN_A_HEADER)
    assert outbox.records(DeliveryState.LEASED)[-1].reply == "", "the old mailbox said it"
    asked = Ask(leased.id, leased.kind, NEW_KEY, "5b", "")
    assert outbox.commit("two", [], [asked], now, LEASE).permissions == (Permission.GIVEN,)


@pytest.mark.parametrize("tried", [False, True], ids=["never tried", "put off before"])
def test_a_letter_that_a_worker_holds_is_taken_out_of_its_hands_and_moves_along(
    database, outbox, wait, move, ask, settle, now, tried
):
    wait()
    (held,) = outbox.lease("one", now, LEASE, 1)
    if tried:
        ask(held, "one", now)
        settle(held.id, "one", Outcome(DeliveryState.DEFERRED, reply="451", code=451, not_before=now), now)
        (held,) = outbox.lease("one", now, LEASE, 1)
    move()
    assert ask(held, "one", now) is Permission.LOST
    assert not settle(held.id, "one", Outcome(DeliveryState.DEFERRED, not_before=now), now)
    leased = next(each for each in outbox.lease("two", now, LEASE, 9) if each.kind is LetterKind.DIGEST)
    assert (leased.id, leased.recipient) == (held.id, NEW)
    asked = Ask(leased.id, leased.kind, NEW_KEY, "5b", "")
    assert outbox.commit("two", [], [asked], now, LEASE).permissions == (Permission.GIVEN,)


@pytest.mark.parametrize(
    ("kind", "state"),
    [(LetterKind.PREFERENCES, SubscriberState.CONFIRMED), (LetterKind.GOODBYE, SubscriberState.UNSUBSCRIBED)],
)
def test_a_fresh_link_and_a_goodbye_never_follow_to_an_address_that_did_not_ask(
    database, outbox, wait, move, ask, mira, now, kind, state
):
    wait(kind)
    move()
    with database.writing() as connection:
        connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == mira.id).values(state=state.value))
    leased = next(each for each in outbox.lease("one", now, LEASE, 9) if each.kind is kind)
    assert leased.recipient == OLD
    assert ask(leased, "one", now) is Permission.UNWANTED
    assert [each.reason for each in outbox.records(DeliveryState.SKIPPED)] == [MOVED]


def test_a_letter_that_asks_an_address_goes_there_although_it_is_not_the_readers_yet(database, outbox, mira, ask, now):
    asked = letter_of(LetterKind.ADDRESS, "address:mira:1", NEW, IN_A_HEADER, now)
    assert AddressChanges(database, per_hour=200).ask(mira.public_id, NEW, NEW_KEY, lambda *_: asked, now)
    (leased,) = outbox.lease("one", now, LEASE, 1)
    assert ask(leased, "one", now) is Permission.GIVEN
