"""What of a message goes on the wire: the addresses, and the octets behind DATA."""

import io
import re
from dataclasses import dataclass

from digests.addresses import Address, address
from domain.deliveries import Message
from domain.errors import AddressError, PermanentDeliveryError

# An address of letters, digits and the signs of an atom (RFC 5321 section 4.1.2) at a host of two labels or more.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@({_LABEL}(?:\.{_LABEL})+)")


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
            sender = _address(message.sender) if message.sender else Address("", "", needs_smtputf8=False)
            recipient = _address(message.recipient)
        except AddressError as error:
            raise PermanentDeliveryError(str(error)) from error
        # What an address may hold, blanks, brackets and controls excluded, can stand in a command as it is.
        wire = [each.ascii if each.ascii is not None else each.display for each in (sender, recipient)]
        return cls(wire[0], wire[1], needs_smtputf8=sender.needs_smtputf8 or recipient.needs_smtputf8)


def _address(text: str) -> Address:
    """Return an address for the wire; raises AddressError.

    What is plain is taken as it is: whether it is a good address was asked when the reader came, here the question is
    whether it can stand in a command, and the whole examination takes as long as sending the letter.
    """
    plain = _PLAIN.fullmatch(text) if len(text) <= 254 else None
    if plain is None or len(plain[1]) > 64:
        return address(text)
    return Address(display=text, ascii=f"{plain[1]}@{plain[2].lower()}", needs_smtputf8=False)


def check(data: bytes) -> None:
    """Refuse what is no message: a line end of another kind would let text inside a letter pass for the dot.

    Raises PermanentDeliveryError.
    """
    if not _has_whole_lines(data):
        raise PermanentDeliveryError("the letter holds a bare CR or LF or a NUL (RFC 5321 section 2.3.8)")


def stuffed(data: bytes) -> bytes:
    """Return the message as it goes behind DATA (RFC 5321 section 4.5.2), without the final dot."""
    doubled = data.replace(b"\r\n.", b"\r\n..")
    if doubled.startswith(b"."):
        doubled = b"." + doubled
    return doubled if not doubled or doubled.endswith(b"\r\n") else doubled + b"\r\n"


def is_plain(data: bytes) -> bool:
    """Whether `check` would take it and `stuffed` leave it as it is."""
    return _has_whole_lines(data) and stuffed(data) == data


def _has_whole_lines(data: bytes) -> bool:
    # Python's own reader of line ends notes which kinds it met, in one pass and a quarter of the time that counting
    # CR, LF and CRLF takes.
    ends = io.IncrementalNewlineDecoder(None, translate=False)
    ends.decode(data.decode("latin-1"), final=True)
    return ends.newlines in {None, "\r\n"} and b"\0" not in data
