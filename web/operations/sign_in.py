"""The operator's door: HTTP Basic (RFC 7617, UTF-8), no cookie, and few wrong tries.

    Authorization → too many wrong tries of this client? 429 → right? in → wrong: counted, 401

Digests are compared, in constant time. Only wrong tries count, each for its own client: nobody is locked out by
somebody else. A proxy in front is one client unless `[web] trusted_proxies` names it. Without a password nobody gets
in, and the answer is the same.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import unicodedata
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from web.limits import Limiter
from web.rendering import Rendering
from web.words import Notice

TRIES, MINUTES = 10, 10
_LONGEST = 4096  # characters of a header that is read at all
_ASK = {"WWW-Authenticate": 'Basic realm="Paperround", charset="UTF-8"'}
_SIGN_IN = Notice(
    "This page is for whoever runs the site",
    ("Please sign in with the operator’s password; any user name will do.",),
)
_TOO_OFTEN = Notice("Please try again in some minutes", ("There were too many wrong passwords. Nothing was changed.",))


class Door:
    """Lets the operator in; `password` is "" where nobody is."""

    def __init__(self, password: str, rendering: Rendering) -> None:
        self._digest = _digest(password) if password else b""
        self._rendering = rendering
        self._wrong = Limiter(f"{TRIES}/{MINUTES} minute")
        self._lock = threading.Lock()

    def refused(self, request: Request) -> Response | None:
        """Return the answer to whoever may not come in; None for the operator."""
        header = request.headers.get("authorization", "")
        if not header:
            return self._rendering.notice(_SIGN_IN, 401, _ASK)  # as every browser asks at first
        with self._lock:  # so that tries side by side are not more than tries in turn
            if seconds := self._wrong.is_over(request):
                return self._rendering.notice(_TOO_OFTEN, 429, {"Retry-After": str(seconds)})
            given = hashlib.sha256(b"" if (said := _password(header)) is None else _bytes(said)).digest()
            if self._digest and said is not None and hmac.compare_digest(given, self._digest):
                return None
            self._wrong.count(request)
        return self._rendering.notice(_SIGN_IN, 401, _ASK)


class Stamp:
    """What every form of the page carries, so that no other site can press its buttons; good for a day or two.

    The address after a deed carries one of its own, good for a minute or two: no link makes the page tell of a deed.
    """

    def __init__(self, key: str) -> None:
        """`key` is the site's secret key; without one the forms are good as long as this process lives."""
        self._key = (key or secrets.token_urlsafe(32)).encode("utf-8", "surrogatepass")

    def of(self, now: datetime) -> str:
        """Return the stamp of a day."""
        return self._sealed(now.astimezone(UTC).date().isoformat())

    def is_good(self, stamp: str, now: datetime) -> bool:
        """Whether a form is of today or yesterday."""
        return _is_one_of(stamp, (self.of(now), self.of(now - timedelta(days=1))))

    def of_deed(self, done: str, now: datetime) -> str:
        """Return the stamp of what was done in a minute."""
        return self._sealed(f"{done}\n{now.astimezone(UTC):%Y-%m-%d %H:%M}")

    def is_of_deed(self, stamp: str, done: str, now: datetime) -> bool:
        """Whether it was done in this minute or the one before."""
        return _is_one_of(stamp, (self.of_deed(done, now), self.of_deed(done, now - timedelta(minutes=1))))

    def _sealed(self, text: str) -> str:
        return hmac.new(self._key, f"operations\n{text}".encode(), hashlib.sha256).hexdigest()


def _is_one_of(stamp: str, known: tuple[str, ...]) -> bool:
    given = stamp.encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(given, each.encode("ascii")) for each in known)


def _digest(password: str) -> bytes:
    return hashlib.sha256(_bytes(password)).digest()


def _bytes(password: str) -> bytes:
    """Return a password as it is compared: one form of each letter, however a keyboard writes it (RFC 8265)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _password(header: str) -> str | None:
    """Return the password of an Authorization header; None for any other header."""
    scheme, _, token = header[: _LONGEST + 1].partition(" ")
    if len(header) > _LONGEST or scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(token.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return password if colon else None
