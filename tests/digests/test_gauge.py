"""When complaints are worth a warning, and when nothing more may be sent (mail.md item 23)."""

import pytest

from digests.mail.gauge import Verdict, judge


@pytest.mark.parametrize(
    ("accepted", "complaints", "verdict"),
    [
        (0, 0, Verdict.FINE),
        (10_000, 0, Verdict.FINE),
        (10_000, 9, Verdict.FINE),
        (10_000, 10, Verdict.WARN),
        (10_000, 29, Verdict.WARN),
        (10_000, 30, Verdict.STOP),
        (1_001, 1, Verdict.FINE),
        (1_000, 1, Verdict.WARN),
        (20, 1, Verdict.WARN),
        (20, 4, Verdict.WARN),
        (20, 5, Verdict.STOP),
        (1_667, 5, Verdict.WARN),
        (1_666, 5, Verdict.STOP),
        (0, 5, Verdict.STOP),
    ],
)
def test_a_tenth_of_a_percent_warns_and_three_tenths_with_five_complaints_stop(accepted, complaints, verdict):
    assert judge(accepted, complaints).verdict is verdict


def test_the_numbers_are_said_in_words():
    assert judge(1200, 5).sentence == "5 of 1200 letters in seven days were called spam (0.42 %)"


@pytest.mark.parametrize(
    ("refused", "verdict"), [(4, Verdict.FINE), (9, Verdict.FINE), (10, Verdict.WARN), (1000, Verdict.WARN)]
)
def test_letters_refused_as_spam_warn_and_never_stop(refused, verdict):
    assert judge(1000, 0, refused).verdict is verdict


def test_letters_refused_as_spam_take_nothing_from_a_stop():
    found = judge(1000, 5, 50)

    assert found.verdict is Verdict.STOP
    assert "50 were refused" in found.sentence
