"""SPF: whether the domain that letters come back to lets the relay send for it (RFC 7208).

    the record → what it leads to (spf_terms.py) → do receivers obey it? → is the relay in it?

This is no whole evaluator: from which addresses a relay sends is known only where it is this machine, and guessed from
the relay's own addresses or from what its keeper documents. Where neither helps, nobody could tell.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from paperround.doctor.finding import Finding, Record, ok, shown, unknown, wrong
from paperround.doctor.providers import about_return_path, has_own_return_path, include_of
from paperround.doctor.resolving import Answer
from paperround.doctor.spf_terms import MOST, Reach, follow, is_spf, lets_somebody, named, said_of
from paperround.doctor.visit import Visit, ascii_domain, is_private


@dataclass(frozen=True, slots=True)
class Sending:
    """By whom letters are sent."""

    host: str  #: the relay
    mechanism: str  #: what must stand in a record for it
    addresses: tuple[str, ...] = ()  #: that it may send from


def check(visit: Visit) -> Iterator[Finding]:
    """Look for the record of the envelope domain, follow it, and look for the relay in it."""
    domain, host = visit.envelope_domain, visit.settings.mail.host
    if visit.is_stray and not visit.bounce_domain:
        yield wrong(
            f"{domain} is its provider's, who does not let {host} send for it, and nobody else can",
            "see the sender above",
        )
        return
    if visit.is_guest and not visit.bounce_domain:
        yield ok(f"{domain} is its provider's, who keeps the SPF record: see the sender above")
        return
    if is_private(domain):
        yield unknown(f"{domain} is no name that everybody's DNS knows")
        return
    if name := has_own_return_path(host):
        yield unknown(
            f"who may send for the return path of letters: {name} puts one of its own on them, so receivers do not "
            f"look at {domain}",
            about_return_path(name),
        )
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
    if reach.lookups > MOST:
        yield wrong(
            f"the SPF record of {domain} makes receivers look up more than {MOST} names, so they obey none of it",
            "take out an include: that you no longer use",
        )
    if reach.everybody:
        yield wrong(
            f"the SPF record of {domain} says +all: everybody may send for it, which receivers take for spam",
            "end it, and what it includes, in ~all",
            Record(domain, "TXT", _ended(_with(found[0], wanted))),
        )
    yield from _naming(domain, found[0], reach, sending)


def _naming(domain: str, said: str, reach: Reach, sending: Sending) -> Iterator[Finding]:
    """Yield what a record that receivers obey says of the relay; as above."""
    host, wanted = sending.host, sending.mechanism
    extended = Record(domain, "TXT", _with(said, wanted))
    include = include_of(host)
    if (include and include in reach.includes) or any(said_of(each, reach.rules) == "+" for each in sending.addresses):
        yield ok(f"{domain} lets {host} send for it ({reach.lookups} of {MOST} look-ups)")
    if not lets_somebody(reach.rules):
        yield wrong(f"the SPF record of {domain} lets nobody send for it", "add the relay to the record", extended)
    for each in sending.addresses:
        if said_of(each, named(reach.rules)) in {"-", "~"}:
            yield wrong(
                f"the SPF record of {domain} turns {each} away, an address of {host}",
                "name the relay before the term that turns it away, or take that term out",
                Record(domain, "TXT", _with(said, wanted, first=True)),
            )
    if include and not reach.missing:
        yield wrong(f"the SPF record of {domain} does not name {host}", "add it to the record", extended)
    why = f"; {reach.missing}" if reach.missing else ""
    yield unknown(
        f"whether {domain} lets {host} send for it: it has an SPF record, but from which addresses that relay sends "
        f"cannot be told from here{why}",
        "ask its keeper what to include. A test letter shows spf=pass in its source where all is well. "
        + shown(f"The record is: {said}"),
    )


def mechanism(host: str, own: str, *, directly: bool) -> str:
    """Return what must stand in the record for letters through `host`."""
    if include := include_of(host):
        return f"include:{include}"
    if directly:
        if not own:
            return "a mx"
        return f"ip{ipaddress.ip_address(own).version}:{own}"
    literal = _literal(host)
    return f"ip{literal.version}:{literal}" if literal else f"a:{ascii_domain(host)}"


def _addresses(host: str, own: str, visit: Visit) -> tuple[str, ...]:
    if visit.delivers_directly:
        return (own,) if own else ()
    literal = _literal(host)
    if literal:
        return (str(literal),)
    name = ascii_domain(host)
    return (*visit.resolver.ask(name, "A").records, *visit.resolver.ask(name, "AAAA").records)


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that stands in place of a name; None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _with(record: str, wanted: str, *, first: bool = False) -> str:
    """Return a record with `wanted` before its end, or before all that it says."""
    terms = record.split()
    if first:
        return " ".join([terms[0], wanted, *(each for each in terms[1:] if each not in wanted.split())])
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
