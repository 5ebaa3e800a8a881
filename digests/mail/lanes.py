"""How fast letters may leave, and what shuts a lane. Pure: what is known of the lanes in, what becomes of them out.

    give    what may leave now: the relay's lane open? → the hour → the second → each slowed keeper's own few
    learn   what came of it: a keeper that asks for patience gets half as many, after a pause that grows; each letter
            that it takes adds one an hour, until it is as fast as all others and forgotten
            a relay that is not reached shuts the lane of all; after a pause that grows one letter tries it, and the
            first answer opens it wholly

Where letters arrive but are refused, shunning.py decides.

A strike is counted when a pause begins, not for each of the answers that came of one storm, nor again when letters of
another process that were on their way meet it too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from digests.mail.verdicts import Note, Verdict
from domain.lanes import LONGEST_PAUSE, RELAY, TO, Lane

#: Letters an hour: a keeper that asks for patience for the first time is never sent fewer, nor at any time fewer than
#: SLOWEST; beyond FASTEST the lane has no limit of its own any more.
FIRST, SLOWEST, FASTEST = 60.0, 12.0, 3600.0
#: No pause is longer: of a slowed lane, of a relay that is not reached, of a log-in that is refused.
KEEPER_PAUSE, RELAY_PAUSE, LOG_IN_PAUSE = timedelta(hours=1), timedelta(minutes=30), LONGEST_PAUSE
_FIRST_LOG_IN_PAUSE = timedelta(minutes=15)  # accounts are locked after a handful of wrong passwords in a row
_DOUBLINGS = 30  # enough to reach any cap
_FORGOTTEN = timedelta(days=1)  # after which a keeper that nobody wrote to is met afresh
_OUT_OF_REACH, _LOG_IN, _PATIENCE = "the relay is out of reach", "the relay refuses the log-in", "asked for patience"
_EPSILON = 1e-6  # what adding up parts of tokens may lose


@dataclass(frozen=True, slots=True)
class Rates:
    """What the settings allow."""

    per_second: float | None = None
    per_hour: int | None = None
    retry_seconds: float = 300.0  #: the first pause
    lease: timedelta = timedelta(minutes=15)  #: after which letters of a worker of another machine are taken over


@dataclass(frozen=True, slots=True)
class Given:
    """What may leave now, and the lanes that have changed by it."""

    room: int
    shut: frozenset[str] = frozenset()  #: keepers
    caps: Mapping[str, int] = field(default_factory=dict)  #: keeper → at most so many
    wait: float | None = None  #: seconds until there may be room; None: not soon
    reason: str = ""  #: why the lane of all is shut or slow; "" where only the settings limit it
    changed: Mapping[str, Lane | None] = field(default_factory=dict)  #: None: forgotten
    is_probe: bool = False  #: whether the one letter tries a relay that was out of reach


def give(lanes: Mapping[str, Lane], rates: Rates, now: datetime, wish: int) -> Given:
    """Return what may leave at `now`, at most `wish` letters (which an hourly limit has cut already)."""
    relay = lanes.get(RELAY, Lane(RELAY))
    if _is_shut(relay, now):
        return Given(0, reason=_shut(relay, now))
    relay, room, wait = _drawn(relay, rates, now, wish)
    if not room:
        return Given(0, wait=None if relay.per_hour else wait, reason=relay.reason if wish else "")
    is_probe = _is_broken(relay)
    if is_probe:
        room = 1
        # The strike is counted before the try, so that a second process, or one that is killed, waits its turn as well.
        relay = _struck(relay, now, _pauses(relay.reason, rates))
    caps: dict[str, int] = {}
    changed: dict[str, Lane | None] = {RELAY: relay}
    for name, lane in lanes.items():
        keeper = name.removeprefix(TO)
        if not name.startswith(TO):
            continue
        if _is_shut(lane, now):
            caps[keeper] = 0
        elif lane.per_hour is None or now.timestamp() - lane.filled_at > _FORGOTTEN.total_seconds():
            changed[name] = None
        else:
            changed[name], caps[keeper], _ = _drawn(lane, rates, now, room)
    return Given(
        room=room,
        shut=frozenset(keeper for keeper, most in caps.items() if not most),
        caps={keeper: most for keeper, most in caps.items() if most},
        changed={name: lane for name, lane in changed.items() if lane != lanes.get(name, Lane(name))},
        is_probe=is_probe,
    )


def give_back(lane: Lane, letters: int, rates: Rates, now: datetime) -> Lane:
    """Return a lane with letters that were given and not sent; a negative number was sent and not given."""
    if _flow(lane, rates)[0] is None or _is_shut(lane, now):
        return lane
    return replace(lane, tokens=lane.tokens + letters)


def unprobed(relay: Lane, at: datetime) -> Lane:
    """Return the lane of all as it was at `at`, before it was probed: nothing was there to try it with."""
    if not _is_broken(relay) or relay.shut_until is None:
        return relay
    return replace(relay, strikes=max(1, relay.strikes - 1), shut_until=at)


def learn(
    lanes: Mapping[str, Lane], notes: Iterable[Note], rates: Rates, seen: Mapping[str, int]
) -> dict[str, Lane | None]:
    """Return the lanes that change by how tries ended, in the order in which they did; None: forgotten.

    `seen` says how many letters keepers took in the last hour.
    """
    known = dict(lanes)
    for note in notes:
        relay = known.get(RELAY, Lane(RELAY))
        known[RELAY] = _of_relay(relay, note, rates)
        name = TO + note.keeper
        lane = known.get(name, Lane(name))
        if note.keeper and note.verdict is Verdict.KEEPER_SLOWER:
            known[name] = _slower(lane, note, rates, seen.get(note.keeper, 0), f"{note.keeper} {_PATIENCE}")
        elif note.verdict is Verdict.TAKEN and name in known:
            known[name] = _quicker(lane, note)
    return {
        name: lane if name == RELAY or lane.per_hour is not None else None
        for name, lane in known.items()
        if lane != lanes.get(name, Lane(name))
    }


def _of_relay(relay: Lane, note: Note, rates: Rates) -> Lane:
    match note.verdict:
        case Verdict.NOT_REACHED | Verdict.NOT_LOGGED_IN:
            what = _LOG_IN if note.verdict is Verdict.NOT_LOGGED_IN else _OUT_OF_REACH
            reason = f"{what}: {note.sentence}"
            if _is_broken(relay) and relay.shut_until is not None and note.at < relay.shut_until:
                told = replace(relay, reason=reason)
                longer = note.at + _pause(relay.strikes, *_pauses(reason, rates))
                return replace(told, shut_until=max(longer, relay.shut_until))
            return _struck(replace(relay, reason=reason), note.at, _pauses(reason, rates))
        case Verdict.SILENT:
            return relay
        case Verdict.RELAY_SLOWER:
            return _slower(_reached(relay), note, rates, 0, f"the relay {_PATIENCE}")
    relay = _reached(relay)
    return _quicker(relay, note) if note.verdict is Verdict.TAKEN else relay


def _reached(relay: Lane) -> Lane:
    if not _is_broken(relay):
        return relay
    return replace(relay, strikes=0, shut_until=None, shut_since=None, reason="")


def _slower(lane: Lane, note: Note, rates: Rates, seen: int, what: str) -> Lane:
    if lane.shut_until is not None and note.at < lane.shut_until:
        return lane
    half = max(SLOWEST, lane.per_hour / 2) if lane.per_hour is not None else max(FIRST, seen / 2)
    lane = _struck(lane, note.at, (timedelta(seconds=rates.retry_seconds), KEEPER_PAUSE))
    opens = (lane.shut_until or note.at).timestamp()
    # One letter when it opens; the others follow at the new rate.
    return replace(lane, per_hour=half, tokens=1.0, filled_at=opens, reason=f"{what}: {note.sentence}")


def _quicker(lane: Lane, note: Note) -> Lane:
    if lane.shut_until is not None and note.at < lane.shut_until:
        return lane  # it was on its way when the lane was shut
    if lane.per_hour is None:
        return lane
    faster = lane.per_hour + 1
    free = faster > FASTEST
    return replace(
        lane,
        per_hour=None if free else faster,
        strikes=0,
        shut_until=None,
        shut_since=None,
        reason="" if free else lane.reason,
    )


def _struck(lane: Lane, at: datetime, pauses: tuple[timedelta, timedelta]) -> Lane:
    strikes = lane.strikes + 1
    return replace(lane, strikes=strikes, shut_until=at + _pause(strikes, *pauses), shut_since=lane.shut_since or at)


def _pause(strikes: int, first: timedelta, longest: timedelta) -> timedelta:
    return min(first * float(2 ** min(max(strikes, 1) - 1, _DOUBLINGS)), longest)


def _pauses(reason: str, rates: Rates) -> tuple[timedelta, timedelta]:
    first = timedelta(seconds=rates.retry_seconds)
    return (max(first, _FIRST_LOG_IN_PAUSE), LOG_IN_PAUSE) if reason.startswith(_LOG_IN) else (first, RELAY_PAUSE)


def _drawn(lane: Lane, rates: Rates, now: datetime, wish: int) -> tuple[Lane, int, float | None]:
    """Return the lane with up to `wish` letters taken, how many were, and the seconds to wait where none were."""
    per_second, most = _flow(lane, rates)
    if per_second is None:
        return lane, wish, None
    at = now.timestamp()
    tokens = min(most, lane.tokens + max(0.0, at - lane.filled_at) * per_second)
    taken = max(0, min(wish, int(tokens + _EPSILON)))
    if not taken:
        return lane, 0, max(0.0, (1 - tokens) / per_second)
    return replace(lane, tokens=max(0.0, tokens - taken), filled_at=at), taken, None


def _flow(lane: Lane, rates: Rates) -> tuple[float | None, float]:
    """Return how many letters a second flow into a lane, None without a limit, and how many it holds at most.

    What it holds and what flows in within one second are together what the settings allow in a second.
    """
    asked = None if lane.per_hour is None else lane.per_hour / 3600
    limit = rates.per_second if lane.name == RELAY else None
    if limit is not None and (asked is None or limit <= asked):
        most = max(1.0, limit / 10)
        return (limit - most if most > 1 else limit), most
    return asked, max(1.0, (asked or 0.0) * 60)


def _is_shut(lane: Lane, now: datetime) -> bool:
    # A pause that is longer than any was begun before the clock was set back.
    return lane.shut_until is not None and now < lane.shut_until <= now + LOG_IN_PAUSE


def _is_broken(relay: Lane) -> bool:
    return relay.reason.startswith((_OUT_OF_REACH, _LOG_IN))


def _shut(relay: Lane, now: datetime) -> str:
    since = (relay.shut_since or now).astimezone(UTC)
    again = (relay.shut_until or now).astimezone(UTC)
    return (
        f"nothing leaves since {since:%Y-%m-%d %H:%M} UTC: {relay.reason}; "
        f"tried again at {again:%H:%M} UTC, or at once after `paperround deliveries resume`"
    )
