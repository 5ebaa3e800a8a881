"""One conversation with a relay, by phases, so that the caller knows at every moment what may have left.

    open   connect → greeting → EHLO → TLS → EHLO → AUTH    any failure: NotConnected
    mail · recipient · body                                 any failure: surely not sent
    dot                                                     no clear answer: UncertainDelivery

TLS is what the settings say, and never less. A session in which anything went wrong other than a clear refusal is
closed and never used again, so that a late answer cannot be counted for another message.
"""

import base64
import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from digests.addresses import Address, address
from digests.mail.wire import Reply, Wire, dial, printable
from domain.deliveries import Acceptance, Message
from domain.errors import (
    AddressError,
    DeliveryError,
    NotConnected,
    PermanentDeliveryError,
    TransientDeliveryError,
    UncertainDelivery,
)

_PORTS = {"starttls": 587, "implicit": 465, "none": 25}
_OURS = frozenset({530, 534, 535, 538})  # RFC 4954 section 6: said of our log-in, not of the recipient
_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870 section 4
_E = TypeVar("_E", bound=DeliveryError)


@dataclass(frozen=True, slots=True)
class Relay:
    """Whom to talk to, and how."""

    host: str
    port: int | None = None  #: None: 587 for starttls, 465 for implicit, 25 for none
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    ehlo_name: str = ""  #: "" for the address of our end, as RFC 5321 section 4.1.3 writes it

    @property
    def where(self) -> str:
        """Return "host:port", for messages."""
        return f"{self.host}:{self.number}"

    @property
    def number(self) -> int:
        """The port, set or usual."""
        return self.port or _PORTS[self.tls]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How many seconds to wait (RFC 5321 section 4.5.3.2)."""

    connect: float = 30
    command: float = 300  #: for each reply, and for the body to be taken
    dot: float = 600  #: for the reply to the final dot: a shorter wait makes copies


@dataclass(frozen=True, slots=True)
class Envelope:
    """The addresses as they go on the wire."""

    sender: str
    recipient: str
    needs_smtputf8: bool

    @classmethod
    def of(cls, message: Message) -> "Envelope":
        """Return the envelope of a message; raises PermanentDeliveryError for an address that is none."""
        try:
            # RFC 5321 section 4.5.5: an empty sender is legal, nobody is told of a bounce.
            sender = address(message.sender) if message.sender else Address("", "", needs_smtputf8=False)
            recipient = address(message.recipient)
        except AddressError as error:
            raise PermanentDeliveryError(str(error)) from error
        # What an address may hold, blanks, brackets and controls excluded, can stand in a command as it is.
        wire = [each.ascii if each.ascii is not None else each.display for each in (sender, recipient)]
        return cls(wire[0], wire[1], needs_smtputf8=sender.needs_smtputf8 or recipient.needs_smtputf8)


class Session:
    """One open connection; closes itself when its state is no longer sure. Belongs to one thread."""

    def __init__(self, relay: Relay, timeouts: Timeouts, context: ssl.SSLContext) -> None:
        """Connect, greet, encrypt and log in; raises NotConnected."""
        self._relay = relay
        self._timeouts = timeouts
        self._context = context
        try:
            first = context if relay.tls == "implicit" else None
            sock = dial(relay.host, relay.number, patience=timeouts.connect, context=first)
            self._wire = Wire(sock, relay.ehlo_name, timeouts.command)
        except (OSError, ValueError) as error:  # ValueError: a host name that no resolver can be asked for
            raise wrapped(error, NotConnected, f"{relay.where} could not be reached") from error
        try:
            self._open()
        except (OSError, ValueError) as error:
            self._wire.close()
            raise wrapped(error, NotConnected, f"the conversation with {relay.where} failed") from error
        except BaseException:
            self._wire.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether it can take another message."""
        return self._wire.sock is not None

    def mail(self, envelope: Envelope, data: bytes) -> None:
        """Name the sender; refuses by itself what this relay cannot take. Raises Transient-, PermanentDeliveryError."""
        wire = self._wire
        _fits(data)
        line = f"MAIL FROM:<{envelope.sender}>"
        if wire.has_extn("size"):
            limit = wire.esmtp_features["size"]
            if _SIZE.fullmatch(limit) and 0 < int(limit) < len(data):
                raise PermanentDeliveryError(
                    f"the letter has {len(data):,} bytes, {self._relay.host} takes {int(limit):,}"
                )
            line += f" SIZE={len(data)}"
        if envelope.needs_smtputf8:
            if not wire.has_extn("smtputf8"):
                raise PermanentDeliveryError(
                    f"{envelope.recipient} needs a relay that knows SMTPUTF8, and {self._relay.host} does not"
                )
            line += " SMTPUTF8"
        if not data.isascii():
            if not wire.has_extn("8bitmime"):
                raise PermanentDeliveryError(f"the letter is not ASCII, and {self._relay.host} takes nothing else")
            line += " BODY=8BITMIME"
        reply = self._ask(line, "MAIL")
        if reply.kind != 2:
            raise self._refusal(reply, "the sender")

    def recipient(self, envelope: Envelope) -> None:
        """Name the recipient; a refusal ends this message only. Raises Transient-, PermanentDeliveryError."""
        reply = self._ask(f"RCPT TO:<{envelope.recipient}>", "RCPT")
        if reply.kind != 2:
            raise self._refusal(reply, envelope.recipient, reset=True)

    def body(self, data: bytes) -> None:
        """Send everything but the final dot. Raises Transient-, PermanentDeliveryError."""
        reply = self._ask("DATA", "DATA")
        if reply.code != 354:
            raise self._refusal(reply, "the letter", reset=True)
        try:
            self._wire.pour(_stuffed(data))
        except OSError as error:
            raise self._lost(error, "the body") from error
        except BaseException:
            self.close()
            raise

    def dot(self) -> Acceptance:
        """Send the dot and return what the relay answered.

        Raises Transient- or PermanentDeliveryError for a clear refusal and UncertainDelivery for anything else.
        """
        try:
            reply = self._wire.ask(b".\r\n", self._timeouts.dot)
        except OSError as error:
            self.close()
            raise wrapped(error, UncertainDelivery, f"no answer to the letter from {self._relay.where}") from error
        except BaseException:
            self.close()
            raise
        if reply.kind == 2:
            return Acceptance(reply=str(reply), code=reply.code, enhanced=reply.enhanced)
        if reply.kind not in {4, 5}:
            self.close()
            raise UncertainDelivery(f"{self._relay.where} answered the letter with {reply}", reply.code)
        raise self._refusal(reply, "the letter")

    def quit(self) -> None:
        """Say goodbye, wait a moment for the answer, and close; never raises."""
        if self.is_open:
            with suppress(OSError):
                self._wire.ask(b"QUIT\r\n", min(self._timeouts.command, 2))
        self.close()

    def close(self) -> None:
        """Close at once, without a word."""
        self._wire.close()

    def _open(self) -> None:
        relay, wire = self._relay, self._wire
        greeting = wire.hear()
        if greeting.kind != 2:
            raise self._not_connected("greeted us with", greeting)
        self._hello()
        if relay.tls == "starttls":
            if not wire.has_extn("starttls"):
                raise NotConnected(f"{relay.where} does not offer STARTTLS, and nothing is sent without it")
            reply = wire.ask(b"STARTTLS\r\n")
            if reply.code != 220:
                raise self._not_connected("refused STARTTLS:", reply)
            wire.encrypt(self._context, relay.host, self._timeouts.connect)
            self._hello()  # RFC 3207 section 4.2: what was said in clear text is forgotten
        if relay.user:
            self._log_in()

    def _hello(self) -> None:
        code, answer = self._wire.ehlo()
        # RFC 5321 section 3.2: an old relay that knows HELO only can do neither TLS nor AUTH.
        if code in {500, 502} and self._relay.tls == "none" and not self._relay.user:
            code, answer = self._wire.helo()
        if code // 100 != 2:
            raise self._not_connected("refused our greeting:", Reply(code, printable(answer)))

    def _log_in(self) -> None:
        wire, relay = self._wire, self._relay
        if relay.tls == "none" and not wire.is_loopback:
            raise NotConnected(f"the password is not sent to {relay.where} without TLS; set mail.tls")
        offered = wire.esmtp_features.get("auth", "").upper().split()
        user, password = relay.user.encode(), relay.password.encode()
        if "PLAIN" in offered:  # RFC 4616
            lines = [b"AUTH PLAIN " + base64.b64encode(b"\0" + user + b"\0" + password)]
        elif "LOGIN" in offered:
            lines = [b"AUTH LOGIN", base64.b64encode(user), base64.b64encode(password)]
        else:
            raise NotConnected(f"{relay.where} does not offer to log in by PLAIN or LOGIN")
        for line in lines:
            reply = wire.ask(line + b"\r\n")
            if reply.code != 334:
                break
        if reply.kind != 2:
            raise self._not_connected(f"refused the log-in of {relay.user!r}:", reply)

    def _not_connected(self, did: str, reply: Reply) -> NotConnected:
        return NotConnected(f"{self._relay.where} {did} {reply}", reply.code, reply.enhanced)

    def _ask(self, line: str, phase: str) -> Reply:
        try:
            return self._wire.ask(line.encode() + b"\r\n")
        except OSError as error:
            raise self._lost(error, phase) from error
        except BaseException:
            self.close()
            raise

    def _lost(self, error: OSError, phase: str) -> TransientDeliveryError:
        self.close()
        return wrapped(error, TransientDeliveryError, f"{self._relay.where} was lost at {phase}")

    def _refusal(self, reply: Reply, what: str, *, reset: bool = False) -> DeliveryError:
        """Return what a refusal means; the session goes on unless the relay ended it or made no sense."""
        kinds: dict[int, type[DeliveryError]] = {4: TransientDeliveryError, 5: PermanentDeliveryError}
        kind = NotConnected if reply.code in _OURS else kinds.get(reply.kind, TransientDeliveryError)
        if reply.code == 421 or reply.code in _OURS or reply.kind not in kinds:
            self.close()
        elif reset:
            with suppress(DeliveryError):  # the refusal is the news; a session that cannot be reset is closed by now
                if self._ask("RSET", "RSET").kind != 2:
                    self.close()
        return kind(f"{self._relay.host} refused {what}: {reply}", reply.code, reply.enhanced)


def wrapped(error: Exception, kind: type[_E], what: str) -> _E:
    """Return what any error of smtplib, ssl or the socket means, as the kind of error that its phase makes of it."""
    match error:
        case ssl.SSLCertVerificationError():
            why = f"its certificate is not trusted: {getattr(error, 'verify_message', error)}"
        case ssl.SSLError():
            # `reason` is there only when OpenSSL gave one.
            why = f"TLS failed: {getattr(error, 'reason', None) or error}"
        case TimeoutError():
            why = "no answer in time"
        case smtplib.SMTPResponseException():
            said = error.smtp_error
            reply = Reply(error.smtp_code, printable(said if isinstance(said, bytes) else str(said).encode()))
            return kind(f"{what}: {reply}", reply.code, reply.enhanced)
        case OSError(strerror=str(reason)):
            why = reason
        case _:
            why = printable(str(error).encode("utf-8", "replace")) or type(error).__name__
    return kind(f"{what}: {why}")


def _fits(data: bytes) -> None:
    """Refuse what is no message: a line end of another kind would let text inside a letter pass for the dot."""
    ends = data.count(b"\r\n")
    if data.count(b"\r") != ends or data.count(b"\n") != ends or b"\0" in data:
        raise PermanentDeliveryError("the letter holds a bare CR or LF or a NUL (RFC 5321 section 2.3.8)")


def _stuffed(data: bytes) -> bytes:
    """Return the message as it goes behind DATA (RFC 5321 section 4.5.2), without the final dot."""
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed if not stuffed or stuffed.endswith(b"\r\n") else stuffed + b"\r\n"
