"""Complaints in the Abuse Reporting Format, RFC 5965: what a mailbox provider sends when a reader presses "spam"."""

import re
from dataclasses import dataclass

from digests.mail.bounces.fields import Group, first, groups
from digests.mail.bounces.opening import FEEDBACK_REPORT, Mail, body, parts
from digests.mail.bounces.returned import Returned, returned_in

_REQUIRED = ("feedback-type", "user-agent", "version")  # each exactly once: RFC 5965 section 3.1
_VERSION = re.compile(r"\d{1,3}(\.\d{1,3})?", re.ASCII)
# "opt-out" is of the drafts before the RFC and still sent; types that are not known are none (section 7.3).
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """A whole report."""

    type: str  #: in lower case: abuse, fraud, virus, not-spam, auth-failure, …
    returned: Returned
    machine: bytes  #: the machine-readable part: equal for copies of one report
    envelope: str = ""  #: Original-Mail-From

    @property
    def is_complaint(self) -> bool:
        """Whether a reader complained; a virus, a failed signature and "not spam" are told in the same form."""
        return self.type in _COMPLAINTS


def read(message: Mail) -> FeedbackReport | None:
    """Return the report that a message is; None for one that is none, or lacks what the format requires."""
    for part in parts(message):
        if part.get_content_type() == FEEDBACK_REPORT:
            machine = body(part)
            fields = next(iter(groups(machine, 1)), {})
            return _read(fields, returned_in(message), machine)
    return None


def _read(fields: Group, returned: Returned, machine: bytes) -> FeedbackReport | None:
    is_whole = all(len(fields.get(name, ())) == 1 for name in _REQUIRED)
    if not is_whole or not _VERSION.fullmatch(first(fields, "version")):
        return None
    kind = first(fields, "feedback-type").lower()
    return FeedbackReport(kind, returned, machine, first(fields, "original-mail-from")) if kind else None
