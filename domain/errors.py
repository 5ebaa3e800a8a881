"""One tree of errors; the type says what the future holds.

PaperroundError
├── UsageError                    the user's words are wrong: exit code 2, nothing was changed
│   ├── SettingsError             a setting is unknown, missing or not legal
│   ├── QueryError                a topic cannot be read; knows its column
│   ├── AddressError              not an address that mail can be sent to
│   ├── UnknownError              the thing named does not exist
│   └── ChangedMeanwhile          somebody else changed it since it was looked at
├── Interrupted                   asked to stop: the step was not done and will be done the next time
├── CollectError                  a listing could not be read; knows the status to report
│   ├── TransientCollectError     worth asking again
│   │   ├── Throttled             the host asks for patience; may know for how long
│   │   └── Unreachable           no answer, or the host's own failure; may know why none came
│   │       └── TooSlow           ended by us, at the time limit or when asked to stop: not asked again at once
│   └── PermanentCollectError     asking again will not help
│       ├── Blocked               an answer, but not the page: a bot check, a login, a refusal
│       ├── LayoutChanged         the page is there but cannot be trusted
│       ├── NotThere              the site has no such page (404, 410)
│       └── RefusedAnswer         too large, or led somewhere we do not go
├── StorageError                  exit code 3, nothing was changed
│   ├── DatabaseBusy              another process holds the database; later works (transient)
│   ├── DatabaseUnavailable       read-only, missing, damaged, or the disk is full
│   │   └── DatabaseMissing       nobody has made it yet, and we were not to
│   ├── DatabaseTooNew            written by a later version of Paperround
│   └── DatabaseTooOld            written by an earlier version; the operator migrates it
├── ModelUnusable                 the sentence model cannot be used: everything goes on by words
├── MailboxError                  the mailbox of bounces could not be read; the next round tries again
├── WebhookError                  what came to a webhook was not taken
│   ├── ForgedWebhook             not proven to come from the provider
│   ├── UnreadableWebhook         not what that provider sends
│   └── UnprovenWebhook           the proof could not be looked up just now: worth sending again
└── DeliveryError                 a message did not (surely) leave
    ├── TransientDeliveryError    4yz: try this recipient later
    │   └── NotConnected          never reached the relay: costs no attempt
    ├── PermanentDeliveryError    5yz: this recipient will not be served
    │   └── BeyondTheRelay        not asked: only a relay with SMTPUTF8 can carry its address
    └── UncertainDelivery         no answer after the final dot: it may have left
"""

from datetime import timedelta

from domain.papers import FetchStatus


class PaperroundError(Exception):
    """Anything that Paperround itself reports; its text is one clear sentence."""


class UsageError(PaperroundError):
    """The user's words are wrong; nothing was changed."""


class SettingsError(UsageError):
    """A setting is unknown, missing or not legal."""


class QueryError(UsageError):
    """A topic's query cannot be read."""

    def __init__(self, reason: str, column: int, suggestion: str = "") -> None:
        meant = f"; perhaps {suggestion}" if suggestion else ""
        super().__init__(f"{reason} (column {column}){meant}")
        #: A query that can be read and may be what was meant; "" where none is obvious.
        self.suggestion = suggestion
        #: The reason without the column.
        self.reason = reason
        #: Where, counted from 1 in characters of the query as typed.
        self.column = column


class AddressError(UsageError):
    """Not an address that mail can be sent to."""


class UnknownError(UsageError):
    """The paper, reader, topic, issue or source that was named does not exist."""


class ChangedMeanwhile(UsageError):
    """Somebody else, or another tab, changed it since it was looked at; nothing was changed now."""


class Interrupted(PaperroundError):
    """Asked to stop: the step was not done and will be done the next time."""


class CollectError(PaperroundError):
    """A listing could not be read."""

    #: What the report says of the source.
    status = FetchStatus.FAILED


class TransientCollectError(CollectError):
    """Worth asking again."""


class Throttled(TransientCollectError):
    """The host asks for patience."""

    status = FetchStatus.THROTTLED

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        #: How long the host asks us to wait; None if it did not say.
        self.retry_after = retry_after


class Unreachable(TransientCollectError):
    """No answer, or the host's own failure."""

    def __init__(self, reason: str, silence: str = "") -> None:
        super().__init__(reason)
        #: Why no answer came, such as "Connection refused"; "" where one did.
        self.silence = silence


class TooSlow(Unreachable):
    """We ended the request, at its time limit or when asked to stop; asking again at once would cost as much."""


class PermanentCollectError(CollectError):
    """Asking again will not help."""


class Blocked(PermanentCollectError):
    """An answer came, but not the page: a bot check, a login or a refusal."""

    status = FetchStatus.BLOCKED


class LayoutChanged(PermanentCollectError):
    """The page is there but cannot be trusted; nothing of it is kept."""

    status = FetchStatus.LAYOUT_CHANGED


class NotThere(PermanentCollectError):
    """The site has no such page (404, 410)."""


class RefusedAnswer(PermanentCollectError):
    """The answer is too large or leads somewhere we do not go."""


class StorageError(PaperroundError):
    """The database could not do it; nothing was changed."""


class DatabaseBusy(StorageError):
    """Another process holds the database; later works."""


class DatabaseUnavailable(StorageError):
    """Read-only, missing, damaged, or the disk is full."""


class DatabaseMissing(DatabaseUnavailable):
    """There is no archive there yet, and whoever asked only wanted to look."""


class DatabaseTooNew(StorageError):
    """Written by a later version of Paperround."""


class DatabaseTooOld(StorageError):
    """Written by an earlier version of Paperround; the operator says when it is migrated."""


class ModelUnusable(PaperroundError):
    """A sentence model is missing, damaged or another than it was; whoever asks for it goes on by words."""


class MailboxError(PaperroundError):
    """The mailbox that bounces come back to could not be read; the next round tries again."""


class WebhookError(PaperroundError):
    """What came to a webhook was not taken."""


class ForgedWebhook(WebhookError):
    """Not proven to come from the provider: a wrong signature, another key, too old, or used before."""


class UnreadableWebhook(WebhookError):
    """Not of the form that the provider documents."""


class UnprovenWebhook(WebhookError):
    """What proves it could not be looked up just now; the provider should send it again."""


class DeliveryError(PaperroundError):
    """A message did not (surely) leave."""

    def __init__(self, reason: str, code: int | None = None, enhanced: str | None = None, *, phase: str = "") -> None:
        super().__init__(reason)
        #: The SMTP reply code, such as 451; None if none was given.
        self.code = code
        #: The enhanced status (RFC 3463), such as "4.7.1"; None if none was given.
        self.enhanced = enhanced
        #: What was being said: "mail", "rcpt", "data" or "dot"; "" where nobody noted it. At "mail" it is said of us.
        self.phase = phase


class TransientDeliveryError(DeliveryError):
    """4yz: try this recipient later."""


class NotConnected(TransientDeliveryError):
    """Connect, TLS, EHLO or AUTH failed: nothing was said of this recipient, no attempt is spent."""


class PermanentDeliveryError(DeliveryError):
    """5yz: this recipient will not be served."""


class BeyondTheRelay(PermanentDeliveryError):
    """Only a relay that knows SMTPUTF8 can carry this address, and this one does not: nobody was asked or refused."""


class UncertainDelivery(DeliveryError):
    """No answer came after the final dot: the message may have left."""
