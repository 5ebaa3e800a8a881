"""Records that another archive exported: their keys, days and sources are kept, and no hostile one harms a paper."""

from datetime import UTC, date, datetime

import pytest

from domain.papers import Identifiers
from domain.titles import title_hash, title_key
from domain.topics import Query, Word
from storage.search import Search

KEY = "title:0123456789abcdef"
TITLE = "Probing the Sensitivity of Neural Tides"


def test_a_paper_keeps_what_its_record_brings(archive, listed, listing, now):
    first = datetime(2025, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    paper = listed(
        key=KEY, sources=("daily", "feed"), first_seen=first, first_listed=date(2025, 1, 1), day=date(2026, 11, 19)
    )
    (kept,) = archive.add(listing(paper, source="records"), now).new
    assert (kept.key, kept.sources, kept.first_seen) == (KEY, ("daily", "feed"), first)
    assert (kept.first_listed, kept.listed) == (date(2025, 1, 1), date(2026, 11, 19))
    again = archive.add(listing(paper, source="records"), now)
    assert (again.new, again.updated) == ((), 0)
    assert archive.paper(KEY) == kept


def test_a_known_paper_learns_earlier_days_and_other_sources(archive, listed, listing, now):
    archive.add(listing(listed()), now)
    archive.add(
        listing(listed(key=KEY, sources=("hf", "feed"), first_listed=date(2025, 1, 1)), source="records"),
        now,
    )
    (kept,) = archive.every()
    assert (kept.sources, kept.first_listed, kept.first_seen) == (("hf", "feed"), date(2025, 1, 1), now)
    assert kept.key == f"title:{title_hash(title_key(TITLE))}"


def test_a_key_that_another_paper_has_is_not_taken_from_it(archive, listed, listing, now):
    (one,) = archive.add(listing(listed(key=KEY)), now).new
    (other,) = archive.add(listing(listed("Another Title Altogether", key=KEY)), now).new
    assert archive.paper(KEY) == one
    assert other.key == f"title:{title_hash(title_key(other.title))}"
    same_page = archive.add(
        listing(listed("Third", key="title:" + "a" * 16), listed("Fourth", key="title:" + "a" * 16)), now
    )
    assert len({paper.key for paper in same_page.new}) == 2


def test_a_key_that_a_later_title_would_have_harms_no_later_paper(archive, listed, listing, now):
    squatted = f"title:{title_hash(title_key(TITLE))}"
    archive.add(listing(listed("One", key=squatted)), now)
    (late,) = archive.add(listing(listed(TITLE)), now).new
    assert late.key.startswith("title:")
    assert archive.paper(late.key).title == TITLE
    assert archive.paper(squatted).title == "One"
    assert archive.add(listing(listed(TITLE)), now).new == ()


def test_works_of_one_title_keep_their_keys_in_whatever_order_they_come(archive, listed, listing, now):
    first, second = (f"title:{title_hash(title_key('Editorial'), salt)}" for salt in ("", " 1"))
    mud = "The spring issue gathers five essays on rivers, mud and the law of the sea."
    clocks = "Quantum clocks tick; we thank our referees, whose patience knows few bounds."
    papers = [
        listed("Editorial", key=second, abstract=mud),
        listed("Editorial", key=first, abstract=clocks, authors=()),
    ]
    archive.add(listing(*papers), now)
    assert archive.paper(second).abstract == mud
    assert archive.paper(first).abstract == clocks


def test_what_one_archive_kept_apart_stays_apart_and_joins_what_was_there_before(archive, listed, listing, now):
    (before,) = archive.add(listing(listed("What Was There Before the Import")), now).new
    ids = [Identifiers(arxiv="2611.90001"), Identifiers(doi="10.1234/a"), Identifiers(doi="10.1234/b")]
    one, other, third = (listed(ids=each, key=each.strongest) for each in ids)
    third = listed(before.title, ids=ids[2], key=ids[2].strongest)
    added = archive.add(listing(one, other, third, source="records"), now, apart_from=archive.newest_id())
    assert [paper.key for paper in added.new] == [one.key, other.key]
    assert archive.paper("10.1234/b").id == before.id
    assert len(archive.add(listing(listed(ids=ids[0]), listed(ids=Identifiers(doi="10.1234/c"))), now).new) == 0


# -- what leaves -------------------------------------------------------------------------------------------------------


def test_the_newest_listing_tells_where_a_paper_appeared(archive, listed, listing, now):
    ids = Identifiers(arxiv="2611.90001")
    archive.add(listing(listed(ids=ids, journal="Annals"), listed("Another Fine Title", rank=2)), now)
    archive.add(listing(listed(ids=ids, journal="Annals 12 (2026)"), day=date(2026, 11, 21)), now)
    archive.add(listing(listed(ids=ids), day=date(2026, 11, 22)), now)
    one, other = archive.every()
    assert archive.journals([one.id, other.id]) == {one.id: "Annals 12 (2026)"}
    assert archive.journals([]) == {}


@pytest.mark.parametrize("count", [0, 1, 500, 501, 1_000])
def test_a_search_gives_every_match_once_in_order_of_storing(count, archive, database, listed, listing, now):
    papers = [listed(f"Mud Number {n}", rank=n, abstract="", authors=()) for n in range(count)]
    for start in range(0, count, 500):
        archive.add(listing(*papers[start : start + 500], listed(f"Sand {start}", rank=999)), now)
    query = Query(text="mud", normal_form="mud", tree=Word("mud"), terms=("mud",))
    assert [paper.title for paper in Search(database).every(query)] == [paper.title for paper in papers]
