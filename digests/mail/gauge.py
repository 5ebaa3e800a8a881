"""How many readers called a letter spam: fine, worth a warning, or reason to stop. Pure (mail.md item 23).

Gmail and Yahoo ask all senders to stay under 0.1 % and never to reach 0.3 %. From there on whatever is sent harms every
letter that follows, those to readers who want them too.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

#: How far back one looks.
WINDOW = timedelta(days=7)
_WARN, _STOP = 1, 3  # thousandths of the letters
_FEWEST = 5  # complaints; in a small installation one angry reader is more than 0.3 %
_REFUSED_WARN, _REFUSED_FEWEST = 10, 5  # thousandths of the letters that were refused for what they are, and how many


class Verdict(StrEnum):
    """What to do."""

    FINE = "fine"
    WARN = "warn"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the gauge shows."""

    verdict: Verdict
    sentence: str  #: the numbers in words


def judge(accepted: int, complaints: int, refused: int = 0) -> Reading:
    """Return what the numbers of the last seven days mean.

    `accepted` letters were taken by a relay, `complaints` readers called one spam, to `refused` readers letters were
    turned away as spam or by policy (5.7.x); these only warn, for they are said of us by machines.
    """
    letters = max(accepted, 1)
    sentence = f"{complaints} of {accepted} letters in seven days were called spam ({_percent(complaints, letters)})"
    verdict = Verdict.FINE
    if complaints >= _FEWEST and 1000 * complaints >= _STOP * letters:
        verdict = Verdict.STOP
    elif complaints and 1000 * complaints >= _WARN * letters:
        verdict = Verdict.WARN
    if refused >= _REFUSED_FEWEST and 1000 * refused >= _REFUSED_WARN * letters:
        sentence += f"; {refused} were refused as spam or by policy ({_percent(refused, letters)})"
        verdict = Verdict.WARN if verdict is Verdict.FINE else verdict
    return Reading(verdict, sentence)


def _percent(number: int, letters: int) -> str:
    return f"{100 * number / letters:.2f} %"
