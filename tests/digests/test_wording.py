"""Wording: counts, days and names in, sentences out; what a letter says of itself must be true."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from digests import absence, wording
from domain.issues import Entry, Reason, Receipt, SourceCheck
from domain.papers import FetchStatus, Paper
from domain.topics import Why

MakePaper = Callable[..., Paper]


def test_authors_are_named_as_far_as_they_are_known(make_paper: MakePaper) -> None:
    names = tuple("ABCDEFG")
    assert wording.authors(make_paper(authors=names[:4], author_count=4)) == "A, B, C, D"
    assert wording.authors(make_paper(authors=names, author_count=3300)) == "A, B, C and 3,297 more"
    assert wording.authors(make_paper(authors=(), author_count=5)) == "5 authors"
    assert wording.authors(make_paper(authors=(), author_count=1)) == "1 author"
    assert wording.authors(make_paper(authors=(), author_count=0)) == ""
    assert wording.authors(make_paper(authors=("A",), author_count=2)) == "A and 1 more"


def test_dates_say_the_year_when_it_is_another_and_listed_when_that_is_all_we_know(make_paper: MakePaper) -> None:
    assert wording.when(make_paper(), year=2026) == "20 Nov"
    assert wording.when(make_paper(), year=2027) == "20 Nov 2026"
    assert wording.when(make_paper(published=None, first_listed=date(2026, 11, 3)), year=2026) == "listed 3 Nov"


@pytest.mark.parametrize(
    ("counts", "first", "said"),
    [
        ((58, 3, 3, 0), False, "58 new papers since your last letter. 3 papers answer your topics."),
        ((58, 1, 1, 0), False, "58 new papers since your last letter. 1 paper answers your topics."),
        ((1, 1, 1, 0), False, "1 new paper since your last letter. 1 paper answers your topics."),
        (
            (9, 7, 5, 2),
            False,
            "9 new papers since your last letter. 7 papers answer your topics: 5 in full, 2 by title.",
        ),
        ((1, 2, 2, 0), False, "1 new paper since your last letter. 2 papers answer your topics."),
        ((0, 2, 2, 0), False, "2 papers answer your topics."),
        ((9, 1, 1, 0), True, "Your first letter looks back 7 days. 1 paper answers your topics."),
    ],
)
def test_the_first_sentence_is_true(counts: tuple[int, int, int, int], first: bool, said: str) -> None:
    """A new topic looks back, so the papers that answer need not be among the new ones."""
    new, matched, full, titles = counts
    receipt = Receipt((), new, matched)
    assert intro(receipt, first=first, shown=full, titles=titles) == said


def intro(receipt: Receipt, *, first: bool = False, shown: int = 0, titles: int = 0, related: int = 0) -> str:
    return wording.intro(
        receipt=receipt, first=first, welcome_days=7, topics=2, shown=shown, titles=titles, related=related
    )


@pytest.mark.parametrize(
    ("counts", "first", "said"),
    [
        ((58, 3, 1), False, "3 papers answer your topics. 1 related one has part of the words."),
        ((58, 0, 2), False, "No new paper answers your topics in full; 2 related ones have part of the words."),
        ((58, 0, 2), True, "No paper of that time answers your topics in full; 2 related ones have part of the words."),
        ((58, 0, 0), True, "Nothing listed in that time answers your topics; the next comes when something does."),
    ],
)
def test_a_related_paper_is_never_said_to_answer(counts: tuple[int, int, int], first: bool, said: str) -> None:
    new, matched, related = counts
    told = intro(Receipt((), new, matched), first=first, shown=matched, related=related)
    assert told.split(". ", 1)[1] == said


def test_what_several_topics_only_count_is_an_upper_bound() -> None:
    receipt = Receipt((), 0, 700, at_most=True)
    assert intro(receipt, shown=3, titles=7) == (
        "Up to 700 papers answer your topics: 3 in full, 7 by title, 690 only counted."
    )
    assert wording.matched(receipt, shown=3, titles=7) == (
        "Up to 700 matched: 3 in full, 7 by title, 690 only counted."
    )
    assert wording.matched(replace(receipt, at_most=False), shown=700, titles=0) == "700 matched."


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((2, 2, 0, 0), "2 papers"),
        ((2, 2, 0, 1), "2 papers; 1 related"),
        ((700, 3, 0, 0), "3 of 700"),
        ((2, 1, 1, 1), "1 of 2, 1 above; 1 related"),
        ((1, 0, 1, 2), "1 paper, above; 2 related"),
        ((0, 0, 0, 3), "3 related"),
    ],
)
def test_a_topic_s_heading_counts_matches_and_related_papers_apart(
    counts: tuple[int, int, int, int], said: str
) -> None:
    total, shown, above, related = counts
    assert wording.section_count(total=total, shown=shown, above=above, related=related) == said


def test_a_reason_without_words_is_left_out(make_paper: MakePaper) -> None:
    entry = Entry(make_paper(1), 1, Why(""), also=(Reason("mud\0\u202e", Why("")),))
    assert wording.reasons(entry) == ["Also under “mud”"]
    assert wording.reasons(replace(entry, also=(), topic=" ")) == ["Under “Untitled topic”"]
    assert wording.reasons(replace(entry, also=())) == []


def checked(*checks: SourceCheck, first: bool = False) -> list[str]:
    since = wording.looked_back(first=first, welcome_days=7)
    return wording.checked(Receipt(checks, 0, 0), year=2026, since=since)


def check(status: FetchStatus, listed: int, new: int, day: date | None = date(2026, 11, 20)) -> SourceCheck:
    return SourceCheck("s", "Daily", day, status, listed, new)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (check(FetchStatus.OK, 31, 30), "Daily, 20 Nov: 31 listed, 30 new."),
        (check(FetchStatus.OK, 31, 31), "Daily, 20 Nov: 31 listed, 31 new."),
        (
            check(FetchStatus.OK, 21, 61),
            "Daily, read up to 20 Nov: 21 listed that day, 61 new since your last letter.",
        ),
        (
            check(FetchStatus.OK_EMPTY, 0, 1_061),
            "Daily, read up to 20 Nov: none listed that day, 1,061 new since your last letter.",
        ),
        (check(FetchStatus.OK_EMPTY, 0, 0), "Daily, 20 Nov: an empty day."),
        (check(FetchStatus.OK_EMPTY, 0, 0, None), "Daily: nothing new."),
        (check(FetchStatus.OK, 0, 5, None), "Daily: 5 new since your last letter."),
        (check(FetchStatus.NOT_MODIFIED, 12, 0), "Daily, 20 Nov: 12 listed, 0 new."),
        (check(FetchStatus.NOT_MODIFIED, 0, 0), "Daily, 20 Nov: nothing new."),
        (check(FetchStatus.PARTIAL, 31, 12), "Daily, 20 Nov: 31 listed, 12 new. Some could not be read."),
        (
            check(FetchStatus.PARTIAL, 0, 12),
            ("Daily, read up to 20 Nov: none listed that day, 12 new since your last letter. Some could not be read."),
        ),
        (check(FetchStatus.PARTIAL, 0, 0, None), "Daily: nothing new. Some could not be read."),
        (
            check(FetchStatus.THROTTLED, 21, 61),
            (
                "Daily could not be read today (the site asked us to slow down). It was read up to 20 Nov: 61 new "
                "since your last letter. Its other papers will come when it can."
            ),
        ),
        (
            check(FetchStatus.LAYOUT_CHANGED, 21, 0),
            (
                "Daily could not be read today (layout changed). It was read up to 20 Nov. "
                "Its papers will come when it can."
            ),
        ),
        (
            check(FetchStatus.FAILED, 0, 0, None),
            "Daily could not be read today (no usable answer). Its papers will come when it can.",
        ),
        (
            check(FetchStatus.STALE, 21, 2, date(2025, 11, 20)),
            (
                "Daily is late: it still shows 20 Nov 2025; 2 new since your last letter. "
                "Its papers will come when they are listed."
            ),
        ),
    ],
)
def test_the_receipt_is_true_whatever_the_days_brought(asked: SourceCheck, said: str) -> None:
    assert checked(asked)[0] == said
    assert checked(asked)[1:] == (["Nothing failed."] if asked.status.is_good else [])


def test_a_first_letter_s_receipt_tells_how_far_it_looks_back() -> None:
    assert checked(check(FetchStatus.OK, 21, 61), first=True) == [
        "Daily, read up to 20 Nov: 21 listed that day, 61 new in the last 7 days.",
        "Nothing failed.",
    ]
    assert checked(first=True) == ["No source was asked in the last 7 days."]
    assert checked() == ["No source was asked since your last letter."]


def test_a_receipt_of_many_sources_stays_short() -> None:
    for status in (FetchStatus.OK, FetchStatus.BLOCKED):
        assert len(checked(*[replace(check(status, 1, 1), label=f"S{n}") for n in range(500)])) < 40


@pytest.mark.parametrize(
    ("since", "day", "told"),
    [
        (date(2026, 11, 3), date(2026, 11, 17), "You were away from 3 to 17 November."),
        (date(2026, 10, 28), date(2026, 11, 17), "You were away from 28 October to 17 November."),
        (date(2025, 12, 28), date(2026, 1, 3), "You were away from 28 December 2025 to 3 January 2026."),
        (date(2026, 11, 17), date(2026, 11, 17), ""),
        (date(2026, 11, 18), date(2026, 11, 17), ""),
        (None, date(2026, 11, 17), ""),
    ],
)
def test_an_absence_is_told_by_its_days(since, day, told):
    assert absence.away(since, day) == told
