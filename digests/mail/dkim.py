"""DKIM: a letter signed for the sender's domain (RFC 6376), by one key, in a few hundred microseconds.

    read_key → PrivateKey (and the record to publish) → Signer → sign: the header that goes before the letter

    the signature = RSA over SHA-256 of the signed headers, relaxed, and of this header itself with b= empty
    bh=           = SHA-256 of the body as it is with one line end at its end ("simple")

From and what a reader's mailbox acts on are named once more than they stand in the letter ("oversigned", section 8.15):
a second one above the first, or one where there was none, breaks the signature. There is no l=, which would let text be
added. The instant is the letter's own, so the same letter has the same signature at every try. The simple form of the
body costs nothing and is as safe here: quoted-printable lines have no blanks at their ends.
"""

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import idna
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from digests.mail.headers import WIDTH
from domain.clock import utc
from domain.errors import SettingsError, UsageError
from domain.letter_events import LETTER_HEADER

_FEWEST, _MOST = 2048, 4096  # RFC 8301 section 3.2: fewer is weak, more need not be understood by a receiver
# And every List-*, and what follows. Complaints come to a CFBL-Address (RFC 9477), and Gmail counts by a Feedback-ID,
# only where the signature covers it.
_SIGNED = frozenset({
    b"auto-submitted", b"reply-to", b"cfbl-address", b"feedback-id", b"content-transfer-encoding",
    LETTER_HEADER.lower().encode(),
})  # fmt: skip
_OVERSIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type", b"list-unsubscribe",
    b"list-unsubscribe-post",
)  # fmt: skip
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*")


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """An RSA key that is fit to sign letters; does not show itself."""

    key: rsa.RSAPrivateKey = field(repr=False)

    @property
    def bits(self) -> int:
        """How long it is: 2048 to 4096."""
        return self.key.key_size

    @property
    def record(self) -> str:
        """What to publish as TXT at SELECTOR._domainkey.DOMAIN (RFC 6376 section 3.6.1)."""
        public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode('ascii')}"


def read_key(pem: bytes) -> PrivateKey:
    """Return the key of a PEM file; raises SettingsError with what is wrong, as the end of a sentence."""
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:  # what cryptography raises where a passphrase is wanted
        raise SettingsError("the key is locked by a passphrase; store it without one") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError("there is no private key in PEM form in it") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SettingsError("the key must be RSA, which every mailbox provider can check")
    if not _FEWEST <= key.key_size <= _MOST:
        raise SettingsError(f"the key has {key.key_size} bits; it must have {_FEWEST} to {_MOST}")
    return PrivateKey(key)


class Signer:
    """Signs letters for one domain with one key; may be used from several threads."""

    def __init__(self, domain: str, selector: str, key: PrivateKey) -> None:
        """Take the domain as people write it; raises SettingsError for a name that cannot stand in DNS."""
        try:
            self.domain = idna.encode(domain, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError) as error:
            raise SettingsError(f"{domain!r} is not a domain: {error}") from error
        if not _NAME.fullmatch(self.domain) or len(self.domain) > 253:
            raise SettingsError(f"{domain!r} is not a domain")
        if not _NAME.fullmatch(selector):
            raise SettingsError(f"{selector!r} is not a name in DNS: use letters, digits and hyphens")
        self.selector = selector
        self._key = key

    def sign(self, data: bytes, at: datetime) -> str:
        """Return "DKIM-Signature: …", folded, without its last line end, for a whole letter with CRLF line ends.

        `at` is the letter's own date, aware. Raises UsageError for a letter without a From.
        """
        head, _, body = data.partition(b"\r\n\r\n")
        lines = _lines(head)
        if not any(name == b"from" for name, _ in lines):
            raise UsageError("a letter without From cannot be signed")
        present = [name for name, _ in lines if name in _SIGNED or name in _OVERSIGNED or name.startswith(b"list-")]
        names = [*present, *_OVERSIGNED]
        digest = base64.b64encode(sha256(_simple(body)).digest()).decode("ascii")
        header = "\r\n ".join(
            [
                f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; t={int(utc(at).timestamp())};",
                f"d={self.domain}; s={self.selector};",
                *_listed(names),
                f"bh={digest};",
                "b=",
            ]
        )
        # Section 5.4.2: of several headers of one name the lowest is taken first; one that is not there adds nothing.
        below: dict[bytes, list[bytes]] = {}
        for name, value in lines:
            below.setdefault(name, []).append(value)
        signed = [name + b":" + _relaxed(below[name].pop()) + b"\r\n" for name in names if below.get(name)]
        ((name, own),) = _lines(header.encode("ascii"))
        signed.append(name + b":" + _relaxed(own))
        signature = self._key.key.sign(b"".join(signed), padding.PKCS1v15(), hashes.SHA256())
        text = base64.b64encode(signature).decode("ascii")
        return header + "\r\n ".join(text[start : start + WIDTH - 4] for start in range(0, len(text), WIDTH - 4))


def _lines(head: bytes) -> list[tuple[bytes, bytes]]:
    """Return (name in lower case, value on one line) of each header (section 3.4.2)."""
    unfolded = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b"\t")
    parts = (line.partition(b":") for line in unfolded.split(b"\r\n"))
    return [(name.rstrip(b" \t").lower(), value) for name, colon, value in parts if colon]


def _relaxed(value: bytes) -> bytes:
    """Return a header's value with every run of blanks as one, none at its ends (section 3.4.2)."""
    value = value.replace(b"\t", b" ")
    while b"  " in value:
        value = value.replace(b"  ", b" ")
    return value.strip(b" ")


def _simple(body: bytes) -> bytes:
    """Return a body with exactly one line end at its end (section 3.4.3)."""
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _listed(names: list[bytes]) -> list[str]:
    """Return h=, in lines; blanks are allowed around its colons (section 3.5)."""
    lines, line = [], "h="
    for position, name in enumerate(names):
        piece = name.decode("ascii") + (";" if position + 1 == len(names) else ":")
        if len(line) + len(piece) > WIDTH - 1:
            lines.append(line)
            line = ""
        line += piece
    return [*lines, line]
