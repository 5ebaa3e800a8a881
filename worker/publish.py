"""publish: matches → letters.

    who paused until today is back (storage/waking.py)
    → the confirmed readers whose slot has opened → what matched since their last issue → compose → render (editing.py)
    → for whom nothing matched for days: a quiet note (quiet.py) → one transaction a block freezes issues, papers,
    contents and deliveries, settles slots that stay empty, keeps why each due reader without a letter has none, and
    counts them (storage/ledger.py)

Running it twice, or in two places, is harmless: the unique keys (subscriber, slot) and (subscriber, paper) decide, and
a crash leaves a block either whole or not at all.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from domain.clock import Clock
from domain.issues import Mailing, PublishCounts, Slot
from domain.silences import NOTHING_MATCHED, Unserved
from domain.subscriptions import Subscriber
from storage.issues import Issues, Reader
from storage.looking import Looking
from storage.reading import BLOCK
from worker.editing import Edited, Editor
from worker.planning import due, next_look
from worker.quiet import QuietNotes
from worker.zones import zone_rules

log = logging.getLogger("paperround.worker")
AGAIN = timedelta(hours=1)  # after which a letter that could not be composed is tried again


class Publisher:
    """Turns matches into frozen letters."""

    def __init__(
        self,
        *,
        issues: Issues,
        editor: Callable[[], Editor],
        quiet: Callable[[], QuietNotes],
        looking: Looking,
        stopped: Callable[[datetime], str],
        wake: Callable[[datetime, datetime], int],
        clock: Clock,
    ) -> None:
        """`editor` and `quiet` make what edits the letters, and the quiet notes, of one publish.

        `stopped` returns why nothing may be planned, "" if it may (gauge.py). `wake` lets those begin again whose pause
        is over at an instant, records it as of another, and returns how many.
        """
        self._looking = looking
        self._stopped = stopped
        self._wake = wake
        self._issues = issues
        self._editor = editor
        self._quiet = quiet
        self._clock = clock

    def is_due(self, now: datetime) -> bool:
        """Whether there is a reader to look at, or a reason to tell why nobody is; cheap, however many there are."""
        if self._stopped(now):
            return True
        self._prepare(now)
        return self._looking.is_due(now)

    def hand_out(self, now: datetime, lease: timedelta, enqueue: Callable[[Any, Sequence[int]], None]) -> str:
        """Hand out all readers who are to be looked at, a block a transaction (Looking.hand_out).

        They are handed out again after `lease`, should nothing come of it. Return why nothing may be planned, "" if it
        may.
        """
        if held := self._stopped(now):
            return held
        self._prepare(now)
        while self._looking.hand_out(now, now + lease, BLOCK, enqueue):
            pass
        return ""

    def publish(
        self,
        now: datetime,
        *,
        readers: Sequence[int] | None = None,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> PublishCounts:
        """Freeze an issue for every reader who is due at `now`, which sets slots and cut-offs only.

        Of `readers` alone, by their numbers, where they are given: other workers look at the others. A dry run composes
        and renders everything and freezes nothing; whose pause ends now is not among its readers.
        """
        if held := self._stopped(now):
            return PublishCounts(held=held)
        if not dry_run and readers is None:
            self._prepare(now)
        due_readers = issues = papers = notes = 0
        skipped: Counter[str] = Counter()
        up_to = self._issues.newest_match()
        editor = self._editor()
        quiet = self._quiet()
        run = self._issues.run(now)
        for block in self._issues.due(now) if readers is None else self._issues.those(readers):
            looks = {reader.subscriber.id: next_look(reader, now) for reader in block}
            chosen = [(reader, found) for reader in block if (found := due(reader, now)) is not None]
            edited = editor.edit(chosen, now, up_to)
            due_readers += len(chosen)
            plans = [each.plan for each in edited if each.plan is not None]
            empty = {each.subscriber_id: now for each in edited if each.is_empty}
            unserved = _unserved(chosen, edited, quiet)
            passed = [""] * len(plans)
            faulty = [each.subscriber_id for each in edited if each.fault]
            looks.update(dict.fromkeys(faulty, now + AGAIN))
            if not dry_run:
                passed = run.freeze(plans, empty, unserved, self._clock.now(), looks)
            skipped.update(each.reason for each in unserved)
            notes += sum(each.note is not None for each in unserved)
            skipped.update(reason for reason in passed if reason)
            issues += passed.count("")
            papers += sum(len(plan.papers) for plan, reason in zip(plans, passed, strict=True) if not reason)
            progress(len(block))
        counts = PublishCounts(due=due_readers, issues=issues, papers=papers, skipped=dict(skipped), quiet=notes)
        if wrong := run.end(self._clock.now()):
            log.error("publish: %s", wrong)
        return counts

    def _prepare(self, now: datetime) -> None:
        """Let those begin again whose pause is over, and look at all readers again where a clock or its rules moved."""
        if woken := self._wake(now, self._clock.now()):
            log.info("publish: %d readers are back from a pause", woken)
        self._looking.mend(now, zone_rules())

    def preview(self, subscriber: Subscriber, now: datetime) -> Mailing | None:
        """Return the letter that a confirmed reader would get if it were due now; None if there would be none."""
        up_to = self._issues.newest_match()
        for block in self._issues.those([subscriber.id]):
            (edited,) = self._editor().edit([(reader, subscriber.schedule.slot(now)) for reader in block], now, up_to)
            return edited.plan.mailing if edited.plan else None
        return None


def _unserved(chosen: Sequence[tuple[Reader, Slot]], edited: Sequence[Edited], quiet: QuietNotes) -> list[Unserved]:
    """Return those of the due readers for whom there is no letter, and why; with the notes that go instead."""
    came = {each.subscriber_id: each for each in edited}
    empty = [(reader, slot) for reader, slot in chosen if came[reader.subscriber.id].is_empty]
    notes = quiet.of(empty)
    return [
        Unserved(
            subscriber_id=number,
            slot=slot.label,
            reason=came[number].fault or NOTHING_MATCHED,
            note=notes.get(number),
        )
        for number, slot in ((reader.subscriber.id, slot) for reader, slot in chosen)
        if came[number].plan is None
    ]
