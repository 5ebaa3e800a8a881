"""The headers of every answer; a page that sets one itself keeps its own: an issue brings its own policy for styles."""

from collections.abc import Iterable, Sequence

from web.policy import POLICY

Raw = tuple[bytes, bytes]

_EVERY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that know no frame-ancestors
    # No path is told to anybody. With no-referrer browsers would withhold a form's Origin too (Fetch, "append a request
    # Origin header"), and Safari before 16.4 says nothing else of where a form came from.
    "Referrer-Policy": "strict-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_YEAR = 31_536_000  # seconds
#: What other sites may load: it is made for programs, and the same for everyone.
_OPEN = ("/api/", "/openapi.json")
_FEED = ".atom"
_CROSSING = b"access-control-"


class Added:
    """The headers of one site.

    `secure`: browsers are to come by https alone; `opens`: pages of other sites may read what is made for programs,
    which on a machine of one's own they may not.
    """

    def __init__(self, *, secure: bool, opens: bool, root: str = "") -> None:
        every = dict(_EVERY)
        if secure:
            every["Strict-Transport-Security"] = f"max-age={_YEAR}"
        self._own = _raw(every)
        self._opens = opens
        self._open = _raw({**every, "Cross-Origin-Resource-Policy": "cross-origin"}) if opens else self._own
        self._paths = tuple(f"{root}{each}" for each in _OPEN)

    def to(self, headers: Iterable[Raw], path: str, *, here: bool) -> list[Raw]:
        """Return an answer's headers and what they lack; `here`: it goes to this machine, which may speak http."""
        given = [each for each in headers if self._opens or not each[0].startswith(_CROSSING)]
        names = {name for name, _ in given}
        wanted = self._open if path.startswith(self._paths) or path.endswith(_FEED) else self._own
        given += [
            each for each in wanted if each[0] not in names and not (here and each[0] == b"strict-transport-security")
        ]
        return given


def _raw(headers: dict[str, str]) -> Sequence[Raw]:
    return tuple((name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items())
