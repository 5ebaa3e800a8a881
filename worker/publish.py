"""publish: matches → letters.

    the confirmed readers whose slot has opened → what matched since their last issue → compose → render (editing.py)
    → one transaction a block freezes issues, papers, contents and deliveries, and settles slots that stay empty

Running it twice, or in two places, is harmless: the unique keys (subscriber, slot) and (subscriber, paper) decide, and
a crash leaves a block either whole or not at all.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from domain.clock import Clock
from domain.issues import Mailing, PublishCounts
from domain.subscriptions import Subscriber
from storage.issues import Issues
from worker.editing import Editor
from worker.planning import due


class Publisher:
    """Turns matches into frozen letters."""

    def __init__(self, *, issues: Issues, editor: Callable[[], Editor], clock: Clock) -> None:
        self._issues = issues
        self._editor = editor
        self._clock = clock

    def publish(
        self, now: datetime, *, dry_run: bool = False, progress: Callable[[int], None] = lambda _: None
    ) -> PublishCounts:
        """Freeze an issue for every reader who is due at `now`, which sets slots and cut-offs only.

        A dry run composes and renders everything and writes nothing.
        """
        readers = issues = papers = 0
        skipped: Counter[str] = Counter()
        up_to = self._issues.newest_match()
        editor = self._editor()
        for block in self._issues.readers():
            chosen = [(reader, found) for reader in block if (found := due(reader, now)) is not None]
            edited = editor.edit(chosen, now, up_to)
            readers += len(chosen)
            plans = [each.plan for each in edited if each.plan is not None]
            empty = {each.subscriber_id: each.slot for each in edited if each.is_empty}
            passed = [""] * len(plans)
            if not dry_run and (plans or empty):
                passed = self._issues.freeze(plans, empty, self._clock.now())
            skipped.update(each.fault or "nothing matched" for each in edited if each.plan is None)
            skipped.update(reason for reason in passed if reason)
            issues += passed.count("")
            papers += sum(len(plan.papers) for plan, reason in zip(plans, passed, strict=True) if not reason)
            progress(len(block))
        counts = PublishCounts(due=readers, issues=issues, papers=papers, skipped=dict(skipped))
        if readers and not dry_run:
            self._issues.record_run(now, due=readers, planned=issues, excluded=counts.skipped)
        return counts

    def preview(self, subscriber: Subscriber, now: datetime) -> Mailing | None:
        """Return the letter that a confirmed reader would get if it were due now; None if there would be none."""
        up_to = self._issues.newest_match()
        for block in self._issues.readers():
            for reader in block:
                if reader.subscriber.id == subscriber.id:
                    slot = subscriber.schedule.slot(now)
                    (edited,) = self._editor().edit([(reader, slot)], now, up_to)
                    return edited.plan.mailing if edited.plan else None
        return None
