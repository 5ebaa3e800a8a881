"""Mail that a machine wrote although it is no report: vacation notes, receipts. Never a bounce (mail.md item 17)."""

from digests.mail.bounces.opening import Mail, value

_BULK = ("bulk", "junk", "auto_reply")
_MARKS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-AutoReply-From", "X-Mail-Autoreply")
_RECEIPT = "disposition-notification"


def is_automatic(message: Mail) -> bool:
    """Whether a message says of itself that nobody wrote it (RFC 3834 section 5, and what was there before it)."""
    submitted = value(message, "Auto-Submitted").lower().partition(";")[0].split()
    if submitted and submitted[0] != "no":
        return True
    if value(message, "Precedence").lower() in _BULK or any(value(message, mark) for mark in _MARKS):
        return True
    return _RECEIPT in value(message, "Content-Type").lower()
