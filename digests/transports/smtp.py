"""Letters by SMTP: one session kept for many messages, opened when there is something to send.

    open if need be → MAIL · RCPT · DATA → the body → before_dot() → the dot → what the relay said

If `before_dot` says no after the body, the session is cut before the dot: a message without its dot was not sent
(RFC 5321 section 4.1.1.4). What happens after the dot is settled elsewhere; nothing is sent twice in here.
"""

import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self

from digests.mail.envelope import Envelope
from digests.mail.smtp import Relay, Session, Timeouts
from domain.deliveries import Acceptance, Message
from domain.errors import TransientDeliveryError

_MOST = 100  # letters over one session: one that stays for ever holds a place and never sees a new certificate


class SmtpTransport:
    """Reaches one relay. `context` checks its certificate; the machine's own authorities by default."""

    name = "smtp"

    def __init__(self, relay: Relay, timeouts: Timeouts | None = None, context: ssl.SSLContext | None = None) -> None:
        self._relay = relay
        self._timeouts = timeouts or Timeouts()
        # Reading all authorities takes longer than sending a hundred letters; where TLS is not spoken, none is trusted.
        self._context = context or (
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if relay.tls == "none" else ssl.create_default_context()
        )

    def connect(self) -> "SmtpConnection":
        """Return a connection that opens its session with the first message."""
        return SmtpConnection(lambda: Session(self._relay, self._timeouts, self._context))


class SmtpConnection:
    """Sends one message after another over one session, and opens another when that is gone; for one thread."""

    def __init__(self, opened: Callable[[], Session]) -> None:
        self._opened = opened
        self._session: Session | None = None

    def __enter__(self) -> Self:
        """Return the connection."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Say goodbye to the relay."""
        if self._session:
            self._session.quit()
            self._session = None

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        """Send one message; see Connection.

        Raises NotConnected, TransientDeliveryError, PermanentDeliveryError, UncertainDelivery.
        """
        envelope = Envelope.of(message)
        session = self._begin(envelope, message)
        session.body(message.data, is_plain=message.is_plain)
        try:
            wanted = before_dot()
        except BaseException:
            session.close()
            raise
        if not wanted:
            session.close()
            return None
        return session.dot()

    def _begin(self, envelope: Envelope, message: Message) -> Session:
        """Return a session with leave to send; a kept one that the relay has left meanwhile is replaced."""
        if self._session and self._session.letters >= _MOST:
            self._session.quit()
        if self._session and self._session.is_open:
            try:
                self._session.begin(envelope, message.data, is_plain=message.is_plain)
            except TransientDeliveryError:
                if self._session.is_open or self._session.is_willing:
                    raise
            else:
                return self._session
        self._session = self._opened()
        self._session.begin(envelope, message.data, is_plain=message.is_plain)
        return self._session
