"""What is broken: since the first failure, until it works."""

from datetime import timedelta

import pytest

from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.troubles import Trouble
from storage.tables import DELIVERY
from storage.troubles import Troubles

HOUR = timedelta(hours=1)


@pytest.fixture
def troubles(database):
    return Troubles(database)


@pytest.fixture
def alert(now):
    return Mailing(
        message_key="alert:1",
        subscriber_id="",
        recipient="operator@lab.example",
        content=Content(LetterKind.ALERT, "Broken", (Fragment(Role.HEAD, b"Broken\r\n"),)),
        slots={"to": "operator@lab.example"},
        message_id="<alert@lab.example>",
        date=now,
        not_before=now,
        expires_at=now + 24 * HOUR,
    )


def test_a_trouble_lasts_from_its_first_failure_to_its_newest(troubles, now):
    troubles.failed("source:hf", "no answer", now)
    troubles.failed("source:hf", "blocked", now + HOUR)
    assert troubles.all() == (Trouble("source:hf", now, now + HOUR, "blocked"),)


def test_what_works_is_no_trouble_and_fails_anew(troubles, now):
    troubles.failed("deliver", "no answer", now)
    assert troubles.works("deliver")
    assert not troubles.works("deliver")
    assert troubles.all() == ()
    troubles.failed("deliver", "no answer", now + HOUR)
    assert troubles.all()[0].since == now + HOUR


def test_it_is_told_once_with_the_letter_and_failing_on_does_not_forget_it(troubles, alert, count, now):
    troubles.failed("publish", "broken", now)
    assert troubles.told(["publish"], alert, now)
    assert not troubles.told(["publish"], alert, now + HOUR)
    troubles.failed("publish", "still broken", now + HOUR)
    assert (troubles.all()[0].told_at, count(DELIVERY)) == (now, 1)


def test_nothing_is_told_of_what_was_mended_meanwhile(troubles, alert, count, now):
    troubles.failed("publish", "broken", now)
    troubles.failed("deliver", "broken", now)
    troubles.works("deliver")
    assert not troubles.told(["publish", "deliver"], alert, now)
    assert (troubles.all()[0].told_at, count(DELIVERY)) == (None, 0)


def test_it_may_be_told_without_a_letter(troubles, count, now):
    troubles.failed("publish", "broken", now)
    assert troubles.told(["publish"], None, now)
    assert (troubles.all()[0].told_at, count(DELIVERY)) == (now, 0)
