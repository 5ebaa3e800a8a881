"""What a check is handed: the settings, what was opened to look at, and the ways to ask others."""

import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from digests.addresses import address
from digests.mail.message import Identity
from digests.mail.smtp import Relay, Timeouts
from digests.render import Renderer
from digests.transports.registry import relay_of
from domain.clock import Clock
from domain.errors import AddressError, StorageError
from paperround.doctor.providers import is_here, keeper_of_domain, sends_for
from paperround.doctor.resolving import Resolver
from paperround.doctor.web import Web
from paperround.settings_model import Settings
from paperround.wiring_post import route_of
from storage.database import Database

#: Nobody waits for a relay for long here: what is slower than this is worth saying.
QUICK = Timeouts(connect=3, command=3, dot=30)
_PRIVATE_ENDS = ("localhost", "local", "test", "invalid", "internal", "lan", "home.arpa")  # RFC 6761, 6762, 8375


class SigningKey(Protocol):
    """A private DKIM key."""

    @property
    def bits(self) -> int:
        """How long it is."""
        ...

    @property
    def record(self) -> str:
        """What is published of it: "v=DKIM1; k=rsa; p=…"."""
        ...


@dataclass(frozen=True, slots=True)
class Visit:
    """One examination; nothing here can change the installation."""

    settings: Settings
    file: Path | None  #: the settings file; None where the defaults hold
    folder: Path  #: where relative paths of the settings start
    clock: Clock
    database: Database | StorageError  #: opened as it is, or why it could not be
    sources: tuple[str, ...]  #: the configured names
    identity: Identity
    renderer: Renderer
    resolver: Resolver
    web: Web
    read_key: Callable[[bytes], SigningKey]  #: raises SettingsError for what is no key
    sign: Callable[[bytes, datetime], str] | None = None  #: as real letters are signed; None where they are not
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    timeouts: Timeouts = QUICK
    own_address: Callable[[], str] = lambda: ""  #: this machine's, as it sees it; "" where it cannot be told
    free_bytes: Callable[[Path], int] = lambda _: 2**62
    send_test: str = ""  #: who gets a test letter; "" for nobody
    is_offline: bool = False  #: whether nobody may be asked

    @property
    def relay(self) -> Relay:
        """The relay that letters leave by."""
        return relay_of(route_of(self.settings.mail))

    @property
    def delivers_directly(self) -> bool:
        """Whether the relay is this machine."""
        return is_here(self.settings.mail.host)

    @property
    def public_address(self) -> str:
        """The address that mailboxes will see, where this machine delivers itself; "" where it cannot be told."""
        if self.is_offline or not self.delivers_directly:
            return ""
        own = self.own_address()
        return own if own and ipaddress.ip_address(own).is_global else ""

    @property
    def from_domain(self) -> str:
        """The domain that readers see, as A-labels."""
        return self.identity.domain.lower()

    @property
    def envelope_domain(self) -> str:
        """The domain that undeliverable letters come back to, as A-labels."""
        return self.bounce_domain or self.from_domain

    @property
    def bounce_domain(self) -> str:
        """[mail] bounce_domain as A-labels; "" where it is not set."""
        return ascii_domain(self.settings.mail.bounce_domain)

    @property
    def envelope_sender(self) -> str:
        """An address to send from as real letters do, save that nothing is counted for it."""
        return f"b+doctor@{self.bounce_domain}" if self.bounce_domain else self.identity.address

    @property
    def is_guest(self) -> bool:
        """Whether the sender's domain belongs to a large keeper of mailboxes: nobody else publishes anything there."""
        return bool(keeper_of_domain(self.from_domain))

    @property
    def is_stray(self) -> bool:
        """Whether letters say that they are from such a domain, and leave through somebody else's relay."""
        return self.is_guest and not sends_for(keeper_of_domain(self.from_domain), self.settings.mail.host)


def ascii_domain(domain: str) -> str:
    """Return a domain as A-labels in lower case; as it is where it is none."""
    if not domain:
        return ""
    try:
        found = address(f"a@{domain}").ascii
    except AddressError:
        return domain.lower()
    return (found or domain).rpartition("@")[2].lower()


def is_private(domain: str) -> bool:
    """Whether a name cannot stand in the DNS that everybody asks."""
    return "." not in domain or domain.endswith(tuple(f".{end}" for end in _PRIVATE_ENDS))
