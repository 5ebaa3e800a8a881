"""Readers by the hundred thousand: everywhere, mostly in the morning, asking for what papers are about.

They are written as a sign-up that the operator vouches for writes them (storage/signing_up.py), in bulk.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from benchmarks.corpus import records
from digests.addresses import address_key
from domain.mailboxes import mailbox_of
from domain.subscriptions import Act, SubscriberState
from storage.tables import CONSENT, SUBSCRIBER, SUBSCRIPTION, TOPIC
from topics.query import parse
from topics.ranking import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from domain.topics import Query
    from storage.database import Database

#: Where readers live, by about how many millions read there; half and quarter hours, both hemispheres, and no summer.
ZONES = {
    "Asia/Shanghai": 140, "Asia/Kolkata": 90, "America/New_York": 80, "Europe/Berlin": 55, "America/Los_Angeles": 50,
    "Asia/Tokyo": 45, "America/Chicago": 40, "Europe/London": 40, "America/Sao_Paulo": 35, "Europe/Paris": 35,
    "Asia/Jakarta": 30, "Europe/Moscow": 30, "Africa/Lagos": 25, "Asia/Seoul": 25, "Asia/Dhaka": 20,
    "Asia/Karachi": 20, "Africa/Cairo": 18, "Europe/Istanbul": 18, "America/Mexico_City": 18, "Asia/Tehran": 15,
    "Africa/Johannesburg": 12, "Africa/Nairobi": 12, "America/Toronto": 12, "Australia/Sydney": 10,
    "America/Argentina/Buenos_Aires": 10, "Asia/Singapore": 8, "America/Denver": 8, "UTC": 6, "Asia/Kathmandu": 4,
    "Australia/Adelaide": 3, "Pacific/Auckland": 3, "America/St_Johns": 2, "Pacific/Honolulu": 2,
    "Australia/Lord_Howe": 1, "Pacific/Chatham": 1, "Pacific/Kiritimati": 1,
}  # fmt: skip
_HOURS = {6: 22, 7: 30, 8: 22, 9: 12, 12: 4, 17: 4, 20: 3, 0: 1, 2: 1, 3: 1}  # local hour → how many of a hundred
SLOW = "slow.example"  #: the keeper of mailboxes that at times asks for patience
_KEEPERS = {"gmail.com": 40, "outlook.com": 14, "uni.example": 20, "lab.example": 16, "home.example": 7, SLOW: 3}
_WEEKLY = 0.2
_TOPICS = 5_000  # to choose from
_COMMONEST = 40  # words that stand in too many titles to be asked for
_BLOCK = 2_000
_WORD = re.compile(r"[a-z]{5,}")


@dataclass(frozen=True, slots=True)
class Simulated:
    """What the simulation knows of a reader by itself."""

    email: str
    zone: str
    hour: int
    weekday: int | None  #: 0 is Monday; None for a daily reader


def make(database: Database, count: int, now: datetime, seed: int) -> dict[int, Simulated]:
    """Write so many confirmed readers down; return them by their number."""
    dice = random.Random(seed)  # noqa: S311 - readers that can be repeated, no secret
    queries = [parse(each) for each in _asked(dice)]
    weights = list(accumulate(1 / (place + 10) for place in range(len(queries))))  # Zipf
    with database.writing() as connection:
        forms = list(dict.fromkeys(each.normal_form for each in queries))
        rows = [{"normal_form": each, "created_at": now, "backfilled": False} for each in forms]
        connection.execute(insert(TOPIC), rows)
        topics = dict(connection.execute(select(TOPIC.c.normal_form, TOPIC.c.id)).all())
    made: dict[int, Simulated] = {}
    for start in range(1, count + 1, _BLOCK):
        block = {number: _reader(number, dice) for number in range(start, min(count + 1, start + _BLOCK))}
        asking = []
        for number in block:
            wished = dice.choices(queries, cum_weights=weights, k=dice.randint(1, 5))
            asking += list(_subscriptions(number, wished, topics))
        consents = [
            {"subscriber_id": number, "action": Act.VOUCHED.value, "wording": "command", "at": now, "place": "command"}
            for number in block
        ]
        with database.writing() as connection:
            connection.execute(insert(SUBSCRIBER), [_row(number, each, now, dice) for number, each in block.items()])
            connection.execute(insert(SUBSCRIPTION), asking)
            connection.execute(insert(CONSENT), consents)
        made |= block
    return made


def _reader(number: int, dice: random.Random) -> Simulated:
    (zone,) = dice.choices(list(ZONES), list(ZONES.values()))
    (hour,) = dice.choices(list(_HOURS), list(_HOURS.values()))
    (keeper,) = dice.choices(list(_KEEPERS), list(_KEEPERS.values()))
    weekday = dice.randrange(7) if dice.random() < _WEEKLY else None
    return Simulated(f"reader{number}@{keeper}", zone, hour, weekday)


def _row(number: int, reader: Simulated, now: datetime, dice: random.Random) -> dict[str, object]:
    key = address_key(reader.email)
    return {
        "id": number,
        "public_id": f"{dice.getrandbits(64):016x}",
        "email": reader.email,
        "address_key": key,
        "mailbox": mailbox_of(key).key,
        "state": SubscriberState.CONFIRMED.value,
        "every": "day" if reader.weekday is None else "week",
        "weekday": reader.weekday or 0,
        "hour": reader.hour,
        "zone": reader.zone,
        "shared": False,
        "created_at": now,
        "joined_at": now,
    }


def _subscriptions(number: int, wished: Sequence[Query], topics: dict[str, int]) -> Iterator[dict[str, object]]:
    for position, query in enumerate({each.normal_form: each for each in wished}.values()):
        yield {
            "subscriber_id": number,
            "topic_id": topics[query.normal_form],
            "name": query.text,
            "query": query.text,
            "position": position,
            "related": None,
        }


def _asked(dice: random.Random) -> list[str]:
    """Return what readers may ask for, the commonest first: words of titles, two of them, and phrases."""
    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for record in records():
        title = [each for each in _WORD.findall(record["title"].lower()) if each not in FUNCTION_WORDS]
        words.update(set(title))
        pairs.update(set(pairwise(title)))
    common = [word for word, _ in words.most_common(_TOPICS)][_COMMONEST:]
    asked = common[: _TOPICS // 2]
    for place, ((one, other), _) in enumerate(pairs.most_common(_TOPICS // 2)):
        asked.append(f"{one} {other}" if place % 2 else f'"{one} {other}"')
    # Not quite in order of how common they are: what many ask for may stand in few papers.
    return sorted(asked, key=dict(zip(asked, (dice.random() for _ in asked), strict=True)).__getitem__)
