"""What a join must not break: numbers that only rise, news, papers that exclude one another."""

from datetime import date, datetime

import pytest
from sqlalchemy import insert, select

from domain.identity import contradicting, fingerprint
from domain.papers import AbstractKind, Identifiers, Standing
from domain.topics import Match, Selection
from storage.archive import Archive
from storage.database import Database
from storage.tables import MATCH, TOPIC
from storage.topics import Topics

DAY = date(2026, 11, 20)
MUD = "We measure how tides move mud along forty estuaries and find that most of it moves twice a year, and why. " * 4
REEF = "Corals pale where the sea warms; of ninety reefs that we dived on, eleven were white by the end of March. " * 4
ARXIV, DOI = Identifiers(arxiv="2611.90001"), Identifiers(doi="10.5555/tides.1")
BOTH = Identifiers(arxiv="2611.90001", doi="10.5555/tides.1")


@pytest.fixture
def say(archive: Archive, listed, listing, now: datetime):
    def add(title: str, *, source="hf", on=DAY, standing=Standing.PUBLISHER, backlog=False, **values):
        page = listing(listed(title, **values), source=source, day=on, standing=standing, backlog=backlog)
        return archive.add(page, now)

    return add


def matched(database: Database, *rows: tuple[int, int, bool]) -> None:
    """Let topics exist and match papers: (topic, paper, news)."""
    with database.writing() as connection:
        for topic in sorted({topic for topic, _, _ in rows}):
            named = {"normal_form": f"topic {topic}", "created_at": datetime.now().astimezone(), "backfilled": True}
            connection.execute(insert(TOPIC).values(id=topic, **named))
        values = [{"topic_id": t, "paper_id": p, "score": 1.0, "tier": 1, "news": news} for t, p, news in rows]
        connection.execute(insert(MATCH), values)


def test_the_number_of_a_paper_that_was_joined_away_is_never_given_again(archive, database, say, now):
    say("Tides of Mud", ids=ARXIV, abstract=MUD)
    say("Fluvial Sediments in Motion", ids=DOI, abstract=MUD[:150])
    Topics(database).record([], since=0, up_to=2, now=now)
    say("Tides of Mud", ids=BOTH, abstract=MUD)
    (fresh,) = say("A Note on Lanterns", ids=Identifiers(arxiv="2611.90009"), abstract=REEF).new
    assert fresh.id == 3
    assert [paper.id for paper in archive.after(Topics(database).matched_up_to(), 10)] == [3]


def test_the_number_of_a_match_that_went_is_never_given_again(database, say, now):
    say("Tides of Mud", ids=ARXIV, abstract=MUD)
    say("Fluvial Sediments in Motion", ids=DOI, abstract=MUD[:150])
    matched(database, (1, 1, True), (1, 2, True))
    say("Tides of Mud", ids=BOTH, abstract=MUD)
    say("A Note on Lanterns", ids=Identifiers(arxiv="2611.90009"), abstract=REEF)
    Topics(database).record([Selection(1, (Match(1, 3, 1.0),))], since=0, up_to=3, now=now)
    with database.reading() as connection:
        assert connection.execute(select(MATCH.c.id).order_by(MATCH.c.id)).scalars().all() == [1, 3]


def test_what_is_news_stays_news_when_it_joins_a_paper_of_the_backlog(archive, database, say):
    say("Tides of Mud", ids=ARXIV, abstract=MUD, backlog=True)
    say("Fluvial Sediments in Motion", ids=DOI, abstract=MUD[:150])
    matched(database, (1, 1, True), (1, 2, True))
    say("Tides of Mud", ids=BOTH, abstract=MUD)
    paper = archive.paper("arxiv:2611.90001")
    assert not paper.backlog
    with database.reading() as connection:
        assert connection.execute(select(MATCH.c.id, MATCH.c.paper_id)).all() == [(2, paper.id)]


def test_a_bare_record_with_a_wrong_doi_does_not_make_two_papers_one(archive, say):
    say("Sparse Mixtures of Experts", ids=ARXIV, abstract=MUD, authors=("Ann Lee",))
    say("Bleaching of Coral Reefs", ids=DOI, abstract=REEF, authors=("Bo Ek",))
    bare = {"abstract": "", "abstract_kind": AbstractKind.NONE}
    say("Sparse Mixtures of Experts", ids=BOTH, authors=("Ann Lee",), **bare)
    assert archive.paper("doi:10.5555/tides.1").title == "Bleaching of Coral Reefs"
    assert archive.paper("arxiv:2611.90001").title == "Sparse Mixtures of Experts"


def test_a_journals_record_without_an_abstract_does_not_swallow_a_paper_with_a_wrong_doi(archive, say):
    bare = {"abstract": "", "abstract_kind": AbstractKind.NONE}
    say("Bleaching of Coral Reefs", ids=DOI, authors=("Bo Ek",), **bare)
    say("Sparse Mixtures of Experts", ids=BOTH, abstract=MUD, authors=("Ann Lee",), standing=Standing.REPOSITORY)
    assert archive.paper("doi:10.5555/tides.1").title == "Bleaching of Coral Reefs"
    paper = archive.paper("arxiv:2611.90001")
    assert (paper.title, paper.key) == ("Sparse Mixtures of Experts", "arxiv:2611.90001")
    assert [other.key for other in archive.kin(paper.id)] == ["doi:10.5555/tides.1"]


def test_papers_of_two_openreview_forums_are_not_joined_by_a_record_that_names_neither(archive, say):
    say("Tides of Mud", ids=Identifiers(arxiv="2611.90001", openreview="AAAAAAAA"), abstract=MUD)
    say("Tides of Mud and Sand", ids=Identifiers(doi="10.5555/tides.1", openreview="BBBBBBBB"), abstract=MUD)
    say("Tides of Mud", ids=BOTH, abstract=MUD)
    assert archive.paper("openreview:AAAAAAAA").id != archive.paper("openreview:BBBBBBBB").id


def test_a_record_alike_to_two_papers_that_exclude_one_another_is_neither(archive, say):
    for arxiv in ("2611.90001", "2611.90002"):
        say("Tides of Mud Along the Northern Coast", ids=Identifiers(arxiv=arxiv), abstract=MUD)
    (third,) = say("Tides of Mud Along the Northern Coast", ids=DOI, abstract=MUD).new
    assert {other.key for other in archive.kin(third.id)} == {"arxiv:2611.90001", "arxiv:2611.90002"}


def test_two_new_papers_that_claim_one_doi_are_both_found_again(archive, listed, listing, now, say):
    bare = {"abstract": "", "abstract_kind": AbstractKind.NONE, "authors": ()}
    say("A Stub", ids=DOI, **bare)
    one = listed("Sparse Mixtures of Experts", ids=BOTH, abstract=MUD, authors=("Ann Lee",))
    other = listed(
        "Bleaching of Coral Reefs", ids=Identifiers(arxiv="2611.90002", doi=DOI.doi), abstract=REEF, authors=("Bo Ek",)
    )
    archive.add(listing(one, other), now)
    assert say("Bleaching of Coral Reefs", abstract=REEF, authors=("Bo Ek",)).new == ()


def test_words_beside_a_known_id_link_the_paper_that_has_them(archive, say):
    bare = {"abstract": "", "abstract_kind": AbstractKind.NONE, "authors": ()}
    say("Motions of Estuarine Sediment", ids=DOI, **bare)
    say("Tides of Mud Along the Northern Coast", ids=ARXIV, abstract=MUD)
    say("Tides of Mud Along the Northern Coast", ids=DOI, abstract=MUD, source="aggregator")
    assert [other.key for other in archive.kin(archive.paper("doi:10.5555/tides.1").id)] == ["arxiv:2611.90001"]


def test_a_withdrawal_of_an_older_version_does_not_withdraw_the_paper_it_joins(archive, say):
    say("Tides of Mud", ids=ARXIV, abstract=MUD, version=3)
    say("Fluvial Sediments in Motion", ids=DOI, abstract=MUD[:150], version=1, withdrawn=True)
    say("Tides of Mud", ids=BOTH, abstract=MUD, version=3)
    paper = archive.paper("doi:10.5555/tides.1")
    assert (paper.version, paper.withdrawn) == (3, False)


def test_a_source_corrects_itself_although_another_listed_the_paper_since(archive, say):
    arxiv = {"source": "arxiv", "standing": Standing.REPOSITORY, "ids": ARXIV, "abstract": MUD}
    say("Tides of Mud", **arxiv)
    say("Tides of Mudd", ids=ARXIV, abstract=MUD, standing=Standing.AGGREGATOR, on=date(2026, 11, 22))
    say("Tides of Mud, Corrected", **arxiv, on=date(2026, 11, 21))
    assert archive.paper("arxiv:2611.90001").title == "Tides of Mud, Corrected"
    say("Tides of Mud, Corrected", ids=ARXIV, abstract=MUD, standing=Standing.AGGREGATOR, on=date(2026, 11, 23))
    assert archive.wordings(1) == ()


def test_a_doi_is_not_believed_where_titles_and_first_authors_have_nothing_in_common():
    reef = fingerprint(DOI, "Bleaching of Coral Reefs", "", ("Bo Ek",))
    experts = fingerprint(BOTH, "Sparse Mixtures of Experts", MUD, ("Ann Lee",))
    assert contradicting(reef, experts)
    assert not contradicting(reef, fingerprint(BOTH, "Sparse Mixtures of Experts", MUD, ()))
    assert not contradicting(reef, fingerprint(BOTH, "Sparse Mixtures of Experts", MUD, ("B. Ek",)))
