"""Queue messages inside the caller's transaction: fragments and contents once, a delivery once by its key.

    which contents are known? → of the others the fragments, each once → the contents → the deliveries → announced

All of a block at once, each step in one statement: what is asked of a letter alone is little beside asking at all.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from domain.deliveries import DeliveryState
from domain.issues import AWAITED, Content, Mailing
from domain.mailboxes import keeper_of
from storage.announcing import gather
from storage.driver import Driver
from storage.reading import in_blocks

_AT_ONCE = 2_000  # rows of a statement: SQLite allows 32,766 values, and a delivery has twelve

_DELIVERY = """
INSERT INTO delivery (message_key, issue_id, subscriber_id, content_id, recipient, keeper, slots, not_before,
    message_id, date, expires_at, state, attempts, resent, worker, sha256, signature, enhanced, reply_text, reason)
VALUES … ON CONFLICT (message_key) DO NOTHING RETURNING message_key, id
"""
_PLANNED = f"(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{DeliveryState.PLANNED.value}', 0, false, '', '', '', '', '', '')"


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that is to leave, to the operator where there is no subscriber."""

    mailing: Mailing
    subscriber_id: int | None
    issue_id: int | None = None


def queue(connection: Connection, mailing: Mailing, subscriber_id: int | None, issue_id: int | None) -> bool:
    """Store one message; return False if one of its key is there already."""
    return mailing.message_key in queue_all(connection, [Queued(mailing, subscriber_id, issue_id)])


def queue_all(connection: Connection, letters: Sequence[Queued]) -> dict[str, int]:
    """Store messages that are to leave; return message key → delivery of those whose key was not there already."""
    driver = Driver(connection)
    contents = _contents(driver, {each.mailing.content.key: each.mailing.content for each in letters})
    fresh: dict[str, int] = {}
    for block in in_blocks(letters, _AT_ONCE):
        values: list[object] = []
        for each in block:
            mailing = each.mailing
            values += (
                mailing.message_key,
                each.issue_id,
                each.subscriber_id,
                contents[mailing.content.key],
                mailing.recipient,
                keeper_of(mailing.recipient),
                json.dumps(dict(mailing.slots), ensure_ascii=False),
                driver.instant(mailing.not_before),
                mailing.message_id,
                driver.instant(mailing.date),
                driver.instant(mailing.expires_at),
            )
        fresh.update(driver.in_rows(_DELIVERY, _PLANNED, len(block), values))
    for each in letters:
        number = fresh.get(each.mailing.message_key)
        if number is not None:
            gather(connection, number, awaited=each.mailing.content.kind in AWAITED)
    return fresh


def _contents(driver: Driver, contents: Mapping[str, Content]) -> dict[str, int]:
    """Store those of these contents, by their keys, that are not there; return key → number."""
    numbers: dict[str, int] = {}
    for keys in in_blocks(list(contents), _AT_ONCE):
        numbers.update(driver.rows("SELECT content_key, id FROM content WHERE content_key IN (…)", (), keys))
    unknown = [content for key, content in contents.items() if key not in numbers]
    fragments = _fragments(driver, unknown)
    for block in in_blocks(unknown, _AT_ONCE):
        values: list[object] = []
        for content in block:
            pieces = [[each.role.value, fragments[each.sha256]] for each in content.fragments]
            size = sum(len(each.body) for each in content.fragments)
            values += (content.key, content.kind.value, content.subject, json.dumps(pieces), size)
        written = "INSERT INTO content (content_key, kind, subject, fragments, size) VALUES … RETURNING content_key, id"
        numbers.update(driver.in_rows(written, "(?, ?, ?, ?, ?)", len(block), values))
    return numbers


def _fragments(driver: Driver, contents: Iterable[Content]) -> dict[str, int]:
    """Store those fragments of these contents that are not there; return their hash → number."""
    bodies = {each.sha256: each.body for content in contents for each in content.fragments}
    numbers: dict[str, int] = {}
    for keys in in_blocks(list(bodies), _AT_ONCE):
        numbers.update(driver.rows("SELECT sha256, id FROM fragment WHERE sha256 IN (…)", (), keys))
    for keys in in_blocks([each for each in bodies if each not in numbers], _AT_ONCE):
        values = [value for key in keys for value in (key, bodies[key])]
        written = "INSERT INTO fragment (sha256, body) VALUES … RETURNING sha256, id"
        numbers.update(driver.in_rows(written, "(?, ?)", len(keys), values))
    return numbers
