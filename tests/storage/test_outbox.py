from datetime import date, timedelta

import pytest

from domain.deliveries import DeliveryState, Outcome
from domain.errors import UnknownError
from domain.issues import Content, Fragment, IssuePaper, IssuePlan, LetterKind, Mailing, Role, Slot
from domain.subscriptions import Consent, SubscriberState
from domain.topics import WishedTopic
from storage.issues import Issues
from storage.outbox import Outbox
from storage.runs import Runs
from storage.sending import Permission
from storage.subscribers import Signup, Subscribers
from topics.query import parse

LEASE = timedelta(minutes=15)


@pytest.fixture
def outbox(database):
    return Outbox(database)


@pytest.fixture
def issues(database):
    return Issues(database)


@pytest.fixture
def readers(database, now):
    """Give n confirmed readers of one topic."""

    def make(number: int):
        made = Subscribers(database)
        return [
            made.subscribe(
                Signup(
                    email=f"reader{each}@lab.example",
                    address_key=f"reader{each}@lab.example",
                    public_id=f"{each:016x}",
                    topics=[WishedTopic("tides", parse("tides"))],
                    schedule=None,
                    state=SubscriberState.CONFIRMED,
                    shared=False,
                    consent=[],
                ),
                now,
            )[0]
            for each in range(number)
        ]

    return make


def plan(reader, now, *, slot="2026-11-20", papers=(), upto=0):
    key = f"issue:{reader.public_id}:{slot}"
    content = Content(
        LetterKind.DIGEST, "Tides", (Fragment(Role.HEAD, b"Subject: Tides\r\n"), Fragment(Role.TEXT, b"Low."))
    )
    mailing = Mailing(
        message_key=key,
        subscriber_id=reader.public_id,
        recipient=reader.email,
        content=content,
        slots={"to": reader.email},
        message_id=f"<{key}@lab.example>",
        date=now,
        not_before=now,
        expires_at=now + timedelta(hours=36),
    )
    return IssuePlan(
        public_id=f"{reader.public_id}{slot}",
        subscriber_id=reader.id,
        slot=Slot(slot, "UTC", date.fromisoformat(slot)),
        cutoff=now,
        upto_match=upto,
        papers=tuple(IssuePaper(paper, 1, place, "why") for place, paper in enumerate(papers)),
        mailing=mailing,
    )


def states(outbox):
    return [each.state for each in reversed(outbox.records())]


def test_an_issue_is_frozen_once_for_its_slot(issues, outbox, readers, now):
    (reader,) = readers(1)
    assert issues.run(now).freeze([plan(reader, now)], {}, [], now) == [""]
    assert issues.run(now).freeze([plan(reader, now)], {}, [], now) == ["has this issue already"]
    assert len(outbox.records()) == 1
    assert issues.records()[0].state == "planned"


def test_readers_with_the_same_papers_share_one_content(issues, database, readers, now):
    from sqlalchemy import func, select

    from storage.tables import CONTENT, FRAGMENT

    issues.run(now).freeze([plan(reader, now) for reader in readers(20)], {}, [], now)
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(CONTENT)).scalar_one() == 1
        assert connection.execute(select(func.count()).select_from(FRAGMENT)).scalar_one() == 2


def test_a_reader_who_left_while_the_letter_was_composed_gets_none(issues, database, readers, now):
    (reader,) = readers(1)
    Subscribers(database).unsubscribe(reader.public_id, Consent("unsubscribed", "1", now))
    assert issues.run(now).freeze([plan(reader, now)], {}, [], now) == ["left meanwhile"]


def test_a_delivery_is_leased_to_one_worker(issues, outbox, readers, now):
    issues.run(now).freeze([plan(reader, now) for reader in readers(3)], {}, [], now)
    assert len(outbox.lease("one", now, LEASE, 2)) == 2
    assert len(outbox.lease("two", now, LEASE, 5)) == 1
    assert outbox.lease("three", now, LEASE, 5) == ()


def test_what_is_accepted_stays_accepted(issues, outbox, readers, now, settle, ask):
    issues.run(now).freeze([plan(reader, now) for reader in readers(1)], {}, [], now)
    (leased,) = outbox.lease("one", now, LEASE, 5)
    assert ask(leased, "one", now) is Permission.GIVEN
    done = Outcome(state=DeliveryState.ACCEPTED, reply="250 kept", code=250)
    assert settle(leased.id, "one", done, now)
    outbox.recover(lambda _: False, now + 2 * LEASE, resend=True)
    record = outbox.records()[0]
    assert (record.state, record.attempts, record.reply, record.sha256) == ("accepted", 1, "250 kept", "5a")


def test_a_worker_that_lost_its_lease_neither_sends_nor_settles(issues, outbox, readers, now, settle, ask):
    issues.run(now).freeze([plan(reader, now) for reader in readers(1)], {}, [], now)
    (leased,) = outbox.lease("one", now, LEASE, 5)
    late = now + 2 * LEASE
    assert outbox.recover(lambda _: None, late, resend=True) == 0
    outbox.lease("two", late, LEASE, 5)
    assert ask(leased, "one", late) is Permission.LOST
    assert not settle(leased.id, "one", Outcome(state=DeliveryState.ACCEPTED), late)


@pytest.mark.parametrize(
    ("sending", "resend", "after", "due"),
    [
        (False, True, "planned", 1),
        (True, True, "uncertain", 1),
        (True, False, "uncertain", 0),
    ],
)
def test_what_a_dead_worker_left_is_taken_over_at_once(issues, outbox, readers, now, sending, resend, after, due, ask):
    issues.run(now).freeze([plan(reader, now) for reader in readers(1)], {}, [], now)
    (leased,) = outbox.lease("dead", now, LEASE, 5)
    if sending:
        ask(leased, "dead", now)
    assert outbox.recover(lambda worker: worker != "dead", now, resend=resend) == (1 - due)
    assert states(outbox) == [after]
    again = outbox.lease("alive", now, LEASE, 5)
    assert len(again) == due
    if due:
        assert (again[0].message_id, again[0].fragments, again[0].slots) == (
            leased.message_id,
            leased.fragments,
            leased.slots,
        )


def test_a_letter_whose_worker_dies_again_and_again_is_held_in_the_end(issues, outbox, readers, now, ask):
    """It may have died before the dot each time: held after the second, a letter is lost under many kills."""
    issues.run(now).freeze([plan(reader, now) for reader in readers(1)], {}, [], now)
    for attempt in range(6):
        leased = outbox.lease("dead", now, LEASE, 5)
        assert len(leased) == (1 if attempt < 4 else 0)
        for each in leased:
            ask(each, "dead", now)
        outbox.recover(lambda _: False, now, resend=True)
    assert states(outbox) == ["uncertain"]


def test_one_that_is_handed_back_says_no_less_than_was_known_of_it(issues, outbox, readers, now, settle, ask):
    issues.run(now).freeze([plan(reader, now) for reader in readers(1)], {}, [], now)
    outbox.lease("one", now, LEASE, 5)
    outbox.release("one")
    assert states(outbox) == ["planned"]
    (leased,) = outbox.lease("one", now, LEASE, 5)
    settle(leased.id, "one", Outcome(state=DeliveryState.DEFERRED, not_before=now), now)
    outbox.lease("one", now, LEASE, 5)
    outbox.release("one")
    assert states(outbox) == ["deferred"]
    (leased,) = outbox.lease("dead", now, LEASE, 5)
    ask(leased, "dead", now)
    outbox.recover(lambda _: False, now, resend=True)
    outbox.lease("one", now, LEASE, 5)
    outbox.release("one")
    assert states(outbox) == ["uncertain"]


def test_a_claim_of_a_dead_owner_is_over_at_once(database, now):
    runs = Runs(database)
    number = runs.claim("collect:hf", "07", "dead", now, LEASE)
    assert runs.claim("collect:hf", "07", "two", now, LEASE, is_alive=lambda _: True) is None
    assert runs.claim("collect:hf", "07", "two", now, LEASE, is_alive=lambda _: False) == number


def test_a_living_worker_keeps_what_it_sends_however_long_that_takes(issues, outbox, readers, now, ask):
    issues.run(now).freeze([plan(reader, now) for reader in readers(1)], {}, [], now)
    (leased,) = outbox.lease("slow", now, LEASE, 5)
    ask(leased, "slow", now + LEASE)
    outbox.recover(lambda _: None, now + LEASE + LEASE / 2, resend=True)
    assert states(outbox) == ["sending"]
    outbox.recover(lambda _: True, now + 9 * LEASE, resend=True)
    assert states(outbox) == ["sending"]


def test_one_that_may_have_left_and_is_held_never_turns_into_too_old(issues, outbox, readers, now, ask):
    issues.run(now).freeze([plan(reader, now) for reader in readers(1)], {}, [], now)
    (leased,) = outbox.lease("dead", now, LEASE, 5)
    ask(leased, "dead", now)
    assert outbox.recover(lambda _: False, now, resend=False) == 1
    assert outbox.expire(now + timedelta(days=9)) == 0
    assert states(outbox) == ["uncertain"]


def test_one_who_leaves_before_the_dot_is_skipped_and_the_reason_kept(database, issues, outbox, readers, now, ask):
    (reader,) = readers(1)
    issues.run(now).freeze([plan(reader, now)], {}, [], now)
    (leased,) = outbox.lease("one", now, LEASE, 5)
    Subscribers(database).unsubscribe(reader.public_id, Consent("unsubscribed", "1", now))
    assert ask(leased, "one", now) is Permission.UNWANTED
    assert outbox.records(DeliveryState.SKIPPED)[0].reason == "the reader is unsubscribed"


def test_deferred_ones_wait_and_late_ones_expire(issues, outbox, readers, now, settle):
    issues.run(now).freeze([plan(reader, now) for reader in readers(1)], {}, [], now)
    (leased,) = outbox.lease("one", now, LEASE, 5)
    soon = now + timedelta(minutes=5)
    settle(leased.id, "one", Outcome(state=DeliveryState.DEFERRED, not_before=soon, reply="451"), now)
    assert outbox.lease("one", now, LEASE, 5) == ()
    assert len(outbox.lease("one", soon, LEASE, 5)) == 1
    assert outbox.release("one") == 1
    assert outbox.expire(now + timedelta(hours=36)) == 1
    assert states(outbox) == ["expired"]


@pytest.mark.engines("sqlite")
def test_leasing_uses_the_index_on_open_deliveries(database, issues, readers, now):
    from sqlalchemy import text

    issues.run(now).freeze([plan(reader, now) for reader in readers(1)], {}, [], now)
    with database.reading() as connection:
        steps = connection.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT id FROM delivery WHERE "
                "state IN ('planned','leased','sending','deferred','uncertain') AND not_before <= '2026'"
            )
        ).all()
    assert "ix_delivery_open" in str(steps)


def test_a_letter_is_replayed_from_what_was_frozen(issues, outbox, readers, now):
    (reader,) = readers(1)
    issues.run(now).freeze([plan(reader, now)], {}, [], now)
    letter = outbox.letter(issues.delivery_of(f"{reader.public_id}2026-11-20"))
    assert [fragment.body for fragment in letter.fragments] == [b"Subject: Tides\r\n", b"Low."]
    with pytest.raises(UnknownError, match="no issue 'nope'"):
        issues.delivery_of("nope")
    with pytest.raises(UnknownError, match="no delivery 99"):
        outbox.letter(99)


def test_a_slot_has_one_owner_until_its_lease_is_over(database, now):
    runs = Runs(database)
    number = runs.claim("collect:hf", "07", "one", now, LEASE)
    assert number is not None
    assert runs.claim("collect:hf", "07", "two", now, LEASE) is None
    assert runs.claim("collect:hf", "07", "two", now + LEASE, LEASE) == number
    runs.finish(number, now, "ok", {"new": 3})
    assert runs.claim("collect:hf", "07", "three", now + 9 * LEASE, LEASE) is None
    assert runs.latest("collect:hf").counts == {"new": 3}
    assert len(runs.since("collect:hf", now - LEASE)) == 1
    assert runs.since("collect:hf", now) == ()
    assert runs.latest("collect:other") is None
