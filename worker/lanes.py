"""The road of a transport with limits: the rules of digests over the records of storage, for one process's threads.

    opening   what came of earlier tries → is a lane open? → take, in one transaction
    told      a note in memory, for each try
    settle    the notes → what becomes of the lanes, in one transaction; then the operator's hold, if it is time for one

Whoever was given letters tells of each try, or gives back what was not tried. What is neither counts as sent in the
end: a process may have been killed with it in hand.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from digests.mail import hourly
from digests.mail.lanes import Given, Rates, give, give_back, learn, shunned, shunned_sentence, unprobed
from digests.mail.verdicts import Note, Verdict, heard
from domain.deliveries import Acceptance
from domain.errors import DeliveryError
from domain.lanes import RELAY, TO, TRIES, Lane
from storage.lanes import Lanes as LaneRecords
from worker.road import Opening


@dataclass(slots=True)
class _Heard:
    """What this process knows and has not written down."""

    notes: list[Note]
    given: Counter[str]  # keeper → letters of its own cap that were given to us
    unused: int = 0
    probed_at: datetime | None = None  # when we were given the one letter that tries the relay

    @property
    def is_empty(self) -> bool:
        return not self.notes and not self.unused and not self.given


class Lanes:
    """The limits of one installation, as one process sees them.

    `hold` is called with the present instant and a sentence when a person has to look before more is sent.
    """

    def __init__(
        self, *, records: LaneRecords, rates: Rates, worker: str, hold: Callable[[datetime, str], object]
    ) -> None:
        self._records = records
        self._rates = rates
        self._worker = worker
        self._hold = hold
        self._heard = _Heard([], Counter())
        self._lock = threading.Lock()  # of what was heard
        self._pen = threading.Lock()  # one of our threads writes at a time

    def opening(self, now: datetime, wish: int) -> Opening:
        """Return what may leave now, at most `wish` letters; what it gives is taken from the lanes."""
        worst, given = self._write(now, max(0, wish))
        if worst:
            return Opening(room=0, reason=worst)
        return Opening(room=given.room, shut=given.shut, caps=given.caps, wait=given.wait, reason=given.reason)

    def told(self, keeper: str, result: Acceptance | DeliveryError, now: datetime) -> None:
        """Take note of how one try ended."""
        note = heard(keeper, result, now)
        with self._lock:
            self._heard.notes.append(note)

    def unused(self, letters: int) -> None:
        """Give back letters that were given and never tried; written down with the next opening or settling."""
        with self._lock:
            self._heard.unused += letters

    def settle(self, now: datetime) -> None:
        """Write down what was taken note of; nothing is written where nothing was."""
        with self._lock:
            if self._heard.is_empty:
                return
        self._write(now, 0)

    def _write(self, now: datetime, wish: int) -> tuple[str, Given]:
        """Write what was heard and take up to `wish` letters; return why a person has to look, "" if none has to."""
        with self._pen:
            with self._lock:
                mine, self._heard = self._heard, _Heard([], Counter())
            given, worst = Given(0), ""

            def decide(known: Mapping[str, Lane]) -> Mapping[str, Lane | None]:
                nonlocal given, worst
                lanes = _Changes(known)
                lanes.take(hourly.tidy(known, self._rates.lease, now))
                lanes.take(learn(lanes.now, mine.notes, self._rates, seen))
                self._count(lanes, mine, now)
                tries, status = shunned(lanes.now.get(TRIES, Lane(TRIES)), mine.notes)
                if mine.notes:
                    lanes.take({TRIES: tries})
                worst = shunned_sentence(status, tries) if status else ""
                if wish and not worst:
                    given = self._give(lanes, now, wish)
                return lanes.changed

            try:
                struck = {note.keeper for note in mine.notes if note.verdict is Verdict.KEEPER_SLOWER}
                seen = self._records.taken(struck, now)
                self._records.change(decide)
            except BaseException:
                self._remember(mine)
                raise
            probed = now if given.is_probe else None
            if wish:
                self._remember(_Heard([], Counter(given.caps), probed_at=probed))
        if worst:
            self._hold(now, worst)
        return worst, given

    def _count(self, lanes: "_Changes", mine: _Heard, now: datetime) -> None:
        """Take what left out of our hand and into its minute, and give back what was not used."""
        lanes.take(hourly.sent(lanes.now, [note.at for note in mine.notes if note.may_have_left]))
        lanes.take(hourly.in_hand(lanes.now, self._worker, -len(mine.notes) - mine.unused, now))
        used = Counter(note.keeper for note in mine.notes)
        for keeper in mine.given.keys() | used.keys():
            lane = lanes.now.get(TO + keeper)
            if lane is not None:
                lanes.take({lane.name: give_back(lane, mine.given[keeper] - used[keeper], self._rates, now)})
        relay = lanes.now.get(RELAY)
        if relay is not None and mine.unused:
            relay = unprobed(relay, mine.probed_at) if mine.probed_at and not mine.notes else relay
            lanes.take({RELAY: give_back(relay, mine.unused, self._rates, now)})

    def _give(self, lanes: "_Changes", now: datetime, wish: int) -> Given:
        limit = self._rates.per_hour
        given = give(lanes.now, self._rates, now, wish if limit is None else min(wish, hourly.room(lanes.now, limit)))
        lanes.take(given.changed)
        if given.room and limit is not None:
            lanes.take(hourly.in_hand(lanes.now, self._worker, given.room, now))
        return given

    def _remember(self, earlier: _Heard) -> None:
        """Put back, before what was heard meanwhile, what could not be written or is still out."""
        with self._lock:
            later = self._heard
            self._heard = replace(
                later,
                notes=earlier.notes + later.notes,
                given=earlier.given + later.given,
                unused=earlier.unused + later.unused,
                probed_at=earlier.probed_at or later.probed_at,
            )


class _Changes:
    """Records as they are now, and which of them differ from what the database holds."""

    def __init__(self, known: Mapping[str, Lane]) -> None:
        self._known = known
        self.now = dict(known)

    def take(self, changed: Mapping[str, Lane | None]) -> None:
        """Take over what a rule has changed; None: forgotten."""
        for name, lane in changed.items():
            if lane is None:
                self.now.pop(name, None)
            else:
                self.now[name] = lane

    @property
    def changed(self) -> dict[str, Lane | None]:
        """What has to be written."""
        gone: dict[str, Lane | None] = dict.fromkeys(self._known.keys() - self.now.keys())
        return gone | {name: lane for name, lane in self.now.items() if lane != self._known.get(name)}
