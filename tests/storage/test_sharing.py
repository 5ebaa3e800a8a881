"""Those who send write side by side on PostgreSQL; whoever else writes is wholly before or after them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import insert, select, text, update

from domain.deliveries import DeliveryState, Outcome
from domain.errors import DatabaseBusy
from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.seals import address_hash
from storage.database import Database
from storage.erasing import erase_readers
from storage.installation import mark_held
from storage.mailings import queue
from storage.outbox import Outbox
from storage.sending import Ask, Permission, Settlement
from storage.tables import INSTALLATION, SUBSCRIBER, SUPPRESSION

LEASE = timedelta(minutes=15)
ACCEPTED = Outcome(DeliveryState.ACCEPTED, reply="250 kept", code=250)
SOON = 30  # seconds until something that should happen is given up

only_postgresql = pytest.mark.engines("postgresql")


@pytest.fixture
def letters(database, reader, now):
    """Queue a letter to each of so many readers."""

    def make(number):
        made = [reader(f"reader{each}") for each in range(number)]
        content = Content(LetterKind.DIGEST, "Tides", (Fragment(Role.TEXT, b"Low."),))
        with database.writing() as connection:
            for each in made:
                key = f"issue:{each.public_id}"
                mailing = Mailing(
                    message_key=key,
                    subscriber_id=each.public_id,
                    recipient=each.email,
                    content=content,
                    slots={"to": each.email},
                    message_id=f"<{key}@lab.example>",
                    date=now,
                    not_before=now,
                    expires_at=now + timedelta(hours=36),
                )
                queue(connection, mailing, each.id, None)

    return make


def asked(leased, now, worker, outbox, settlements=()):
    asks = [Ask(each.id, each.kind, each.recipient, "5a", "") for each in leased]
    return outbox.commit(worker, settlements, asks, now, LEASE)


def waiting(url, number):
    """Wait until so many transactions of this database stand in line for a lock."""
    query = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(url, autocommit=True) as server:
        for _ in range(SOON * 100):
            if server.execute(query).fetchone()[0] >= number:
                return
            threading.Event().wait(0.01)
    raise AssertionError("nobody waits")


def test_many_workers_at_once_never_lease_the_same_letter_and_leave_none(url, letters, now):
    letters(60)
    together = threading.Barrier(4)

    def work(number):
        with Database(url) as own:
            outbox, had = Outbox(own), []
            together.wait(SOON)
            while leased := outbox.lease(f"worker {number}", now, LEASE, 4):
                had += leased
                done = asked(leased, now, f"worker {number}", outbox)
                assert set(done.permissions) == {Permission.GIVEN}
                ended = [Settlement(each.id, ACCEPTED, now) for each in reversed(leased)]
                assert all(outbox.commit(f"worker {number}", ended, [], now, LEASE).settled)
            return [each.id for each in had]

    with ThreadPoolExecutor(4) as pool:
        had = [each for one in pool.map(work, range(4)) for each in one]
    assert sorted(had) == sorted(set(had))
    with Database(url) as own:
        assert [each.state for each in Outbox(own).records()] == ["accepted"] * 60


@only_postgresql
def test_a_letter_that_another_is_about_to_lease_is_passed_over_and_nobody_waits(database, url, letters, now):
    letters(5)
    with Database(url) as other, other.sharing() as connection:
        locked = connection.execute(text("SELECT id FROM delivery ORDER BY id LIMIT 2 FOR UPDATE")).scalars().all()
        leased = Outbox(database).lease("one", now, LEASE, 5)
        assert len(leased) == 3
        assert not set(locked) & {each.id for each in leased}


@only_postgresql
def test_threads_of_one_process_share_too(database, letters, now):
    letters(2)
    with database.sharing(), ThreadPoolExecutor(1) as pool:
        assert len(pool.submit(Outbox(database).lease, "one", now, LEASE, 2).result(SOON)) == 2


@pytest.mark.engines("sqlite", "postgresql")
def test_who_writes_alone_waits_for_those_who_share_and_they_for_it(url):
    with Database(url, busy_seconds=0.1) as one, Database(url, busy_seconds=0.1) as two:
        with one.sharing(), pytest.raises(DatabaseBusy), two.writing():
            pass
        with one.writing(), pytest.raises(DatabaseBusy), two.sharing():
            pass


@only_postgresql
def test_one_who_writes_alone_is_not_starved_by_those_who_share(url):
    """Who asks to share after it waits behind it, so it needs to outwait those alone who share already."""
    order = []

    def alone():
        with Database(url) as own, own.writing():
            order.append("alone")

    def share():
        with Database(url) as own, own.sharing():
            order.append("shared")

    with Database(url) as first, ThreadPoolExecutor(2) as pool:
        with first.sharing():
            writer = pool.submit(alone)
            waiting(url, 1)
            late = pool.submit(share)
            waiting(url, 2)
            assert order == []
        writer.result(SOON)
        late.result(SOON)
    assert order == ["alone", "shared"]


def suppress(connection, now):
    secret = connection.execute(select(INSTALLATION.c.secret)).scalar_one()
    sealed = address_hash(secret, "reader0@lab.example")
    row = {"address_hash": sealed, "reason": "operator", "detail": "", "at": now, "was": ""}
    connection.execute(insert(SUPPRESSION).values(row))


def leave(connection, _):
    connection.execute(update(SUBSCRIBER).values(state="unsubscribed"))


@only_postgresql
@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (lambda connection, now: mark_held(connection, "paused", now), Permission.LOST),
        (lambda connection, _: erase_readers(connection, [1]), Permission.LOST),
        (leave, Permission.UNWANTED),
        (suppress, Permission.UNWANTED),
    ],
)
def test_what_is_written_before_the_permission_wins_though_it_was_asked_for_meanwhile(
    database, url, letters, now, change, answer
):
    letters(1)
    leased = Outbox(database).lease("one", now, LEASE, 1)
    with Database(url) as other, ThreadPoolExecutor(1) as pool:
        with other.writing() as connection:
            asking = pool.submit(asked, leased, now, "one", Outbox(database))
            waiting(url, 1)
            change(connection, now)
        assert asking.result(SOON).permissions == (answer,)


@only_postgresql
def test_commits_of_two_workers_over_the_same_letters_in_other_orders_never_stand_in_each_other_s_way(
    url, letters, now, database
):
    """One of them has lost its letters: nothing is changed by it, and nobody meets a deadlock."""
    letters(30)
    leased = Outbox(database).lease("one", now, LEASE, 30)
    together = threading.Barrier(2)

    def work(worker, mine):
        with Database(url) as own:
            together.wait(SOON)
            given = [asked(mine[at : at + 3], now, worker, Outbox(own)).permissions for at in range(0, 30, 3)]
            return {each for one in given for each in one}

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(work, "one", leased)
        two = pool.submit(work, "two", leased[::-1])
        assert one.result(SOON) == {Permission.GIVEN}
        assert two.result(SOON) == {Permission.LOST}


def test_a_lease_that_ends_in_a_far_future_was_begun_before_the_clock_was_set_back(database, letters, now):
    letters(2)
    outbox = Outbox(database)
    (ahead,) = outbox.lease("elsewhere", now + timedelta(days=1), LEASE, 1)
    outbox.lease("another", now, LEASE, 1)
    asked([ahead], now + timedelta(days=1), "elsewhere", outbox)
    assert outbox.recover(lambda _: True, now, resend=True, lease=LEASE) == 0
    assert {each.state for each in outbox.records()} == {"sending", "leased"}
    assert outbox.recover(lambda _: None, now, resend=True, lease=LEASE) == 0
    assert {each.id: each.state for each in outbox.records()}[ahead.id] == "uncertain"
    assert [each.id for each in outbox.lease("one", now, LEASE, 2)] == [ahead.id]  # the other's lease is not over


@only_postgresql
def test_a_kept_connection_that_has_ended_is_replaced_before_anything_is_done(database, url, letters, now):
    letters(1)
    for way in (database.sharing, database.writing, database.reading):
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with way() as connection:
            assert connection.execute(text("SELECT count(*) FROM delivery")).scalar_one() == 1
