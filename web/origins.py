"""Whom a request believes to speak with, and which page sent it: decisions over headers, without I/O.

Host      with a site, its own name or this machine's; else this machine's alone, or the address it listens at, so that
          no name that somebody points at us (DNS rebinding) opens the pages. No link is ever made from it.
Origin    a form that another site's page sends is refused. No page of ours acts by a cookie, so what names no origin
          at all (curl, a mailbox) is let through: it can do only what its token lets it do.

Browsers name the origin of our forms because of the Referrer-Policy of our pages (headers.py). `Origin: null` is a page
that hides where it comes from, such as a sandboxed frame: none of ours does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from urllib.parse import urlsplit

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::([0-9]{1,5}))?", re.IGNORECASE)
_ORIGIN = re.compile(r"(https?)://(.{1,300})", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}
_OWN = frozenset({"same-origin", "none"})  # none: typed, restored or a bookmark; no page makes a browser say so


class Naming(Enum):
    """What a Host header names."""

    SITE = "the site"
    MACHINE = "this machine"  # or the address that we listen at
    ANOTHER = "something else"
    NOTHING = "nothing that can be read"


@dataclass(frozen=True, slots=True)
class Authority:
    """A host with its port; None where none was said."""

    name: str
    port: int | None

    def under(self, scheme: str) -> tuple[str, int]:
        """Return both, with the port that a scheme means where none was said."""
        return self.name, self.port or _PORTS[scheme]


class Origins:
    """Knows the site's own names. `base_url` is "" where there is none; `listens` is the setting `[web] host`."""

    def __init__(self, base_url: str = "", listens: str = "127.0.0.1") -> None:
        parts = urlsplit(base_url)
        self._scheme = parts.scheme
        self._site = _authority(parts.netloc) if base_url else None
        self._listens = listens.strip("[]").lower()
        self._everywhere = _is_address(self._listens, "is_unspecified")

    @property
    def is_public(self) -> bool:
        """Whether others than this machine reach the site: else its archive is nothing to any page elsewhere."""
        return self._site is not None and not _is_loopback(self._site.name)

    @property
    def is_secure(self) -> bool:
        """Whether the site is reached by https alone."""
        return self._scheme == "https"

    def naming(self, hosts: Sequence[str]) -> Naming:
        """Return what a request's Host headers name, of which there must be one."""
        host = _authority(hosts[0]) if len(hosts) == 1 else None
        if host is None:
            return Naming.NOTHING
        if self._site is not None and host.under(self._scheme) == self._site.under(self._scheme):
            return Naming.SITE
        if _is_loopback(host.name):
            return Naming.MACHINE
        name = host.name.strip("[]")
        if self._site is None and (name == self._listens or (self._everywhere and _is_address(name, "compressed"))):
            return Naming.MACHINE
        return Naming.ANOTHER

    def may_post(self, host: str, origins: Sequence[str], fetch_sites: Sequence[str] = ()) -> bool:
        """Return whether a form may come from where it says; `host` is the request's own, which names us."""
        if any(each not in _OWN for each in fetch_sites) or len(origins) > 1:
            return False
        if not origins:
            return True
        found = _ORIGIN.fullmatch(origins[0])
        origin = _authority(found[2]) if found else None
        if found is None or origin is None:
            return False
        scheme = found[1].lower()
        if self._site is not None and (scheme, origin.under(scheme)) == (self._scheme, self._site.under(self._scheme)):
            return True
        asked = _authority(host)
        return (
            asked is not None and self.naming([host]) is Naming.MACHINE and origin.under(scheme) == asked.under(scheme)
        )


def _authority(text: str) -> Authority | None:
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        return None
    port = int(found[2]) if found[2] else None
    return Authority(found[1].lower(), port) if port is None or 0 < port < 65_536 else None


def _is_loopback(name: str) -> bool:
    return name == "localhost" or _is_address(name.strip("[]"), "is_loopback")


def _is_address(name: str, trait: str) -> bool:
    """Return whether a name is an address in numbers that has a trait of `ipaddress`."""
    try:
        return bool(getattr(ip_address(name), trait))
    except ValueError:
        return False
