"""publish: matches → letters.

    who paused until today is back (storage/waking.py)
    → what they saved and disliked since is learned from (learn.py)
    → the confirmed readers whose slot has opened → what matched since their last issue → compose → render (editing.py)
    → for whom nothing matched for days: a quiet note (quiet.py) → one transaction a block freezes issues, papers,
    contents and deliveries, settles slots that stay empty, keeps why each due reader without a letter has none, and
    counts them (storage/ledger.py)

Running it twice, or in two places, is harmless: the unique keys (subscriber, slot) and (subscriber, paper) decide, and
a crash leaves a block either whole or not at all.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.clock import Clock
from domain.issues import IssuePlan, Mailing, PublishCounts, Slot
from domain.silences import NOT_COMPOSED, NOTHING_MATCHED, Unserved
from domain.subscriptions import Subscriber
from storage.freezing import PublishRun
from storage.issues import Issues, Reader
from storage.looking import Looking
from storage.reading import BLOCK
from worker.closing import Closings
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
        closings: Callable[[datetime], Closings],
        learn: Callable[[datetime, Sequence[int] | None], object],
        clock: Clock,
    ) -> None:
        """`editor` and `quiet` make what edits the letters, and the quiet notes, of one publish.

        `stopped` returns why nothing may be planned, "" if it may (gauge.py). `wake` lets those begin again whose pause
        is over at an instant, records it as of another, and returns how many. `closings` makes what knows which sources
        have closed their day, for one publish. `learn` learns what these readers, or all, want more of and less.
        """
        self._looking = looking
        self._stopped = stopped
        self._wake = wake
        self._closings = closings
        self._learn = learn
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
        if not dry_run:
            self._learn(now, readers)
        due_readers = issues = papers = notes = 0
        skipped: Counter[str] = Counter()
        reach = self._issues.reach()
        quiet = self._quiet()
        closings = self._closings(now)
        run = self._issues.run(now)
        # A dry run does not mend looks that a clock which was ahead has made, so it asks everyone.
        blocks = self._issues.due(now, everyone=dry_run) if readers is None else self._issues.those(readers, now)
        with closing(self._editor()) as editor:
            for block in blocks:
                judged = [_judged(reader, now, closings) for reader in block]
                chosen = [(reader, slot) for reader, (slot, _) in zip(block, judged, strict=True) if slot is not None]
                edited = editor.edit(chosen, now, reach)
                due_readers += len(chosen)
                plans = [each.plan for each in edited if each.plan is not None]
                looks = {reader.subscriber.id: look for reader, (_, look) in zip(block, judged, strict=True)}
                faulty = [each.subscriber_id for each in edited if each.fault]
                looks.update({number: min(looks[number], now + AGAIN) for number in faulty})
                unserved = _unserved(chosen, edited, quiet)
                passed = [""] * len(plans)
                if not dry_run:
                    written = _Block(
                        plans=plans,
                        empty={each.subscriber_id: now for each in edited if each.is_empty},
                        unserved=unserved,
                        looks=looks,
                        seen={reader.subscriber.id: reader.subscriber.revision for reader in block},
                    )
                    passed = self._freeze(run, written, now)
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

    def _freeze(self, run: PublishRun, block: "_Block", now: datetime) -> list[str]:
        """Write a block; where the database takes it not, reader by reader, and who is to blame waits a while.

        Raises StorageError where the database takes nothing at all.
        """
        try:
            return block.freeze(run, self._clock.now())
        except Exception:  # whatever is wrong with one reader's rows, the others get their letters
            self._issues.reach()  # raises what ails the database, if it is that
            log.exception("publish: %d readers could not be written at once", len(block.looks))
        passed = {}
        for number in block.looks:
            alone = block.of(number)
            try:
                reasons = alone.freeze(run, self._clock.now())
            except Exception:
                log.exception("publish: what was planned for reader %d could not be written", number)
                reasons = [NOT_COMPOSED] * len(alone.plans)
                run.freeze([], {}, [], self._clock.now(), {number: now + AGAIN})
            passed[number] = reasons
        return [passed[plan.subscriber_id][0] for plan in block.plans]

    def _prepare(self, now: datetime) -> None:
        """Let those begin again whose pause is over, and look at all readers again where a clock or its rules moved."""
        if woken := self._wake(now, self._clock.now()):
            log.info("publish: %d readers are back from a pause", woken)
        self._looking.mend(now, zone_rules())

    def preview(self, subscriber: Subscriber, now: datetime) -> Mailing | None:
        """Return the letter that a confirmed reader would get if it were due now; None if there would be none."""
        reach = self._issues.reach()
        for block in self._issues.those([subscriber.id], now):
            with closing(self._editor()) as editor:
                (edited,) = editor.edit([(reader, subscriber.schedule.slot(now)) for reader in block], now, reach)
            return edited.plan.mailing if edited.plan else None
        return None


@dataclass(frozen=True, slots=True)
class _Block:
    """What is to be written of a block of readers."""

    plans: Sequence[IssuePlan]
    empty: Mapping[int, datetime]  #: reader → when nothing was found
    unserved: Sequence[Unserved]
    looks: Mapping[int, datetime]  #: of every reader: before when nothing is due
    seen: Mapping[int, int]  #: reader → revision

    def freeze(self, run: PublishRun, now: datetime) -> list[str]:
        """Write it in one transaction."""
        return run.freeze(self.plans, self.empty, self.unserved, now, self.looks, seen=self.seen)

    def of(self, number: int) -> "_Block":
        """Return what is one reader's of it."""
        return _Block(
            plans=[each for each in self.plans if each.subscriber_id == number],
            empty={number: self.empty[number]} if number in self.empty else {},
            unserved=[each for each in self.unserved if each.subscriber_id == number],
            looks={number: self.looks[number]},
            seen={number: self.seen[number]},
        )


def _judged(reader: Reader, now: datetime, closings: Closings) -> tuple[Slot | None, datetime]:
    """Return the slot that a reader is due for, and before when nothing else is; one who breaks that waits a while."""
    try:
        return due(reader, now, closings), next_look(reader, now, closings)
    except Exception:  # whatever is wrong with one reader, the others get their letters
        log.exception("when subscriber %s is due could not be told", reader.subscriber.public_id)
        return None, now + AGAIN


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
