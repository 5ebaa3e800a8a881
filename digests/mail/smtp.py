"""One conversation with a relay, by phases, so that the caller knows at every moment what may have left.

    open     connect → greeting → EHLO → TLS → EHLO → AUTH    any failure: NotConnected
    begin    MAIL · RCPT · DATA (pipeline.py)                 any failure: surely not sent
    body     all but the dot                                  any failure: surely not sent
    dot      first a look whether the relay has given up      then surely not sent
             the dot                                          no clear answer: UncertainDelivery

TLS is what the settings say, and never less. A session in which anything went wrong other than a clear refusal is
closed and never used again, so that a late answer cannot be counted for another message.
"""

import base64
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from digests.mail import pipeline
from digests.mail.envelope import Envelope, check, stuffed
from digests.mail.failures import refused, wrapped
from digests.mail.offers import Offers
from digests.mail.pipeline import Remains
from digests.mail.wire import Reply, Wire, dial
from domain.deliveries import Acceptance
from domain.errors import NotConnected, PermanentDeliveryError, TransientDeliveryError, UncertainDelivery

_PORTS = {"starttls": 587, "implicit": 465, "none": 25}


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


class Session:
    """One open connection; closes itself when its state is no longer sure. Belongs to one thread."""

    def __init__(self, relay: Relay, timeouts: Timeouts, context: ssl.SSLContext) -> None:
        """Connect, greet, encrypt and log in; raises NotConnected."""
        self._relay = relay
        self._timeouts = timeouts
        self._context = context
        self._offers = Offers()
        #: Letters that were begun.
        self.letters = 0
        #: Whether the relay has answered the last letter's MAIL with yes.
        self.is_willing = False
        try:
            first = context if relay.tls == "implicit" else None
            sock = dial(relay.host, relay.number, patience=timeouts.connect, context=first)
            self._wire = Wire(sock, timeouts.command)
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
        return self._wire.is_open

    def begin(self, envelope: Envelope, data: bytes, *, is_plain: bool = False) -> None:
        """Name sender and recipient and get leave to send; refuses by itself what this relay cannot take.

        `is_plain`: see Message.

        Raises TransientDeliveryError, PermanentDeliveryError, or NotConnected where the relay wants a log-in.
        """
        self.letters += 1
        self.is_willing = False
        if not is_plain:
            check(data)
        commands = [self._mail(envelope, data), f"RCPT TO:<{envelope.recipient}>\r\n".encode(), b"DATA\r\n"]
        try:
            answers = pipeline.exchange(self._wire, commands, grouped=self._offers.has("PIPELINING"))
        except BaseException:
            self.close()
            raise
        no = pipeline.refusal(answers)
        self.is_willing = bool(answers.replies) and (no is None or no[0] != "MAIL")
        if no is not None:
            self._clean(pipeline.remains(answers))
            what = {"MAIL": "the sender", "RCPT": envelope.recipient, "DATA": "the letter"}[no[0]]
            raise refused(no[1], f"{self._relay.host} refused {what}", no[0].lower())
        if answers.broken:
            raise self._lost(answers.broken, answers.phase) from answers.broken

    def body(self, data: bytes, *, is_plain: bool = False) -> None:
        """Send everything but the final dot. Raises TransientDeliveryError."""
        try:
            self._wire.pour(data if is_plain else stuffed(data))
        except OSError as error:
            raise self._lost(error, "the body") from error
        except BaseException:
            self.close()
            raise

    def dot(self) -> Acceptance:
        """Send the dot and return what the relay answered.

        Raises Transient- or PermanentDeliveryError for a clear refusal, also one that came before the dot, and
        UncertainDelivery for anything else.
        """
        self._look()
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
        if pipeline.is_last(reply):
            self.close()
        raise refused(reply, f"{self._relay.host} refused the letter")

    def quit(self) -> None:
        """Say goodbye, wait a moment for the answer, and close; never raises."""
        if self.is_open:
            with suppress(OSError):
                self._wire.ask(b"QUIT\r\n", min(self._timeouts.command, 2))
        self.close()

    def close(self) -> None:
        """Close at once, without a word."""
        self._wire.close()

    def _mail(self, envelope: Envelope, data: bytes) -> bytes:
        """Return the MAIL command; raises PermanentDeliveryError for what this relay cannot take."""
        line = f"MAIL FROM:<{envelope.sender}>"
        if self._offers.has("SIZE"):
            limit = self._offers.largest
            if limit is not None and limit < len(data):
                raise PermanentDeliveryError(f"the letter has {len(data):,} bytes, {self._relay.host} takes {limit:,}")
            line += f" SIZE={len(data)}"
        if envelope.needs_smtputf8:
            if not self._offers.has("SMTPUTF8"):
                raise PermanentDeliveryError(
                    f"{envelope.recipient} needs a relay that knows SMTPUTF8, and {self._relay.host} does not"
                )
            line += " SMTPUTF8"
        if not data.isascii():
            if not self._offers.has("8BITMIME"):
                raise PermanentDeliveryError(f"the letter is not ASCII, and {self._relay.host} takes nothing else")
            line += " BODY=8BITMIME"
        return f"{line}\r\n".encode()

    def _clean(self, left: Remains) -> None:
        """Make the session fit for the next letter, or close it; the refusal is the news, so this never raises."""
        try:
            match left:
                case Remains.NOTHING:
                    is_clean = True
                case Remains.SENDER:
                    is_clean = self._wire.ask(b"RSET\r\n").kind == 2
                case Remains.DATA:
                    is_clean = not pipeline.is_last(self._wire.ask(b".\r\n"))
                case Remains.DOUBT:
                    is_clean = False
            if not is_clean:
                self.close()
        except OSError:
            self.close()
        except BaseException:
            self.close()
            raise

    def _look(self) -> None:
        """Raise what the relay has said, unasked, of a letter that has no dot yet: it was surely not sent."""
        try:
            reply = self._wire.hear() if self._wire.has_spoken() else None
        except OSError as error:
            raise self._lost(error, "the body") from error
        except BaseException:
            self.close()
            raise
        if reply is not None:
            self.close()
            raise refused(reply, f"{self._relay.host} did not wait for the end of the letter")

    def _open(self) -> None:
        relay, wire = self._relay, self._wire
        greeting = wire.hear()
        if greeting.kind != 2:
            raise self._not_connected("greeted us with", greeting)
        self._hello()
        if relay.tls == "starttls":
            if not self._offers.has("STARTTLS"):
                raise NotConnected(f"{relay.where} does not offer STARTTLS, and nothing is sent without it")
            reply = wire.ask(b"STARTTLS\r\n")
            if reply.code != 220:
                raise self._not_connected("refused STARTTLS:", reply)
            wire.encrypt(self._context, relay.host, self._timeouts.connect)
            self._hello()  # RFC 3207 section 4.2: what was said in clear text is forgotten
        if relay.user:
            self._log_in()

    def _hello(self) -> None:
        name = self._relay.ehlo_name or self._wire.literal
        reply = self._wire.ask(f"EHLO {name}\r\n".encode())
        self._offers = Offers.of(reply)
        # RFC 5321 section 3.2: an old relay that knows HELO only can do neither TLS nor AUTH.
        if reply.code in {500, 502} and self._relay.tls == "none" and not self._relay.user:
            reply = self._wire.ask(f"HELO {name}\r\n".encode())
            self._offers = Offers()
        if reply.kind != 2:
            raise self._not_connected("refused our greeting:", reply)

    def _log_in(self) -> None:
        wire, relay = self._wire, self._relay
        if relay.tls == "none" and not wire.is_loopback:
            raise NotConnected(f"the password is not sent to {relay.where} without TLS; set mail.tls")
        offered = self._offers.log_ins
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

    def _lost(self, error: OSError, phase: str) -> TransientDeliveryError:
        self.close()
        return wrapped(error, TransientDeliveryError, f"{self._relay.where} was lost at {phase}")
