"""The links in letters: short, signed, each good for one purpose.

    token = base64url(reader's public id · instant · HMAC-SHA256 over purpose, id and instant)

A token is 36 characters and always the same for the same reader, so that a letter sent again has the same bytes, and so
that List-Unsubscribe stays short (mail.md findings 4, section 5). Only what was asked for carries an instant and
expires (confirm, address, fresh); that it is used once is for storage to know. Opening a link changes nothing: that is
for the web to keep.

New links are signed with the newest key. Those of older keys are read as long as the settings name the keys, so that
the way out of an old letter still works after a key was changed; a key that is dropped takes its links with it.
"""

import base64
import hashlib
import hmac
import re
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from domain.clock import utc
from domain.errors import SettingsError, UsageError

#: How long a confirmation link is good (mail.md item 33).
CONFIRM_HOURS = 72
#: How long the link is good that the acts need which a forwarded letter must not be able to do (mail.md item 36).
FRESH_HOURS = 2
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
    ADDRESS = "address"  # the new address of a known reader
    FRESH = "account"  # address, export, erase
    FEEDBACK = "feedback"  # more like a paper, or less: nothing else, for a letter may be passed on


#: The purposes whose links expire, and after how many hours.
HOURS: Mapping[Purpose, int] = {
    Purpose.CONFIRM: CONFIRM_HOURS,
    Purpose.ADDRESS: CONFIRM_HOURS,
    Purpose.FRESH: FRESH_HOURS,
}


class BadLink(UsageError):
    """A link that we did not make, or one that is no longer good."""

    def __init__(self, reason: str, *, expired: Purpose | None = None) -> None:
        super().__init__(reason)
        #: The purpose of one that was ours and is only too old: a new one can be asked for. Else None.
        self.expired = expired


class Links:
    """Makes links under one site and reads their tokens.

    `base_url` is the site's root, http(s), with or without a path and a slash at its end; `secret_key` and each of
    `old_keys`, newest first, have at least 16 characters. Raises SettingsError for anything else.
    """

    def __init__(self, base_url: str, secret_key: str, old_keys: Sequence[str] = ()) -> None:
        self._base = site_root(base_url)
        for name, key in (("secret_key", secret_key), *(("old_secret_keys", key) for key in old_keys)):
            if len(key) < _SHORTEST_KEY:
                raise SettingsError(
                    f"web.{name} must have {_SHORTEST_KEY} characters or more: it signs the links in letters"
                )
        self._keys = tuple(key.encode("utf-8", "surrogatepass") for key in (secret_key, *old_keys))

    def unsubscribe(self, public_id: str) -> str:
        """Return the link that ends a reader's digest; it never expires."""
        return self._signed(Purpose.UNSUBSCRIBE, public_id)

    def preferences(self, public_id: str) -> str:
        """Return the link to a reader's topics and hour; it never expires."""
        return self._signed(Purpose.PREFERENCES, public_id)

    def feedback(self, public_id: str) -> str:
        """Return the link under which a reader says what they want more of, and less; it never expires."""
        return self._signed(Purpose.FEEDBACK, public_id)

    def confirm(self, public_id: str, issued_at: datetime) -> str:
        """Return the link that confirms an address, good for 72 hours after `issued_at` (aware)."""
        return self._signed(Purpose.CONFIRM, public_id, int(utc(issued_at).timestamp()))

    def address(self, public_id: str, issued_at: datetime) -> str:
        """Return the link by which a new address is confirmed, good for 72 hours after `issued_at` (aware)."""
        return self._signed(Purpose.ADDRESS, public_id, int(utc(issued_at).timestamp()))

    def fresh(self, public_id: str, issued_at: datetime) -> str:
        """Return the link to what needs a fresh one, good for two hours after `issued_at` (aware)."""
        return self._signed(Purpose.FRESH, public_id, int(utc(issued_at).timestamp()))

    def issue(self, public_id: str) -> str:
        """Return the address of an issue in the browser: its id is random, and it needs no token."""
        if not _ISSUE_ID.fullmatch(public_id):
            raise ValueError(f"not the public id of an issue: {public_id!r}")
        return f"{self._base}/issues/{public_id}"

    def read(self, purpose: Purpose, token: str, now: datetime) -> str:
        """Return the public id of the reader that a token names.

        Raises BadLink if it is not ours, altered, cut, made for another purpose, or too old at `now` (aware).
        """
        return self.read_dated(purpose, token, now)[0]

    def whose(self, purpose: Purpose, token: str) -> str:
        """Return the public id of the reader that a token names, however old it is; else raises BadLink as `read`."""
        return self._opened(purpose, token)[0]

    def read_dated(self, purpose: Purpose, token: str, now: datetime) -> tuple[str, datetime]:
        """Return the public id of the reader that a token names, and the whole second it was made; BadLink as `read`.

        The instant is that of 1970 for links that carry none.
        """
        public_id, made = self._opened(purpose, token)
        hours = HOURS.get(purpose)
        if hours is not None and utc(now) > made + timedelta(hours=hours):
            raise BadLink(f"this link was good for {hours} hours; please ask for a new one", expired=purpose)
        return public_id, made

    def _opened(self, purpose: Purpose, token: str) -> tuple[str, datetime]:
        if not _TOKEN.fullmatch(token):
            raise BadLink("this link is not whole; copy it from the letter again")
        raw = base64.urlsafe_b64decode(token)
        payload, mac = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
        if not any(hmac.compare_digest(mac, _mac(key, purpose, payload)) for key in self._keys):
            raise BadLink("this link is not one of ours; copy it from the letter again")
        public_id, issued = _LAYOUT.unpack(payload)
        return str(public_id.hex()), datetime.fromtimestamp(issued, UTC)

    def _signed(self, purpose: Purpose, public_id: str, issued: int = 0) -> str:
        if not _PUBLIC_ID.fullmatch(public_id):
            raise ValueError(f"not the public id of a reader: {public_id!r}")
        payload = _LAYOUT.pack(bytes.fromhex(public_id), issued)
        token = base64.urlsafe_b64encode(payload + _mac(self._keys[0], purpose, payload)).decode("ascii")
        return f"{self._base}/{purpose}/{token}"


def _mac(key: bytes, purpose: Purpose, payload: bytes) -> bytes:
    signed = b"paperround link 1\0" + purpose.encode("ascii") + b"\0" + payload
    return hmac.digest(key, signed, hashlib.sha256)[:_MAC]


def site_root(base_url: str) -> str:
    """Return a site's root without a slash at its end; raises SettingsError where it is none."""
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
