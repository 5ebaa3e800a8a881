"""Addresses: whether a text is one, how it goes on the wire, and which two are the same mailbox.

email-validator decides about the form (no DNS is asked). A dotless domain is refused as the slip it nearly always is,
except localhost; names reserved for tests and local networks are taken, since laboratories mail to them. Mail goes to
what was typed; the key serves to find the same mailbox again and is never mailed to.
"""

import re
import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, EmailSyntaxError, ValidatedEmail, validate_email

from digests.mail.headers import CONTROL, split_mailbox
from domain.errors import AddressError

_LONGEST = 320  # 64 + "@" + 255: RFC 3696 section 3; email-validator then keeps to RFC 5321's 254
_SHOWN = 60  # characters of a bad address in an error
# Names of RFC 6761 and 6762 that a laboratory's own relay may serve; email-validator refuses them all.
_RESERVED = re.compile(r"[@.](?:test|local|localhost)\Z", re.IGNORECASE)
_STAND_IN = ".example"


@dataclass(frozen=True, slots=True)
class Address:
    """An address that mail can be sent to."""

    display: str  #: as typed, without the spaces around it
    ascii: str | None  #: as it goes on the wire, an IDN domain as A-labels; None if the local part is not ASCII
    needs_smtputf8: bool  #: whether only a relay that knows SMTPUTF8 can take it (RFC 6531)


def address(text: str) -> Address:
    """Return the address that `text` is; raises AddressError for anything else."""
    local, domain = _parts(text)
    plain = f"{local}@{domain}" if local.isascii() else None
    return Address(display=text.strip(" \t"), ascii=plain, needs_smtputf8=plain is None)


def address_key(text: str) -> str:
    """Return what all spellings of one mailbox share (mail.md item 35); raises AddressError.

    The domain in lower case as A-labels, the local part casefolded: for uniqueness only.
    """
    local, domain = _parts(text)
    return f"{unicodedata.normalize('NFC', local.casefold())}@{domain}"


def mail_domain(text: str) -> str:
    """Return a domain as the keys of its addresses end: lower-case A-labels; raises AddressError for anything else."""
    return _parts(f"a@{text.strip()}")[1]


def sender(text: str) -> tuple[str, str]:
    """Return (display name or "", address) of "Paperround <digests@example.org>"; raises AddressError.

    The address must be ASCII before the @: not every reader's mailbox can take another one as a sender.
    """
    name, bare = split_mailbox(text)
    if CONTROL.search(text) or "<" in name or ">" in name:
        raise AddressError(f"{_shown(text)} is not a sender; write it as Name <address>")
    found = address(bare)
    if found.ascii is None:
        raise AddressError(f"{_shown(text)} cannot be a sender: the part before the @ must be ASCII")
    return name, found.ascii


def _parts(text: str) -> tuple[str, str]:
    """Return the local part in NFC and the domain as lower-case A-labels; raises AddressError."""
    stripped = text.strip(" \t")
    control = CONTROL.search(stripped)
    if control:
        raise AddressError(f"{_shown(text)} is not an address: it holds the control character U+{ord(control[0]):04X}")
    if len(stripped) > _LONGEST:
        raise AddressError(f"{_shown(text)} is not an address: it is longer than {_LONGEST} characters")
    suffix = _STAND_IN if _RESERVED.search(stripped) else ""
    try:
        valid = _validated(stripped + suffix)
    except EmailNotValidError as error:
        raise AddressError(f"{_shown(text)} is not an address: {_clause(error)}") from error
    domain = valid.ascii_domain.lower().removesuffix(suffix)
    if "." not in domain and domain != "localhost":
        raise AddressError(f"{_shown(text)} is not an address: there is no dot after the @")
    return valid.local_part, domain


def _validated(text: str) -> ValidatedEmail:
    valid = validate_email(
        text,
        check_deliverability=False,
        globally_deliverable=False,
        allow_smtputf8=True,
        allow_empty_local=False,
        allow_quoted_local=False,
        allow_domain_literal=False,
        allow_display_name=False,
    )
    # Up to 64 characters can be more than 64 octets (RFC 5321 section 4.5.3.1.1).
    if len(valid.local_part.encode("utf-8")) > 64:
        raise EmailSyntaxError("The part before the @-sign is too long.")
    return valid


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _clause(error: EmailNotValidError) -> str:
    sentence = str(error).rstrip(".")
    return sentence[:1].lower() + sentence[1:]
