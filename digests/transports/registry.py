"""The ways out, in a table. A new one is a module, a line here, and a parameter of the contract test."""

from collections.abc import Callable, Mapping

from digests.mail.smtp import Relay
from digests.transports.folder import FolderTransport
from digests.transports.html import HtmlTransport
from digests.transports.memory import MemoryTransport
from digests.transports.smtp import SmtpTransport
from digests.transports.transport import MailRoute, Transport
from domain.errors import SettingsError


def relay_of(route: MailRoute) -> Relay:
    """Return the relay that a route by SMTP leads to."""
    return Relay(
        host=route.host,
        port=route.port,
        tls=route.tls,
        user=route.user,
        password=route.password,
        ehlo_name=route.ehlo_name,
    )


TRANSPORTS: Mapping[str, Callable[[MailRoute], Transport]] = {
    "folder": lambda route: FolderTransport(route.dir),
    "html": lambda route: HtmlTransport(route.dir),
    "smtp": lambda route: SmtpTransport(relay_of(route)),
    "memory": lambda _: MemoryTransport(),
}


def transport_of(route: MailRoute) -> Transport:
    """Build the way out that the settings name; raises SettingsError for a name that is not in the table."""
    builder = TRANSPORTS.get(route.transport)
    if builder is None:
        raise SettingsError(f"mail.transport must be one of {', '.join(TRANSPORTS)}, not {route.transport!r}")
    return builder(route)
