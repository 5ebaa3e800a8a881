"""Bounces without a machine-readable part: flufl.bounce reads their words. A guess, worth something only with a proof.

Asked only of what a mail system sent, so that no reader's own words, and no vacation note, become a bounce.
"""

import logging

from flufl.bounce import all_failures

from digests.mail.bounces.opening import Mail, opened, short_lines, value, words
from domain.letter_events import LetterEventKind

_READ = 32 * 1024  # octets; it looks at each line some sixty times
_SYSTEMS = ("mailer-daemon", "mailerdaemon", "postmaster", "mail-daemon", "mdaemon")

# It tells of every detector that it runs, and of the faults of each with a traceback.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)


def is_of_a_mail_system(message: Mail) -> bool:
    """Whether a mail system sent it: its name says so, or Exim's header does."""
    if value(message, "X-Failed-Recipients"):
        return True
    name, _, address = value(message, "From").rpartition("<")
    sender = (words(address) or words(name) or [""])[0]
    return sender.lower().partition("@")[0] in _SYSTEMS


def kind_of(raw: bytes) -> LetterEventKind | None:
    """Return what a message from a mail system seems to tell: BOUNCE or DELAYED; None where it seems to tell neither.

    Whose addresses it names is of no interest: they are often others than the one we wrote to.
    """
    message = opened(short_lines(raw, _READ))
    if message is None:
        return None
    try:
        for_now, for_good = all_failures(message)
    except Exception:  # noqa: BLE001 sixty patterns over hostile text: whatever one of them trips over, nothing was heard
        return None
    if for_good:
        return LetterEventKind.BOUNCE
    return LetterEventKind.DELAYED if for_now else None
