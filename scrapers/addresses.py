"""Where a request may go: an errand in the public internet is not led into the network that we run in.

The host that is configured may be anywhere, also inside: the operator sent us there, and its first connection is not
judged. Whatever an errand that began outside connects to afterwards, by a redirect or for another look at a name that
now resolves elsewhere, is; one that began inside may stay there.
"""

import ipaddress
import re

from domain.errors import RefusedAnswer
from scrapers.source import is_loopback

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")  # RFC 8215
_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291 section 2.5.5.1, out of use but still read
_IPV4_MASK = 2**32 - 1
_NUMBER = re.compile(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)")  # resolvers read such a last label as part of an IPv4 address


def is_inside(host: str) -> bool:
    """Whether a host is, by its number or its name, not one of the public internet.

    Of other names nothing is known before they are resolved; they count as public.
    """
    name = host.strip("[]").partition("%")[0].rstrip(".")
    try:
        return _is_inside(ipaddress.ip_address(name))
    except ValueError:  # "127.1" or "0x7f000001": a way to write an address that hides it
        return is_loopback(name) or _NUMBER.fullmatch(name.rpartition(".")[2]) is not None


def _is_inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        embedded = _embedded(address)
        if embedded is not None:
            return _is_inside(embedded)
        if address in _NAT64_LOCAL or address.is_site_local:
            return True
    return not address.is_global or address.is_multicast or address.is_reserved


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that a translator or tunnel makes of an IPv6 address; None for any other."""
    if address in _NAT64 or address in _COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & _IPV4_MASK)
    return address.ipv4_mapped or address.sixtofour


class Reach:
    """How far one errand may go: its first connection says whether it may go inside; `anywhere` allows it always."""

    def __init__(self, *, anywhere: bool) -> None:
        self._may_enter = True if anywhere else None

    def meet(self, host: str, url: str) -> None:
        """Take note of whom a request for `url` is to be sent to.

        Raises RefusedAnswer where that is inside and the errand began outside.
        """
        inside = is_inside(host)
        if self._may_enter is None:
            self._may_enter = inside
        elif inside and not self._may_enter:
            raise RefusedAnswer(f"{url} leads to the private address {host}; collect.allow_private_hosts permits it")
