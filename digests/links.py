"""The links in letters: short, signed, each good for one purpose.

    token = base64url(reader's public id · instant · HMAC-SHA256 over purpose, id and instant)

A token is 36 characters and always the same for the same reader, so that a letter sent again has the same bytes, and so
that List-Unsubscribe stays short (mail.md findings 4, section 5). Only confirm carries an instant, and only confirm
expires; that it is used once is for storage to know. Opening a link changes nothing: that is for the web to keep.
"""

import base64
import hashlib
import hmac
import re
import struct
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from domain.clock import utc
from domain.errors import SettingsError, UsageError

#: How long a confirmation link is good (mail.md item 33).
CONFIRM_HOURS = 72
_LAYOUT = struct.Struct(">8sI")  # public id, instant in seconds since 1970 (0: none)
_MAC = 15  # bytes: 120 bits, and 27 bytes in all leave no idle bits in base64
_TOKEN = re.compile(r"[A-Za-z0-9_-]{36}")
_PUBLIC_ID = re.compile(r"[0-9a-f]{16}")
_ISSUE_ID = re.compile(r"[A-Za-z0-9_-]+")
_VISIBLE = re.compile(r"[!-~]+")
_SHORTEST_KEY = 16  # characters: anyone who has a letter can try keys at home


class Purpose(StrEnum):
    """What a token lets its holder do; also the first part of the link's path."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"


class BadLink(UsageError):
    """A link that we did not make, or one that is no longer good."""

    def __init__(self, reason: str, *, expired: bool = False) -> None:
        super().__init__(reason)
        #: Whether it was ours and is only too old: a new one can be asked for.
        self.expired = expired


class Links:
    """Makes links under one site and reads their tokens.

    `base_url` is the site's root, http(s), with or without a path and a slash at its end; `secret_key` has at least 16
    characters. Raises SettingsError for anything else.
    """

    def __init__(self, base_url: str, secret_key: str) -> None:
        self._base = _checked(base_url)
        if len(secret_key) < _SHORTEST_KEY:
            raise SettingsError(
                f"web.secret_key must have {_SHORTEST_KEY} characters or more: it signs the links in letters"
            )
        self._key = secret_key.encode("utf-8", "surrogatepass")

    def unsubscribe(self, public_id: str) -> str:
        """Return the link that ends a reader's digest; it never expires."""
        return self._signed(Purpose.UNSUBSCRIBE, public_id)

    def preferences(self, public_id: str) -> str:
        """Return the link to a reader's topics and hour; it never expires."""
        return self._signed(Purpose.PREFERENCES, public_id)

    def confirm(self, public_id: str, issued_at: datetime) -> str:
        """Return the link that confirms an address, good for 72 hours after `issued_at` (aware)."""
        return self._signed(Purpose.CONFIRM, public_id, int(utc(issued_at).timestamp()))

    def issue(self, public_id: str) -> str:
        """Return the address of an issue in the browser: its id is random, and it needs no token."""
        if not _ISSUE_ID.fullmatch(public_id):
            raise ValueError(f"not the public id of an issue: {public_id!r}")
        return f"{self._base}/issues/{public_id}"

    def read(self, purpose: Purpose, token: str, now: datetime) -> str:
        """Return the public id of the reader that a token names.

        Raises BadLink if it is not ours, altered, cut, made for another purpose, or too old at `now` (aware).
        """
        if not _TOKEN.fullmatch(token):
            raise BadLink("this link is not whole; copy it from the letter again")
        raw = base64.urlsafe_b64decode(token)
        payload, mac = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
        if not hmac.compare_digest(mac, self._mac(purpose, payload)):
            raise BadLink("this link is not one of ours; copy it from the letter again")
        public_id, issued = _LAYOUT.unpack(payload)
        if purpose is Purpose.CONFIRM:
            until = datetime.fromtimestamp(issued, UTC) + timedelta(hours=CONFIRM_HOURS)
            if utc(now) > until:
                raise BadLink(f"this link was good for {CONFIRM_HOURS} hours; please subscribe again", expired=True)
        return str(public_id.hex())

    def _signed(self, purpose: Purpose, public_id: str, issued: int = 0) -> str:
        if not _PUBLIC_ID.fullmatch(public_id):
            raise ValueError(f"not the public id of a reader: {public_id!r}")
        payload = _LAYOUT.pack(bytes.fromhex(public_id), issued)
        token = base64.urlsafe_b64encode(payload + self._mac(purpose, payload)).decode("ascii")
        return f"{self._base}/{purpose}/{token}"

    def _mac(self, purpose: Purpose, payload: bytes) -> bytes:
        signed = b"paperround link 1\0" + purpose.encode("ascii") + b"\0" + payload
        return hmac.digest(self._key, signed, hashlib.sha256)[:_MAC]


def _checked(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        parts.port  # noqa: B018 reading it is how urlsplit says that a port is no number
    except ValueError as error:
        raise SettingsError(f"web.base_url is not an address: {base_url!r}") from error
    plain = _VISIBLE.fullmatch(base_url) and not set(base_url) & set('"<>\\^`{|}')
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise SettingsError(
            f"web.base_url must begin with https:// and a host, in ASCII without spaces, not {base_url!r}"
        )
    if parts.query or parts.fragment or "@" in parts.netloc or base_url.endswith(("?", "#")):
        raise SettingsError(
            f"web.base_url must be the site's root alone, without user, query or fragment: {base_url!r}"
        )
    return base_url.rstrip("/")
