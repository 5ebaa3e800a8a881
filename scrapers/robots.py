"""robots.txt: whether a page made for people may be asked for by a program, and how far apart (RFC 9309).

The file of an origin is asked for once a day and kept in the ledger. What it says is read by protego; groups that speak
to others are taken out before, since a file of many agents times many rules costs a parser their product.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from protego import Protego

from domain.errors import Blocked, RefusedAnswer, Unreachable
from domain.papers import PageRequest
from scrapers.answers import is_good
from scrapers.pace import BETWEEN_LANES, Pace
from scrapers.source import Page

SIZE_CAP = 512 * 2**10  # bytes; what stands beyond is not read (RFC 9309 section 2.5 asks for 500 KiB at least)
AGENT = "paperround"

_GOOD_FOR = 24 * 3600.0  # seconds (RFC 9309 section 2.4)
_GRACE = 3600.0  # seconds that an expired copy serves on while the file cannot be read
_LONGEST_DELAY = 60.0  # seconds
# "Unavailable" (RFC 9309 section 2.3.1.3) are all 4xx; these ask for patience instead.
_UNAVAILABLE = frozenset(range(400, 500)) - {406, 408, 425, 429}
_AGENT_LINE = re.compile(r"user[- ]?agent[ \t]{0,9}[: \t][ \t]{0,9}(\*(?![a-z_-])|[a-z_-]*)", re.IGNORECASE)


class Robots:
    """Asks and remembers; `pace` keeps the copies."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def check(self, url: str, pace: float, get: Callable[[PageRequest], Page]) -> float:
        """Return the seconds that the site wants between two pages, at most a minute; 0 where it does not say.

        `get` is called with the request for robots.txt where there is no fresh copy; `pace` is that of the page.

        Raises:
            Blocked: robots.txt does not allow the address.
            Unreachable: robots.txt cannot be read, and there is no earlier copy: until then nothing may be asked.
            Throttled: the site asks for patience.

        """
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        rules = Protego.parse(self._text(f"{parts.scheme}://{host}", pace, get))
        if not rules.can_fetch(url, AGENT):
            raise Blocked(f"robots.txt of {host} does not allow {parts.path or '/'}")
        return min(rules.crawl_delay(AGENT) or 0.0, _LONGEST_DELAY)

    def _text(self, origin: str, pace: float, get: Callable[[PageRequest], Page]) -> str:
        kept = self._pace.robots(origin)
        if kept is not None and 0 < kept[1] <= _GOOD_FOR:
            return kept[0]
        try:
            text = _read(get(_request(origin, pace)))
        except Unreachable as error:
            if kept is None:
                raise Unreachable(_unread(origin, error), error.silence) from error
            self._pace.keep_robots(origin, kept[0], _GRACE)
            return kept[0]
        except (RefusedAnswer, Blocked):  # it leads astray or to a login: unavailable (RFC 9309 section 2.3.1.2)
            text = ""
        self._pace.keep_robots(origin, text, _GOOD_FOR)
        return text


def _unread(origin: str, error: Unreachable) -> str:
    """Say why nothing may be asked of a site whose robots.txt is not known."""
    if error.silence:
        return f"{origin.partition('://')[2]} did not answer (asked for its robots.txt first): {error.silence}"
    return f"robots.txt of {origin} cannot be read, so nothing may be asked: {error}"


def _request(origin: str, pace: float) -> PageRequest:
    """Name robots.txt of an origin such as "https://arxiv.org"; it goes in the lane of what is made for programs."""
    return PageRequest(
        f"{origin}/robots.txt",
        accept="text/plain,*/*;q=0.5",
        pace=min(pace, BETWEEN_LANES),
        is_page=False,
        reads=_UNAVAILABLE,
    )


def _read(page: Page) -> str:
    """Return what the file says to us: nothing where there is none."""
    if not is_good(page.status):
        return ""
    return for_us(page.body.decode("utf-8-sig", errors="replace").replace("\0", ""))


def for_us(text: str) -> str:
    """Return robots.txt with every other agent named "other", each run of them once."""
    lines: list[str] = []
    for line in text.splitlines():
        named = _AGENT_LINE.match(line.strip())
        if named is None:
            lines.append(line)
            continue
        agent = named[1].lower()
        said = f"user-agent: {agent if agent in {'*', AGENT} else 'other'}"
        if not lines or lines[-1] != said:
            lines.append(said)
    return "\n".join(lines)
