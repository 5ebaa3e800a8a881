"""Whom an answer is about: the one mailbox, the keeper of many, the relay, or us. Pure: an answer in, a note out.

    never reached                       the relay; its log-in apart, because accounts get locked
    421, 4.7.x, "too many", "rate"      the keeper of the mailbox; the relay if it was said before a recipient was
    4.2.x, 4.1.x, greylisting           one mailbox: nobody else is slowed
    any other answer                    one letter; it proves that the relay is there
    no clear answer                     nobody: nothing was learnt

Codes decide where there are any (RFC 3463 section 3, RFC 5321 section 4.2.1); words only of the sentences that are
known to be said of our speed. What is not known slows nobody.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.deliveries import LOG_IN_CODES, Acceptance
from domain.errors import DeliveryError, NotConnected, PermanentDeliveryError, TransientDeliveryError

_LOG_IN_STATUS = re.compile(r"[45]\.7\.(?:8|9|11)")  # RFC 4954 section 6
_TEMPORARY_LOG_IN = 454  # RFC 4954 section 6; Amazon SES says it of its rate, to any command
_CLOSING = 421
_ONE_MAILBOX = ("4.1.", "4.2.")
_POLICY = "4.7."
# A mailbox that gets more than its keeper likes, whoever writes; and the pause that greylisting asks of one letter.
_ONE_LETTER = re.compile(r"gr[ae]y-?list|\b(?:user|mailbox|recipient)\b.{0,80}\breceiving\b", re.IGNORECASE)
_TOO_FAST = re.compile(
    r"\btoo (?:many|fast|much mail)\b|\brate\b|\bratelimit|throttl|\bslow(?:er| down)\b", re.IGNORECASE
)
_OUR_ACCOUNT = re.compile(
    r"\b(?:maximum|daily|hourly) (?:send|message|sending)\b|\bsending (?:rate|quota)", re.IGNORECASE
)
# What differs between two refusals that mean the same: addresses, and the numbers of a conversation or a letter.
_STATUS = re.compile(r"5\.\d{1,3}\.\d{1,3}")
_ADDRESS = re.compile(r"\S+@\S+")
_OWN_WORDS = re.compile(r"\S+@\S+|\S*\d\S*")
_LONGEST = 300  # characters of a sentence that are kept


class Verdict(StrEnum):
    """What one try says of the lanes."""

    TAKEN = "taken"
    ANSWERED = "answered"  # refused, but by a relay that is there
    KEEPER_SLOWER = "keeper slower"
    RELAY_SLOWER = "relay slower"
    NOT_REACHED = "not reached"
    NOT_LOGGED_IN = "not logged in"
    SILENT = "silent"  # it may have left, or was never offered: nothing is learnt of anybody


@dataclass(frozen=True, slots=True)
class Note:
    """How one try ended, as far as the lanes care."""

    keeper: str
    verdict: Verdict
    at: datetime
    sentence: str = ""  #: what was said
    #: Equal for equal refusals for good: the enhanced status, such as "5.7.1", else the code and a hash of the words
    #: without addresses and numbers; "" for any other end.
    refusal: str = ""
    words: str = ""  #: those of such a refusal, code first, without addresses
    recipient: str = ""  #: a short hash of whom a refusal named; "" where it named nobody
    may_have_left: bool = False  #: whether it counts against an hourly limit


def heard(keeper: str, result: Acceptance | DeliveryError, at: datetime) -> Note:
    """Return the note of one try: `result` is what the transport returned or raised, `at` the instant after it."""
    refusal, words, recipient = _refusal(result) if isinstance(result, PermanentDeliveryError) else ("", "", "")
    return Note(
        keeper=keeper,
        verdict=verdict(result),
        at=at,
        sentence="" if isinstance(result, Acceptance) else _sentence(result),
        refusal=refusal,
        words=words,
        recipient=recipient,
        may_have_left=not isinstance(result, TransientDeliveryError | PermanentDeliveryError),
    )


def _sentence(error: DeliveryError) -> str:
    """Return what was said without whom it was said of: it is kept for as long as a lane is slow, and told of."""
    said = str(error)
    if error.code is not None and (told := said.partition(f"{error.code} ")[2]):
        said = f"{error.code} {told}"
    return re.sub(r"[^\s<>]+@[^\s<>]+", "…", said[: 2 * _LONGEST])[:_LONGEST]


def verdict(result: Acceptance | DeliveryError) -> Verdict:
    """Return whom an answer is about."""
    if isinstance(result, Acceptance):
        return Verdict.TAKEN
    if isinstance(result, NotConnected):
        of_log_in = result.code in LOG_IN_CODES or _LOG_IN_STATUS.fullmatch(result.enhanced or "")
        return Verdict.NOT_LOGGED_IN if of_log_in else Verdict.NOT_REACHED
    if result.code is None or not isinstance(result, TransientDeliveryError | PermanentDeliveryError):
        return Verdict.SILENT
    return _of_refusal(result, result.code) if isinstance(result, TransientDeliveryError) else Verdict.ANSWERED


def asks_for_patience(error: DeliveryError) -> bool:
    """Whether a refusal is about our speed and not about the mailbox."""
    return verdict(error) in {Verdict.KEEPER_SLOWER, Verdict.RELAY_SLOWER}


def _refusal(error: PermanentDeliveryError) -> tuple[str, str, str]:
    """Return what a refusal for good has in common with its like, its words, and whom it is of; see Note."""
    if error.code is None:
        return "", "", ""  # it is ours: the relay was never asked
    whom, _, said = str(error).partition(f"{error.code} ")
    said = said[:_LONGEST]
    status = error.enhanced or ""
    common = (
        status
        if _STATUS.fullmatch(status)
        else f"{error.code}-{_hash(' '.join(_OWN_WORDS.sub('', said).lower().split()))}"
    )
    return common, f"{error.code} {_ADDRESS.sub('…', said)}".rstrip(), _hash(whom) if error.phase == "rcpt" else ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _of_refusal(error: TransientDeliveryError, code: int) -> Verdict:
    # An address stands before the code, and whoever signed up with it chose its words.
    said = str(error).partition(f"{code} ")[2][:_LONGEST]
    status = error.enhanced or ""
    if status.startswith(_ONE_MAILBOX) or _ONE_LETTER.search(said):
        return Verdict.ANSWERED
    if code == _TEMPORARY_LOG_IN or _OUR_ACCOUNT.search(said):
        return Verdict.RELAY_SLOWER
    if code == _CLOSING or status.startswith(_POLICY) or _TOO_FAST.search(said):
        return Verdict.RELAY_SLOWER if error.phase == "mail" else Verdict.KEEPER_SLOWER
    return Verdict.ANSWERED
