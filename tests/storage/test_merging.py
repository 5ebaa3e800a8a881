"""The same paper from several sources is one record, and nothing that hung on any of them is lost."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

from domain.papers import AbstractKind, Announcement, Identifiers, Standing
from domain.topics import Query, Word
from storage.archive import Archive
from storage.database import Database
from storage.search import Search
from storage.tables import (
    CONTENT,
    ISSUE,
    ISSUE_PAPER,
    KIN,
    MATCH,
    PAPER,
    SENT,
    SUBSCRIBER,
    TOPIC,
    TRAIT,
)

ARXIV = Identifiers(arxiv="2611.90001")
DOI = Identifiers(doi="10.5555/tides.1")
BOTH = Identifiers(arxiv="2611.90001", doi="10.5555/tides.1")
LATER = datetime(2026, 11, 23, 8, tzinfo=UTC)
WORDS = "We measure how tides move mud along forty estuaries and find that most of it moves twice a year, and why. " * 4
OTHERS = "Quantum clocks tick in pairs; this note counts the pairs, and says why the count is always odd. " * 4


@pytest.fixture
def say(archive: Archive, listed, listing, now: datetime):
    """List one paper on a source of some standing; return what was added."""

    def add(title="Probing the Sensitivity of Neural Tides", *, source="hf", standing=Standing.AGGREGATOR, **values):
        day, moment = values.pop("on", date(2026, 11, 20)), values.pop("at", now)
        page = listing(listed(title, **{"abstract": WORDS, **values}), source=source, standing=standing, day=day)
        return archive.add(page, moment)

    return add


def total(database: Database) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(PAPER)).scalar_one()


# -- one work ----------------------------------------------------------------------------------------------------------


def test_hugging_face_arxiv_and_a_journal_tell_of_one_paper_with_three_sightings(archive, database, say):
    say("Tides in times 60 Seas", ids=ARXIV)
    say(r"Tides in $\times 60$ Seas", source="arxiv", standing=Standing.REPOSITORY, ids=ARXIV)
    say("Tides in × 60 Seas", source="Journal of Tides", standing=Standing.PUBLISHER, ids=DOI)
    assert total(database) == 1
    paper = archive.paper("arxiv:2611.90001")
    assert paper.title == r"Tides in $\times 60$ Seas"
    assert paper.sources == ("hf", "arxiv", "Journal of Tides")
    assert paper.ids == BOTH
    assert [each.source for each in archive.sightings(paper.id)] == ["hf", "arxiv", "Journal of Tides"]
    assert {(each.source, each.field, each.text) for each in archive.wordings(paper.id)} == {
        ("hf", "title", "Tides in times 60 Seas"),
        ("Journal of Tides", "title", "Tides in × 60 Seas"),
    }


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_better_sources_words_are_shown_in_whatever_order_they_come(archive, say, order):
    ways = [
        {"title": "Tides in times 60 Seas", "ids": ARXIV},
        {"title": "Tides in $60$ Seas", "ids": ARXIV, "source": "arxiv", "standing": Standing.REPOSITORY},
    ]
    for each in order:
        say(**ways[each])
    paper = archive.paper("arxiv:2611.90001")
    assert paper.title == "Tides in $60$ Seas"
    assert [(each.source, each.text) for each in archive.wordings(paper.id)] == [("hf", "Tides in times 60 Seas")]


def test_a_better_title_is_what_search_finds_and_topics_meet(archive, database, say):
    say("Tides of Mud", ids=ARXIV)
    say("Tides of Loam", source="arxiv", standing=Standing.REPOSITORY, ids=ARXIV)
    assert Search(database).search(_word("loam"), limit=5).total == 1


def test_listing_the_same_words_again_writes_nothing(archive, say):
    say("Tides in times 60 Seas", ids=ARXIV)
    say("Tides in $60$ Seas", source="arxiv", standing=Standing.REPOSITORY, ids=ARXIV)
    before = archive.paper("arxiv:2611.90001"), archive.wordings(1), archive.events(1)
    assert say("Tides in times 60 Seas", ids=ARXIV, at=LATER).updated == 0
    assert say("Tides in $60$ Seas", source="arxiv", standing=Standing.REPOSITORY, ids=ARXIV).updated == 0
    assert (archive.paper("arxiv:2611.90001"), archive.wordings(1), archive.events(1)) == before


def test_a_machines_summary_is_never_shown_before_the_authors_abstract(archive, say):
    say(ids=ARXIV, abstract="The authors say: estuaries.", abstract_kind=AbstractKind.AUTHORS)
    summary = {"abstract": "A machine says: tides.", "abstract_kind": AbstractKind.SUMMARY}
    say(ids=ARXIV, source="arxiv", standing=Standing.REPOSITORY, **summary)
    paper = archive.paper("arxiv:2611.90001")
    assert (paper.abstract, paper.abstract_kind) == ("The authors say: estuaries.", AbstractKind.AUTHORS)


def test_a_source_may_correct_its_own_words_but_not_by_an_older_day(archive, say):
    say("Tides of Mud", ids=ARXIV)
    say("Tides of Mud, Corrected", ids=ARXIV, on=date(2026, 11, 21))
    say("Tides of Mud", ids=ARXIV, on=date(2026, 11, 20))
    assert archive.paper("arxiv:2611.90001").title == "Tides of Mud, Corrected"


def test_records_without_a_shared_id_are_one_paper_by_title_and_abstract(database, say):
    say("Part 1 of 4: Tides", abstract=WORDS, ids=ARXIV)
    say("Part 1 of 4 : Tides", abstract=WORDS.upper(), ids=Identifiers())
    assert total(database) == 1
    say("Part 2 of 4: Tides", abstract=WORDS, ids=Identifiers())
    assert total(database) == 2


def test_two_sources_that_claim_different_arxiv_ids_for_one_text_tell_of_two_papers(archive, database, say):
    say(ids=ARXIV)
    say(ids=Identifiers(arxiv="2611.90002"), source="arxiv")
    assert total(database) == 2
    assert archive.kin(1) == ()


def test_an_id_that_is_another_papers_doi_makes_no_paper_vanish(archive, database, say):
    say("On Clocks", ids=DOI, abstract=OTHERS, authors=("Lena Brandt",), source="Journal", standing=Standing.PUBLISHER)
    say("On Mud", ids=BOTH, source="arxiv", standing=Standing.REPOSITORY)
    assert total(database) == 2
    assert archive.paper("doi:10.5555/tides.1").title == "On Clocks"
    mud = archive.paper("arxiv:2611.90001")
    assert (mud.title, mud.ids) == ("On Mud", ARXIV)
    say("On Mud", ids=BOTH, source="arxiv", standing=Standing.REPOSITORY)
    assert total(database) == 2


# -- two records become one --------------------------------------------------------------------------------------------


def test_a_stronger_id_learned_later_joins_two_records_and_everything_that_hangs_on_them(archive, database, say, now):
    say("Tides of Mud", source="hf", ids=ARXIV, upvotes=3)
    say("Fluvial Sediments in Motion", source="Journal", standing=Standing.PUBLISHER, ids=DOI, categories=("geo",))
    assert total(database) == 2
    first, second = archive.paper("arxiv:2611.90001"), archive.paper("doi:10.5555/tides.1")
    _let_them_hang(database, first.id, second.id, now)
    told = say("Tides of Mud", source="arxiv", standing=Standing.REPOSITORY, ids=BOTH)
    assert (told.new, told.updated) == ((), 1)
    assert total(database) == 1
    paper = archive.paper("doi:10.5555/tides.1")
    assert (paper.id, paper.key, paper.ids) == (first.id, "arxiv:2611.90001", BOTH)
    assert (paper.sources, paper.categories, paper.upvotes) == (("hf", "Journal", "arxiv"), ("geo",), 3)
    assert [each.source for each in archive.sightings(paper.id)] == ["hf", "Journal", "arxiv"]
    assert ("Journal", "Fluvial Sediments in Motion") in {(w.source, w.text) for w in archive.wordings(paper.id)}
    assert ("joined", "doi:10.5555/tides.1") in {(each.kind, each.note) for each in archive.events(paper.id)}
    with database.reading() as connection:
        assert connection.execute(
            select(MATCH.c.id, MATCH.c.topic_id, MATCH.c.paper_id).order_by(MATCH.c.id)
        ).all() == [
            (1, 1, paper.id),
            (3, 2, paper.id),
        ]
        marks = connection.execute(select(SENT.c.subscriber_id, SENT.c.paper_id).order_by(SENT.c.subscriber_id)).all()
        assert marks == [(1, paper.id), (2, paper.id)]
        stood = connection.execute(select(ISSUE_PAPER.c.issue_id, ISSUE_PAPER.c.paper_id)).all()
        assert set(stood) == {(1, paper.id), (2, paper.id)}
        assert connection.execute(select(TRAIT.c.paper_id).distinct()).scalars().all() == [paper.id]
    assert Search(database).search(_word("sediment"), limit=5).total == 0


def _let_them_hang(database: Database, first: int, second: int, now: datetime) -> None:
    """Topic 1 matched both papers, topic 2 the second; each of two readers was sent one, in an issue."""
    with database.writing() as connection:
        connection.execute(
            insert(TOPIC), [{"normal_form": each, "created_at": now, "backfilled": True} for each in ("tide", "mud")]
        )
        matches = [(1, first), (1, second), (2, second)]
        connection.execute(
            insert(MATCH),
            [{"topic_id": t, "paper_id": p, "score": 1.0, "tier": 1, "news": True} for t, p in matches],
        )
        for number, paper in ((1, first), (2, second)):
            name = f"r{number}"
            reader = {"public_id": name, "email": name, "address_key": name, "state": "confirmed", "every": "day"}
            reader |= {"weekday": 0, "hour": 7, "zone": "UTC", "shared": False, "created_at": now}
            connection.execute(insert(SUBSCRIBER).values(id=number, **reader))
            issue = {"public_id": name, "subscriber_id": number, "slot": "2026-11-20", "zone": "UTC"}
            connection.execute(insert(ISSUE).values(id=number, **issue, cutoff=now, upto_match=3, created_at=now))
            stood = {"issue_id": number, "paper_id": paper, "topic_id": 1, "position": 0, "why": ""}
            connection.execute(insert(ISSUE_PAPER).values(stood))
            connection.execute(insert(SENT).values(subscriber_id=number, paper_id=paper))
        assert connection.execute(select(func.count()).select_from(CONTENT)).scalar_one() == 0


def test_an_abstract_that_comes_later_shows_that_two_records_are_one(archive, database, say):
    say("A Note", ids=ARXIV, abstract="", abstract_kind=AbstractKind.NONE, authors=())
    say("A Note", ids=DOI, source="Journal", standing=Standing.PUBLISHER, authors=())
    assert total(database) == 2
    assert len(archive.kin(1)) == 1
    say("A Note", ids=ARXIV, authors=(), on=date(2026, 11, 21))
    assert total(database) == 1
    assert archive.paper("doi:10.5555/tides.1").key == "arxiv:2611.90001"
    assert archive.kin(1) == ()


def test_the_key_of_a_title_still_names_the_paper_that_has_an_id_now(archive, say):
    key = say(ids=Identifiers()).new[0].key
    say(ids=ARXIV)
    assert archive.paper(key).key == "arxiv:2611.90001"


def test_a_second_doi_of_a_paper_names_it_too_and_the_first_is_shown(archive, database, say):
    say(ids=Identifiers(doi="10.1101/2026.11.01.000001"), source="biorxiv", standing=Standing.REPOSITORY)
    say(ids=DOI, source="Journal", standing=Standing.PUBLISHER)
    assert total(database) == 1
    assert archive.paper("doi:10.5555/tides.1").ids.doi == "10.1101/2026.11.01.000001"
    say("A Wholly Other Heading", ids=DOI, source="Journal", standing=Standing.PUBLISHER)
    assert total(database) == 1


def test_two_papers_of_one_listing_that_a_third_line_binds_are_one(archive, database, listed, listing, now):
    page = listing(
        listed("Tides of Mud", ids=ARXIV, abstract=WORDS),
        listed("Fluvial Sediments in Motion", ids=DOI, abstract=WORDS[:150], rank=2),
        listed("Tides of Mud", ids=BOTH, abstract=WORDS, rank=3),
    )
    (paper,) = archive.add(page, now).new
    assert total(database) == 1
    assert paper.ids == BOTH
    assert [each.rank for each in archive.sightings(paper.id)] == [1]
    assert archive.add(page, now).new == ()


# -- unsure ------------------------------------------------------------------------------------------------------------


def test_what_may_be_one_work_is_kept_twice_and_linked(archive, database, say):
    say("Cystic fibrosis.", abstract=WORDS, authors=("Ada Moss",), ids=Identifiers())
    say("Cystic fibrosis.", abstract=OTHERS, authors=("Eve Reed",), ids=Identifiers(), source="other")
    assert total(database) == 2
    (kin,) = archive.kin(1)
    assert kin.id == 2
    assert archive.kin(2)[0].id == 1


def test_a_thousand_editorials_cost_no_thousand_comparisons_and_stay_apart(archive, database, listed, listing, now):
    def editorial(number: int):
        said = f"In volume {number} the board writes of {number * 7919} things, among them the number {number**3}. " * 2
        return listed("Editorial", abstract=said, authors=(f"Ada Editor{number}",), rank=number + 1)

    papers = [editorial(number) for number in range(1_000)]
    assert len(archive.add(listing(*papers), now).new) == 1_000
    assert archive.add(listing(*papers), now + timedelta(hours=1)).new == ()
    with database.reading() as connection:
        links = connection.execute(select(func.count()).select_from(KIN)).scalar_one()
        crowd = connection.execute(select(func.count()).select_from(TRAIT).group_by(TRAIT.c.trait)).scalars()
        assert max(crowd) <= 20
    assert links <= 20 * 1_000


# -- events ------------------------------------------------------------------------------------------------------------


def test_new_versions_and_withdrawals_are_events_told_once(archive, say):
    arxiv = {"source": "arxiv", "standing": Standing.REPOSITORY, "ids": ARXIV}
    say(**arxiv, version=1, announcement=Announcement.NEW)
    assert archive.events(1) == ()
    for _ in range(2):
        say(**arxiv, version=2, announcement=Announcement.REPLACE, on=date(2026, 11, 21))
        say(**arxiv, version=3, withdrawn=True, on=date(2026, 11, 22))
    say(**arxiv, version=4, on=date(2026, 11, 23))
    assert [(each.kind, each.note) for each in archive.events(1)] == [
        ("version", "v2"),
        ("version", "v3"),
        ("withdrawn", "v3"),
        ("version", "v4"),
        ("returned", "v4"),
    ]


def test_a_new_versions_words_are_shown(archive, say):
    arxiv = {"source": "arxiv", "standing": Standing.REPOSITORY, "ids": ARXIV}
    say("Tides of Mud", **arxiv, version=1)
    say("Tides of Mud and Loam", **arxiv, version=2, only_if_known=True, on=date(2026, 11, 25))
    say("Tides of Mud", **(arxiv | {"source": "arxiv-feed"}), version=1, on=date(2026, 11, 26))
    assert archive.paper("arxiv:2611.90001").title == "Tides of Mud and Loam"


def _word(text: str) -> Query:
    return Query(text=text, tree=Word(text), normal_form=text, terms=(text,))
