"""What a relay's no, and an error of the socket, mean for a letter: the border where foreign errors become ours."""

import ssl
from typing import TypeVar

from digests.mail.wire import Reply, printable
from domain.deliveries import LOG_IN_CODES
from domain.errors import DeliveryError, NotConnected, PermanentDeliveryError, TransientDeliveryError

_E = TypeVar("_E", bound=DeliveryError)
_KINDS: dict[int, type[DeliveryError]] = {4: TransientDeliveryError, 5: PermanentDeliveryError}


def refused(reply: Reply, what: str, phase: str = "") -> DeliveryError:
    """Return what a refusal means; an answer that is neither 4yz nor 5yz may be another one the next time."""
    kind = NotConnected if reply.code in LOG_IN_CODES else _KINDS.get(reply.kind, TransientDeliveryError)
    return kind(f"{what}: {reply}", reply.code, reply.enhanced, phase=phase)


def wrapped(error: Exception, kind: type[_E], what: str) -> _E:
    """Return what any error of the wire, ssl or the socket means, as the kind of error that its phase makes of it."""
    match error:
        case ssl.SSLCertVerificationError():
            why = f"its certificate is not trusted: {getattr(error, 'verify_message', error)}"
        case ssl.SSLError():
            # `reason` is there only when OpenSSL gave one.
            why = f"TLS failed: {getattr(error, 'reason', None) or error}"
        case TimeoutError():
            why = "no answer in time"
        case OSError(strerror=str(reason)):
            why = reason
        case _:
            why = printable(str(error).encode("utf-8", "replace")) or type(error).__name__
    return kind(f"{what}: {why}")
