"""Who asks: the other end of the socket or, behind proxies that the settings trust, whom the first of them saw.

X-Forwarded-For is read from its end, where the nearest proxy wrote: the first address there that is no trusted proxy is
the client. What stands before it anybody could have written.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.requests import Request

from domain.errors import SettingsError

Address = IPv4Address | IPv6Address


class Clients:
    """Tells clients from proxies. `trusted` holds addresses and networks; raises SettingsError for anything else."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        try:
            self._trusted = tuple(ip_network(each, strict=False) for each in trusted)
        except ValueError as error:
            raise SettingsError(
                f"web.trusted_proxies takes addresses and networks such as 127.0.0.1 or 10.0.0.0/8: {error}"
            ) from error

    def of(self, peer: str, forwarded: Sequence[str]) -> str:
        """Return the address of who asks; that of the peer where a proxy said something that is no address.

        `peer` is "" for a socket without one. `forwarded` holds the X-Forwarded-For headers in their order.
        """
        seen = read(peer)
        if seen is None:
            return peer
        if not forwarded or not self._is_trusted(seen):
            return str(seen)
        found = seen
        for entry in reversed(",".join(forwarded).split(",")):
            said = read(entry.strip())
            if said is None:
                return str(seen)
            found = said
            if not self._is_trusted(said):
                break
        return str(found)

    def is_proxy(self, peer: str) -> bool:
        """Return whether many may ask through one address: a proxy that is trusted, or this machine."""
        seen = read(peer)
        return seen is not None and (seen.is_loopback or self._is_trusted(seen))

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted if network.version == address.version)


def read(text: str) -> Address | None:
    """Return an address, with or without brackets and a port; None for what is none. 192.0.2.1 has one form alone."""
    if text.startswith("["):
        text, _, port = text[1:].partition("]")
        if port and not _is_port(port.removeprefix(":")):
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not _is_port(port):
            return None
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def client_of(request: Request) -> str:
    """Return the address that a request came from: whom the guard found, else the other end of the socket."""
    known = getattr(request.state, "client", "")
    return str(known) if known else (request.client.host if request.client else "")


def network_of(client: str) -> str:
    """Return what is counted as one: an IPv4 address, an IPv6 /64, or whatever else a socket calls its other end."""
    address = read(client)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return client if address is None else str(address)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5
