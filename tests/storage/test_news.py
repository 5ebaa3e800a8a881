"""What readers have not been sent."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, event

from domain.papers import Identifiers
from domain.topics import Match, Selection, Tier
from storage.issues import Issues
from storage.news import Newsroom
from storage.topics import Met, Topics

WEEK = timedelta(days=7)


@pytest.fixture
def newsroom(database):
    return Newsroom(database)


@pytest.fixture
def papers(archive, listed, listing, now):
    """Store papers on tides with these votes, on a day."""

    def make(*votes, at=now, **values):
        known = archive.newest_id()
        titles = [f"Tides {known + nth}" for nth in range(1, len(votes) + 1)]
        records = [
            listed(title, ids=Identifiers(arxiv=f"2611.{known + nth:05}"), upvotes=each)
            for nth, (title, each) in enumerate(zip(titles, votes, strict=True), 1)
        ]
        return [paper.id for paper in archive.add(listing(*records, day=at.date(), **values), at).new]

    return make


def met(*matches):
    """What comes of topic 1 and the papers 1 to 3 that meet again."""
    papers = frozenset({1, 2, 3})
    return Met(topics=frozenset({1}), papers=papers, matches=matches, news=papers)


class Steps:
    """Counts the steps of SQLite's machine, in whatever a thread does meanwhile."""

    number = 0

    def __enter__(self):
        event.listen(Engine, "before_cursor_execute", self._watch)
        return self

    def __exit__(self, *_):
        event.remove(Engine, "before_cursor_execute", self._watch)

    def _watch(self, _connection, cursor, *_):
        cursor.connection.set_progress_handler(self._step, 1)

    def _step(self):
        self.number += 1


def ids(news, reader):
    return sorted(each.paper_id for each in news.get(reader.id, ()))


def test_no_paper_is_news_to_a_reader_twice(newsroom, database, reader, issue, papers, matched, now):
    mira = reader()
    first = papers(None, None, None)
    matched(*(Match(1, each, 1.0) for each in first))
    newest = Issues(database).reach().match
    assert ids(newsroom.welcome([mira.id], newest, date(2026, 11, 13), now - WEEK), mira) == first
    issue(mira, now, papers=first, upto=newest)
    assert newsroom.news([mira.id], newest) == {}
    (later,) = papers(None)
    matched(Match(1, later, 1.5), since=first[-1])
    (news,) = newsroom.news([mira.id], newest + 1)[mira.id]
    assert (news.topic_id, news.paper_id, news.score, news.tier) == (1, later, 1.5, Tier.EXACT)


def test_backlog_is_no_news_but_a_first_letter_may_look_at_it(newsroom, reader, issue, papers, matched, now):
    old, fresh = reader("old"), reader("fresh")
    issue(old, now)
    papers(None, backlog=True)
    matched(Match(1, 1, 1.0))
    assert newsroom.news([old.id], 1) == {}
    assert list(newsroom.welcome([fresh.id], 1, date(2026, 11, 13), now)) == [fresh.id]


def test_what_was_only_counted_is_told_with_the_matches_it_was_found_with(
    newsroom, reader, issue, papers, matched, now
):
    mira, jun = reader("mira"), reader("jun")
    papers(None, None)
    matched(Match(1, 1, 1.0), beyond=7)
    assert newsroom.counted([mira.id], 1) == {}
    assert newsroom.welcome_counted([mira.id, jun.id], 1, now - WEEK) == {(mira.id, 1): 7, (jun.id, 1): 7}
    assert newsroom.welcome_counted([mira.id], 1, now + WEEK) == {}
    issue(mira, now, upto=1)
    assert newsroom.counted([mira.id], 1) == {}
    matched(Match(1, 2, 1.0), beyond=2, since=1)
    assert newsroom.counted([mira.id], 1) == {}
    assert newsroom.counted([mira.id], 2) == {(mira.id, 1): 2}


def test_what_has_risen_is_young_and_voted_and_no_backlog(newsroom, papers):
    papers(9, 40, 30)
    papers(99, backlog=True)
    assert newsroom.risen(date(2026, 11, 1), 10, 9) == (2, 3)
    assert newsroom.risen(date(2026, 11, 1), 10, 1) == (2,)
    assert newsroom.risen(date(2026, 11, 21), 10, 9) == ()


@pytest.mark.engines("sqlite")  # whose steps can be counted
def test_all_that_a_topic_ever_matched_is_not_walked_for_a_first_letter(newsroom, reader, issue, papers, matched, now):
    mira, jun = reader("mira"), reader("jun")
    old = papers(*[50] * 300, at=now - 9 * WEEK)
    (hot,) = papers(50)
    matched(*(Match(1, each, 1.0) for each in (*old, hot)))
    issue(mira, now, upto=hot)
    with Steps() as taken:
        assert ids(newsroom.welcome([jun.id], hot, date(2026, 11, 13), now - WEEK), jun) == [hot]
    assert 0 < taken.number < 2 * len(old)


def test_the_best_voted_share_is_told_by_what_its_last_has(newsroom, papers):
    assert newsroom.votes_of_the_best(date(2026, 11, 1), 0.1) is None
    papers(*range(21), None)
    assert newsroom.votes_of_the_best(date(2026, 11, 1), 0.1) == 18
    assert newsroom.votes_of_the_best(date(2026, 11, 21), 0.1) is None


def test_what_has_most_votes_comes_first_and_backlog_never(newsroom, papers, now):
    papers(2, 9, 0, None, 9)
    papers(99, backlog=True)
    assert newsroom.voted(now - WEEK, 2) == (5, 2)
    assert newsroom.voted(now - WEEK, 9) == (5, 2, 1)
    assert newsroom.voted(now + WEEK, 9) == ()


def test_who_was_sent_what_is_told(newsroom, reader, issue, papers, now):
    mira, jun = reader("mira"), reader("jun")
    papers(1, 2)
    issue(mira, now, papers=[1])
    assert newsroom.had([mira.id, jun.id], [1, 2]) == {mira.id: {1}}
    assert newsroom.had([], []) == {}


# -- papers that meet the topics again ---------------------------------------------------------------------------------


def test_a_changed_paper_says_what_changed(archive, database, papers, listed, listing, now):
    papers(3)
    same = {"ids": Identifiers(arxiv="2611.00001")}
    seen = [
        listing(listed("Tides 1", **same, upvotes=2)),
        listing(listed("Tides 1", **same, upvotes=4)),
        listing(listed("Tides 1", **same, categories=("cs.CL",))),
        listing(listed("Tides 1", **same), source="arxiv"),
    ]
    for each in seen:
        archive.add(each, now)
    topics = Topics(database)
    assert topics.changed(10) == (), "it has not met them yet"
    assert topics.record([], since=0, up_to=1, now=now, changes=topics.newest_change() - 2) == 0
    assert [each.what for each in topics.changed(10)] == ["filed", "filed"]


def test_votes_that_fall_are_a_change_too(archive, database, papers, listed, listing, now):
    papers(3)
    topics = Topics(database)
    topics.record([], since=0, up_to=1, now=now)
    for votes in (2, 2, 4):
        archive.add(listing(listed("Tides 1", ids=Identifiers(arxiv="2611.00001"), upvotes=votes)), now)
    changes = topics.changed(10)
    assert [each.what for each in changes] == ["votes", "votes"]
    assert topics.record_changed(changes, []) == 0
    assert topics.record_changed(changes, [met(Match(1, 1, 1.0))]) == 0, "another run has been here"


def test_what_a_changed_paper_does_not_match_any_more_goes_and_what_it_matches_now_is_news(
    database, newsroom, reader, issue, papers, matched, now
):
    mira = reader()
    papers(1, 2, 3)
    matched(Match(1, 1, 1.0), Match(1, 2, 1.0, Tier.RELATED))
    issue(mira, now, upto=2)
    topics = Topics(database)
    assert topics.record_changed((), [met(Match(1, 2, 3.0), Match(1, 3, 2.0))]) == 2
    assert topics.record_changed((), [met(Match(1, 2, 4.0), Match(1, 3, 2.0))]) == 0
    assert [(each.paper_id, each.score, each.tier) for each in newsroom.news([mira.id], 9)[mira.id]] == [
        (2, 4.0, Tier.EXACT),
        (3, 2.0, Tier.EXACT),
    ]


def test_what_was_related_stays_so_while_the_paper_changes(database, newsroom, reader, papers, matched, now):
    mira = reader()
    papers(1)
    matched(Match(1, 1, 1.0, Tier.RELATED))
    Topics(database).record_changed((), [met()])
    (news,) = newsroom.welcome([mira.id], 9, date(2026, 11, 13), now)[mira.id]
    assert news.tier is Tier.RELATED
    Topics(database).record_changed((), [met()], unrelated={(1, 1)})
    assert newsroom.welcome([mira.id], 9, date(2026, 11, 13), now) == {}


def test_what_is_too_old_for_news_is_stored_and_told_in_first_letters_alone(
    database, newsroom, reader, issue, papers, now
):
    mira, fresh = reader("mira"), reader("fresh")
    issue(mira, now)
    papers(1)
    assert Topics(database).record_changed((), [replace(met(Match(1, 1, 1.0)), news=frozenset())]) == 1
    assert newsroom.news([mira.id], 9) == {}
    assert ids(newsroom.welcome([fresh.id], 9, date(2026, 11, 13), now), fresh) == [1]


def test_where_only_scores_are_worked_out_otherwise_nothing_new_is_matched(
    database, newsroom, reader, papers, matched, now
):
    mira = reader()
    papers(1, 2, 3)
    matched(Match(1, 1, 1.0), Match(1, 2, 1.0, Tier.RELATED), Match(1, 3, 1.0))
    scored = replace(met(Match(1, 1, 5.0), Match(1, 2, 5.0)), adds=False)
    assert Topics(database).record_changed((), [scored]) == 0
    found = newsroom.welcome([mira.id], 9, date(2026, 11, 13), now)[mira.id]
    assert sorted((each.paper_id, each.score, each.tier) for each in found) == [
        (1, 5.0, Tier.EXACT),
        (2, 1.0, Tier.RELATED),
    ]


def test_a_past_that_is_met_again_takes_the_place_of_what_was_counted_before(
    database, newsroom, reader, papers, matched, now
):
    mira = reader()
    papers(*(1 for _ in range(9)))
    topics = Topics(database)
    past = {"day": date(2026, 11, 13), "moment": now - WEEK, "up_to": 9, "now": now}
    matched(Match(1, 1, 1.0), Match(1, 9, 1.0), beyond=7)
    assert newsroom.welcome_counted([mira.id], 9, now) == {(mira.id, 1): 7}
    for _ in range(2):
        topics.record_past(topics.all(), [Selection(1, (Match(1, 1, 1.0), Match(1, 2, 1.0)), beyond=7)], **past)
        assert newsroom.welcome_counted([mira.id], 9, now) == {(mira.id, 1): 6}, "nine match, and three are kept"
    topics.record_past(topics.all(), [Selection(1, (Match(1, 1, 1.0),))], **past)
    assert newsroom.welcome_counted([mira.id], 9, now) == {(mira.id, 1): 0}
    assert topics.record_past(topics.all(), [], **{**past, "up_to": 8}) == 0
    papers(1)
    matched(Match(1, 10, 1.0), beyond=3, since=9)
    assert newsroom.welcome_counted([mira.id], 9, now) == {(mira.id, 1): 3}
