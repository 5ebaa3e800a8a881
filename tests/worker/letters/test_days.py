"""Days without a paper, and days with four hundred."""

import re
from datetime import timedelta

from domain.issues import LetterKind

#: What mailboxes show of a letter before they cut it off, with room to spare (mail.md item 42).
LARGEST_PART = 90_000


def test_a_day_without_papers_brings_no_digest_and_the_run_adds_up(lab, papers):
    lab.reader("mira", "tides")
    lab.reader("jun", "quasars")
    lab.listed(*papers(2))
    assert lab.round() == 2  # first letters, Jun's without a paper
    for _ in range(3):
        lab.clock.set(lab.clock.now() + timedelta(days=1))
        now = lab.clock.now()
        lab.house.matcher.match(now)
        counts = lab.house.publisher.publish(now)
        lab.house.deliverer.deliver()
        assert (counts.due, counts.issues, sum(counts.skipped.values())) == (2, 0, 2)
    # After the third day a quiet note says that all is well, and only then.
    assert [message.kind for message in lab.relay.taken] == [LetterKind.DIGEST] * 2 + [LetterKind.QUIET] * 2


def test_four_hundred_papers_are_one_letter_that_no_mailbox_cuts_off(lab_with, paper):
    lab = lab_with(digest={"papers": 50, "per_topic": 50})
    lab.reader("mira", "tides", "moon", "place")
    longest = "Très longue marée au clair de lune ℓ₁ " * 4
    flood = [
        paper(number, f"Tides of Place {number}: {longest}", abstract=f"Of place {number}. " + "The moon moves. " * 60)
        for number in range(1, 401)
    ]
    lab.listed(*flood)
    assert lab.round() == 1
    (message,) = lab.relay.taken
    _, _, page = message.data.partition(b"Content-Type: text/html")
    assert LARGEST_PART // 2 < len(page) <= LARGEST_PART
    (letter,) = lab.relay.digests("mira")
    assert letter.defects == []
    text = " ".join(letter.get_body(("plain",)).get_content().split())
    said = re.search(r"([\d,]+) papers answer your topics: (\d+) in full, (\d+) by title, ([\d,]+) only counted", text)
    all_of_them, full, titled, counted = (int(number.replace(",", "")) for number in said.groups())
    assert all_of_them == full + titled + counted >= 400
    assert letter.get_body(("html",)).get_content().count("<h3") == full > 0
    # What was only counted is not sent again the next day: one letter is the end of that day.
    lab.clock.set(lab.clock.now() + timedelta(days=1))
    assert lab.round() == 0
    assert len(lab.relay.taken) == 1
