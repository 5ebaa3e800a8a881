"""SPF: whether the domain that letters come back to lets the relay send for it (RFC 7208).

    the record → its terms → included records, and theirs → networks and names that may send, and how many look-ups

This is no whole evaluator: it counts what a receiver would have to look up, and tells whether the relay is among those
who may send only where that can be told.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

from paperround.doctor.finding import Finding, Record, ok, shown, unknown, wrong
from paperround.doctor.providers import include_of
from paperround.doctor.resolving import Answer, Kind, Resolver
from paperround.doctor.visit import Visit, is_private

_MOST = 10  # look-ups that a receiver makes (section 4.6.4)
_MOST_HOSTS = 5  # of a domain's mail servers that are looked up
_LONGEST = 4096  # characters of a record that are read
_NAMED = frozenset({"include", "a", "mx", "ptr", "exists"})  # each costs a look-up, and so does redirect=
_KNOWN = _NAMED | {"all", "ip4", "ip6"}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class Reach:
    """What a record leads to; gathered while it is followed."""

    lookups: int = 0
    includes: list[str] = field(default_factory=list)
    networks: list[Network] = field(default_factory=list)
    everybody: bool = False  #: "+all", also in an included record: whoever it is may send
    broken: str = ""  #: why receivers take the record for none (a "permerror"); "" where they do not
    missing: str = ""  #: what could not be looked up; "" where everything could


@dataclass(frozen=True, slots=True)
class Sending:
    """By whom letters are sent."""

    host: str  #: the relay
    mechanism: str  #: what must stand in a record for it
    addresses: tuple[str, ...] = ()  #: that it is known to send from


def check(visit: Visit) -> Iterator[Finding]:
    """Look for the record of the envelope domain, follow it, and look for the relay in it."""
    domain, host = visit.envelope_domain, visit.settings.mail.host
    if visit.is_guest and not visit.bounce_domain:
        yield ok(f"{domain} is its provider's, who keeps the SPF record: see the sender above")
        return
    if is_private(domain):
        yield unknown(f"{domain} is no name that everybody's DNS knows")
        return
    own = visit.public_address
    answer = visit.resolver.ask(domain, "TXT")
    records = tuple(each for each in answer.records if is_spf(each))
    reach = follow(domain, records[0], visit.resolver) if len(records) == 1 else Reach()
    addresses = _addresses(host, own, visit) if len(records) == 1 else ()
    wanted = mechanism(host, own, directly=visit.delivers_directly)
    yield judged(domain, answer, reach, Sending(host, wanted, addresses))


def judged(domain: str, answer: Answer, reach: Reach, sending: Sending) -> Finding:
    """Judge the record of a domain for letters that are sent like this; `reach` is what its one record leads to."""
    return next(_judgements(domain, answer, reach, sending))


def _judgements(domain: str, answer: Answer, reach: Reach, sending: Sending) -> Iterator[Finding]:
    # The first is what is said; each rests on the ones before it.
    host, wanted = sending.host, sending.mechanism
    record = Record(domain, "TXT", f"v=spf1 {wanted} ~all")
    found = tuple(each for each in answer.records if is_spf(each))
    if answer.problem:
        yield unknown(f"whether {domain} lets {host} send for it: {answer.problem}", _yours(wanted), record)
    if not found:
        yield wrong(f"{domain} does not say who may send for it: it has no SPF record", _yours(wanted), record)
    extended = Record(domain, "TXT", _with(found[0], wanted))
    if len(found) > 1:
        yield wrong(
            f"{domain} has {len(found)} SPF records, and receivers then obey none",
            "remove all but one, with everything in it that may send",
            extended,
        )
    if reach.broken:
        yield wrong(f"receivers cannot read the SPF record of {domain}: {reach.broken}", shown(f"it is: {found[0]}"))
    if reach.lookups > _MOST:
        yield wrong(
            f"the SPF record of {domain} makes receivers look up more than {_MOST} names, so they obey none of it",
            "take out an include: that you no longer use",
        )
    if reach.everybody:
        yield wrong(
            f"the SPF record of {domain} says +all: everybody may send for it, which receivers take for spam",
            "end it, and what it includes, in ~all",
            Record(domain, "TXT", _ended(found[0])),
        )
    include = include_of(host)
    if (include and include in reach.includes) or _is_in(sending.addresses, reach.networks):
        yield ok(f"{domain} lets {host} send for it ({reach.lookups} of {_MOST} look-ups)")
    if include and not reach.missing:
        yield wrong(f"the SPF record of {domain} does not name {host}", "add it to the record", extended)
    why = f"; {reach.missing}" if reach.missing else ""
    yield unknown(
        f"whether {domain} lets {host} send for it: it has an SPF record, but from which addresses that relay sends "
        f"cannot be told from here{why}",
        "ask its keeper what to include. A test letter shows spf=pass in its source where all is well. "
        + shown(f"The record is: {found[0]}"),
    )


def is_spf(record: str) -> bool:
    """Whether a TXT record is one of SPF (section 4.5)."""
    return record.lower().split(" ", 1)[0] == "v=spf1"


def mechanism(host: str, own: str, *, directly: bool) -> str:
    """Return what must stand in the record for letters through `host`."""
    if include := include_of(host):
        return f"include:{include}"
    if directly:
        if not own:
            return "a mx"
        return f"ip{ipaddress.ip_address(own).version}:{own}"
    return f"a:{host}"


def follow(domain: str, record: str, resolver: Resolver, reach: Reach | None = None) -> Reach:
    """Return what a record leads to; at most `_MOST` + 1 look-ups are made, however it is written."""
    reach = reach or Reach()
    redirect = ""
    for term in record[:_LONGEST].split()[1:]:
        if reach.broken or reach.lookups > _MOST:
            return reach
        name, equals, value = term.partition("=")
        if equals and ":" not in name and "/" not in name:
            redirect = value if name.lower() == "redirect" else redirect
            continue
        qualifier, kind, argument = _cut(term)
        if kind not in _KNOWN:
            reach.broken = f"it does not understand {shown(term)!r}"
        elif kind == "all":
            reach.everybody = reach.everybody or qualifier == "+"
            return reach  # what follows is never looked at, a redirect neither (section 5.1)
        elif kind in {"ip4", "ip6"}:
            _add_network(argument, reach, counts=qualifier == "+")
        else:
            _look(kind, argument, domain, resolver, reach, counts=qualifier == "+")
    if redirect and not reach.broken:
        _enter(redirect, resolver, reach, counts=True)
    return reach


def _cut(term: str) -> tuple[str, str, str]:
    """Return "+", "mx", "lab.example/24" for "mx:lab.example/24"."""
    qualifier = term[0] if term[0] in "+-~?" else "+"
    bare = term.removeprefix(qualifier) if term[0] == qualifier else term
    cut = min((at for at in (bare.find(":"), bare.find("/")) if at >= 0), default=len(bare))
    return qualifier, bare[:cut].lower(), bare[cut:].removeprefix(":")


def _look(kind: str, argument: str, domain: str, resolver: Resolver, reach: Reach, *, counts: bool) -> None:
    name, _, _ = argument.partition("/")
    if kind == "include":
        _enter(name, resolver, reach, counts=counts)
        return
    reach.lookups += 1
    if kind not in {"a", "mx"} or "%" in name or reach.lookups > _MOST or not counts:
        return  # a macro is another name for every letter; ptr and exists tell nothing of one relay
    hosts: tuple[str, ...] = (name or domain,)
    if kind == "mx":
        answer = resolver.ask(name or domain, "MX")
        _miss(answer, reach)
        hosts = tuple(each.split(" ", 1)[-1] for each in answer.records[:_MOST_HOSTS])
    for host in hosts:
        for address in _asked(host, resolver, reach):
            _add_network(f"{address}{_width(argument, address)}", reach, counts=True)


def _enter(name: str, resolver: Resolver, reach: Reach, *, counts: bool) -> None:
    """Follow an include or a redirect; one whose target has no record breaks the whole (section 5.2)."""
    reach.lookups += 1
    if "%" in name or reach.lookups > _MOST:
        return
    answer = resolver.ask(name, "TXT")
    found = [each for each in answer.records if is_spf(each)]
    if answer.problem:
        _miss(answer, reach)
    elif len(found) != 1:
        reach.broken = f"it includes {shown(name)}, which has {'several SPF records' if found else 'no SPF record'}"
    else:
        inside = follow(name, found[0], resolver, Reach(lookups=reach.lookups))
        reach.lookups, reach.broken = inside.lookups, inside.broken
        reach.missing = reach.missing or inside.missing
        if counts:
            reach.includes += [name.lower().rstrip("."), *inside.includes]
            reach.networks += inside.networks
            reach.everybody = reach.everybody or inside.everybody


def _add_network(text: str, reach: Reach, *, counts: bool) -> None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        reach.broken = f"{shown(text)!r} is no network"
        return
    if counts:
        reach.networks.append(network)


def _width(argument: str, address: str) -> str:
    """Return "/24" of "lab.example/24//64" for an IPv4 address, "/64" for an IPv6 one, "" where nothing is said."""
    _, _, widths = argument.partition("/")
    four, _, six = widths.partition("//") if not widths.startswith("/") else ("", "", widths[1:])
    width = six if ":" in address else four
    return f"/{width}" if width else ""


def _asked(host: str, resolver: Resolver, reach: Reach) -> Iterator[str]:
    kinds: tuple[Kind, ...] = ("A", "AAAA")
    for kind in kinds:
        answer = resolver.ask(host, kind)
        _miss(answer, reach)
        yield from answer.records


def _miss(answer: Answer, reach: Reach) -> None:
    reach.missing = reach.missing or answer.problem


def _addresses(host: str, own: str, visit: Visit) -> tuple[str, ...]:
    if visit.delivers_directly:
        return (own,) if own else ()
    return (*visit.resolver.ask(host, "A").records, *visit.resolver.ask(host, "AAAA").records)


def _is_in(addresses: tuple[str, ...], networks: list[Network]) -> bool:
    known = [ipaddress.ip_address(each) for each in addresses]
    return any(each in network for each in known for network in networks if each.version == network.version)


def _with(record: str, wanted: str) -> str:
    """Return a record with `wanted` before its end."""
    terms = record.split()
    new = [each for each in wanted.split() if each not in terms]
    ends = [at for at, term in enumerate(terms) if term.lower().lstrip("+-~?") == "all"]
    at = ends[0] if ends else len(terms)
    return " ".join([*terms[:at], *new, *terms[at:], *([] if ends or "redirect=" in record else ["~all"])])


def _ended(record: str) -> str:
    return " ".join("~all" if each.lower() in {"all", "+all"} else each for each in record.split())


def _yours(wanted: str) -> str:
    if wanted == "a mx":
        return "in place of “a mx” name the address that this machine sends from, as ip4:…, if you know it"
    if wanted.startswith("include:"):
        return ""
    return f"ask whoever runs the relay what to write in place of {wanted}: it may send from other addresses"
