"""Reverse DNS: the name of the address that letters leave from, where it is this machine that knocks at mailboxes."""

import ipaddress
import socket
from collections.abc import Iterator

from paperround.doctor.finding import Finding, Record, ok, shown, unknown, wrong
from paperround.doctor.resolving import Resolver, reverse_name
from paperround.doctor.visit import Visit

_MOST = 5  # names of one address that are looked at


def check(visit: Visit) -> Iterator[Finding]:
    """Look up this machine's address, its name, and the address of that name."""
    if not visit.delivers_directly:
        yield ok(f"letters leave through {visit.settings.mail.host}, whose keeper names its addresses")
        return
    address = visit.public_address
    if not address:
        yield unknown(
            "the name of the address that this machine sends from: which address that is on the Internet cannot be "
            "told from here",
            "if its mail server hands letters on to another relay, this is that relay's matter. Else look up the "
            "address at your provider: it needs a name, and the name must lead back to the address",
        )
        return
    yield judged(address, f"mail.{visit.from_domain}", visit.resolver)


def judged(address: str, server: str, resolver: Resolver) -> Finding:
    """Judge a public address, which some name must lead back to (RFC 1912 section 2.1); it could be called `server`."""
    name = reverse_name(address)
    answer = resolver.ask(name, "PTR")
    record = Record(name, "PTR", server)
    advice = "whoever gave you the address publishes it; take the name by which your mail server greets others"
    if answer.problem:
        return unknown(f"whether {address} has a name: {answer.problem}", advice, record)
    if not answer.records:
        return wrong(f"{address} has no name: many mailbox providers refuse letters from it", advice, record)
    problem = ""
    for host in answer.records[:_MOST]:
        back = resolver.ask(host, "AAAA" if ":" in address else "A")
        problem = problem or back.problem
        if any(_same(address, each) for each in back.records):
            return ok(f"{address} is {shown(host)}, and that name leads back to it")
    host = shown(answer.records[0])
    if problem:
        return unknown(f"whether {host} leads back to {address}: {problem}")
    kind = "AAAA" if ":" in address else "A"
    return wrong(f"{address} is {host}, but that name does not lead back to it", "", Record(host, kind, address))


def own_address() -> str:
    """Return the address that this machine would send from; "" where it has no way out. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: nobody's address
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def _same(one: str, other: str) -> bool:
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False
