"""The plan of an issue: what a reader chose, and what the ledger keeps of a letter."""

from datetime import UTC, date, datetime, timedelta

from digests.compose import Limits
from digests.mail.message import Identity
from domain.issues import (
    Aside,
    AsideKind,
    Content,
    Digest,
    Entry,
    IssuePlan,
    LetterKind,
    Reason,
    Receipt,
    Section,
    Slot,
    TopicWish,
)  # fmt: skip
from domain.papers import AbstractKind, Identifiers, Paper
from domain.subscriptions import Choices, Schedule, Subscriber, SubscriberState, Subscription
from domain.topics import Tier, Why
from storage.issues import Reach
from topics.query import parse
from worker.planning import limits_of, plan, wishes_of

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)


def reader(choices: Choices, *subscriptions: Subscription) -> Subscriber:
    return Subscriber(
        id=1, public_id="a", email="mira@lab.example", state=SubscriberState.CONFIRMED, schedule=Schedule(),
        shared=False, confirmed_at=None, subscriptions=subscriptions, choices=choices,
    )  # fmt: skip


def paper(number: int) -> Paper:
    return Paper(
        id=number, key=f"arxiv:2611.{number:05}", ids=Identifiers(), title=f"Tides, Part {number}", abstract="",
        abstract_kind=AbstractKind.NONE, authors=(), author_count=0, published=None, first_seen=NOW,
        listed=NOW.date(), first_listed=NOW.date(), url="",
    )  # fmt: skip


SENDER = Identity("p@lab.example", secret="a secret")


def planned(digest: Digest, named: set[int]) -> IssuePlan:
    return plan(
        reader(Choices()), digest, Content(LetterKind.DIGEST, "", ()), named=named, public_id="b", cutoff=NOW,
        reach=Reach(9, 0, 0), created=NOW, max_age=timedelta(hours=36), identity=SENDER, links=None,
    )  # fmt: skip


def test_what_a_reader_chose_goes_before_the_settings() -> None:
    settings = Limits(papers=10, per_topic=5, late_risers=3, trending=0)
    assert limits_of(reader(Choices(papers=2, trending=1)), settings) == Limits(2, 5, 3, 1)
    assert limits_of(reader(Choices(late_risers=0)), settings).late_risers == 0


def test_related_papers_are_wanted_as_chosen_else_for_plain_words() -> None:
    queries = {"tides mud": None, "tides OR mud": None, "tides -mud": True, "tides": False}
    held = [Subscription(n, query, query, n, related) for n, (query, related) in enumerate(queries.items())]
    wishes = wishes_of(reader(Choices(), *held), parse)
    assert wishes[0] == TopicWish(0, "tides mud", related=True, query="tides mud")
    assert [wish.related for wish in wishes] == [True, False, True, False]


def test_the_ledger_holds_all_that_is_named_with_every_reason() -> None:
    why = Why("word “tides”, in title")
    also = (Reason("Mud", Why("word “mud”, in abstract")),)
    entries = (Entry(paper(1), 7, why, also=also), Entry(paper(2), 7, why, Tier.RELATED))
    digest = Digest(
        slot=Slot("2026-11-20", "UTC", date(2026, 11, 20)), first=False, topics=("tides", "Mud"),
        sections=(Section(7, "tides", 3, entries, (paper(3), paper(4))),), receipt=Receipt((), 9, 3), confirmed_at=None,
        asides=(
            Aside(AsideKind.LATE_RISERS, (Entry(paper(5), 8, why, also=also, topic="Mud"),)),
            Aside(AsideKind.TRENDING, (Entry(paper(6), 0, Why("")), Entry(paper(7), 0, Why("")))),
        ),
    )  # fmt: skip
    ledger = planned(digest, named={1, 2, 3, 5, 6}).papers
    assert [(each.paper_id, each.topic_id, each.position, each.why) for each in ledger] == [
        (1, 7, 0, "word “tides”, in title; also under “Mud”: word “mud”, in abstract"),
        (2, 7, 1, "word “tides”, in title"),
        (3, 7, 2, ""),
        (5, 8, 3, "late-risers: word “tides”, in title; also under “Mud”: word “mud”, in abstract"),
        (6, 0, 4, "trending"),
    ]
