"""The road of a transport with limits: the rules of digests over the records of storage, for one process's threads.

    opening   what came of earlier tries → is a lane open? → take, in one transaction; where no limit is set, no lane is
              slow and everything was taken, a look is enough: nothing is taken from a count, and the notes can wait
    told      a note in memory, for each try
    settle    the notes → what becomes of the lanes, in one transaction; then the operator's hold, if it is time for one

Whoever was given letters tells of each try, or gives back what was not tried. What is neither counts as sent at the end
of its pass, or when its process is seen to be dead: it may have left.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from digests.mail import hourly
from digests.mail.lanes import Given, Rates, give, give_back, learn, unprobed
from digests.mail.shunning import shunned, shunned_sentence
from digests.mail.verdicts import Note, Verdict, heard
from domain.deliveries import Acceptance
from domain.errors import DeliveryError
from domain.lanes import MINUTE, RELAY, TO, TRIES, Lane
from storage.lanes import Lanes as LaneRecords
from worker.road import Opening

_KEPT = timedelta(seconds=10)  # for which notes that everything was taken may wait
_LOOK, _PATIENCE = 0.2, 60.0  # seconds: between two looks at what a try of the relay brought, and in all


@dataclass(slots=True)
class _Heard:
    """What this process knows and has not written down."""

    notes: list[Note] = field(default_factory=list)
    unused: int = 0


class Lanes:
    """The limits of one installation, as one process sees them.

    `hold` is called with the present instant and a sentence when a person has to look before more is sent; `is_alive`
    says None of a worker of whom nothing can be known.
    """

    def __init__(
        self,
        *,
        records: LaneRecords,
        rates: Rates,
        worker: str,
        is_alive: Callable[[str], bool | None],
        hold: Callable[[datetime, str], object],
    ) -> None:
        self._records = records
        self._rates = rates
        self._worker = worker
        self._is_alive = is_alive
        self._hold = hold
        self._heard = _Heard()
        self._lock = threading.Lock()  # of what was heard
        self._pen = threading.Lock()  # one of our threads writes at a time; of what is out, too
        self._out = _Out()

    def opening(self, now: datetime, wish: int) -> Opening:
        """Write down what was taken note of; return what may leave now, at most `wish` letters, and take it."""
        if self._is_free(now, wish):
            return Opening(room=wish)
        worst, given = self._write(now, max(0, wish))
        if worst:
            return Opening(room=0, reason=worst)
        wait = self._out.patience() if wish and not given.room and given.wait is None else given.wait
        return Opening(room=given.room, shut=given.shut, caps=given.caps, wait=wait, reason=given.reason)

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
            if not self._heard.notes and not self._heard.unused:
                return
        self._write(now, 0)

    def end(self, now: datetime) -> None:
        """Settle at the end of a pass; what was given in it, and nobody told of or gave back, counts as sent."""
        self.settle(now)
        with self._pen:
            is_left = self._out.letters > 0
            self._out = _Out()
        if is_left:
            self._write(now, 0)

    def _is_free(self, now: datetime, wish: int) -> bool:
        """Whether so many may leave with nothing to be written first; then they are out.

        Whoever writes holds up all that send, on every machine, so this is done without. A process that is killed has
        not counted what left in its last seconds; that matters to none but a limit that is set within the hour.
        """
        if wish <= 0 or self._rates.per_second is not None or self._rates.per_hour is not None:
            return False
        with self._lock:
            notes = self._heard.notes
            if notes and (now - notes[0].at > _KEPT or any(each.verdict is not Verdict.TAKEN for each in notes)):
                return False
        known = self._records.all()
        if shunned(known.pop(TRIES, Lane(TRIES)), ())[1] or not all(name.startswith(MINUTE) for name in known):
            return False
        with self._pen:
            self._out = self._out.with_(Given(wish), now)
        return True

    def _write(self, now: datetime, wish: int) -> tuple[str, Given]:
        """Write what was heard and take up to `wish` letters; return why a person has to look, "" if none has to."""
        with self._pen:
            with self._lock:
                mine, self._heard = self._heard, _Heard()
            given, worst, out = Given(0), "", self._out

            def decide(known: Mapping[str, Lane]) -> Mapping[str, Lane | None]:
                nonlocal given, worst, out
                lanes = _Changes(known)
                lanes.take(hourly.tidy(known, self._is_over, now))
                lanes.take(learn(lanes.now, mine.notes, self._rates, seen))
                self._count(lanes, mine, now)
                out = self._returned(lanes, self._out.after(mine), now)
                tries, refusal = shunned(lanes.now.get(TRIES, Lane(TRIES)), mine.notes)
                if mine.notes:
                    lanes.take({TRIES: tries})
                worst = shunned_sentence(refusal, tries, mine.notes) if refusal else ""
                if wish and not worst:
                    given = self._give(lanes, now, wish)
                return lanes.changed

            try:
                struck = {note.keeper for note in mine.notes if note.verdict is Verdict.KEEPER_SLOWER}
                seen = self._records.taken(struck, now)
                self._records.change(decide)
            except BaseException:
                with self._lock:
                    later = self._heard
                    self._heard = _Heard(mine.notes + later.notes, mine.unused + later.unused)
                raise
            self._out = out.with_(given, now)
        if worst:
            self._hold(now, worst)
        return worst, given

    def _is_over(self, worker: str, idle: timedelta) -> bool:
        if worker == self._worker:
            return not self._out.letters
        alive = self._is_alive(worker)
        # One that cannot be seen has lost its letters by then: a lease, and another for the one on the wire.
        return idle > 2 * self._rates.lease if alive is None else not alive

    def _count(self, lanes: "_Changes", mine: _Heard, now: datetime) -> None:
        """Take what left out of our hand and into its minute, and give back what was not used."""
        lanes.take(hourly.sent(lanes.now, [note.at for note in mine.notes if note.may_have_left]))
        lanes.take(hourly.in_hand(lanes.now, self._worker, -len(mine.notes) - mine.unused, now))
        relay = lanes.now.get(RELAY)
        if relay is not None and mine.unused:
            probed_at = self._out.probed_at
            relay = unprobed(relay, probed_at) if probed_at and not mine.notes else relay
            lanes.take({RELAY: give_back(relay, mine.unused, self._rates, now)})

    def _returned(self, lanes: "_Changes", out: "_Out", now: datetime) -> "_Out":
        """Give the keepers' own back once nothing is out: only then is it known which of it was not used."""
        if out.letters > 0:
            return out
        for keeper, letters in out.capped.items():
            lane = lanes.now.get(TO + keeper)
            if lane is not None:
                lanes.take({lane.name: give_back(lane, letters, self._rates, now)})
        return _Out()

    def _give(self, lanes: "_Changes", now: datetime, wish: int) -> Given:
        limit = self._rates.per_hour
        if limit is not None:
            wish = min(wish, hourly.room(lanes.now, limit, now))
        given = give(lanes.now, self._rates, now, wish)
        lanes.take(given.changed)
        if given.room and limit is not None:
            lanes.take(hourly.in_hand(lanes.now, self._worker, given.room, now))
        return given


@dataclass(slots=True)
class _Out:
    """What was given to this process and is neither told of nor given back."""

    letters: int = 0
    capped: Mapping[str, int] = field(default_factory=dict)  # keeper → so many of its own, less those told of
    probed_at: datetime | None = None  # when the one letter was given that tries the relay
    looks: int = 0  # how often somebody asked since what came of it

    def after(self, heard_: _Heard) -> "_Out":
        """Return what is still out."""
        used = Counter(note.keeper for note in heard_.notes)
        return replace(
            self,
            letters=max(0, self.letters - len(heard_.notes) - heard_.unused),
            capped={keeper: number - used[keeper] for keeper, number in self.capped.items()},
            probed_at=None if heard_.notes or heard_.unused else self.probed_at,
        )

    def with_(self, given: Given, now: datetime) -> "_Out":
        """Return what is out once this was given."""
        return replace(
            self,
            letters=self.letters + given.room,
            capped=Counter(self.capped) + Counter(given.caps) if given.room else self.capped,
            probed_at=now if given.is_probe else self.probed_at,
            looks=0 if given.is_probe else self.looks,
        )

    def patience(self) -> float | None:
        """Return how many seconds to wait for what comes of our own try of the relay; None where there is none."""
        self.looks += 1
        return _LOOK if self.probed_at is not None and self.looks * _LOOK <= _PATIENCE else None


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
