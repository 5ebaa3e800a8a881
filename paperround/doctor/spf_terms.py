"""What an SPF record leads to (RFC 7208): who may send, in the order in which a receiver asks, and how many look-ups.

    the record → its terms → included records, and theirs → rules · what breaks it · what could not be looked up

Only what can be told without a letter is followed; a term that depends on one is kept as a rule that may match.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from paperround.doctor.finding import shown
from paperround.doctor.resolving import Answer, Kind, Resolver

MOST = 10  #: look-ups that a receiver makes (section 4.6.4)
_MOST_HOSTS = 5  # of a domain's mail servers that are looked up
_LONGEST = 4096  # characters of a record that are read
_NAMED = frozenset({"include", "a", "mx", "ptr", "exists"})  # each costs a look-up, and so does redirect=
_KNOWN = _NAMED | {"all", "ip4", "ip6"}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Whom(Enum):
    """Whom a rule is about, where it is no network."""

    ALL = "everybody"
    SOME = "whoever a letter or a name server that did not answer would tell"


class Rule(NamedTuple):
    """One term: the first that matches decides."""

    qualifier: str  #: "+" may send, "-" must not, "~" and "?" are no proof
    whom: "Network | Whom | tuple[Rule, ...]"  #: the rules of an included record match where they say "+"


@dataclass(slots=True)
class Reach:
    """What a record leads to; gathered while it is followed."""

    lookups: int = 0
    rules: list[Rule] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)  #: names of included records that count, in lower case
    everybody: bool = False  #: "+all", also in an included record: whoever it is may send
    broken: str = ""  #: why receivers take the record for none (a "permerror"); "" where they do not
    missing: str = ""  #: what could not be looked up; "" where everything could


def is_spf(record: str) -> bool:
    """Whether a TXT record is one of SPF (section 4.5)."""
    return record.lower().split(" ", 1)[0] == "v=spf1"


def said_of(address: str, rules: Iterable[Rule]) -> str:
    """Return the qualifier of the first rule that matches an address, "?" where none does, "" where nobody can tell."""
    wanted = ipaddress.ip_address(address)
    maybe: set[str] = set()
    for qualifier, whom in rules:
        if isinstance(whom, tuple):
            inside = said_of(address, whom)
            matches = None if inside == "" else inside == "+"
        elif isinstance(whom, Whom):
            matches = True if whom is Whom.ALL else None
        else:
            matches = wanted.version == whom.version and wanted in whom
        if matches:
            return qualifier if maybe <= {qualifier} else ""
        if matches is None:
            maybe.add(qualifier)
    return "?" if maybe <= {"?"} else ""


def lets_somebody(rules: Iterable[Rule]) -> bool:
    """Whether anybody at all may send."""
    for qualifier, whom in rules:
        if qualifier == "+" and (not isinstance(whom, tuple) or lets_somebody(whom)):
            return True
        if whom is Whom.ALL:
            return False
    return False


def named(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Yield the rules that name somebody: all but "all"."""
    return (each for each in rules if each.whom is not Whom.ALL)


def follow(domain: str, record: str, resolver: Resolver, reach: Reach | None = None) -> Reach:
    """Return what a record leads to; at most `MOST` + 1 look-ups are made, however it is written."""
    reach = reach or Reach()
    redirect = ""
    for term in record[:_LONGEST].split()[1:]:
        if reach.broken or reach.lookups > MOST:
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
            reach.rules.append(Rule(qualifier, Whom.ALL))
            return reach  # what follows is never looked at, a redirect neither (section 5.1)
        elif kind in {"ip4", "ip6"}:
            _add_network(argument, reach, qualifier)
        elif kind == "include":
            _enter(argument, resolver, reach, qualifier)
        else:
            _look((qualifier, kind, argument), domain, resolver, reach)
    if redirect and not reach.broken:
        _enter(redirect, resolver, reach)
    return reach


def _cut(term: str) -> tuple[str, str, str]:
    """Return "+", "mx", "lab.example/24" for "mx:lab.example/24"."""
    qualifier = term[0] if term[0] in "+-~?" else "+"
    bare = term.removeprefix(qualifier) if term[0] == qualifier else term
    cut = min((at for at in (bare.find(":"), bare.find("/")) if at >= 0), default=len(bare))
    return qualifier, bare[:cut].lower(), bare[cut:].removeprefix(":")


def _look(term: tuple[str, str, str], domain: str, resolver: Resolver, reach: Reach) -> None:
    qualifier, kind, argument = term
    name, _, _ = argument.partition("/")
    reach.lookups += 1
    if kind not in {"a", "mx"} or "%" in name or reach.lookups > MOST:
        # A macro is another name for every letter; ptr and exists tell nothing of one relay.
        reach.rules.append(Rule(qualifier, Whom.SOME))
        return
    hosts: tuple[str, ...] = (name or domain,)
    if kind == "mx":
        answer = resolver.ask(name or domain, "MX")
        _miss(answer, reach, qualifier)
        hosts = tuple(each.split(" ", 1)[-1] for each in answer.records[:_MOST_HOSTS])
        if len(answer.records) > _MOST_HOSTS:
            reach.rules.append(Rule(qualifier, Whom.SOME))
    for host in hosts:
        kinds: tuple[Kind, ...] = ("A", "AAAA")
        for each in kinds:
            answer = resolver.ask(host, each)
            _miss(answer, reach, qualifier)
            for address in answer.records:
                _add_network(f"{address}{_width(argument, address)}", reach, qualifier)


def _enter(name: str, resolver: Resolver, reach: Reach, qualifier: str = "") -> None:
    """Follow an include, or with no qualifier a redirect; without a record there the whole is broken (section 5.2)."""
    reach.lookups += 1
    if "%" in name or reach.lookups > MOST:
        reach.rules.append(Rule(qualifier or "+", Whom.SOME))
        return
    answer = resolver.ask(name, "TXT")
    found = [each for each in answer.records if is_spf(each)]
    if answer.problem:
        _miss(answer, reach, qualifier or "+")
    elif len(found) != 1:
        reach.broken = f"it includes {shown(name)}, which has {'several SPF records' if found else 'no SPF record'}"
    else:
        inside = follow(name, found[0], resolver, Reach(lookups=reach.lookups))
        reach.lookups, reach.broken = inside.lookups, inside.broken
        reach.missing = reach.missing or inside.missing
        reach.rules += [Rule(qualifier, tuple(inside.rules))] if qualifier else inside.rules
        if qualifier in {"", "+"}:
            reach.includes += [name.lower().rstrip("."), *inside.includes]
            reach.everybody = reach.everybody or inside.everybody


def _add_network(text: str, reach: Reach, qualifier: str) -> None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        reach.broken = f"{shown(text)!r} is no network"
        return
    reach.rules.append(Rule(qualifier, network))


def _width(argument: str, address: str) -> str:
    """Return "/24" of "lab.example/24//64" for an IPv4 address, "/64" for an IPv6 one, "" where nothing is said."""
    _, _, widths = argument.partition("/")
    four, _, six = widths.partition("//") if not widths.startswith("/") else ("", "", widths[1:])
    width = six if ":" in address else four
    return f"/{width}" if width else ""


def _miss(answer: Answer, reach: Reach, qualifier: str) -> None:
    if answer.problem:
        reach.missing = reach.missing or answer.problem
        reach.rules.append(Rule(qualifier, Whom.SOME))
