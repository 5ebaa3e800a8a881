"""Letters without HTML: the same papers on the same road, as one text; and a page of them all the same."""

import email
import email.policy
import re

import pytest

from digests.mail.joining import join, part
from digests.plain_page import page_of
from domain.issues import LetterKind, Role
from domain.subscriptions import NO_CHOICES

SITE = {"base_url": "https://papers.lab.example", "secret_key": "k" * 32}


@pytest.fixture
def lab(lab_with):
    return lab_with(web=SITE)


@pytest.fixture
def two(lab, papers):
    """Mira reads text alone, Jun does not; both have one topic."""
    mira = lab.reader("mira", "tides")
    lab.reader("jun", "tides")
    lab.house.changes.choose(mira.public_id, None, NO_CHOICES, text_only=True)
    lab.listed(*papers(7))
    assert lab.round() == 2
    return lab


def frozen(lab):
    """Return each reader's digest as it is kept, by name."""
    records = [each for each in lab.house.outbox.records() if each.kind == LetterKind.DIGEST.value]
    return {each.recipient.partition("@")[0]: lab.house.outbox.letter(each.id) for each in records}


def test_a_letter_without_html_is_one_text_with_all_headers_of_the_others(two):
    (mira,), (jun,) = two.relay.digests("mira"), two.relay.digests("jun")
    assert mira.get_content_type() == "text/plain"
    assert (mira["Content-Type"], mira["Content-Transfer-Encoding"]) == (
        'text/plain; charset="utf-8"',
        "quoted-printable",
    )
    assert mira.defects == []
    own = {"To", "Message-ID", "X-Paperround-Letter", "Content-Type", "Content-Transfer-Encoding"}
    assert set(mira.keys()) == {*jun.keys(), "Content-Transfer-Encoding"}
    links = {"List-Unsubscribe", "List-Help", "List-Archive"}
    for name in set(jun.keys()) - own - links:
        assert mira[name] == jun[name], name
    assert {re.sub(r"/[^/]*>$", "", mira[name]) for name in links} == {
        re.sub(r"/[^/]*>$", "", jun[name]) for name in links
    }

    def told(letter):
        return re.sub(r"https://papers\.lab\.example/(?!papers/)\S+", "", letter.get_content())

    assert told(mira) == told(jun.get_body(("plain",)))


def test_its_fragments_are_those_of_everyone_and_its_content_is_one_of_its_own(two):
    letters = frozen(two)
    texts = {
        name: [f for f in each.fragments if f.role in {Role.TEXT, Role.TEXT_PERSONAL}] for name, each in letters.items()
    }
    assert texts["mira"] == texts["jun"] != []
    assert not [each for each in letters["mira"].fragments if each.role in {Role.HTML, Role.HTML_PERSONAL, Role.SEAM}]
    with two.house.database.reading() as connection:
        keys = connection.exec_driver_sql("SELECT content_key FROM content WHERE kind = 'digest'").scalars().all()
    assert len(set(keys)) == 2


def test_it_is_replayed_byte_by_byte(two):
    (sent,) = [each.data for each in two.relay.taken if each.recipient.startswith("mira")]
    letter = frozen(two)["mira"]
    assert join(letter.fragments, letter.slots) == sent
    read = email.message_from_bytes(sent, policy=email.policy.default).get_content().replace("\r\n", "\n")
    assert part(letter.fragments, "text", personal=True, slots=letter.slots) == read


def test_its_page_shows_the_text_without_a_token_and_with_links(two):
    letter = frozen(two)["mira"]
    page = page_of(letter.fragments, letter.subject, personal=False, slots=letter.slots)
    assert page.startswith("<!doctype html>")
    assert "Tides of Place 7" in page
    assert 'href="https://arxiv.org/abs/2611.00007"' in page
    assert "/unsubscribe/" not in page
    assert "/preferences/" not in page
    theirs = frozen(two)["jun"]
    assert page_of(theirs.fragments, theirs.subject, personal=False, slots=theirs.slots) == part(
        theirs.fragments, "html", personal=False, slots=theirs.slots
    )


@pytest.mark.engines("sqlite")
def test_a_quiet_note_is_one_text_too(two):
    for _ in range(3):
        two.clock.set(two.clock.now().replace(day=two.clock.now().day + 1))
        assert two.round() == 0
    quiet = [each for each in two.relay.taken if each.kind is LetterKind.QUIET]
    kinds = {
        each.recipient: email.message_from_bytes(each.data, policy=email.policy.default).get_content_type()
        for each in quiet
    }
    assert kinds == {"mira@lab.example": "text/plain", "jun@lab.example": "multipart/alternative"}
