"""What a try means for its delivery (mail.md section 2, states and retries). Pure: values in, an outcome out.

accepted              it left
4yz                   deferred, later and later, until the letter is worth nothing: then rejected, we gave up
too fast              a 4yz that is said of our speed (verdicts.py): deferred, and the try does not count
relay not reached     deferred as well, and the try does not count; expired when the letter is worth nothing
5yz                   rejected
no answer             uncertain: taken up once more with the same bytes, or held for a person to decide
beyond the relay      skipped, with that reason: an address that it cannot carry
"""

from datetime import datetime, timedelta

from digests.mail.verdicts import asks_for_patience
from domain.deliveries import Acceptance, DeliveryState, Outcome
from domain.errors import BeyondTheRelay, DeliveryError, NotConnected, PermanentDeliveryError, UncertainDelivery

#: No pause between two tries is longer.
LONGEST_PAUSE = timedelta(hours=4)
_JITTER = 0.25  # the share of a pause that chance adds, so that tries do not come in waves
_DOUBLINGS = 30  # enough to reach any cap, and no number overflows


def settle(
    result: Acceptance | DeliveryError,
    *,
    now: datetime,
    attempts: int,
    uncertain_before: bool,
    expires_at: datetime,
    retry_seconds: float,
    uncertain_policy: str,
    jitter: float,
    since: datetime | None = None,
) -> Outcome:
    """Return the state that a delivery goes to after one try.

    `result` is what the transport returned or raised; `now` and `expires_at` are aware; `attempts` counts the tries
    before this one that counted; `uncertain_policy` is "resend" or "hold"; `jitter` is drawn from [0, 1); `since` is
    when it could leave first, for the words that say how long was tried.
    """
    if isinstance(result, BeyondTheRelay):  # mail.md item 9: the mailbox may be as good as any
        return Outcome(state=DeliveryState.SKIPPED, counts=False, reason=str(result))
    if isinstance(result, Acceptance):
        return Outcome(
            state=DeliveryState.ACCEPTED,
            reply=result.reply,
            code=result.code,
            enhanced=result.enhanced,
        )
    if isinstance(result, PermanentDeliveryError):
        return _failed(DeliveryState.REJECTED, result, reason=str(result))
    if isinstance(result, UncertainDelivery):
        again = now + pause(retry_seconds, attempts, jitter)
        resend = uncertain_policy == "resend" and not uncertain_before and again <= expires_at
        return _failed(DeliveryState.UNCERTAIN, result, not_before=again if resend else None)
    counts = not isinstance(result, NotConnected) and not asks_for_patience(result)
    again = now + (pause(retry_seconds, attempts, jitter) if counts else timedelta(seconds=retry_seconds))
    if again <= expires_at:
        return _failed(DeliveryState.DEFERRED, result, not_before=again, counts=counts)
    return _too_late(result, expires_at, counts=counts, tries=attempts + 1, tried=now - since if since else None)


def pause(retry_seconds: float, attempts: int, jitter: float) -> timedelta:
    """Return how long to wait after a try with `attempts` tries before it: doubled each time, at most LONGEST_PAUSE.

    Never shorter than `retry_seconds`, unless the cap is.
    """
    doubled = retry_seconds * 2 ** min(attempts, _DOUBLINGS)
    longest = LONGEST_PAUSE.total_seconds()
    # The cap leaves room for chance: the slowest are the ones that would otherwise come back all at once.
    return timedelta(seconds=min(doubled, longest / (1 + _JITTER)) * (1 + _JITTER * jitter))


def _too_late(
    last: DeliveryError, expires_at: datetime, *, counts: bool, tries: int, tried: timedelta | None
) -> Outcome:
    """Give up on a mailbox that never said yes; a letter that its mailbox did not refuse has only become too old."""
    if not counts:
        reason = f"the next try would come after {expires_at:%Y-%m-%d %H:%M} UTC, when it is too old; last: {last}"
        return _failed(DeliveryState.EXPIRED, last, counts=False, reason=reason)
    hours = round(tried / timedelta(hours=1)) if tried else 0
    many = "1 try" if tries == 1 else f"{tries} tries"
    over = {0: "", 1: " over 1 hour"}.get(hours, f" over {hours} hours")
    # The status that it was refused with is kept: by it the address is scored (mail.md item 28).
    return _failed(DeliveryState.REJECTED, last, reason=f"gave up after {many}{over}; last: {last}")


def _blames(state: DeliveryState, error: DeliveryError) -> bool:
    """Whether the relay said no to this recipient or letter; what it said of the sender harms no reader's score."""
    return state is DeliveryState.REJECTED and error.code is not None and error.phase != "mail"


def _failed(
    state: DeliveryState,
    error: DeliveryError,
    *,
    not_before: datetime | None = None,
    counts: bool = True,
    reason: str = "",
) -> Outcome:
    return Outcome(
        state=state,
        reply=str(error),
        code=error.code,
        enhanced=error.enhanced,
        not_before=not_before,
        counts=counts,
        reason=reason,
        blames=_blames(state, error),
    )
