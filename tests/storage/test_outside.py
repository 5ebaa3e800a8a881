"""Sign-ups on the site: nothing of who reads changes, no mailbox is flooded, and nobody can tell whose it is."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.letter_events import SuppressionReason
from domain.subscriptions import Cadence, Choices, Consent, Schedule, SubscriberState
from domain.topics import WishedTopic
from storage.address_changes import AddressChanges
from storage.keeping import Ages, Keeping
from storage.outbox import Outbox
from storage.outside import CHANGES_A_DAY, REMINDERS_A_MONTH, OutsideSignups
from storage.strangers import A_DOMAIN_AN_HOUR
from storage.subscribers import Signup, Subscribers, record
from storage.suppressions import Suppressions
from storage.tables import ADDRESS_CHANGE, MARKER, SUBSCRIBER, TOPIC, Base
from topics.query import parse

S = SubscriberState
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MIRA = "mira@lab.example"


def content(kind):
    return Content(kind, "A letter", (Fragment(Role.HEAD, b"Subject: x\r\n"),))


@pytest.fixture
def composed():
    """The kinds of letters that were composed, in their order."""
    return []


@pytest.fixture
def sign_up(database, composed):
    numbers = iter(range(1, 100_000))

    def make(email=MIRA, at=None, topics=("rivers",), schedule=None, per_hour=200):
        def mailing(kind, public_id, number):
            composed.append(kind)
            return Mailing(
                message_key=f"{kind}:{public_id}:{number}",
                subscriber_id=public_id,
                recipient=email,
                content=content(kind),
                slots={},
                message_id=f"<{kind}.{public_id}.{number}@lab.example>",
                date=at,
                not_before=at,
                expires_at=at + DAY,
            )

        signup = Signup(
            email=email,
            address_key=email.lower(),
            public_id=f"{next(numbers):016x}",
            topics=[WishedTopic(text, parse(text)) for text in topics],
            schedule=schedule,
            state=S.PENDING,
            shared=False,
            consent=[Consent("asked", "1", at, "/subscribe")],
            outside=True,
        )
        return OutsideSignups(database, per_hour=per_hour).sign_up(
            signup,
            lambda public_id, number: mailing(LetterKind.CONFIRM, public_id, number),
            lambda reader, number: mailing(LetterKind.PREFERENCES, reader.public_id, number),
            at,
        )

    return make


@pytest.fixture
def letters(database):
    """The letters that wait: kind and address, the oldest first."""
    return lambda: [(each.kind, each.recipient) for each in reversed(Outbox(database).records())]


@pytest.fixture
def everything(database):
    """All rows of all tables but the count of sign-ups, and the letters where they are not asked for."""

    def look(*but):
        left = [each for each in Base.metadata.sorted_tables if each.name not in {MARKER.name, *but}]
        with database.reading() as connection:
            return {each.name: sorted(map(repr, connection.execute(select(each)).all())) for each in left}

    return look


@pytest.fixture
def known(database):
    return lambda email=MIRA: Subscribers(database).by_address(email.lower())


# -- who reads already -------------------------------------------------------------------------------------------------

LETTER_TABLES = ("fragment", "content", "delivery")


def test_nothing_of_a_reader_changes_and_a_letter_with_a_way_in_waits(
    database, reader, sign_up, letters, everything, now
):
    for state in (S.CONFIRMED, S.PAUSED):
        mira = reader(state.value, state=state)
        before = everything(*LETTER_TABLES)
        assert sign_up(mira.email, now, schedule=Schedule(Cadence.WEEK, 3, 9, "Asia/Tokyo"))
        assert everything(*LETTER_TABLES) == before, state
    assert letters() == [("preferences", "confirmed@lab.example"), ("preferences", "paused@lab.example")]


def test_such_a_letter_leaves_once_a_day_and_three_times_a_month(reader, sign_up, letters, now):
    mira = reader()
    for hour in range(0, 24 * 30, 12):
        sign_up(mira.email, now + timedelta(hours=hour))
        if hour < 24:
            assert len(letters()) == 1
    assert len(letters()) == REMINDERS_A_MONTH
    assert sign_up(mira.email, now + timedelta(days=40))


def test_a_mailbox_of_several_people_and_who_must_not_be_mailed_get_none_and_stay_as_they_are(
    database, reader, sign_up, letters, everything, now
):
    table, blocked, gone = reader("table"), reader("blocked"), "gone@lab.example"
    with database.writing() as connection:
        connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == table.id).values(shared=True))
    for address, reason in ((blocked.email, SuppressionReason.BOUNCE), (gone, SuppressionReason.OPERATOR)):
        Suppressions(database).add(address, reason, "", now)
    before = everything()
    for email in (table.email, blocked.email, gone):
        assert not sign_up(email, now)
    assert everything() == before
    assert letters() == []


def test_who_complained_is_asked_and_comes_back_by_saying_yes_to_the_newest_wishes(
    database, reader, sign_up, letters, known, now
):
    mira, later = reader(), now + DAY
    Suppressions(database).add(MIRA, SuppressionReason.COMPLAINT, "", now)
    assert sign_up(MIRA, later, topics=("rivers",))
    sign_up(MIRA, later + MINUTE, topics=("lakes",))
    assert (known().state, letters()) == (S.SUPPRESSED, [("confirm", MIRA)])
    assert Subscribers(database).confirm(mira.public_id, Consent("confirmed", "1", later + MINUTE))
    assert (known().state, [each.name for each in known().subscriptions]) == (S.CONFIRMED, ["lakes"])


# -- who waits, left, or is new ----------------------------------------------------------------------------------------


def test_one_who_is_new_waits_with_what_they_wished(sign_up, letters, known, now, database):
    assert sign_up(MIRA, now, ["rivers", "lakes"], Schedule(Cadence.WEEK, 4, 18, "Europe/Berlin"))
    mira = known()
    assert (mira.state, mira.schedule.every, [each.name for each in mira.subscriptions]) == (
        S.PENDING,
        "week",
        ["rivers", "lakes"],
    )
    assert letters() == [("confirm", MIRA)]
    assert Subscribers(database).consents(mira.id) == (Consent("asked", "1", now, "/subscribe"),)


def test_the_newest_wishes_take_the_place_of_those_that_nobody_agreed_to(database, sign_up, known, now):
    sign_up(MIRA, now, ["rivers", "lakes"], Schedule(Cadence.WEEK, 4, 18, "Europe/Berlin"))
    with database.writing() as connection:
        connection.execute(update(SUBSCRIBER).values(papers=3))
    first = known()
    assert not sign_up("Mira@Lab.Example", now + MINUTE, ["seas", "lakes"])
    mira = known()
    assert (mira.id, mira.public_id, mira.email) == (first.id, first.public_id, "Mira@Lab.Example")
    assert [each.name for each in mira.subscriptions] == ["seas", "lakes"]
    assert (mira.schedule, mira.choices, mira.state) == (Schedule(), Choices(), S.PENDING)
    assert mira.revision > first.revision


@pytest.mark.engines("memory")
def test_a_thousand_sign_ups_of_one_address_leave_one_letter_one_reader_and_a_few_entries_on_record(
    database, sign_up, letters, known, now
):
    for number in range(1000):
        sign_up(MIRA, now + timedelta(seconds=number), [f"topic{number % 3}"])
    assert letters() == [("confirm", MIRA)]
    assert [each.name for each in known().subscriptions] == [f"topic{CHANGES_A_DAY % 3}"]
    assert len(Subscribers(database).consents(known().id)) == 1 + CHANGES_A_DAY


def test_over_days_three_letters_leave_and_no_more_until_the_waiting_one_is_forgotten(
    database, sign_up, letters, known, now
):
    for hour in range(0, 120, 6):
        sign_up(MIRA, now + timedelta(hours=hour))
    assert len(letters()) == 3
    assert (
        Keeping(database)
        .sweep(Ages(issues=None, replies=None, runs=None, pending=timedelta(days=14)), now + timedelta(days=17))
        .pending
        == 1
    )
    assert known() is None


def test_who_left_is_asked_again_and_stays_away_until_they_say_yes(database, reader, sign_up, letters, known, now):
    mira = reader()
    Subscribers(database).unsubscribe(mira.public_id, Consent("unsubscribed", "1", now))
    assert sign_up(MIRA, now + MINUTE, ["rivers"])
    assert (known().id, known().state, [each.name for each in known().subscriptions]) == (
        mira.id,
        S.PENDING,
        ["rivers"],
    )
    assert letters() == [("confirm", MIRA)]


def test_the_letter_can_be_asked_for_again_by_the_address_alone_and_the_wishes_stay(
    database, reader, sign_up, letters, known, everything, now
):
    sign_up(MIRA, now, ["rivers", "lakes"])
    assert not sign_up(MIRA, now + MINUTE, [])
    assert sign_up(MIRA, now + DAY, [])
    assert len(known().subscriptions) == 2
    assert letters() == [("confirm", MIRA)] * 2
    left = reader("left", state=S.UNSUBSCRIBED)
    before = everything()
    assert not sign_up("nobody@lab.example", now, [])
    assert not sign_up(left.email, now, [])
    assert everything() == before


# -- what was asked and never agreed to --------------------------------------------------------------------------------


def test_no_answer_but_yes_brings_another_letter_before_the_day_is_over(database, sign_up, letters, known, now):
    readers = Subscribers(database)
    for number in range(6):
        at = now + number * MINUTE
        sign_up(MIRA, at)
        readers.unsubscribe(known().public_id, Consent("unsubscribed", "1", at + MINUTE / 2, "/unsubscribe"))
    assert letters() == [("confirm", MIRA)]
    for number in range(1, 20):
        at = now + number * DAY
        sign_up(MIRA, at)
        readers.unsubscribe(known().public_id, Consent("unsubscribed", "1", at + MINUTE, "/unsubscribe"))
    assert len(letters()) == 3


def test_what_a_twin_says_is_no_yes_and_a_yes_begins_the_count_anew(database, sign_up, letters, known, now):
    for number in range(3):
        assert sign_up(MIRA, now + number * DAY)
        with database.writing() as connection:
            record(connection, known().id, Consent("resumed", "1", now + number * DAY + MINUTE, "/preferences"))
    assert not sign_up("mira+papers@lab.example", now + 3 * DAY)
    assert Subscribers(database).confirm(known().public_id, Consent("confirmed", "1", now + 3 * DAY))
    assert sign_up("mira+papers@lab.example", now + 3 * DAY + MINUTE)


def test_what_nobody_wishes_any_more_is_not_kept(database, sign_up, known, now):
    sign_up(MIRA, now, [f"a rare illness {number}" for number in range(20)])
    sign_up(MIRA, now + MINUTE, ["lakes"])
    assert [each.name for each in known().subscriptions] == ["lakes"]
    with database.reading() as connection:
        assert not [each for each in connection.execute(select(TOPIC.c.normal_form)).scalars() if "ill" in each]


def test_the_wishes_of_one_who_waits_change_so_many_times_a_day_and_no_oftener(database, sign_up, known, count, now):
    for number in range(CHANGES_A_DAY + 20):
        sign_up(MIRA, now + number * MINUTE, [f"topic{number}x{each}" for each in range(20)])
    assert known().subscriptions[0].name == f"topic{CHANGES_A_DAY}x0"
    assert count(TOPIC) <= 20 * (CHANGES_A_DAY + 1)
    assert len(Subscribers(database).consents(known().id)) == CHANGES_A_DAY + 1
    sign_up(MIRA, now + DAY, ["lakes"])
    assert [each.name for each in known().subscriptions] == ["lakes"]


def test_the_spelling_of_one_who_had_letters_is_no_strangers_to_change(database, reader, sign_up, known, now):
    mira = reader()
    Subscribers(database).unsubscribe(mira.public_id, Consent("unsubscribed", "1", now))
    assert sign_up("MIRA@Lab.example", now + DAY)
    assert (known().state, known().email) == (S.PENDING, MIRA)


# -- floods ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spellings",
    [
        lambda number: f"mira+{number}@lab.example",
        lambda number: ["mira@lab.example", "mira+a@lab.example", "mira+@lab.example", "mira+a+b@lab.example"][
            number % 4
        ],
        lambda number: [f"mi.ra+{number}@gmail.com", f"m.i.r.a+{number}@googlemail.com"][number % 2],
        lambda number: f"a_b%+{number}@lab.example",
    ],
)
def test_all_addresses_of_one_mailbox_share_its_one_letter_a_day(sign_up, letters, database, now, spellings):
    asked = [sign_up(spellings(number), now + timedelta(seconds=number)) for number in range(20)]
    assert (asked.count(True), len(letters())) == (1, 1)
    assert len(list(Subscribers(database).everyone())) == 1, "who gets no letter is not written down"
    assert sign_up(spellings(101), now + DAY)


def test_who_moves_is_told_by_the_new_mailbox(database, reader, now):
    mira = reader()
    asked = {"email": "M.Ira+x@gmail.com", "address_key": "m.ira+x@gmail.com", "asked_at": now}
    with database.writing() as connection:
        connection.execute(insert(ADDRESS_CHANGE).values(subscriber_id=mira.id, **asked))
    assert AddressChanges(database, per_hour=100).confirm(mira.public_id, now, Consent("address changed", "1", now))
    with database.reading() as connection:
        assert connection.execute(select(SUBSCRIBER.c.mailbox)).scalar_one() == "mira@gmail.com"


def test_neighbours_are_no_addresses_of_one_mailbox(sign_up, letters, now):
    asked = ("mira@lab.example", "mira@lab2.example", "mir+a@lab.example", "miraX@lab.example", "m.ira@lab.example")
    assert all(sign_up(email, now) for email in (*asked, "m_ra+x@lab.example", "+a@lab.example", "+b@lab.example"))
    assert sign_up("jun+papers@lab.example", now), "a subaddress is as good as any"


def test_only_so_many_letters_leave_in_an_hour_for_all(reader, sign_up, letters, known, now):
    asked = [sign_up(f"reader{number}@lab{number}.example", now, per_hour=3) for number in range(10)]
    assert asked == [True] * 3 + [False] * 7
    assert not sign_up(reader().email, now, per_hour=3), "a letter with a way in is one of them"
    assert known("reader9@lab9.example") is None
    assert not sign_up("reader9@lab9.example", now + 59 * MINUTE, per_hour=3)
    assert sign_up("reader9@lab9.example", now + 61 * MINUTE, per_hour=3)
    assert len(letters()) == 4


def test_only_so_many_go_to_one_domain_but_a_large_keeper_s_mailboxes_are_strangers(sign_up, letters, now):
    for number in range(A_DOMAIN_AN_HOUR + 5):
        sign_up(f"reader{number}@lab.example", now)
        sign_up(f"reader{number}@gmail.com", now)
    to = [address.rpartition("@")[2] for _, address in letters()]
    assert (to.count("lab.example"), to.count("gmail.com")) == (A_DOMAIN_AN_HOUR, A_DOMAIN_AN_HOUR + 5)
    assert sign_up("reader99@lab.example", now + 61 * MINUTE)


# -- what the time tells -----------------------------------------------------------------------------------------------


def test_whoever_it_is_both_letters_are_composed_and_something_is_written(database, reader, sign_up, composed, now):
    Suppressions(database).add("gone@lab.example", SuppressionReason.OPERATOR, "", now)
    emails = [reader(state.value, state=state).email for state in S]
    for done, email in enumerate([*emails, "new@lab.example", "new@lab.example", "gone@lab.example"], 1):
        composed.clear()
        sign_up(email, now)
        assert composed == [LetterKind.CONFIRM, LetterKind.PREFERENCES], email
        with database.reading() as connection:
            assert connection.execute(select(MARKER.c.value).where(MARKER.c.name == "sign-ups")).scalar_one() == done


def test_an_interruption_leaves_all_of_a_sign_up_or_nothing(database, sign_up, everything, now, monkeypatch):
    before = everything()

    def die(*_, **__):
        raise KeyboardInterrupt

    for step in ("sign_up", "queue"):
        with monkeypatch.context() as patched:
            patched.setattr(f"storage.outside.{step}", die)
            with pytest.raises(KeyboardInterrupt):
                sign_up(MIRA, now)
        assert everything() == before
    assert sign_up(MIRA, now)
