"""Questions to the DNS, behind one small interface: what is there, that nothing is there, or that nobody could say.

dnspython lives here alone. A name server that is silent is not asked for ever: after two questions without an answer
the others fail at once, so that a machine without a network is examined in seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import dns.exception
import dns.rdatatype
import dns.resolver
import dns.reversename

Kind = Literal["TXT", "MX", "A", "AAAA", "PTR"]
_SECONDS = 2.5  # for one question, all its tries together
_MOST_SILENCES = 2
_MOST_RECORDS = 50  # of one answer that are looked at


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question."""

    records: tuple[str, ...] = ()  #: as text: a TXT joined, an MX "10 mail.lab.example", names without the last dot
    problem: str = ""  #: why nobody could say, as the end of a sentence; "" where the records are all there are


class Resolver(Protocol):
    """Answers questions."""

    def ask(self, name: str, kind: Kind) -> Answer:
        """Return the records of that kind at a name; never raises."""
        ...


class DnsResolver:
    """Asks the name servers of this machine, or those that are named, at `port`, each question once; for one thread."""

    def __init__(self, *, servers: tuple[str, ...] = (), port: int = 53, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._silences = 0
        self._problem = ""
        self._heard: dict[tuple[str, Kind], Answer] = {}
        try:
            self._resolver = dns.resolver.Resolver(configure=not servers)
        except (dns.resolver.NoResolverConfiguration, OSError):
            self._resolver = dns.resolver.Resolver(configure=False)
            self._problem = "this machine knows no name server"
        if servers:
            self._resolver.nameservers = list(servers)
            self._resolver.port = port
        self._resolver.timeout = seconds / 2
        self._resolver.use_edns(0, 0, 1232)  # the answer with a DKIM key fits into one packet

    def ask(self, name: str, kind: Kind) -> Answer:
        """Return the records of that kind at a name; never raises."""
        heard = self._heard.get((name, kind))
        if heard is None:
            heard = self._ask(name, kind)
            if not heard.problem:
                self._heard[name, kind] = heard
        return heard

    def _ask(self, name: str, kind: Kind) -> Answer:
        if self._problem:
            return Answer(problem=self._problem)
        try:
            found = self._resolver.resolve(name, kind, lifetime=self._seconds, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return Answer()
        except dns.exception.Timeout:
            self._silences += 1
            if self._silences >= _MOST_SILENCES:
                self._problem = "the name server does not answer"
            return Answer(problem="the name server did not answer in time")
        except dns.resolver.NoNameservers:
            return Answer(problem=f"the name servers failed to answer for {name}")
        except (dns.exception.DNSException, OSError, ValueError):
            return Answer(problem=f"the DNS cannot be asked for {name}")
        self._silences = 0
        # An alias to nowhere has no rrset.
        return Answer(tuple(_text(each) for each in list(found.rrset or ())[:_MOST_RECORDS]))


class Unasked:
    """Asks nobody."""

    def __init__(self, why: str) -> None:
        self._why = why

    def ask(self, name: str, kind: Kind) -> Answer:  # noqa: ARG002 every question has the same answer
        """Return that nobody was asked."""
        return Answer(problem=self._why)


class Zone:
    """Answers from a table, for tests and trials: (name, kind) → records, or an Answer; anything else is not there."""

    def __init__(self, table: Mapping[tuple[str, Kind], tuple[str, ...] | Answer]) -> None:
        self._table = table
        self.asked = 0

    def ask(self, name: str, kind: Kind) -> Answer:
        """Return what the table says."""
        self.asked += 1
        found = self._table.get((name, kind), ())
        return found if isinstance(found, Answer) else Answer(found)


def reverse_name(address: str) -> str:
    """Return the name under which an address is looked up: "1.2.0.192.in-addr.arpa"."""
    return dns.reversename.from_address(address).to_text(omit_final_dot=True)


def _text(record: dns.rdata.Rdata) -> str:
    if record.rdtype == dns.rdatatype.TXT:
        # RFC 7208 section 3.3, RFC 6376 section 3.6.2.2: the strings belong together without anything between them.
        return b"".join(getattr(record, "strings", ())).decode("utf-8", "replace")
    text = record.to_text().lower()
    return text if text.endswith(" .") else text.removesuffix(".")  # "0 ." is RFC 7505's "no mail"
