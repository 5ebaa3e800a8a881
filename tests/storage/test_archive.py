from datetime import UTC, date, datetime, timedelta

import pytest

from domain.errors import UnknownError
from domain.papers import AbstractKind, Identifiers
from domain.topics import Query, Word
from storage.search import Search


def test_a_listing_is_new_once(archive, listed, listing, now):
    page = listing(listed("One Fine Title"), listed("Another Fine Title", rank=2))
    assert [paper.title for paper in archive.add(page, now).new] == ["One Fine Title", "Another Fine Title"]
    again = archive.add(page, now + timedelta(hours=1))
    assert (again.new, again.updated, again.listed) == ((), 0, 2)


def test_a_paper_is_the_same_wherever_its_id_stands(archive, listed, listing, now):
    first = archive.add(listing(listed(ids=Identifiers(arxiv="2611.90001"))), now).new[0]
    again = archive.add(
        listing(
            listed("A Title That Changed", ids=Identifiers(arxiv="2611.90001")), source="arxiv", day=date(2026, 11, 21)
        ),
        now,
    )
    assert not again.new
    kept = archive.paper("arxiv:2611.90001")
    assert kept.id == first.id
    assert kept.title == first.title
    assert kept.sources == ("hf", "arxiv")
    assert (kept.first_listed, kept.listed) == (date(2026, 11, 20), date(2026, 11, 21))
    assert [sighting.source for sighting in archive.sightings(kept.id)] == ["hf", "arxiv"]


def test_two_arxiv_ids_of_one_title_are_two_papers(archive, listed, listing, now):
    papers = [listed(ids=Identifiers(arxiv=each)) for each in ("2611.90001", "2611.90002")]
    assert len(archive.add(listing(*papers), now).new) == 2


def test_a_title_without_an_id_is_known_by_its_key_and_learns_its_id(archive, listed, listing, now):
    assert archive.add(listing(listed()), now).new[0].key.startswith("title:")
    old_key = archive.add(listing(listed("Other")), now).new[0].key
    assert old_key.startswith("title:")
    named = archive.add(
        listing(listed(ids=Identifiers(arxiv="2611.90001"), url="https://arxiv.org/abs/2611.90001")), now
    )
    assert (len(named.new), named.updated) == (0, 1)
    assert archive.paper("arxiv:2611.90001").url == "https://arxiv.org/abs/2611.90001"


def test_short_equal_titles_of_different_texts_stay_apart(archive, listed, listing, now):
    one = listed(
        "Editorial", abstract="The spring issue gathers five essays on rivers, mud and the law of the sea.", authors=()
    )
    other = listed(
        "Editorial", abstract="Quantum clocks tick; we thank our referees, whose patience knows few bounds.", authors=()
    )
    added = archive.add(listing(one, other), now)
    assert len({paper.key for paper in added.new}) == 2
    assert not archive.add(listing(one, other), now).new


def test_an_abstract_that_comes_later_is_filled_in_and_can_be_searched(archive, database, listed, listing, now):
    bare = listed(
        abstract="A machine says: tides.", abstract_kind=AbstractKind.SUMMARY, ids=Identifiers(arxiv="2611.90001")
    )
    archive.add(listing(bare), now)
    whole = listed(abstract="The authors say: estuaries.", ids=Identifiers(arxiv="2611.90001"))
    assert archive.add(listing(whole), now).updated == 1
    search = Search(database)
    assert search.search(_word("estuary"), limit=5).total == 1
    assert search.search(_word("machine"), limit=5).total == 0
    assert archive.add(listing(bare), now).updated == 0
    assert archive.paper("arxiv:2611.90001").abstract_kind is AbstractKind.AUTHORS


def test_votes_follow_the_newest_day_and_count_as_no_update(archive, listed, listing, now):
    paper = listed(upvotes=3, comments=0, ids=Identifiers(arxiv="2611.90001"))
    archive.add(listing(paper), now)
    risen = listed(upvotes=40, comments=2, ids=Identifiers(arxiv="2611.90001"))
    assert archive.add(listing(risen), now).updated == 0
    assert archive.paper("arxiv:2611.90001").upvotes == 40
    archive.add(listing(paper, day=date(2026, 11, 1)), now)
    assert archive.paper("arxiv:2611.90001").upvotes == 40


def test_one_listing_that_names_a_paper_twice_keeps_it_once(archive, listed, listing, now):
    twice = [listed(ids=Identifiers(arxiv="2611.90001"), rank=rank) for rank in (1, 2)]
    added = archive.add(listing(*twice), now)
    assert len(added.new) == 1
    assert archive.sightings(added.new[0].id)[0].rank == 1


def test_a_record_keeps_the_first_seen_it_brings(archive, listed, listing, now):
    past = datetime(2020, 1, 1, tzinfo=UTC)
    assert archive.add(listing(listed(first_seen=past), backlog=True), now).new[0].first_seen == past


def test_three_thousand_authors_a_nul_less_title_and_no_abstract_are_stored(archive, listed, listing, now):
    crowd = tuple(f"Author Number {number}" for number in range(3_300))
    added = archive.add(
        listing(listed(authors=crowd, author_count=3_300, abstract="", abstract_kind=AbstractKind.NONE)), now
    )
    kept = archive.paper(added.new[0].key)
    assert (len(kept.authors), kept.author_count, kept.abstract) == (3_300, 3_300, "")


def test_papers_come_back_in_order_of_storing_and_in_blocks(archive, listed, listing, now):
    archive.add(listing(*(listed(f"Title Number {number} of Many", rank=number + 1) for number in range(1_203))), now)
    assert [paper.id for paper in archive.every()] == list(range(1, 1_204))
    assert [paper.id for paper in archive.after(1_200, 10)] == [1_201, 1_202, 1_203]
    assert len(archive.since(date(2026, 11, 20))) == 1_203
    assert archive.since(date(2026, 11, 21)) == ()
    assert len(archive.since(date(2026, 11, 21), now)) == 1_203


def test_a_paper_that_is_not_there_is_said_so(archive):
    with pytest.raises(UnknownError, match="no paper 'arxiv:1'"):
        archive.paper("arxiv:1")


def test_the_counts_tell_what_is_kept(archive, listed, listing, now):
    assert archive.stats()["oldest"] is None
    archive.add(listing(listed()), now)
    stats = archive.stats()
    assert (stats["papers"], stats["sightings"], stats["sources"], stats["newest"]) == (1, 1, 1, "2026-11-20")
    assert stats["size_bytes"] > 0
    assert archive.newest_day() == date(2026, 11, 20)


def test_a_search_counts_all_and_gives_the_best_first(archive, database, listed, listing, now):
    archive.add(
        listing(
            listed("Rivers", abstract="Water and tides and more water, at length, with many other words around it."),
            listed("Tides of tides", abstract="Nothing else."),
            listed("Hills", abstract="No water here.", authors=("Ada Tide",)),
        ),
        now,
    )
    found = Search(database).search(_word("tide"), limit=2)
    assert found.total == 3
    assert found.papers[0].title == "Tides of tides"
    assert len(found.papers) == 2


def _word(text: str) -> Query:
    return Query(text=text, tree=Word(text), normal_form=text, terms=(text,))


def test_papers_without_an_id_whose_titles_end_in_a_number_do_not_get_each_others_key(archive, listing, listed, now):
    works = [
        listed("Editorial", abstract="The tides of this year, and what the board makes of them.", authors=("A. One",)),
        listed("Editorial", abstract="Lanterns are lit again along the northern harbours.", authors=("B. Two",)),
        listed("Editorial 1", abstract="Moss grows where nobody counts it.", authors=("C. Three",)),
    ]
    added = archive.add(listing(*works), now)
    assert len({paper.key for paper in added.new}) == 3
