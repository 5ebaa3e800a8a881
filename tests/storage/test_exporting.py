"""Everything that is kept of one reader leaves, nothing of another's, and little is held however much it is."""

import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from sqlalchemy import insert, update

from domain.deliveries import DeliveryState
from domain.errors import UnknownError
from domain.letter_events import LetterEvent, LetterEventKind, SuppressionReason
from domain.subscriptions import Consent, SubscriberState
from paperround.reader_exports import as_json
from storage.changing import Changes
from storage.exporting import Exports
from storage.letter_events import LetterEvents
from storage.outbox import Outbox
from storage.shared_topics import SharedTopics
from storage.suppressions import Suppressions
from storage.tables import (
    ADDRESS_CHANGE,
    CONTENT,
    DELIVERY,
    ISSUE,
    ISSUE_PAPER,
    PAPER,
    SENT,
    SILENCE,
    SUBSCRIBER,
    Base,
)


@pytest.fixture
def export(database):
    """Return what leaves, read back from its JSON."""
    return lambda reader: json.loads("".join(as_json(Exports(database).of(reader.public_id))))


def test_all_that_is_kept_of_a_reader_is_there(database, reader, issue, paper, export, now):
    mira = reader()
    issue(mira, now, papers=[paper])
    (sent,) = Outbox(database).records()
    LetterEvents(database).record([LetterEvent("dsn", "1", sent.id, LetterEventKind.BOUNCE, now, "5.2.2", "full")], now)
    page = SharedTopics(database).share(mira.id, mira.subscriptions[0].topic_id, "page", now)
    Changes(database).pause(
        mira.public_id, None, datetime(2026, 12, 24, tzinfo=UTC).date(), Consent("paused", "1", now)
    )
    with database.writing() as connection:
        values = {"subscriber_id": mira.id, "email": "new@lab.example", "address_key": "new@lab.example"}
        connection.execute(insert(ADDRESS_CHANGE).values(asked_at=now, **values))
        connection.execute(
            insert(SILENCE).values(
                subscriber_id=mira.id, reason="nothing", first_slot="a", last_slot="b", slots=2, since=now, until=now
            )
        )
    Suppressions(database).add("mira@lab.example", SuppressionReason.OPERATOR, "by hand", now)

    found, at = export(mira), now.isoformat()

    assert found["reader"] == {
        "id": "mira",
        "email": "mira@lab.example",
        "state": "suppressed",
        "every": "day",
        "weekday": "mon",
        "hour": 7,
        "ready": False,
        "zone": "UTC",
        "shared_mailbox": False,
        "text_only": False,
        "choices": dict.fromkeys(("papers", "per_topic", "late_risers", "trending", "like_saved", "sent_news")),
        "created_at": at,
        "confirmed_at": None,
        "joined_at": at,
        "paused_until": "2026-12-24",
        "away_since": at,
        "looked_at": None,
        "changes": 1,
    }
    assert found["suppression"] == {"reason": "operator", "detail": "by hand", "at": at, "was": "paused"}
    assert found["address_change"] == {"email": "new@lab.example", "asked_at": at}
    assert found["topics"] == [{"name": "tides", "query": "tides", "related": None}]
    assert found["shared_topics"] == [{"public_id": page.public_id, "name": "tides", "query": "tides", "at": at}]
    assert [(each["action"], each["place"]) for each in found["consents"]] == [("asked", ""), ("paused", "")]
    (letter,) = found["issues"]
    assert (letter["slot"], letter["created_at"]) == ("2026-11-20", at)
    assert [(each["title"], each["why"], each["key"]) for each in letter["papers"]] == [
        ("Probing the Sensitivity of Neural Tides", "why", found["sent"][0])
    ]
    (delivery,) = found["deliveries"]
    assert (delivery["id"], delivery["kind"], delivery["state"]) == (sent.id, "digest", "accepted")
    assert delivery["reply_text"] == "mira@lab.example: thank you"
    assert [(each["kind"], each["status"]) for each in found["letter_events"]] == [("bounce", "5.2.2")]
    assert [(each["reason"], each["slots"]) for each in found["silences"]] == [("nothing", 2)]


def test_nothing_of_another_reader_is_there_nor_a_link_that_acts_for_this_one(
    database, reader, issue, paper, export, now
):
    mira, jun = reader(), reader("jun", topic="rivers")
    issue(mira, now, papers=[paper])
    issue(jun, now, papers=[paper])
    with database.writing() as connection:
        connection.execute(update(DELIVERY).values(slots={"unsubscribe": "https://lab.example/unsubscribe/token"}))
    text = json.dumps(export(mira))
    for foreign in ("jun", "rivers", "unsubscribe/token"):
        assert foreign not in text


def test_who_has_nothing_yet_has_every_part_too(reader, export):
    found = export(reader("waiting", state=SubscriberState.PENDING))
    assert (found["suppression"], found["address_change"]) == (None, None)
    assert [found[name] for name in ("shared_topics", "issues", "deliveries", "letter_events", "silences", "sent")] == [
        []
    ] * 6
    assert (found["saved"], found["profile"]) == ([], None)


def test_nobody_has_nothing_and_it_is_said_before_the_first_letter(database):
    with pytest.raises(UnknownError, match="no such reader"):
        next(as_json(Exports(database).of("nobody")))


def test_every_table_that_holds_a_reader_s_rows_is_a_part(database, reader):
    parts = {name for name, _ in _taken(Exports(database).of(reader().public_id))}
    told_as = {
        "subscription": "topics",
        "shared_topic": "shared_topics",
        "consent": "consents",
        "issue": "issues",
        "delivery": "deliveries",
        "letter_event": "letter_events",
        "silence": "silences",
        "sent": "sent",
        "saved": "saved",
        "profile": "profile",
        "address_change": "address_change",
    }
    theirs = {each.name for each in Base.metadata.sorted_tables if "subscriber_id" in each.columns}
    assert {told_as.get(name) for name in theirs} | {"reader", "suppression"} == parts


def _taken(parts):
    for name, part in parts:
        yield name, list(part) if isinstance(part, Iterator) else part


@pytest.mark.engines("sqlite")
def test_five_years_leave_in_seconds_and_little_of_them_is_held_at_once(database, reader, now):
    mira, days, each_day = reader(), 1800, 10
    with database.writing() as connection:
        plain = {"abstract": "", "abstract_kind": "authors", "authors": [], "author_count": 0, "url": "", "pdf_url": ""}
        plain |= {
            "code_url": "",
            "project_url": "",
            "organization": "",
            "categories": [],
            "sources": [],
            "backlog": False,
        }
        plain |= {"first_seen": now, "listed": now.date(), "first_listed": now.date(), "withdrawn": False}
        plain |= {"normal_title": "", "title_key": ""}
        papers = [
            {"id": number, "key": f"arxiv:{number}", "title": f"The tides of year {number}" * 4, **plain}
            for number in range(1, days * each_day + 1)
        ]
        known = {column.name for column in PAPER.columns}
        connection.execute(insert(PAPER), [{name: row[name] for name in row if name in known} for row in papers])
        content = connection.execute(
            insert(CONTENT)
            .values(content_key="c", kind="digest", subject="x", fragments=[], size=0)
            .returning(CONTENT.c.id)
        ).scalar_one()
        past = [now - timedelta(days=number) for number in range(days)]
        issues = [
            {"id": number, "public_id": f"i{number}", "subscriber_id": mira.id, "slot": f"{at.date()}", "zone": "UTC"}
            | {"cutoff": at, "upto_match": 0, "created_at": at}
            for number, at in enumerate(past, 1)
        ]
        connection.execute(insert(ISSUE), issues)
        connection.execute(
            insert(ISSUE_PAPER),
            [
                {
                    "issue_id": 1 + number // each_day,
                    "paper_id": number + 1,
                    "topic_id": 1,
                    "position": number,
                    "why": "w",
                }
                for number in range(days * each_day)
            ],
        )
        connection.execute(insert(SENT), [{"subscriber_id": mira.id, "paper_id": row["id"]} for row in papers])
        letters = [
            {"message_key": f"k{number}", "issue_id": number, "subscriber_id": mira.id, "content_id": content}
            | {"recipient": mira.email, "keeper": "", "slots": {}, "state": DeliveryState.ACCEPTED.value, "attempts": 1}
            | {"resent": False, "worker": "", "message_id": f"<{number}>", "date": at, "expires_at": at, "sha256": ""}
            | {"signature": "", "enhanced": "", "reply_text": "", "reason": ""}
            for number, at in enumerate(past, 1)
        ]
        connection.execute(insert(DELIVERY), letters)
        connection.execute(update(SUBSCRIBER).values(last_issue_id=days))

    begun = perf_counter()
    size = lines = 0
    tracemalloc.start()
    for text in as_json(Exports(database).of(mira.public_id)):
        size += len(text)
        lines += text.count("\n")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert lines > days * 2 + days * each_day
    assert size > 4_000_000
    assert most < 2_500_000, "less than what leaves: it is never held whole"
    assert perf_counter() - begun < 20
