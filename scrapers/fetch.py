"""The only socket for pages: one polite GET, and nothing that came back is trusted.

`Fetcher.get` waits for the host's turn, asks (conditionally where it can), follows redirects by hand within the same
host, reads the body within a size and a deadline, and says every failure in our own words: worth asking again
(Throttled, Unreachable) or not (Blocked, RefusedAnswer). What is worth asking again is asked again a few times, after
as long as the host said, or else after a short pause that grows.

The retry loop is our own: stamina sleeps by itself, and a wait here must end when the worker is told to stop.
"""

import re
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from domain.errors import (
    Blocked,
    CollectError,
    PermanentCollectError,
    RefusedAnswer,
    SettingsError,
    Throttled,
    TransientCollectError,
    Unreachable,
)
from domain.papers import PageRequest, Validators
from scrapers.body import read_body
from scrapers.pace import Pace
from scrapers.source import Page

SIZE_CAP = 16 * 2**20  # bytes after unpacking (the largest pages seen are 2.3 MB, sources.md 1.1)
_HOPS = 5
_PAUSES = (timedelta(seconds=1), timedelta(seconds=4))  # before the second and the third try
_PATIENCE = timedelta(seconds=30)  # a host that asks for more is left alone until the next round
_FOREIGN = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError, UnicodeError)
_LOGIN = re.compile(r"/(?:log-?in|sign-?in|auth|users/sign_in|sso)(?:[/?.]|$)", re.IGNORECASE)
_CONTACT = re.compile(r"https?://[\x21-\x7e]+|[\x21-\x27\x2a-\x3f\x41-\x7e]+@[A-Za-z0-9.-]+")
_MAILTO = "mailto:"
_RESET = re.compile(r"\bt=(\d{1,6})\b")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one request may take, in seconds, and how large its answer may be, in bytes."""

    connect: float = 10.0
    read: float = 20.0  #: between two pieces
    total: float = 60.0  #: from the start of the connection to the last byte, however steadily bytes drip
    size: int = SIZE_CAP  #: after unpacking


class Fetcher(AbstractContextManager["Fetcher"]):
    """Brings pages over http and https.

    `contact` is the operator's mail or web address, "" where none is set; `proxy` an http(s) address. `sleep` takes
    seconds and may raise to abandon the wait; `now` gives the present instant, aware, in UTC.
    Raises SettingsError for a contact or proxy that cannot be used. Keeps no cookie and reads no environment.
    """

    def __init__(
        self,
        *,
        contact: str,
        version: str,
        pace: Pace,
        sleep: Callable[[float], object],
        now: Callable[[], datetime],
        proxy: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._pace = pace
        self._sleep = sleep
        self._now = now
        self._agent = _user_agent(version, contact)
        try:
            # The transport, not the client: no cookies, no redirects of its own, no look at the environment.
            self._transport = httpx.HTTPTransport(
                # A connection a request: pages are minutes apart, and the deadline watches each from its start.
                limits=httpx.Limits(max_keepalive_connections=0),
                proxy=_proxy(proxy),
                trust_env=False,
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise SettingsError("collect.proxy must be an http or https address") from error

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Give the sockets back."""
        self._transport.close()

    def get(self, request: PageRequest, validators: Validators | None = None) -> Page:
        """Ask for a page; its status is 2xx, or 304 with an empty body where `validators` still hold.

        Validators are sent only to the address that gave them.

        Raises:
            Throttled: the host asks for more patience than this call has; `retry_after` if it said how much.
            Unreachable: no whole answer after a few tries.
            Blocked: 401, 403, or a redirect to a login.
            RefusedAnswer: too large, an unknown coding, or a redirect that leaves the host.
            PermanentCollectError: any other refusal, such as 404.

        """
        for pause in _PAUSES:
            try:
                return self._follow(request, validators)
            except TransientCollectError as error:
                asked = error.retry_after if isinstance(error, Throttled) else None
                if asked is not None and asked > _PATIENCE:
                    raise
                self._sleep((pause if asked is None else asked).total_seconds())
        return self._follow(request, validators)

    def _follow(self, request: PageRequest, validators: Validators | None) -> Page:
        url = request.url
        for _ in range(_HOPS + 1):
            try:
                answer = self._ask(url, request.accept, validators)
            except _FOREIGN as error:
                raise translated(error, url) from error
            if isinstance(answer, Page):
                return answer
            url = _next_hop(httpx.URL(url), answer)
        raise RefusedAnswer(f"{request.url} redirects more than {_HOPS} times")

    def _ask(self, url: str, accept: str, validators: Validators | None) -> Page | str:
        """Return the page, or the Location where the answer is a redirect."""
        address = httpx.URL(url)
        if address.scheme not in {"http", "https"} or not address.host:
            raise RefusedAnswer(f"{url[:200]!r} is not an http or https address")
        headers = {
            "user-agent": self._agent,
            "accept": accept,
            "accept-encoding": "gzip",
            **_conditions(url, validators),
        }
        read = self._limits.read
        timeout = {"connect": self._limits.connect, "read": read, "write": read, "pool": read}
        self._pace.wait(address.host)
        with _Deadline(self._limits.total, url) as deadline:
            extensions = {"timeout": timeout, "trace": deadline.watch}
            request = httpx.Request("GET", address, headers=headers, extensions=extensions)
            with closing(self._transport.handle_request(request)) as response:
                return self._read(response, url, headers)

    def _read(self, response: httpx.Response, url: str, asked: Mapping[str, str]) -> Page | str:
        location = response.headers.get("location")
        if response.has_redirect_location and location:
            return str(location)
        _judge(response, url, asked, self._now())
        if int(response.headers.get("content-length", "0")) > self._limits.size:
            raise RefusedAnswer(f"the answer of {url} is larger than {self._limits.size:,} bytes")
        coding = response.headers.get("content-encoding", "")
        body = read_body(response.iter_raw(), coding=coding, cap=self._limits.size, url=url)
        return Page(url, response.status_code, dict(response.headers), body, self._now())


class _Deadline:
    """Ends a request that takes longer than `seconds` in all, by shutting its socket.

    The client's own timeouts begin anew with every byte, so a host that sends one a second would hold us for days.
    Watching begins when the socket is there: name resolution ends by the resolver's own timeout.
    """

    def __init__(self, seconds: float, url: str) -> None:
        self._message = f"{url} took longer than {seconds:g} s"
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._sockets: list[socket.socket] = []
        self._passed = False

    def watch(self, event: str, info: Mapping[str, object]) -> None:
        """Take note of every socket that the client opens (its `trace` extension)."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            opened = getattr(info.get("return_value"), "get_extra_info", lambda _: None)("socket")
            if isinstance(opened, socket.socket):
                self._sockets.append(opened)
                if self._passed:
                    self._end()

    def _end(self) -> None:
        self._passed = True
        for opened in self._sockets:
            with suppress(OSError):  # already closed: the request is over
                # The plain socket's shutdown: that of a TLS socket would pull its state from under the reader.
                socket.socket.shutdown(opened, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        # A body without a length ends quietly when its socket is shut: it is cut all the same.
        if self._passed and (value is None or isinstance(value, _FOREIGN)):
            raise Unreachable(self._message) from value


def translated(error: Exception, url: str) -> CollectError:
    """Return what a failure of the HTTP client means to us."""
    match error:
        case httpx.UnsupportedProtocol() | httpx.InvalidURL() | httpx.TooManyRedirects() | UnicodeError():
            return RefusedAnswer(f"{url[:200]!r} is not an address that can be asked")
        case httpx.LocalProtocolError() | httpx.CookieConflict():
            return PermanentCollectError(f"{url} cannot be asked: {error}")
        case httpx.TimeoutException():
            return Unreachable(f"{url} did not answer in time")
        case _:
            return Unreachable(f"{url} did not answer: {str(error) or type(error).__name__}")


def _judge(response: httpx.Response, url: str, asked: Mapping[str, str], now: datetime) -> None:
    """Raise what a status other than a page's means; `asked` are the headers of the request."""
    status = response.status_code
    conditional = "if-none-match" in asked or "if-modified-since" in asked
    retry_after = _retry_after(response.headers, now)
    if response.is_success or (status == httpx.codes.NOT_MODIFIED and conditional):
        return
    # 406 is how arXiv turns away who asks too much (sources.md 3.3).
    if status in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.NOT_ACCEPTABLE} or (
        status == httpx.codes.SERVICE_UNAVAILABLE and retry_after is not None
    ):
        raise Throttled(f"{url} asks for patience ({status})", retry_after)
    if response.is_server_error or status in {httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY}:
        raise Unreachable(f"{url} answered {status}")
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise Blocked(f"{url} refused us ({status})")
    raise PermanentCollectError(f"{url} answered {status}")


def _next_hop(current: httpx.URL, location: str) -> str:
    """Return where a redirect leads, if we go there: the same host and port, or the same host's https."""
    try:
        target = current.join(location)
    except (httpx.InvalidURL, ValueError) as error:
        raise RefusedAnswer(f"{current} redirects to {location[:200]!r}, which is no address") from error
    same = (target.scheme, target.host, target.port) == (current.scheme, current.host, current.port)
    upgrade = (current.scheme, target.scheme) == ("http", "https") and current.host == target.host
    if target.userinfo or not (same or (upgrade and current.port is None and target.port is None)):
        raise RefusedAnswer(f"{current} redirects to another place, {location[:200]!r}")
    if _LOGIN.search(target.raw_path.decode("ascii")):
        raise Blocked(f"{current} redirects to a login")
    return str(target)


def _retry_after(headers: httpx.Headers, now: datetime) -> timedelta | None:
    """Return how long the host asks us to wait (RFC 9110 section 10.2.3, or `t` of RateLimit, sources.md 1.4)."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 8:
        return timedelta(seconds=int(value))
    with suppress(ValueError, OverflowError, TypeError):  # whatever else stands there says nothing
        instant = parsedate_to_datetime(value)
        return max(timedelta(), (instant if instant.tzinfo else instant.replace(tzinfo=UTC)) - now)
    reset = _RESET.search(headers.get("ratelimit", ""))
    return timedelta(seconds=int(reset[1])) if reset else None


def _conditions(url: str, validators: Validators | None) -> dict[str, str]:
    if validators is None or validators.url != url:
        return {}
    named = {"if-none-match": validators.etag, "if-modified-since": validators.last_modified}
    return {name: value for name, value in named.items() if value}


def _user_agent(version: str, contact: str) -> str:
    if not contact:
        return f"paperround/{version}"
    address = contact[len(_MAILTO) :] if contact.lower().startswith(_MAILTO) else contact
    if not _CONTACT.fullmatch(address):
        raise SettingsError(f"collect.contact must be a mail or web address, not {contact[:80]!r}")
    return f"paperround/{version} (+{address if '://' in address else _MAILTO + address})"


def _proxy(address: str | None) -> httpx.Proxy | None:
    if not address:
        return None
    urlsplit(address)  # stricter than the client about brackets
    proxy = httpx.Proxy(address)
    if proxy.url.scheme not in {"http", "https"} or not proxy.url.host:
        raise ValueError(address)
    return proxy
