"""Archives full of letters that wait to leave: invented papers, real fragments, contents and deliveries.

A letter has 16 papers with abstracts of 420 characters, which makes about 44 KB (mail.md section 6); `contents` of them
are different, and each is shared by as many readers. Written block by block: 100,000 need no more memory than 1,000.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert

from benchmarks.invented import DAY, papers_and_topics
from digests.addresses import address_key
from digests.mail.message import freeze, mailing_slots, message_id
from domain.issues import Content, Digest, Entry, IssuePlan, Mailing, Receipt, Section, Slot, SourceCheck
from domain.papers import FetchStatus, Paper
from domain.topics import Why
from paperround.settings import build
from paperround.wiring import House
from storage.tables import SUBSCRIBER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from paperround.settings_model import Settings

PAPERS = 16  # in a letter
_BLOCK = 500
_POOL = 400  # papers to draw from


def settings(folder: Path, url: str, **mail: object) -> Settings:
    """Return the settings of an installation with a site."""
    return build(
        {
            "database": {"url": url},
            "mail": {"from": "Paperround <p@lab.example>", "postal_address": "1 Tide Street, Lab", **mail},
            "web": {"base_url": "https://papers.lab.example", "secret_key": "k" * 32},
        },
        folder,
    )


def digests(count: int, papers: Sequence[Paper]) -> list[Digest]:
    """Return `count` digests of 16 papers under two topics."""
    dice = random.Random(20261127)  # noqa: S311 - figures that can be repeated, no secret
    return [_digest(dice.sample(papers, PAPERS)) for _ in range(count)]


def fill(
    chosen: Settings,
    readers: int,
    contents: int,
    told: Callable[[int], object] = lambda _: None,
    *,
    made: Sequence[Content] = (),
) -> int:
    """Put confirmed readers and a letter for each into an empty archive; return the mean bytes of a letter.

    They are of the contents that are `made` already, where there are some.
    """
    papers, _ = papers_and_topics(_POOL, 0)
    papers = [replace(each, authors=("Mira Okafor", "Jun Sato"), author_count=2) for each in papers]
    now = datetime.now(UTC)
    with House(chosen) as house:
        if not made:
            whole = digests(contents, papers)
            made = [freeze(house.renderer.digest(each, shared=False), house.identity) for each in whole]
        run = house.issues.run(now)
        for start in range(0, readers, _BLOCK):
            numbers = range(start, min(readers, start + _BLOCK))
            ids = [secrets.token_hex(8) for _ in numbers]
            with house.database.writing() as connection:
                rows = [_reader(number, public_id, now) for number, public_id in zip(numbers, ids, strict=True)]
                connection.execute(insert(SUBSCRIBER), rows)
            plans = [
                _plan(house, number, public_id, made[number % contents], now)
                for number, public_id in zip(numbers, ids, strict=True)
            ]
            assert not any(run.freeze(plans, {}, [], now))
            told(len(numbers))
        run.end(now)
    return sum(len(each.body) for content in made for each in content.fragments) // contents


def _digest(papers: Sequence[Paper]) -> Digest:
    why = Why("both words, in title and abstract")
    entries = [Entry(paper, 1 + number % 2, why) for number, paper in enumerate(papers)]
    names = ("Tides", "Weather and the sea")
    sections = tuple(
        Section(topic, name, len(entries) // 2, tuple(each for each in entries if each.topic_id == topic), ())
        for topic, name in enumerate(names, 1)
    )
    check = SourceCheck("hf", "Hugging Face Daily Papers", DAY, FetchStatus.OK, 60, 40)
    receipt = Receipt(checks=(check,), new=40, matched=len(entries))
    return Digest(
        Slot(DAY.isoformat(), "UTC", DAY),
        first=False,
        sections=sections,
        topics=names,
        receipt=receipt,
        confirmed_at=None,
    )


def _reader(number: int, public_id: str, now: datetime) -> dict[str, object]:
    email = f"reader{number}@mail{number % 50}.example"
    return {
        "id": number + 1,
        "public_id": public_id,
        "email": email,
        "address_key": address_key(email),
        "state": "confirmed",
        "every": "day",
        "weekday": 0,
        "hour": 7,
        "zone": "UTC",
        "shared": False,
        "created_at": now,
        "joined_at": now,
    }


def _plan(house: House, number: int, public_id: str, content: Content, now: datetime) -> IssuePlan:
    issue = secrets.token_hex(8)
    key = f"issue:{issue}"
    identifier = message_id(key, house.identity)
    email = f"reader{number}@mail{number % 50}.example"
    assert house.links is not None
    links = {
        "unsubscribe": house.links.unsubscribe(public_id),
        "preferences": house.links.preferences(public_id),
        "feedback": house.links.feedback(public_id),
        "issue": house.links.issue(issue),
    }
    mailing = Mailing(
        message_key=key,
        subscriber_id=public_id,
        recipient=email,
        content=content,
        slots=mailing_slots(recipient=email, message_id=identifier, date=now, links=links),
        message_id=identifier,
        date=now,
        not_before=now,
        expires_at=now + timedelta(hours=36),
    )
    return IssuePlan(
        public_id=issue,
        subscriber_id=number + 1,
        slot=Slot(DAY.isoformat(), "UTC", DAY),
        cutoff=now,
        upto_match=0,
        papers=(),
        mailing=mailing,
    )
