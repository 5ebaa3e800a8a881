"""What mailboxes fold together: no letter has the subject of the day before, or begins like it.

Mailboxes put letters of one subject into one thread and hide what they take for a quotation of the letter before.
"""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest

from digests.mail.joining import part
from digests.render import Frame, Renderer
from domain.issues import Digest, Slot

YEAR = [date(2026, 1, 1) + timedelta(days=each) for each in range(365)]
LINKS = {name: f"https://digests.example.org/{name}/k" for name in ("unsubscribe", "preferences", "feedback", "issue")}
LINKS["confirmed"] = "3 October 2026"
#: Characters of a part that are seen before anybody scrolls, those of tags and styles included.
SEEN = {"text": 600, "html": 6_000}


def of(digest: Digest, day: date) -> Digest:
    return replace(digest, slot=Slot(day.isoformat(), "Europe/Berlin", day))


@pytest.fixture
def alike(sample: Digest, busy: Digest, make_paper) -> dict[str, Digest]:
    """Letters that say the same on every day."""
    entry = sample.sections[0].entries[0]
    endless = replace(entry, paper=make_paper(1, title="The Same Long Title Again " * 40))
    long = replace(sample, sections=(replace(sample.sections[0], entries=(endless,)), *sample.sections[1:]))
    nothing = replace(sample, first=True, sections=(), receipt=replace(sample.receipt, matched=0))
    return {"digest": sample, "busy": busy, "a title without end": long, "a letter without a paper": nothing}


def test_no_two_letters_of_a_year_have_one_subject_though_they_say_the_same(alike):
    renderer = Renderer(Frame(linked=True, postal_address="Example Lab"))
    days = YEAR[::30] + YEAR[-40:]  # each month, and every day of the last weeks
    for name, digest in alike.items():
        subjects = [renderer.digest(of(digest, day), shared=False).subject for day in days]
        assert len(set(subjects)) == len(set(days)), name
        assert max(map(len, subjects)) < 150, name  # what is cut off is the title, never the day


def test_a_weeks_letter_has_not_the_subject_of_the_week_before(sample):
    renderer = Renderer(Frame(linked=True, postal_address="Example Lab"))
    weeks = [
        replace(sample, slot=Slot(f"{day.isocalendar().year}-W{day.isocalendar().week:02}", "UTC", day))
        for day in YEAR[::7]
    ]
    subjects = [renderer.digest(week, shared=False).subject for week in weeks]
    assert [each for each in pairwise(subjects) if each[0] == each[1]] == []


@pytest.mark.parametrize("kind", SEEN)
def test_letters_that_say_the_same_differ_at_their_beginning(alike, kind):
    renderer = Renderer(Frame(linked=True, postal_address="Example Lab"))
    for name, digest in alike.items():
        beginnings = []
        for day in YEAR[:14]:
            made = renderer.digest(of(digest, day), shared=False)
            page = part(made.fragments, kind, personal=True, slots=LINKS)
            beginnings.append((page.partition("<body")[2] or page)[: SEEN[kind]])
        assert len(set(beginnings)) == len(beginnings), name
