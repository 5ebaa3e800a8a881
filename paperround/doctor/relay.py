"""The relay: a whole conversation up to the sender, and not one word of a letter.

    connect → greeting → TLS and its certificate → log-in → what the relay can do → may we send as this sender?

No recipient is named, so nobody can be mailed. The session is the one that real letters leave by.
"""

import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from digests.mail.asking import Asking
from digests.mail.smtp import Relay
from domain.deliveries import LOG_IN_CODES
from domain.errors import DeliveryError, NotConnected, TransientDeliveryError
from paperround.doctor.finding import Finding, ok, shown, unknown, wrong
from paperround.doctor.providers import is_here
from paperround.doctor.reach import unreached
from paperround.doctor.visit import Visit

_SOON = timedelta(days=14)
_LARGEST = 256 * 1024  # bytes that the largest letters stay below
_PORTS = "587 with starttls, 465 with implicit"


def check(visit: Visit) -> Iterator[Finding]:
    """Talk to the relay; the first thing that fails ends it."""
    relay = visit.relay
    if visit.is_offline:
        yield unknown(f"whether {relay.where} takes our letters: --offline")
        return
    try:
        session = Asking(relay, visit.timeouts, visit.context)
    except NotConnected as error:
        yield refused(error, relay)
        return
    try:
        yield ok(f"{relay.where} greets us{_protected(relay)}{_known(relay)}")
        if session.certificate_ends is not None:
            yield lasting(session.certificate_ends, visit.clock.now(), relay.host)
        yield from able(session.offers.keywords, relay)
        yield _as_sender(session, visit.envelope_sender, relay)
    finally:
        session.quit()


def refused(error: NotConnected, relay: Relay) -> Finding:
    """Judge why there is no session."""
    return next(_refusals(error, relay))


def _refusals(error: NotConnected, relay: Relay) -> Iterator[Finding]:
    # The first is what is said; each rests on the ones before it.
    cause = error.__cause__
    said = shown(str(error))
    if error.code in LOG_IN_CODES:
        yield wrong(
            f"{relay.where} does not take our log-in: {said}",
            "check [mail] user and password; many providers ask for a password made for programs (an “app password”)",
        )
    if isinstance(cause, OSError | ValueError) and error.code is None:
        why = unreached(cause)
        if why.is_offline:
            yield unknown(f"{relay.where} could not be reached: {why.reason}")
        if why.is_certificate:
            yield wrong(f"{relay.where} cannot be trusted: {why.reason}", _about_certificate(cause, relay))
        if isinstance(cause, ssl.SSLError):
            yield wrong(f"{relay.where}: {why.reason}", f"check [mail] port and tls: the usual pairs are {_PORTS}")
        yield wrong(f"{relay.where}: {why.reason}", _about_silence(cause, relay))
    if "STARTTLS" in str(error):
        yield wrong(said, f'check [mail] port and tls: the usual pairs are {_PORTS}; "none" is for this machine alone')
    if "log in" in str(error) or "password is not sent" in str(error):
        yield wrong(said, "leave out [mail] user and password if this relay asks nobody; else check port and tls")
    yield wrong(
        f"{relay.where} does not want to talk to us: {said}",
        "ask whoever runs it whether this machine may send through it",
    )


def lasting(expires_at: datetime, now: datetime, host: str) -> Finding:
    """Judge how long a certificate still holds."""
    day = f"{expires_at:%Y-%m-%d}"
    if expires_at - now < _SOON:
        return ok(
            f"the certificate of {host} is good, but only until {day}: letters stop that day unless it is renewed",
            "tell whoever runs the relay; a certificate that renews itself does so about now",
        )
    return ok(f"the certificate of {host} is good until {day}")


def able(offers: Mapping[str, str], relay: Relay) -> Iterator[Finding]:
    """Judge what a relay says that it can do: keywords in upper case, each with its parameters."""
    size = offers.get("SIZE", "").strip()
    limit = int(size) if size.isascii() and size.isdigit() and len(size) < 20 else 0  # 0: none (RFC 1870 section 4)
    if 0 < limit < _LARGEST:
        yield wrong(
            f"{relay.host} takes letters of at most {limit:,} bytes, and a full digest is larger",
            f"ask for a limit of {_LARGEST:,} bytes or more, or set [digest] papers lower",
        )
    if "AUTH" in offers and not relay.user and not is_here(relay.host):
        yield ok(
            f"{relay.host} offers a log-in, and we use none",
            "if it refuses the sender or the recipients, set [mail] user and password_file",
        )
    lacks = [
        what
        for name, what in (
            ("SMTPUTF8", "addresses such as josé@… (SMTPUTF8): such readers are skipped"),
            ("PIPELINING", "several commands at once (PIPELINING): letters leave more slowly"),
        )
        if name not in offers
    ]
    yield ok(f"{relay.host} does not know {' nor '.join(lacks)}" if lacks else f"{relay.host} can do all we use")


def _as_sender(session: Asking, sender: str, relay: Relay) -> Finding:
    try:
        session.may_send(sender)
    except NotConnected as error:
        return wrong(
            f"{relay.host} wants a log-in before it takes letters: {shown(str(error))}",
            "set [mail] user and password_file",
        )
    except TransientDeliveryError as error:
        return unknown(f"whether {relay.host} takes letters from {sender}: {shown(str(error))}", "ask again later")
    except DeliveryError as error:
        return wrong(
            f"{relay.host} takes no letters from {sender}: {shown(str(error))}",
            "let the relay's keeper allow that address, or set [mail] from to one that you may use there",
        )
    return ok(f"{relay.host} takes letters from {sender}")


def _protected(relay: Relay) -> str:
    return ", without encryption" if relay.tls == "none" else " over an encrypted connection"


def _known(relay: Relay) -> str:
    return f" and knows us as {relay.user}" if relay.user else ""


def _about_certificate(cause: BaseException, relay: Relay) -> str:
    code = getattr(cause, "verify_code", 0)
    if code in {62, 64}:
        return f"write in [mail] host the name that the certificate is for, not another name or address of {relay.host}"
    if code in {9, 10}:
        return "the relay's keeper must renew it; see also the clock of this machine above"
    return "the relay's keeper must get one of a public authority, or this machine must be told to trust theirs"


def _about_silence(cause: BaseException, relay: Relay) -> str:
    if isinstance(cause, TimeoutError):
        return (
            f"is [mail] port {relay.number} right? Many networks and clouds let nobody out on port 25: use {_PORTS}. "
            "If it connects but is silent, its keeper must look"
        )
    if is_here(relay.host):
        return f"no mail server runs on this machine at port {relay.number}: set [mail] host to your provider's relay"
    return "check [mail] host and port with whoever runs the relay"
