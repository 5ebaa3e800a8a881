"""Addresses that must not be mailed: what lifts a suppression, and what it outlives."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from domain.errors import UnknownError
from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.letter_events import LetterEvent, LetterEventKind, SuppressionReason
from domain.subscriptions import Consent, SubscriberState
from domain.topics import WishedTopic
from storage.backup import back_up
from storage.database import Database
from storage.letter_events import LetterEvents
from storage.moving import Mover
from storage.restoring import prepared
from storage.silences import Silences
from storage.subscribers import Signup, Subscribers
from storage.suppressions import Suppressions
from storage.tables import LETTER_EVENT, SUPPRESSION
from topics.query import parse

R = SuppressionReason
S = SubscriberState
DAY = timedelta(days=1)
MIRA = "mira@lab.example"
ASKED = Content(LetterKind.CONFIRM, "Please confirm", (Fragment(Role.HEAD, b"Subject: x\r\n"),))


def is_suppressed(suppressions, address):
    return Silences(suppressions._database).suppressed(address) is not None


@pytest.fixture
def suppressions(database):
    return Suppressions(database)


@pytest.fixture
def subscribers(database):
    return Subscribers(database)


@pytest.fixture
def sign_up(subscribers):
    """Ask for letters from outside, or have the operator vouch; return the reader and whether a letter was queued."""

    def go(at, *, topic="tides", vouched=False, public_id="mira"):
        def ask(public_id: str, number: int) -> Mailing:
            return Mailing(
                message_key=f"confirm:{public_id}:{number}",
                subscriber_id=public_id,
                recipient=MIRA,
                content=ASKED,
                slots={},
                message_id=f"<{public_id}.{number}@lab.example>",
                date=at,
                not_before=at,
                expires_at=at + 5 * DAY,
            )

        wished = Signup(
            email=MIRA,
            address_key=MIRA,
            public_id=public_id,
            topics=[WishedTopic(topic, parse(topic))],
            schedule=None,
            state=S.CONFIRMED if vouched else S.PENDING,
            shared=False,
            consent=[Consent("vouched" if vouched else "asked", "1", at)],
        )
        return subscribers.subscribe(wished, at, None if vouched else ask)

    return go


def quietly(_done: int, _total: int) -> None:
    pass


def reasons(suppressions):
    return [(each.reason, each.email) for each in suppressions.list()]


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_an_address_is_suppressed_once_and_its_reader_is_afterwards_what_they_were(
    suppressions, subscribers, reader, now
):
    reader()
    assert suppressions.add(MIRA, R.OPERATOR, "asked by letter", now)
    assert not suppressions.add(MIRA, R.OPERATOR, "again", now + DAY)
    assert is_suppressed(suppressions, MIRA)
    assert subscribers.by_public_id("mira").state is S.SUPPRESSED
    (found,) = suppressions.list()
    assert (found.email, found.detail, found.at) == (MIRA, "asked by letter", now)
    assert suppressions.remove(MIRA) is S.CONFIRMED
    assert subscribers.by_public_id("mira").state is S.CONFIRMED
    assert not is_suppressed(suppressions, MIRA)
    with pytest.raises(UnknownError):
        suppressions.remove(MIRA)


def test_an_address_that_no_reader_has_is_suppressed_too(suppressions, sign_up, now):
    suppressions.add(MIRA, R.OPERATOR, "asked by letter", now)
    assert reasons(suppressions) == [(R.OPERATOR, "")]
    assert sign_up(now)[0].state is S.SUPPRESSED
    assert reasons(suppressions) == [(R.OPERATOR, MIRA)]
    assert suppressions.remove(MIRA) is S.PENDING


def test_no_suppression_names_its_address(suppressions, database, reader, now):
    reader()
    suppressions.add(MIRA, R.OPERATOR, "asked by letter", now)
    Subscribers(database).erase("mira", now)
    with database.reading() as connection:
        (row,) = connection.execute(select(SUPPRESSION)).all()
    assert "mira" not in repr(row)
    assert suppressions.remove(MIRA) is None


@pytest.mark.parametrize(
    ("first", "then", "stays", "afterwards"),
    [
        (R.BOUNCE, R.COMPLAINT, R.COMPLAINT, S.UNSUBSCRIBED),
        (R.COMPLAINT, R.BOUNCE, R.COMPLAINT, S.UNSUBSCRIBED),
        (R.OPERATOR, R.COMPLAINT, R.OPERATOR, S.UNSUBSCRIBED),
        (R.COMPLAINT, R.OPERATOR, R.OPERATOR, S.UNSUBSCRIBED),
        (R.OPERATOR, R.BOUNCE, R.OPERATOR, S.CONFIRMED),
        (R.BOUNCE, R.OPERATOR, R.OPERATOR, S.CONFIRMED),
    ],
)
def test_the_stricter_reason_stays_and_a_complaint_is_never_forgotten(
    suppressions, reader, now, first, then, stays, afterwards
):
    reader()
    suppressions.add(MIRA, first, "first", now)
    suppressions.add(MIRA, then, "then", now + DAY)
    assert reasons(suppressions) == [(stays, MIRA)]
    assert suppressions.remove(MIRA) is afterwards


def test_after_a_removal_bounces_begin_at_zero(suppressions, database, reader, issue, now):
    mira = reader()
    issue(mira, now)
    bounce = LetterEvent("dsn", "1", 1, LetterEventKind.BOUNCE, now, "5.1.1")
    LetterEvents(database).record([bounce], now)
    suppressions.remove(MIRA)
    issue(mira, now + DAY)
    again = LetterEvent("dsn", "2", 2, LetterEventKind.BOUNCE, now + DAY, "5.2.2")
    LetterEvents(database).record([again], now + DAY)
    assert not is_suppressed(suppressions, MIRA)
    with database.reading() as connection:
        points = connection.execute(select(LETTER_EVENT.c.points).order_by(LETTER_EVENT.c.id)).scalars().all()
    assert points == [0, 0.5]


# -- signing up again --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [R.BOUNCE, R.OPERATOR])
@pytest.mark.parametrize("vouched", [True, False])
def test_bounces_and_the_operator_are_not_outdone_by_signing_up(
    suppressions, subscribers, sign_up, reader, now, reason, vouched
):
    reader()
    suppressions.add(MIRA, reason, "why", now)
    again, queued = sign_up(now + DAY, vouched=vouched)
    assert (again.state, queued) == (S.SUPPRESSED, False)
    assert not subscribers.confirm("mira", Consent("confirmed", "1", now + DAY))
    assert suppressions.remove(MIRA) is S.CONFIRMED


@pytest.mark.parametrize(("vouched", "afterwards"), [(True, S.CONFIRMED), (False, S.PENDING)])
def test_what_an_erased_reader_was_is_nothing_to_who_signs_up_with_their_address(
    suppressions, subscribers, sign_up, reader, now, vouched, afterwards
):
    reader()
    suppressions.add(MIRA, R.BOUNCE, "why", now)
    subscribers.erase("mira", now)
    assert sign_up(now + DAY, vouched=vouched, public_id="new")[0].state is S.SUPPRESSED
    assert suppressions.remove(MIRA) is afterwards


def test_who_complained_comes_back_by_their_own_double_opt_in_and_by_nothing_else(
    suppressions, subscribers, sign_up, reader, now
):
    reader()
    suppressions.add(MIRA, R.COMPLAINT, "a complaint", now)
    yes = Consent("confirmed", "1", now + 2 * DAY)
    assert not subscribers.confirm("mira", yes), "a link of before"
    assert sign_up(now + DAY, vouched=True)[0].state is S.SUPPRESSED
    assert not subscribers.confirm("mira", yes), "the operator's word"
    asked, queued = sign_up(now + DAY, topic="rivers")
    assert (asked.state, queued) == (S.SUPPRESSED, True)
    assert [each.name for each in asked.subscriptions] == ["rivers"]
    assert not sign_up(now + DAY, topic="mud")[1], "one a day"
    assert is_suppressed(suppressions, MIRA), "until they say yes"
    for _ in range(2):
        assert subscribers.confirm("mira", yes)
    back = subscribers.by_public_id("mira")
    assert (back.state, back.confirmed_at, back.joined_at) == (S.CONFIRMED, yes.at, yes.at)
    assert [each.name for each in back.subscriptions] == ["rivers", "mud"]
    assert not is_suppressed(suppressions, MIRA)
    assert [each.action for each in subscribers.consents(back.id)].count("confirmed") == 1


def test_who_complained_and_was_erased_may_ask_again(suppressions, subscribers, sign_up, reader, now):
    reader()
    suppressions.add(MIRA, R.COMPLAINT, "a complaint", now)
    subscribers.erase("mira", now)
    asked, queued = sign_up(now + DAY, public_id="new")
    assert (asked.state, queued) == (S.SUPPRESSED, True)
    assert subscribers.confirm("new", Consent("confirmed", "1", now + DAY))
    assert reasons(suppressions) == []


def test_no_more_than_three_confirmations_go_to_who_complained(suppressions, sign_up, now):
    sign_up(now)
    suppressions.add(MIRA, R.COMPLAINT, "a complaint about the confirmation letter itself", now)
    assert [sign_up(now + day * DAY)[1] for day in range(1, 6)] == [True, True, False, False, False]


def test_who_unsubscribes_while_suppressed_is_unsubscribed_afterwards(suppressions, subscribers, reader, now):
    mira = reader()
    suppressions.add(MIRA, R.BOUNCE, "why", now)
    for _ in range(2):
        assert subscribers.unsubscribe("mira", Consent("unsubscribed", "1", now))
    assert subscribers.by_public_id("mira").state is S.SUPPRESSED
    assert [each.action for each in subscribers.consents(mira.id)].count("unsubscribed") == 1
    assert suppressions.remove(MIRA) is S.UNSUBSCRIBED


# -- what it outlives --------------------------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
def test_an_older_backup_forgets_no_suppression(tmp_path: Path, now):
    live, backup = tmp_path / "live.db", tmp_path / "backup.db"
    with Database(f"sqlite:///{live}") as database:
        Subscribers(database).subscribe(_reader("mira", now), now)
        Subscribers(database).subscribe(_reader("jun", now), now)
        Subscribers(database).subscribe(_reader("ada", now), now)
        Suppressions(database).add("ada@lab.example", R.BOUNCE, "long ago", now)
        back_up(database, backup, now, quietly)
        Suppressions(database).add(MIRA, R.COMPLAINT, "a complaint", now)
        Suppressions(database).add("jun@lab.example", R.OPERATOR, "asked by letter", now)
        Suppressions(database).add("nobody@lab.example", R.OPERATOR, "asked by letter", now)
        Subscribers(database).erase("jun", now)
    with prepared(backup, live, now) as ready:
        done = ready.put(now, quietly)
    assert (done.reapplied.erased, done.reapplied.stopped) == (1, 1)
    with Database(f"sqlite:///{live}") as database:
        kept = Suppressions(database)
        assert {each.email for each in kept.list()} == {MIRA, "ada@lab.example", ""}
        assert all(is_suppressed(kept, f"{name}@lab.example") for name in ("mira", "jun", "ada", "nobody"))
        assert Subscribers(database).by_public_id("mira").state is S.SUPPRESSED
        assert kept.remove(MIRA) is S.UNSUBSCRIBED


@pytest.mark.parametrize("has_own", [False, True])
def test_a_state_with_another_secret_takes_over_what_it_can(tmp_path: Path, now, has_own):
    live, other = tmp_path / "live.db", tmp_path / "other.db"
    with Database(f"sqlite:///{other}") as database:
        Subscribers(database).subscribe(_reader("mira", now), now)
        Subscribers(database).subscribe(_reader("ada", now), now)
        Suppressions(database).add("ada@lab.example", R.BOUNCE, "long ago", now)
        if has_own:
            Suppressions(database).add("theirs@lab.example", R.OPERATOR, "asked by letter", now)
    with Database(f"sqlite:///{live}") as database:
        Subscribers(database).subscribe(_reader("mira", now), now)
        Suppressions(database).add(MIRA, R.COMPLAINT, "a complaint", now)
        Suppressions(database).add("gone@lab.example", R.OPERATOR, "asked by letter", now)
    with prepared(other, live, now) as ready:
        ready.put(now, quietly)
    with Database(f"sqlite:///{live}") as database:
        kept = Suppressions(database)
        assert Subscribers(database).by_address(MIRA).state is S.SUPPRESSED
        assert [is_suppressed(kept, each) for each in (MIRA, "ada@lab.example")] == [True, True]
        assert is_suppressed(kept, "theirs@lab.example") is has_own
        assert is_suppressed(kept, "gone@lab.example") is not has_own


def test_suppressions_move_with_an_archive(database, suppressions, reader, tmp_path, now):
    reader()
    suppressions.add(MIRA, R.COMPLAINT, "a complaint", now)
    with Database(f"sqlite:///{tmp_path}/moved.db") as target:
        Mover(database, target).move(now, lambda *_: None)
        assert is_suppressed(Suppressions(target), MIRA)
        assert reasons(Suppressions(target)) == [(R.COMPLAINT, MIRA)]


def _reader(name: str, now) -> Signup:
    return Signup(
        email=f"{name}@lab.example",
        address_key=f"{name}@lab.example",
        public_id=name,
        topics=[WishedTopic("tides", parse("tides"))],
        schedule=None,
        state=S.CONFIRMED,
        shared=False,
        consent=[Consent("vouched", "1", now)],
    )
