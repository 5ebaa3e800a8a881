"""What a sweep lets go, and what it leaves because something stands on it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from domain.deliveries import DeliveryState, Outcome
from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.papers import Fetched, FetchStatus
from domain.silences import NOTHING_MATCHED, Unserved
from domain.subscriptions import Consent, SubscriberState
from domain.topics import Match
from storage.address_changes import AddressChanges
from storage.erasing import let_go
from storage.fetches import Fetches
from storage.integrity import faults
from storage.issues import Issues
from storage.keeping import Ages, Keeping, Swept
from storage.ledger import count_gone
from storage.mailings import queue
from storage.outbox import Outbox
from storage.runs import Runs
from storage.subscribers import Subscribers
from storage.tables import (
    ADDRESS_CHANGE,
    CONTENT,
    DELIVERY,
    FRAGMENT,
    ISSUE,
    ISSUE_PAPER,
    KEPT_PAGE,
    MARKER,
    MATCH,
    PUBLISH_RUN,
    RUN,
    SENT,
    TALLY,
)

DAY = timedelta(days=1)
LEASE = timedelta(minutes=15)
AGES = Ages(issues=365 * DAY, replies=90 * DAY, pending=14 * DAY, runs=90 * DAY)
FOR_EVER = Ages(issues=None, replies=None, pending=None, runs=None)


@pytest.fixture
def keeping(database):
    return Keeping(database, by_hand="days by hand")


def test_an_old_letter_goes_with_all_that_only_it_had(keeping, reader, issue, count, paper, now):
    mira = reader()
    issue(mira, now, papers=[paper], text=b"Only in the old letter.")
    issue(mira, now + DAY, text=b"In the new one.")
    assert keeping.sweep(AGES, now + 364 * DAY).issues == 0
    swept = keeping.sweep(AGES, now + 366 * DAY)
    assert (swept.issues, swept.contents, swept.fragments) == (1, 1, 1)
    assert (count(ISSUE), count(ISSUE_PAPER), count(DELIVERY), count(CONTENT), count(FRAGMENT)) == (1, 0, 1, 1, 2)
    assert keeping.sweep(AGES, now + 366 * DAY).rows == 0
    assert count(SENT) == 1


def test_each_readers_newest_issue_stays_however_old(keeping, reader, issue, count, now):
    for name in ("mira", "jun"):
        issue(reader(name), now)
    assert keeping.sweep(AGES, now + 3650 * DAY).issues == 0
    assert count(ISSUE) == 2


@pytest.mark.parametrize("state", [DeliveryState.PLANNED, DeliveryState.DEFERRED, DeliveryState.UNCERTAIN])
def test_a_letter_that_is_not_at_its_end_stays_with_its_issue(keeping, reader, issue, count, now, state):
    mira = reader()
    issue(mira, now, state=state)
    issue(mira, now + DAY, state=DeliveryState.PLANNED)
    swept = keeping.sweep(AGES, now + 3650 * DAY)
    assert (swept.issues, swept.replies, count(ISSUE), count(DELIVERY)) == (0, 0, 2, 2)


def test_a_piece_that_a_younger_letter_has_stays(keeping, reader, issue, count, now):
    mira = reader()
    issue(mira, now, text=b"Both.")
    issue(mira, now + 200 * DAY, text=b"Both.")
    swept = keeping.sweep(AGES, now + 366 * DAY)
    assert (swept.issues, swept.contents, swept.fragments) == (1, 1, 0)
    assert count(FRAGMENT) == 2


def test_a_sweep_that_is_stopped_goes_on_the_next_time(database, keeping, reader, issue, count, now):
    mira = reader()
    for day in range(3):
        issue(mira, now + day * DAY, text=b"%d" % day)
    later = now + 900 * DAY
    assert keeping.sweep(AGES, later, is_stopped=lambda: True) == Swept()
    looks = iter([False, False])
    stopped = keeping.sweep(AGES, later, is_stopped=lambda: next(looks, True))
    assert (stopped.issues, stopped.contents, stopped.fragments) == (2, 2, 0)
    assert (count(CONTENT), count(FRAGMENT), count(MARKER)) == (1, 4, 1)
    rest = keeping.sweep(AGES, later)
    assert (rest.issues, rest.fragments, rest.replies) == (0, 2, 1)
    assert (count(FRAGMENT), count(MARKER), faults(database)) == (2, 0, ())


def test_what_relays_said_is_forgotten_and_the_outcome_stays(database, keeping, reader, issue, now):
    issue(reader(), now, state=DeliveryState.REJECTED)
    assert keeping.sweep(AGES, now + 89 * DAY).replies == 0
    assert keeping.sweep(AGES, now + 91 * DAY).replies == 1
    assert keeping.sweep(AGES, now + 91 * DAY).replies == 0
    with database.reading() as connection:
        row = connection.execute(DELIVERY.select()).one()
    assert (row.state, row.reply_code, row.enhanced, row.reply_text, row.reason) == ("rejected", None, "", "", "")


def test_who_never_confirmed_is_erased_and_who_was_a_reader_once_is_not(database, keeping, reader, now):
    readers = Subscribers(database)
    reader("never", SubscriberState.PENDING)
    reader("lately", SubscriberState.PENDING, now + 10 * DAY)
    reader("again", SubscriberState.PENDING)
    reader("again", SubscriberState.PENDING, now + 10 * DAY)
    back = reader("back")
    readers.unsubscribe(back.public_id, Consent("unsubscribed", "1", now))
    reader("back", SubscriberState.PENDING)
    assert keeping.sweep(AGES, now + 13 * DAY).pending == 0
    assert keeping.sweep(AGES, now + 15 * DAY).pending == 1
    assert [each.public_id for each in readers.everyone()] == ["lately", "again", "back"]


def test_old_runs_go_but_the_newest_of_each_job(database, keeping, reader, count, now):
    runs, mira = Runs(database), reader()
    for job, slot, day in [
        ("collect:hf", "1", 0),
        ("collect:hf", "2", 1),
        ("collect:hf", "days by hand 3", 2),
        ("collect:gone", "1", 0),
    ]:
        at = now + day * DAY
        runs.finish(runs.claim(job, slot, "one", at, LEASE, beside=True), at, "ok", {})
    runs.claim("collect:hf", "given up", "dead", now, LEASE, beside=True)
    for _ in range(2):
        Issues(database).run(now).freeze([], {}, [Unserved(mira.id, "2026-11-20", NOTHING_MATCHED)], now)
    assert keeping.sweep(AGES, now + 89 * DAY).runs == 0
    assert keeping.sweep(AGES, now + 400 * DAY).runs == 3
    assert (count(RUN), count(PUBLISH_RUN)) == (3, 1)
    assert runs.latest("collect:hf").slot == "days by hand 3"
    assert runs.latest("collect:hf", but="days by hand").slot == "2"
    assert runs.latest("collect:gone").slot == "1"


def test_what_runs_only_counted_goes_and_what_they_matched_stays(keeping, reader, count, paper, matched, now):
    reader()
    matched(Match(1, paper, 1.0), beyond=9)
    assert keeping.sweep(AGES, now + 89 * DAY).runs == 0
    assert keeping.sweep(AGES, now + 91 * DAY).runs == 1
    assert (count(MATCH), count(TALLY)) == (1, 0)


def test_old_answers_go_with_their_pages_but_the_last_that_tell_of_a_source(database, keeping, count, now):
    fetches = Fetches(database)

    def answered(day, status, new, body):
        at = now + day * DAY
        fetches.record(
            Fetched(
                source="hf",
                url=f"https://papers.example/{day}",
                day=at.date(),
                at=at,
                seconds=0.1,
                bytes=len(body),
                http=200,
                status=status,
                declared=None,
                read=new,
                rejected=0,
                new=new,
                etag="",
                last_modified="",
                error="",
            ),
            body=body,
        )

    answered(0, FetchStatus.OK, 5, b"oldest")
    answered(1, FetchStatus.OK, 3, b"last that brought something")
    answered(2, FetchStatus.OK, 0, b"last that was read")
    answered(3, FetchStatus.LAYOUT_CHANGED, 0, b"broken")
    answered(4, FetchStatus.LAYOUT_CHANGED, 0, b"last")
    assert keeping.sweep(AGES, now + 400 * DAY).fetches == 2
    assert [page.body for page in fetches.kept("hf")] == [
        b"last that brought something",
        b"last that was read",
        b"last",
    ]
    assert count(KEPT_PAGE) == 3
    assert fetches.last_new("hf")[0] == now + DAY


def test_with_zeros_everything_stays(keeping, reader, issue, count, now):
    mira = reader()
    issue(mira, now)
    issue(mira, now + DAY)
    reader("never", SubscriberState.PENDING)
    assert keeping.sweep(FOR_EVER, now + 9999 * DAY) == Swept()
    assert count(ISSUE) == 2


def test_a_letter_that_is_frozen_during_a_sweep_keeps_its_pieces(database, keeping, reader, issue, count, now):
    mira = reader()
    issue(mira, now, text=b"Used again at the last moment.")
    issue(mira, now + DAY, text=b"New.")
    with database.writing() as connection:
        count_gone(connection, ISSUE.c.slot == "2026-11-20")
        connection.execute(ISSUE.delete().where(ISSUE.c.slot == "2026-11-20"))
        assert let_go(connection, [1]) == 1
    looks = []

    def frozen_meanwhile():
        looks.append(count(FRAGMENT))
        if len(looks) == 3:  # the contents have been looked through, nothing is deleted yet
            issue(mira, now + 2 * DAY, text=b"Used again at the last moment.")
        return False

    assert keeping.sweep_fragments(is_stopped=frozen_meanwhile) == 0
    assert (looks[0], count(FRAGMENT), faults(database)) == (3, 3, ())


@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("is_open", [False, True])
def test_letters_of_no_issue_go_when_they_are_old_but_for_those_that_are_counted(
    database, keeping, reader, count, settle, now, kind, is_open
):
    mira = reader()
    send(database, settle, kind, mira, now, is_open=is_open)
    assert keeping.sweep(AGES, now + 364 * DAY).letters == 0
    stays = is_open or kind in {LetterKind.CONFIRM, LetterKind.QUIET}
    swept = keeping.sweep(AGES, now + 366 * DAY)
    assert (swept.letters, count(DELIVERY)) == ((0, 1) if stays else (1, 0))


def test_a_quiet_note_goes_once_an_issue_has_followed_it(database, keeping, reader, issue, count, settle, now):
    mira = reader()
    issue(mira, now)
    send(database, settle, LetterKind.QUIET, mira, now + DAY)
    assert keeping.sweep(AGES, now + 400 * DAY).letters == 0
    issue(mira, now + 2 * DAY)
    assert keeping.sweep(AGES, now + 400 * DAY).letters == 1
    assert count(DELIVERY) == 1


def mailing_of(kind, reader, now, *, to, key):
    return Mailing(
        message_key=key,
        subscriber_id=reader.public_id,
        recipient=to,
        content=Content(kind, "Tides", (Fragment(Role.TEXT, b"Low."),)),
        slots={"to": to},
        message_id=f"<{key}@lab.example>",
        date=now,
        not_before=now,
        expires_at=now + DAY,
    )


def send(database, settle, kind, mira, now, *, is_open=False):
    """Queue a letter of no issue, and let a relay take it unless it stays open."""
    mailing = mailing_of(kind, mira, now, to=mira.email, key=f"{kind}:mira")
    with database.writing() as connection:
        queue(connection, mailing, None if kind is LetterKind.ALERT else mira.id, None)
    (leased,) = Outbox(database).lease("one", now, LEASE, 1)
    state = DeliveryState.UNCERTAIN if is_open else DeliveryState.ACCEPTED
    settle(leased.id, "one", Outcome(state, reply="250 kept", code=250), now)


# -- new addresses that nobody confirmed -------------------------------------------------------------------------------


ADDRESSES = Ages(issues=None, replies=None, pending=None, runs=None, addresses=3 * DAY)


@pytest.fixture
def moving(database, settle):
    """Ask that a reader's letters go to another address, and let a relay take the letter that asks it."""

    def ask(mira, at, email="new@lab.example"):
        def letter(reader, number):
            return mailing_of(LetterKind.ADDRESS, reader, at, to=email, key=f"address:{reader.public_id}:{number}")

        assert AddressChanges(database, per_hour=200).ask(mira.public_id, email, email, letter, at)
        (leased,) = Outbox(database).lease("one", at, LEASE, 1)
        settle(leased.id, "one", Outcome(state=DeliveryState.ACCEPTED, reply="taken", code=250), at)

    return ask


def recipients(database):
    with database.reading() as connection:
        return connection.execute(select(DELIVERY.c.recipient, DELIVERY.c.slots).order_by(DELIVERY.c.id)).all()


def test_a_new_address_that_nobody_confirmed_is_forgotten_after_three_days(
    database, keeping, reader, moving, count, now
):
    moving(reader(), now)
    assert keeping.sweep(ADDRESSES, now + 3 * DAY) == Swept()
    assert count(ADDRESS_CHANGE) == 1

    swept = keeping.sweep(ADDRESSES, now + 3 * DAY + timedelta(seconds=1))
    assert (swept, count(ADDRESS_CHANGE), recipients(database)) == (Swept(addresses=2), 0, [("", {})])
    assert keeping.sweep(ADDRESSES, now + 9 * DAY) == Swept()
    assert faults(database) == ()


def test_an_address_that_was_confirmed_stays_in_its_letter(database, keeping, reader, moving, now):
    mira = reader()
    moving(mira, now)
    assert AddressChanges(database, per_hour=200).confirm(mira.public_id, now, Consent("moved", "1", now))

    assert keeping.sweep(ADDRESSES, now + 9 * DAY) == Swept()
    assert [each.recipient for each in recipients(database)] == ["new@lab.example"]


def test_a_younger_wish_and_every_other_letter_stay(database, keeping, reader, issue, moving, count, now):
    mira, jun = reader(), reader("jun")
    issue(mira, now)
    moving(mira, now + DAY)
    moving(jun, now + 5 * DAY, "later@lab.example")

    assert keeping.sweep(ADDRESSES, now + 6 * DAY) == Swept(addresses=2)
    assert count(ADDRESS_CHANGE) == 1
    assert [each.recipient for each in recipients(database)] == [mira.email, "", "later@lab.example"]


def test_who_asks_again_after_a_sweep_gets_a_letter_of_its_own(keeping, reader, moving, count, now):
    mira = reader()
    moving(mira, now)
    keeping.sweep(ADDRESSES, now + 4 * DAY)
    moving(mira, now + 4 * DAY)
    assert count(DELIVERY) == 2
