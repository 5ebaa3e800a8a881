from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from domain.papers import AbstractKind, Announcement, Identifiers, Sighting
from storage.archive import Archive
from storage.tables import SIGHTING

DAY = date(2026, 11, 20)
ID = Identifiers(arxiv="2611.90001")


@pytest.fixture
def seen(archive: Archive, listed, listing, now: datetime):
    """List the paper once more and return its sightings."""

    def add(*, of: date = DAY, source: str = "hf", **values) -> tuple[Sighting, ...]:
        archive.add(listing(listed(ids=ID, **values), day=of, source=source), now)
        return archive.sightings(archive.paper("arxiv:2611.90001").id)

    return add


def test_a_sighting_keeps_what_the_listing_said(seen, now):
    said = {
        "version": 2,
        "announcement": Announcement.NEW,
        "organization": "Institute of Tides",
        "code_url": "https://code.example/tides",
        "stars": 0,
        "keywords": ("tides", "mud & silt"),
        "summary": "A machine says: tides.",
        "comment": "12 pages",
        "journal": "J. Tides 3",
    }
    assert seen(upvotes=3, comments=0, **said) == (
        Sighting(source="hf", day=DAY, rank=1, upvotes=3, comments=0, seen_at=now, **said),
    )


def test_what_a_listing_did_not_say_is_not_stored(seen, database):
    (bare,) = seen()
    assert (bare.version, bare.announcement, bare.stars, bare.keywords, bare.summary) == (None, None, None, (), "")
    with database.reading() as connection:
        assert connection.execute(select(SIGHTING.c.details)).scalar_one() == {}


def test_a_later_page_adds_and_corrects_and_takes_nothing_away(seen, now):
    seen(stars=4, summary="First words.", upvotes=1, comments=2)
    (again,) = seen(stars=5, keywords=("tides",), upvotes=7, rank=3)
    assert (again.stars, again.summary, again.keywords) == (5, "First words.", ("tides",))
    assert (again.rank, again.upvotes, again.comments) == (3, 7, 2)
    assert again.seen_at == now
    assert seen()[0].stars == 5


def test_each_day_and_source_has_a_sighting_of_its_own(seen):
    seen(stars=4)
    seen(of=DAY + timedelta(days=1), stars=9)
    both = seen(source="arxiv", comment="12 pages")
    assert [(each.source, each.day.day, each.stars) for each in both] == [
        ("hf", 20, 4),
        ("arxiv", 20, None),
        ("hf", 21, 9),
    ]


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (Announcement.NEW, Announcement.REPLACE, Announcement.NEW),
        (Announcement.REPLACE, Announcement.NEW, Announcement.NEW),
        (Announcement.CROSS, Announcement.REPLACE_CROSS, Announcement.CROSS),
        (Announcement.NEW, None, Announcement.NEW),
        (None, Announcement.REPLACE, Announcement.REPLACE),
    ],
)
def test_of_two_announcements_on_one_day_the_one_with_more_news_stands(seen, first, second, kept):
    seen(announcement=first)
    assert seen(announcement=second)[0].announcement is kept


def test_a_replacement_on_a_later_day_is_told_apart(seen):
    seen(announcement=Announcement.NEW, version=1)
    both = seen(of=DAY + timedelta(days=3), announcement=Announcement.REPLACE, version=2)
    assert [(each.announcement, each.version) for each in both] == [
        (Announcement.NEW, 1),
        (Announcement.REPLACE, 2),
    ]


def test_a_paper_named_twice_on_one_page_stands_at_its_first_place_with_the_words_of_both(
    archive, listed, listing, now
):
    twice = [
        listed(ids=ID, rank=1, stars=3, announcement=Announcement.REPLACE),
        listed(ids=ID, rank=9, summary="A machine says.", announcement=Announcement.NEW, pdf_url="https://x.example/p"),
    ]
    (paper,) = archive.add(listing(*twice), now).new
    (kept,) = archive.sightings(paper.id)
    assert (kept.rank, kept.stars, kept.summary, kept.announcement) == (1, 3, "A machine says.", Announcement.NEW)
    assert paper.pdf_url == "https://x.example/p"


def test_a_page_of_several_days_gives_each_paper_its_own(archive, listed, listing, now):
    page = listing(
        listed("The First of the Week", day=date(2026, 11, 16)),
        listed("The Second of the Week", day=date(2026, 11, 17), rank=2),
        listed("Of No Particular Day", rank=3),
    )
    new = archive.add(page, now).new
    assert [(paper.first_listed.day, paper.listed.day) for paper in new] == [(16, 16), (17, 17), (20, 20)]
    assert [archive.sightings(paper.id)[0].day.day for paper in new] == [16, 17, 20]
    archive.add(listing(listed("The Second of the Week", day=date(2026, 11, 18), upvotes=5)), now)
    again = archive.paper(new[1].key)
    assert (again.first_listed.day, again.listed.day, again.upvotes) == (17, 18, 5)


def test_a_new_paper_on_two_days_of_one_page_has_both(archive, listed, listing, now):
    page = listing(
        listed(ids=ID, day=date(2026, 11, 17), version=2), listed(ids=ID, day=date(2026, 11, 16), version=1, rank=2)
    )
    (paper,) = archive.add(page, now).new
    assert (paper.first_listed.day, paper.listed.day, paper.version) == (16, 17, 2)
    assert [each.day.day for each in archive.sightings(paper.id)] == [16, 17]


def test_ids_that_the_second_place_on_a_page_tells_are_kept(archive, listed, listing, now):
    both = Identifiers(arxiv="2611.90001", doi="10.5555/tides.1")
    another = {"authors": ("Lena Brandt",), "abstract": "Lanterns are lit again along the northern harbours. " * 3}
    archive.add(listing(listed("Another Work", ids=Identifiers(doi="10.5555/other"), **another)), now)
    mixed = Identifiers(arxiv="2611.90001", doi="10.5555/other")
    page = listing(*(listed(ids=ids, rank=rank) for rank, ids in enumerate((ID, both, mixed), start=1)))
    (paper,) = archive.add(page, now).new
    assert paper.ids == both
    assert archive.paper("doi:10.5555/other").title == "Another Work"


def test_a_record_that_only_tells_more_brings_no_paper(archive, listed, listing, now):
    more = listed(ids=ID, only_if_known=True, version=2, announcement=Announcement.REPLACE)
    skipped = archive.add(listing(more), now)
    assert (skipped.new, skipped.updated, skipped.listed) == ((), 0, 1)
    assert archive.stats()["papers"] == archive.stats()["sightings"] == 0
    archive.add(listing(listed(ids=ID, version=1)), now)
    told = archive.add(listing(more, day=date(2026, 11, 23)), now)
    assert (told.new, told.updated) == ((), 1)
    assert archive.paper("arxiv:2611.90001").version == 2
    assert [each.day.day for each in archive.sightings(1)] == [20, 23]


def test_a_version_never_goes_back(archive, seen):
    seen(version=3)
    assert archive.paper("arxiv:2611.90001").version == 3
    seen(version=2)
    seen()
    assert archive.paper("arxiv:2611.90001").version == 3
    seen(version=4)
    assert archive.paper("arxiv:2611.90001").version == 4


@pytest.mark.parametrize(
    ("said", "withdrawn"),
    [
        ([(None, True), (None, False)], True),
        ([(None, False), (None, True)], True),
        ([(1, False), (2, True)], True),
        ([(2, True), (3, False)], False),
        ([(3, False), (2, True)], False),
        ([(2, True), (1, False)], True),
        ([(2, False), (2, True)], True),
        ([(2, True), (2, False)], True),
        ([(2, False), (None, True)], True),
        ([(None, True), (2, False)], True),
    ],
)
def test_a_withdrawal_is_that_of_the_newest_version(archive, seen, said, withdrawn):
    for version, gone in said:
        seen(version=version, withdrawn=gone)
    assert archive.paper("arxiv:2611.90001").withdrawn is withdrawn


@pytest.mark.engines("sqlite")
def test_the_same_page_again_writes_no_sighting(archive, database, listed, listing, now):
    page = listing(listed(ids=ID, upvotes=3, stars=2, announcement=Announcement.NEW))
    archive.add(page, now)
    with database.writing() as connection:
        connection.exec_driver_sql(
            "CREATE TEMP TRIGGER no_more BEFORE UPDATE ON sighting BEGIN SELECT RAISE(ABORT, 'written again'); END"
        )
    archive.add(page, now)
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER no_more")


def test_papers_without_the_authors_own_abstract_are_found_by_source_and_day(archive, listed, listing, now):
    bare = listed("Without Any Words", abstract="", abstract_kind=AbstractKind.NONE)
    machine = listed("With a Machine's Words", abstract_kind=AbstractKind.SUMMARY, rank=2)
    whole = listed("With the Authors' Own Words", rank=3)
    archive.add(listing(bare, machine, whole), now)
    archive.add(listing(bare, source="arxiv", day=date(2026, 11, 23)), now)
    titles = [paper.title for paper in archive.without_abstract("hf", DAY, limit=9)]
    assert titles == ["Without Any Words", "With a Machine's Words"]
    (last,) = archive.without_abstract("hf", DAY, limit=1)
    assert last.title == "With a Machine's Words", "those stored last are chosen"
    assert archive.without_abstract("hf", date(2026, 11, 23), limit=9) == ()
    assert len(archive.without_abstract("arxiv", date(2026, 11, 23), limit=9)) == 1
