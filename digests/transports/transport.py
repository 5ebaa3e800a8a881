"""What a way out is, and the settings that choose one.

    connect → a connection for many messages → send: all up to the last irrevocable step → before_dot() → the step

`before_dot` marks the delivery as `sending` on disk and looks whether the reader still wants it; a transport asks it
exactly once for each message that gets that far, and takes the step only if it says yes (mail.md section 2).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from domain.deliveries import Acceptance, Message

#: How the conversation with the relay is protected; the one that is asked for is the one that is used.
TlsMode = Literal["starttls", "implicit", "none"]


@dataclass(frozen=True, slots=True)
class MailRoute:
    """Which way letters leave, as the settings say it."""

    transport: str = "folder"  #: a name of the registry
    dir: Path = Path("outbox")  #: where folder and html write
    host: str = "localhost"
    port: int | None = None  #: None: 587 for starttls, 465 for implicit, 25 for none
    tls: TlsMode = "starttls"
    user: str = ""  #: "" for a relay that asks nobody who they are
    password: str = field(default="", repr=False)
    ehlo_name: str = ""  #: our own host name; "" for the address of our end of the connection


class Connection(Protocol):
    """Takes one message after another; belongs to one thread."""

    def __enter__(self) -> Self:
        """Return the connection; nothing is opened before the first message."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Say goodbye and close; never raises."""
        ...

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        """Send one message; None if `before_dot` said no, and then nothing has left.

        Raises NotConnected, TransientDeliveryError or PermanentDeliveryError when it surely was not sent, and
        UncertainDelivery when no answer came after the step. What `before_dot` raises goes through; nothing has left.
        """
        ...


class Transport(Protocol):
    """A way out; may be used from several threads."""

    @property
    def name(self) -> str:
        """The registry's name of it."""
        ...

    def connect(self) -> Connection:
        """Return a new connection, for one thread."""
        ...
