"""Return paths: each letter has an envelope sender of its own, by which a bounce tells whose it is (mail.md item 25).

    b+<delivery id>.<mac>@bounce.domain

The mac makes it unguessable: an address that we did not make is nobody's, so a flood of forged bounces harms no reader.
"""

import hmac
import re

from domain.seals import seal

_PURPOSE = "verp"
_DIGITS = 32  # of the mac, 128 bits: the local part has at most 2 + 19 + 1 + 32 of 64 octets (RFC 5321 s. 4.5.3.1.1)
_LARGEST = 2**63 - 1  # what a database counts to


class ReturnPaths:
    """The return paths of one installation, at one domain."""

    def __init__(self, domain: str, secret: str) -> None:
        self._domain = domain.lower().rstrip(".")
        self._secret = secret
        form = rf"b\+([1-9]\d{{0,18}})\.([0-9a-f]{{{_DIGITS}}})@{re.escape(self._domain)}(?![\w-]|\.\w)"
        # Some relays change the case of a local part.
        self._form = re.compile(form, re.IGNORECASE | re.ASCII)

    def address(self, delivery_id: int) -> str:
        """Return the envelope sender of a delivery's letter."""
        return f"b+{delivery_id}.{self._mac(delivery_id)}@{self._domain}"

    def read(self, address: str) -> int | None:
        """Return the delivery that an address was made for; None for one that we did not make."""
        found = self._form.fullmatch(address)
        return self._proved(found) if found else None

    def found_in(self, text: str) -> int | None:
        """Return the delivery of the first address of ours in a header's value; None where there is none."""
        for found in self._form.finditer(text):
            if (delivery_id := self._proved(found)) is not None:
                return delivery_id
        return None

    def _proved(self, found: re.Match[str]) -> int | None:
        delivery_id = int(found[1])
        if delivery_id > _LARGEST or not hmac.compare_digest(found[2].lower(), self._mac(delivery_id)):
            return None
        return delivery_id

    def _mac(self, delivery_id: int) -> str:
        return seal(self._secret, _PURPOSE, str(delivery_id)).hex()[:_DIGITS]
