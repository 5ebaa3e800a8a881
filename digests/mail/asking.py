"""A session that only asks: what the relay can do, until when its certificate holds, whether we may send as somebody.

    open as a real session does → offers · certificate_ends → may_send: MAIL, RSET → quit

No recipient is ever named, so nothing can leave.
"""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

from digests.mail.smtp import Envelope, Session
from domain.errors import DeliveryError


class Asking(Session):
    """One open connection to a relay, for questions."""

    @property
    def offers(self) -> Mapping[str, str]:
        """What the relay said it can do: keywords in upper case, with what stands behind them."""
        return {name.upper(): said.strip() for name, said in self._wire.esmtp_features.items()}

    @property
    def certificate_ends(self) -> datetime | None:
        """When the relay's certificate expires, aware UTC; None without TLS."""
        sock = self._wire.sock
        told = (sock.getpeercert() or {}).get("notAfter") if isinstance(sock, ssl.SSLSocket) else None
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(told), UTC) if isinstance(told, str) else None

    def may_send(self, sender: str) -> None:
        """Name a sender and take it back.

        Raises TransientDeliveryError, PermanentDeliveryError, or NotConnected where the relay wants a log-in.
        """
        self.mail(Envelope(sender, sender, needs_smtputf8=False), b"")
        with suppress(DeliveryError):  # the question is answered
            self._ask("RSET", "RSET")
