"""What readers said of papers is kept once, follows the papers, and goes with the reader."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from domain.errors import UnknownError, UsageError
from domain.learning import Edit, Edited, Liking, Profile, Taste, Term
from domain.papers import Identifiers
from domain.subscriptions import SubscriberState
from storage import likings as room
from storage.exporting import Exports
from storage.likings import Likings
from storage.profiles import MOST_EDITS, Profiles
from storage.subscribers import Subscribers
from storage.tables import PROFILE, SAVED
from storage.taking_in import Libraries

MORE, LESS = Liking.MORE, Liking.LESS
TASTE = Taste((Term("tide", "tides", 2.5, 1), Term("mud", "mud", 1.25, 0)))
LEARNED = Profile(more=TASTE, saved=1)


@pytest.fixture
def likings(database):
    return Likings(database)


@pytest.fixture
def profiles(database):
    return Profiles(database)


@pytest.fixture
def papers(archive, listed, listing, now):
    named = [listed(f"Paper {each} on {each} tides", ids=Identifiers(arxiv=f"2611.0000{each}")) for each in range(1, 4)]
    return archive.add(listing(*named), now).new


def rows(database, table):
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def revision(database):
    with database.reading() as connection:
        return connection.execute(select(PROFILE.c.revision)).scalar()


def test_a_paper_is_saved_by_its_key_an_id_or_a_link(likings, papers, reader, now):
    mira = reader()
    for key in ("arxiv:2611.00001", "2611.00002v3", "https://arxiv.org/abs/2611.00003"):
        likings.mark("mira", key, MORE, now, "/feedback")

    found = likings.of(mira.id)

    assert [each.key for each in found] == ["arxiv:2611.00003", "arxiv:2611.00002", "arxiv:2611.00001"]
    assert [each.paper_id for each in found] == [each.id for each in reversed(papers)]
    assert found[0].title == "Paper 3 on 3 tides"
    assert found[0].authors == ("Mira Okafor", "Jun Sato")
    assert (found[0].at, found[0].place, found[0].liking) == (now, "/feedback", MORE)
    assert likings.counts(mira.id) == {MORE: 3, LESS: 0}
    ids = {each.id for each in papers}
    assert likings.said_among([mira.id], ids, {"arxiv:2611.00001"}) == {mira.id: ids}
    assert likings.said_among([mira.id], {papers[0].id}, set()) == {mira.id: {papers[0].id}}
    assert likings.said_among([mira.id + 1], ids, {"arxiv:2611.00001"}) == {}
    assert likings.titles(mira.id, [found[0].number]) == {found[0].number: "Paper 3 on 3 tides"}
    assert [each.number for each in likings.of(mira.id, after=found[0].number, limit=1)] == [found[1].number]


def test_the_same_again_changes_nothing_and_the_other_takes_its_place(database, likings, papers, reader, now):
    mira = reader()
    first = likings.mark("mira", "2611.00001", MORE, now, "/feedback")
    before = revision(database)

    again = likings.mark("mira", "2611.00001", MORE, now + timedelta(days=1), "command")
    assert (again, revision(database)) == (first, before)

    other = likings.mark("mira", "2611.00001", LESS, now, "/feedback")
    assert likings.of(mira.id) == (other,)
    assert likings.of(mira.id, LESS) == (other,)
    assert likings.of(mira.id, MORE) == ()
    assert revision(database) > before


def test_what_is_not_there_is_told_and_nothing_is_kept(database, likings, papers, reader, now):
    reader()
    for who, key in (("nobody", "2611.00001"), ("mira", "2611.99999"), ("mira", ""), ("mira", "a\0b")):
        with pytest.raises(UnknownError):
            likings.mark(who, key, MORE, now, "command")
    assert rows(database, SAVED) == rows(database, PROFILE) == 0


@pytest.mark.parametrize("state", [SubscriberState.PENDING, SubscriberState.UNSUBSCRIBED])
def test_who_gets_no_letters_says_nothing(likings, papers, reader, now, state):
    reader(state=state)
    with pytest.raises(UsageError, match="no letters go to this reader"):
        likings.mark("mira", "2611.00001", MORE, now, "/feedback")


def test_one_reader_has_so_many_papers_and_no_more(likings, papers, reader, now, monkeypatch):
    monkeypatch.setattr(room, "MOST_SAVED", 2)
    reader()
    for number in (1, 2):
        likings.mark("mira", f"2611.0000{number}", MORE, now, "command")
    with pytest.raises(UsageError, match="2 papers are the most"):
        likings.mark("mira", "2611.00003", MORE, now, "command")
    likings.mark("mira", "2611.00002", LESS, now, "command")  # takes no more room


def test_an_own_copy_goes_by_its_key(database, likings, profiles, reader, listed, now):
    mira = reader()
    old = listed("Nobody Has This", published=date(2011, 5, 2))
    Libraries(database).take_in("mira", [old], MORE, now, "import")
    (copy,) = likings.of(mira.id)
    assert copy.published == date(2011, 5, 2)
    profiles.learned(mira.id, 1, LEARNED, now)

    assert likings.mark("mira", copy.key, MORE, now, "command") == copy
    assert not profiles.is_stale()
    turned = likings.mark("mira", copy.key, LESS, now, "command")
    assert (turned.number, turned.liking, turned.title) == (copy.number, LESS, "Nobody Has This")
    assert profiles.is_stale()


def test_whatever_was_said_of_a_paper_is_taken_back_at_once(likings, profiles, papers, reader, now):
    mira = reader()
    likings.mark("mira", "2611.00001", LESS, now, "/feedback")
    profiles.learned(mira.id, 1, LEARNED, now)

    assert likings.unmark("mira", "https://arxiv.org/abs/2611.00001")
    assert (likings.of(mira.id), profiles.is_stale()) == ((), True)
    assert not likings.unmark("mira", "2611.00001")
    for who, key in (("nobody", "2611.00001"), ("mira", "2611.99999")):
        with pytest.raises(UnknownError):
            likings.unmark(who, key)


def test_taking_one_back_is_of_ones_own(likings, profiles, papers, reader, now):
    mira, jun = reader(), reader("jun")
    mine = likings.mark("mira", "2611.00001", MORE, now, "/feedback")
    profiles.learned(mira.id, 1, LEARNED, now)

    assert not likings.forget("jun", mine.number)
    assert not profiles.is_stale()
    assert likings.forget("mira", mine.number)
    assert not likings.forget("mira", mine.number)
    assert [each.subscriber_id for each in profiles.stale(5)] == [mira.id]
    assert profiles.stale(5, among=[jun.id]) == ()


def test_a_profile_comes_back_as_it_was_learned(likings, profiles, papers, reader, now):
    mira = reader()
    likings.mark("mira", "2611.00001", MORE, now, "/feedback")
    (stale,) = profiles.stale(5)

    assert profiles.learned(mira.id, stale.revision, LEARNED, now)

    profile = profiles.of([mira.id])[mira.id]
    assert (profile.more, profile.less, profile.saved, profile.learned_at) == (TASTE, Taste(), 1, now)
    assert not profile.is_stale
    assert not profile.is_empty


def test_what_was_learned_of_an_older_state_is_not_written(likings, profiles, papers, reader, now):
    mira = reader()
    likings.mark("mira", "2611.00001", MORE, now, "/feedback")
    (stale,) = profiles.stale(5)
    likings.mark("mira", "2611.00002", MORE, now, "/feedback")

    assert not profiles.learned(mira.id, stale.revision, LEARNED, now)
    assert profiles.of([mira.id])[mira.id].is_empty
    assert profiles.is_stale()


def test_of_what_nothing_can_be_learned_is_not_tried_again_until_something_else_is_said(
    likings, profiles, papers, reader, now
):
    mira = reader()
    likings.mark("mira", "2611.00001", MORE, now, "/feedback")
    (stale,) = profiles.stale(5)
    likings.mark("mira", "2611.00002", MORE, now, "/feedback")
    profiles.passed_over(mira.id, stale.revision)
    assert profiles.is_stale(), "something was said meanwhile"

    profiles.passed_over(mira.id, stale.revision + 1)
    assert not profiles.is_stale()
    likings.mark("mira", "2611.00003", MORE, now, "/feedback")
    assert profiles.is_stale()


def test_words_are_put_in_left_out_and_taken_back(profiles, reader):
    mira = reader()
    assert profiles.edit("mira", {"tide": Edited("Tides", Edit.IN)})
    assert not profiles.edit("mira", {"tide": Edited("Tides", Edit.IN)})
    assert profiles.edit("mira", {"mud": Edited("mud", Edit.OUT)})
    assert profiles.of([mira.id])[mira.id].edits == {"tide": Edited("Tides", Edit.IN), "mud": Edited("mud", Edit.OUT)}
    assert profiles.edit("mira", {"tide": None})
    assert not profiles.edit("mira", {"tide": None})
    assert profiles.stale(1)[0].edits == {"mud": Edited("mud", Edit.OUT)}


def test_one_reader_edits_so_many_words_and_no_more(profiles, reader):
    mira = reader()
    profiles.edit("mira", {f"w{number}": Edited("w", Edit.OUT) for number in range(MOST_EDITS)})
    before = profiles.of([mira.id])
    with pytest.raises(UsageError, match="are the most"):
        profiles.edit("mira", {"w1": None, "one": Edited("one", Edit.OUT), "two": Edited("two", Edit.OUT)})
    assert profiles.of([mira.id]) == before
    assert profiles.edit("mira", {"w1": None, "one": Edited("one", Edit.OUT)})


def test_a_reset_forgets_all_and_what_is_being_learned_meanwhile(likings, profiles, papers, reader, now):
    mira = reader()
    likings.mark("mira", "2611.00001", MORE, now, "/feedback")
    profiles.edit("mira", {"tide": Edited("tides", Edit.IN)})
    (stale,) = profiles.stale(5)

    assert likings.reset("mira") == 1
    assert not profiles.learned(mira.id, stale.revision, LEARNED, now)
    profile = profiles.of([mira.id])[mira.id]
    assert (profile.is_empty, profile.edits, profile.saved) == (True, {}, 0)
    assert likings.of(mira.id) == ()


def test_two_records_that_are_one_paper_keep_what_was_said_last(archive, listed, listing, likings, reader, now):
    mira = reader()
    words = "A tide that is told by two places at some length, with the very same words in either of them."
    one = listed("The Tide Told Twice Over", abstract=words, ids=Identifiers(arxiv="2611.00007"))
    other = listed(
        "A Title That Is Another One Altogether", abstract="Other words.", ids=Identifiers(doi="10.5555/seven")
    )
    archive.add(listing(one, other), now)
    likings.mark("mira", "arxiv:2611.00007", MORE, now, "/feedback")
    likings.mark("mira", "doi:10.5555/seven", LESS, now, "/feedback")

    both = listed("The Tide Told Twice Over", abstract=words, ids=Identifiers(arxiv="2611.00007", doi="10.5555/seven"))
    archive.add(listing(both, source="arxiv", day=now.date() + timedelta(days=1)), now)
    same = archive.paper("arxiv:2611.00007").id == archive.paper("doi:10.5555/seven").id
    kept = likings.of(mira.id)
    assert len(kept) == (1 if same else 2)
    assert kept[0].liking is LESS


def test_everything_goes_with_the_reader_and_is_in_their_export(database, likings, profiles, papers, reader, now):
    mira = reader()
    likings.mark("mira", "2611.00001", MORE, now, "/feedback")
    profiles.edit("mira", {"mud": Edited("mud", Edit.OUT)})
    profiles.learned(mira.id, profiles.stale(1)[0].revision, LEARNED, now)

    parts = {name: list(part) if name == "saved" else part for name, part in Exports(database).of("mira")}
    assert parts["saved"] == [
        {
            "key": "arxiv:2611.00001",
            "liking": "more",
            "at": now.isoformat(),
            "place": "/feedback",
            "title": "Paper 1 on 1 tides",
        }
    ]
    assert parts["profile"]["more"][0] == {"word": "tides", "weight": 2.5}
    assert parts["profile"]["edits"] == [{"word": "mud", "edit": "out"}]

    Subscribers(database).erase("mira", now)
    assert rows(database, SAVED) == rows(database, PROFILE) == 0
