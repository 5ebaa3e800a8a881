"""More like this, or less, by the two links of a letter: nothing changes until somebody presses a button."""

import re
from datetime import UTC, date, datetime
from urllib.parse import quote

import pytest

from domain.learning import Liking
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from domain.subscriptions import SubscriberState
from storage.likings import Likings

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MARK, UNDO = b"action=mark", b"action=undo"
KEYS = ("arxiv:2611.77001", "doi:10.1000/mud(1)<2>")


@pytest.fixture(scope="module", autouse=True)
def _papers(site):
    listed = (
        ListedPaper(
            title="Mud <script>alert(1)</script> & Silt",
            rank=1,
            ids=Identifiers(arxiv="2611.77001"),
            abstract="Mud moves.",
            abstract_kind=AbstractKind.AUTHORS,
            authors=("Mira Okafor",),
        ),
        ListedPaper(title="Silt of Estuaries", rank=2, ids=Identifiers(doi="10.1000/mud(1)<2>")),
    )
    site.house.archive.add(Listing("daily", date(2026, 11, 20), listed, FetchStatus.OK), NOW)


@pytest.fixture(autouse=True)
def _at_rest(site):
    site.clock.set(NOW)


def way(site, reader, liking="more", key=KEYS[0]):
    return f"{site.path(site.links.feedback(reader.public_id))}/{liking}/{quote(key, safe=':/')}"


def said(site, reader):
    return [(each.key, each.liking, each.place) for each in Likings(site.database).of(reader.id)]


@pytest.mark.parametrize("liking", ["more", "less"])
@pytest.mark.parametrize("key", KEYS)
def test_the_page_has_one_button_and_says_what_it_does_for_whose_letters(site, liking, key):
    reader = site.reader()
    before = site.tables()

    answer = site.ask("GET", way(site, reader, liking, key))

    assert answer.status == 200
    assert re.findall(r"<button[^>]*>(.*?)</button>", answer.text) == [f"{liking.capitalize()} like this"]
    assert "Nothing has been changed yet." in answer.text
    assert "m…@lab.example" in answer.text
    assert reader.email not in answer.text
    assert "<script>" not in answer.text
    assert (answer.headers["x-robots-tag"], answer.headers["cache-control"]) == ("noindex", "no-store")
    assert answer.headers["referrer-policy"] == "strict-origin"
    assert site.tables() == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_no_method_but_post_changes_anything_or_tells_what_was_said_before(site, method):
    reader, other = site.reader(), site.reader()
    site.ask("POST", way(site, reader), MARK, URLENCODED)
    before = site.tables()

    found = [site.ask(method, way(site, each), MARK, URLENCODED).text for each in (reader, other)]

    assert found[0] == found[1]
    assert site.tables() == before


def test_one_press_saves_a_paper_and_a_second_changes_nothing_and_tells_nothing_of_the_first(site):
    reader = site.reader()

    first = site.ask("POST", way(site, reader), MARK, URLENCODED)
    after = site.tables()
    second = site.ask("POST", way(site, reader), MARK, URLENCODED)

    assert (first.status, second.status) == (200, 200)
    assert said(site, reader) == [(KEYS[0], Liking.MORE, "/feedback")]
    assert first.text == second.text
    assert site.tables() == after
    assert "/preferences/" not in first.text


def test_a_press_is_taken_back_or_turned_round_by_the_buttons_of_its_answer(site):
    reader = site.reader()

    answer = site.ask("POST", way(site, reader), MARK, URLENCODED)
    assert re.findall(r"<button[^>]*>(.*?)</button>", answer.text) == ["Take it back", "Less like this instead"]
    here, there = re.findall(r'action="(.*?)"', answer.text)
    assert (here, there) == (way(site, reader), way(site, reader, "less"))

    site.ask("POST", there, MARK, URLENCODED)
    assert said(site, reader) == [(KEYS[0], Liking.LESS, "/feedback")]
    back = site.ask("POST", here, UNDO, URLENCODED)  # in a window that was opened before: nothing means nothing
    assert "Nothing is learned from this paper." in back.text
    assert said(site, reader) == []
    assert site.ask("POST", there, UNDO, URLENCODED).status == 200


def test_the_answers_links_lead_back_to_a_key_that_is_no_plain_path(site):
    reader = site.reader()
    answer = site.ask("POST", way(site, reader, "less", KEYS[1]), MARK, URLENCODED)

    here = re.findall(r'action="(.*?)"', answer.text)[0]
    assert site.ask("POST", here, UNDO, URLENCODED).status == 200
    assert said(site, reader) == []


@pytest.mark.parametrize("key", ["arxiv:0000.00000", "nothing", "x" * 2_000, "%00", "\u202e"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_paper_that_the_archive_has_not_gets_the_calm_page(site, key, method):
    reader = site.reader()
    answer = site.ask(method, way(site, reader, "more", key), MARK, URLENCODED)

    assert (answer.status, "There is no page here" in answer.text) == (404, True)
    assert said(site, reader) == []


@pytest.mark.parametrize("liking", ["much", "MORE", "more%20"])
def test_there_is_no_third_liking(site, liking):
    assert site.ask("POST", way(site, site.reader(), liking), MARK, URLENCODED).status == 404


@pytest.mark.parametrize("purpose", ["preferences", "unsubscribe"])
def test_links_of_another_purpose_save_nothing_and_this_one_opens_nothing_else(site, purpose):
    reader = site.reader()
    other = getattr(site.links, purpose)(reader.public_id).rpartition("/")[2]
    own = site.links.feedback(reader.public_id).rpartition("/")[2]

    assert site.ask("POST", f"/feedback/{other}/more/{KEYS[0]}", MARK, URLENCODED).status == 404
    assert said(site, reader) == []
    for path in (f"/{purpose}/{own}", f"/preferences/{own}/saved", f"/preferences/{own}/saved.bib"):
        assert site.ask("GET", path).status == 404
    before = site.tables()
    for path in (f"/{purpose}/{own}", f"/preferences/{own}/saved", f"/preferences/{own}/saved/reset"):
        assert site.ask("POST", path, b"action=reset", URLENCODED).status == 404
    assert site.tables() == before


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: token[::-1], lambda _: "x" * 36])
def test_a_token_that_was_cut_or_altered_changes_nothing(site, change):
    reader = site.reader()
    token = site.links.feedback(reader.public_id).rpartition("/")[2]

    answer = site.ask("POST", f"/feedback/{change(token)}/more/{KEYS[0]}", MARK, URLENCODED)

    assert (answer.status, "This link does not work" in answer.text) == (404, True)
    assert said(site, reader) == []


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (SubscriberState.PENDING, 409),
        (SubscriberState.UNSUBSCRIBED, 410),
        (SubscriberState.SUPPRESSED, 410),
        (SubscriberState.PAUSED, 200),
    ],
)
def test_only_who_has_letters_says_what_they_should_bring(site, state, status):
    reader = site.reader(state)
    answers = [site.ask(method, way(site, reader), MARK, URLENCODED) for method in ("GET", "POST")]

    assert [each.status for each in answers] == [status, status]
    assert bool(said(site, reader)) is (status == 200)
    assert ("Nothing was changed." in answers[1].text) is (status != 200)


def test_nobody_speaks_for_a_mailbox_of_several_people(site):
    house = site.house
    reader, _ = house.desk.subscribe("group@lab.example", ["tides"], None, vouched=True, shared=True)

    answer = site.ask("POST", way(site, reader), MARK, URLENCODED)

    assert (answer.status, "Several people read this mailbox" in answer.text) == (409, True)
    assert said(site, reader) == []


@pytest.mark.parametrize("body", [b"", b"action=", b"action=reset", b"action=mark&action=undo", b"\xff"])
def test_what_no_page_of_ours_sends_changes_nothing(site, body):
    reader = site.reader()

    assert site.ask("POST", way(site, reader), body, URLENCODED).status == 400
    assert said(site, reader) == []


def test_another_sites_page_presses_nothing(site):
    reader = site.reader()
    headers = {**URLENCODED, "Origin": "https://elsewhere.example"}

    assert site.ask("POST", way(site, reader), MARK, headers).status == 403
    assert said(site, reader) == []


def test_a_site_below_a_path_leads_to_itself(below_with_papers):
    reader = below_with_papers.reader()
    listed = ListedPaper(title="Mud", rank=1, ids=Identifiers(arxiv="2611.77001"))
    below_with_papers.house.archive.add(Listing("daily", date(2026, 11, 20), (listed,), FetchStatus.OK), NOW)
    path = below_with_papers.links.feedback(reader.public_id).removeprefix("https://digests.example.org")

    answer = below_with_papers.ask("POST", f"{path}/more/{KEYS[0]}", MARK, URLENCODED)

    assert all(each.startswith("/papers/feedback/") for each in re.findall(r'action="(.*?)"', answer.text))
