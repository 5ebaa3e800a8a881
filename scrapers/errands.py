"""Small errands beside the collecting of pages: one GET of an address that the operator set, or that was checked.

    https, or http on this machine  →  at most a few hops on the same host  →  so many bytes, so many seconds  →  bytes

No robots.txt, no pace, no second try: who asks decides when to ask again. As with pages, nothing that comes back is
trusted, and a name that answers from the public internet does not lead inside afterwards (addresses.py).
"""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime

import httpx

from domain.errors import RefusedAnswer, SettingsError
from scrapers.addresses import Reach
from scrapers.answers import judge
from scrapers.asking import user_agent
from scrapers.body import read_body
from scrapers.fetch import proxy_of, shown_proxy, translated
from scrapers.source import is_loopback
from scrapers.watch import FOREIGN, UnderWay

_HOPS = 3


class Errands:
    """Brings small answers; several threads may share it, and it holds no socket between two errands.

    `contact` and `proxy` are those of [collect], "" for none; `allow_private_hosts` lets a host of the public internet
    lead into private networks. Raises SettingsError for a contact or proxy that cannot be used.
    """

    def __init__(
        self,
        *,
        contact: str,
        version: str,
        now: Callable[[], datetime],
        proxy: str = "",
        allow_private_hosts: bool = False,
    ) -> None:
        self._agent = user_agent(version, contact)
        self._now = now
        try:
            self._proxy = proxy_of(proxy)
        except (ValueError, httpx.InvalidURL) as error:
            raise SettingsError("collect.proxy must be an http or https address") from error
        self._via = shown_proxy(proxy) if proxy else ""
        self._allow_private_hosts = allow_private_hosts

    def get(self, url: str, *, limit: int = 65_536, seconds: float = 10) -> bytes:
        """Return what an address answers, at most `limit` bytes, within `seconds` from its connection on.

        Raises CollectError: RefusedAnswer for an address that is not https (http on this machine is), for a redirect to
        another host and for a larger answer; Unreachable or TooSlow where none came; any other for a status that is
        not 2xx.
        """
        reach = Reach(anywhere=self._allow_private_hosts)
        asked = url
        for _ in range(_HOPS + 1):
            try:
                answer = self._hop(asked, reach, limit, seconds)
            except FOREIGN as error:
                raise translated(error, asked, self._via) from error
            if isinstance(answer, bytes):
                return answer
            asked = answer
        raise RefusedAnswer(f"{url[:200]} redirects more than {_HOPS} times")

    def _hop(self, url: str, reach: Reach, limit: int, seconds: float) -> bytes | str:
        """Return the body, or the address that a redirect leads to."""
        address = httpx.URL(url)
        if address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.host)):
            raise RefusedAnswer(f"{url[:200]!r} must be https; http is for this machine alone")
        if self._via:
            reach.meet(address.host, url)
        under_way = UnderWay(seconds)
        transport = httpx.HTTPTransport(proxy=self._proxy, trust_env=False)
        with closing(transport), under_way.watch(url, None if self._via else reach) as watch:
            extensions = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds), "trace": watch.see}
            headers = {"user-agent": self._agent, "accept-encoding": "identity"}
            request = httpx.Request("GET", address, headers=headers, extensions=extensions)
            with closing(transport.handle_request(request)) as response:
                location = response.headers.get("location")
                if response.has_redirect_location and location:
                    return _next_hop(address, location)
                judge(response.status_code, response.headers, url, now=self._now(), conditional=False)
                coding = response.headers.get("content-encoding", "")
                return read_body(response.iter_raw(), coding=coding, cap=limit, url=url)


def _next_hop(current: httpx.URL, location: str) -> str:
    """Return where a redirect leads: the same host, and never from https to http."""
    try:
        target = current.join(location)
    except (httpx.InvalidURL, ValueError) as error:
        raise RefusedAnswer(f"{current} redirects to {location[:200]!r}, which is no address") from error
    if (target.scheme, target.host) != (current.scheme, current.host) or target.userinfo:
        raise RefusedAnswer(f"{current} redirects to {location[:200]!r}, where we do not go")
    return str(target)
