"""A session that only asks: what the relay can do, until when its certificate holds, whether we may send as somebody.

    open as a real session does → offers · certificate_ends → may_send: MAIL, RSET → quit

No recipient is ever named, so nothing can leave.
"""

from contextlib import suppress
from datetime import datetime

from digests.mail.failures import refused
from digests.mail.offers import Offers
from digests.mail.smtp import Session
from domain.errors import PermanentDeliveryError


class Asking(Session):
    """One open connection to a relay, for questions."""

    @property
    def offers(self) -> Offers:
        """What the relay said it can do."""
        return self._offers

    @property
    def certificate_ends(self) -> datetime | None:
        """When the relay's certificate expires, aware UTC; None without TLS."""
        return self._wire.certificate_ends

    def may_send(self, sender: str) -> None:
        """Name a sender and take it back.

        Raises TransientDeliveryError, PermanentDeliveryError, or NotConnected where the relay wants a log-in.
        """
        if not sender.isprintable() or "<" in sender or ">" in sender:
            raise PermanentDeliveryError(f"{sender!r} cannot stand in a command")
        try:
            reply = self._wire.ask(f"MAIL FROM:<{sender}>\r\n".encode())
        except OSError as error:
            raise self._lost(error, "MAIL") from error
        with suppress(OSError):  # the question is answered
            self._wire.ask(b"RSET\r\n")
        if reply.kind != 2:
            raise refused(reply, f"{self._relay.host} refused the sender")
