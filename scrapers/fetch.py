"""The only socket for pages (errands.py is for what is none): one polite GET, and nothing that came back is trusted.

`Fetcher.get` looks whether robots.txt allows the page (robots.py), waits for the site's turn (pace.py), asks
(conditionally where it can), again where that may help (patience.py), follows redirects by hand, reads the body within
a size and a deadline, and says every failure in our own words: worth asking again (Throttled, Unreachable) or not.

The retry loop is our own: stamina sleeps by itself, and a wait here must end when the worker is told to stop.
"""

import re
import ssl
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from urllib.parse import urlsplit

import httpx

from domain.errors import (
    Blocked,
    CollectError,
    PermanentCollectError,
    RefusedAnswer,
    SettingsError,
    Unreachable,
)
from domain.papers import PageRequest, Validators
from scrapers import robots
from scrapers.addresses import Reach
from scrapers.answers import judge, spent_window
from scrapers.asking import Errand, user_agent
from scrapers.body import read_body
from scrapers.pace import FEEDS, PAGES, Pace, site_of
from scrapers.patience import Asker
from scrapers.source import Page
from scrapers.watch import FOREIGN, UnderWay

SIZE_CAP = 16 * 2**20  # bytes after unpacking (the largest pages seen are 2.3 MB, sources.md 1.1)
_HOPS = 5
_LEASE_MARGIN = 5.0  # seconds that a turn outlives the longest request, for names that resolve slowly
_LOGIN = re.compile(r"(?:log[_-]?in|sign[_-]?in|auth|sso)(?:\.(?:php|html?|aspx?|jsp))?", re.IGNORECASE)
_NUMBERED = re.compile(r"\[Errno -?[0-9]+\] *")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one request may take, in seconds, and how large its answer may be, in bytes."""

    connect: float = 10.0
    read: float = 20.0  #: between two pieces
    total: float = 60.0  #: from the start of the connection to the last byte, however steadily bytes drip
    size: int = SIZE_CAP  #: after unpacking


class Fetcher(AbstractContextManager["Fetcher"]):
    """Brings pages over http and https; several threads may share it.

    `contact` is the operator's mail or web address, "" where none is set; `proxy` an http(s) address. `sleep` takes
    seconds and may raise to abandon the wait; `now` gives the present instant, aware, in UTC.
    A redirect from the public internet into private networks is refused unless `allow_private_hosts`: by the address
    that was connected to, before anything is sent; behind a proxy, which resolves names itself, by literal addresses.
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
        allow_private_hosts: bool = False,
    ) -> None:
        self._limits = limits or Limits()
        self._pace = pace
        self._robots = robots.Robots(pace)
        self._asker = Asker(pace, sleep=sleep, lease=self._limits.total + _LEASE_MARGIN)
        self._now = now
        self._under_way = UnderWay(self._limits.total)
        self._via = shown_proxy(proxy) if proxy else ""
        self._allow_private_hosts = allow_private_hosts
        self._agent = user_agent(version, contact)
        try:
            # The transport, not the client: no cookies, no redirects of its own, no look at the environment.
            self._transport = httpx.HTTPTransport(
                # A connection a request: pages are minutes apart, and the deadline watches each from its start.
                limits=httpx.Limits(max_keepalive_connections=0),
                proxy=proxy_of(proxy),
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

    def abandon(self) -> None:
        """End all requests under way, of every thread, as Unreachable at once, and every later one before it begins.

        Any thread and a signal's handler may call it. Who is still connecting learns of it once that is over.
        """
        self._under_way.abandon()

    def get(self, request: PageRequest, validators: Validators | None = None) -> Page:
        """Ask for a page; its status is 2xx, one of `request.reads`, or 304 with an empty body.

        304 means that `validators` still hold; they are sent only to the address that gave them.

        Raises:
            Throttled: the site asks for more patience than this call has, or did so before (then it was not asked);
                `retry_after` says for how long it is left alone. Or it was busy with our other requests.
            Unreachable: no whole answer after a few tries, or robots.txt cannot be read; its subclass TooSlow where one
                try took as long as it may, or was abandoned.
            Blocked: 401, 403, a redirect to a login, or robots.txt does not allow it.
            RefusedAnswer: too large, an unknown coding, or a redirect to where we do not go.
            PermanentCollectError: any other refusal, such as 404, or a certificate that cannot be trusted.
            StorageError: the record of the site's turns cannot be used.

        """
        return self._follow(Errand(request, validators, Reach(anywhere=self._allow_private_hosts)))

    def _follow(self, errand: Errand) -> Page:
        url = errand.request.url
        for _ in range(_HOPS + 1):
            try:
                answer = self._hop(errand, httpx.URL(url))
            except FOREIGN as error:
                raise translated(error, url, self._via) from error
            if isinstance(answer, Page):
                return answer
            url = _next_hop(httpx.URL(url), answer)
        raise RefusedAnswer(f"{errand.request.url} redirects more than {_HOPS} times")

    def _hop(self, errand: Errand, address: httpx.URL) -> Page | str:
        """Return the page, or the Location where the answer is a redirect."""
        if address.scheme not in {"http", "https"} or not address.host:
            raise RefusedAnswer(f"{str(address)[:200]!r} is not an http or https address")
        pace = max(errand.request.pace, self._delay(errand, address))
        site, lane = site_of(str(address)), PAGES if errand.request.is_page else FEEDS
        return self._asker.ask(site, lane, pace, lambda: self._ask(errand, address, site))

    def _delay(self, errand: Errand, address: httpx.URL) -> float:
        """Return what robots.txt says of the seconds between two pages; raises Blocked where it forbids this one."""
        if not errand.request.is_page:
            return 0.0
        # The same reach: a redirect is not to lead inside by way of robots.txt either.
        return self._robots.check(
            str(address),
            errand.request.pace,
            lambda request: self._follow(Errand(request, None, errand.reach, is_robots=True)),
        )

    def _ask(self, errand: Errand, address: httpx.URL, site: str) -> Page | str:
        try:
            return self._exchange(errand, address, site)
        except FOREIGN as error:
            raise translated(error, str(address), self._via) from error

    def _exchange(self, errand: Errand, address: httpx.URL, site: str) -> Page | str:
        url = str(address)
        headers = errand.headers(url, self._agent)
        timeout = {**dict.fromkeys(("read", "write", "pool"), self._limits.read), "connect": self._limits.connect}
        if self._via:
            errand.reach.meet(address.host, url)
        begun = time.perf_counter()
        with self._under_way.watch(url, None if self._via else errand.reach) as watch:
            extensions = {"timeout": timeout, "trace": watch.see}
            request = httpx.Request("GET", address, headers=headers, extensions=extensions)
            with closing(self._transport.handle_request(request)) as response:
                window = spent_window(response.headers)
                if window is not None:
                    self._pace.hold(site, window)
                location = response.headers.get("location")
                if response.has_redirect_location and location:
                    errand.seconds += time.perf_counter() - begun
                    return str(location)
                body = self._body(response, errand, url, conditional=errand.is_conditional(url))
        seconds = errand.seconds + time.perf_counter() - begun
        return Page(url, response.status_code, dict(response.headers), body, self._now(), seconds)

    def _body(self, response: httpx.Response, errand: Errand, url: str, *, conditional: bool) -> bytes:
        if response.status_code not in errand.request.reads:
            judge(response.status_code, response.headers, url, now=self._now(), conditional=conditional)
        cap = robots.SIZE_CAP if errand.is_robots else self._limits.size
        if int(response.headers.get("content-length", "0")) > cap and not errand.is_robots:
            raise RefusedAnswer(f"the answer of {url} is larger than {cap:,} bytes")
        coding = response.headers.get("content-encoding", "")
        return read_body(response.iter_raw(), coding=coding, cap=cap, url=url, cut=errand.is_robots)


def translated(error: Exception, url: str, proxy: str = "") -> CollectError:
    """Return what a failure of the HTTP client means to us; `proxy` is the address that it went through, if any.

    A certificate that cannot be trusted is permanent: more tries would meet the same one until a person mends it.
    """
    certificate = _certificate(error)
    if certificate is not None:
        return PermanentCollectError(f"the certificate of {url} cannot be trusted: {certificate.verify_message}")
    match error:
        case httpx.UnsupportedProtocol() | httpx.InvalidURL() | httpx.TooManyRedirects() | UnicodeError():
            return RefusedAnswer(f"{url[:200]!r} is not an address that can be asked")
        case httpx.LocalProtocolError() | httpx.CookieConflict():
            return PermanentCollectError(f"{url} cannot be asked: {error}")
        case httpx.TimeoutException():
            silence = "it took too long"
        case _:
            silence = _NUMBERED.sub("", str(error)) or type(error).__name__
    silence = f"{silence}, through the proxy {proxy}" if proxy else silence
    return Unreachable(f"{url} did not answer: {silence}", silence)


def _certificate(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Return the refusal of a certificate that an error of the client came from."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def _next_hop(current: httpx.URL, location: str) -> str:
    """Return where a redirect leads, if we go there: any host over http(s), but never from https back to http."""
    try:
        target = current.join(location).copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError) as error:
        raise RefusedAnswer(f"{current} redirects to {location[:200]!r}, which is no address") from error
    schemes = {"https"} if current.scheme == "https" else {"http", "https"}
    if target.scheme not in schemes or not target.host or target.userinfo:
        raise RefusedAnswer(f"{current} redirects to {location[:200]!r}, where we do not go")
    if any(map(_LOGIN.fullmatch, target.path.split("/"))):
        raise Blocked(f"{current} redirects to a login")
    return str(target)


def shown_proxy(proxy: str) -> str:
    """Return a proxy's address without the name and password in it."""
    scheme, _, rest = proxy.rpartition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def proxy_of(address: str | None) -> httpx.Proxy | None:
    """Return the proxy of that address, None for none; raises ValueError or httpx.InvalidURL for what is none."""
    if not address:
        return None
    urlsplit(address)  # stricter than the client about brackets
    proxy = httpx.Proxy(address)
    if proxy.url.scheme not in {"http", "https"} or not proxy.url.host:
        raise ValueError(address)
    return proxy
