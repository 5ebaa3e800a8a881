"""Why a host could not be talked to, in words, and whether it is this machine that has no network."""

import errno
import imaplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from paperround.doctor.finding import shown

_NO_WAY = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL})
# X509_V_ERR_… of OpenSSL.
_CERTIFICATES = {
    9: "its certificate is not valid yet: one of the two clocks is wrong",
    10: "its certificate has expired",
    18: "its certificate is signed by itself, so nobody vouches for it",
    19: "its certificate is signed by an authority that this machine does not know",
    20: "its certificate is signed by an authority that this machine does not know",
    62: "its certificate is for another name",
    64: "its certificate is for another address",
}


@dataclass(frozen=True, slots=True)
class Unreached:
    """Why there was no conversation."""

    reason: str  #: the end of a sentence
    is_offline: bool = False  #: whether this machine seems to have no network: then nothing is known of the host
    is_certificate: bool = False


@contextmanager
def cut_after(sock: socket.socket, seconds: float) -> Iterator[None]:
    """End a conversation that takes longer in all: a socket's own limit is for each octet that drips in."""

    def cut() -> None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def unreached(error: BaseException) -> Unreached:  # noqa: PLR0911 a table, one row a kind of error
    """Return what an error of a socket, of ssl or of imaplib says; the texts of others are made fit to be shown."""
    match error:
        case socket.gaierror(errno=socket.EAI_AGAIN):
            return Unreached("its name could not be looked up: no name server answers", is_offline=True)
        case socket.gaierror() | UnicodeError():
            return Unreached("there is no host of that name")
        case ssl.SSLCertVerificationError():
            code = getattr(error, "verify_code", 0)
            said = f"its certificate is not trusted: {shown(str(getattr(error, 'verify_message', error)))}"
            return Unreached(_CERTIFICATES.get(code, said), is_certificate=True)
        case ssl.SSLError():
            return Unreached("it does not speak TLS there")
        case TimeoutError():
            return Unreached("it does not answer in time")
        case ConnectionRefusedError():
            return Unreached("nothing listens there")
        case OSError(errno=number) if number in _NO_WAY:
            return Unreached("there is no way to it from this machine", is_offline=True)
        case imaplib.IMAP4.abort():
            return Unreached("it closed the conversation")
        case _:
            return Unreached(shown(str(error)) or type(error).__name__)
