"""Mailboxes and who keeps them: letters to one keeper share one lane (mail.md section 2, "domain").

Keepers are told by the address alone, without asking DNS: the large ones have a handful of domains that everyone knows,
and any other domain is a keeper of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_KEEPERS: Mapping[str, tuple[str, ...]] = {
    "gmail": ("gmail.com", "googlemail.com"),
    "outlook": ("outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.co.uk", "hotmail.fr", "outlook.de"),
    "yahoo": ("yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de"),
    "icloud": ("icloud.com", "me.com", "mac.com"),
    "proton": ("proton.me", "protonmail.com", "pm.me"),
    "gmx": ("gmx.net", "gmx.de", "gmx.com", "web.de"),
}
#: Keepers to whom dots before the @ are nothing, and all of whose domains are one.
_DOTLESS = frozenset({"gmail"})
_OF = {domain: keeper for keeper, domains in _KEEPERS.items() for domain in domains}


def keeper_of(address: str) -> str:
    """Return who keeps a mailbox: "gmail" for `a@googlemail.com`, else the domain in lower case; "" for no address."""
    domain = address.rpartition("@")[2].lower().rstrip(".") if "@" in address else ""
    return _OF.get(domain, domain)


def is_large(keeper: str) -> bool:
    """Whether a keeper is one of the large ones, whose mailboxes are strangers to each other."""
    return keeper in _KEEPERS


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What all addresses of one mailbox share: `mira+papers@lab.example` is delivered where `mira@lab.example` is."""

    name: str  #: what stands before the @, without what follows a "+"
    domains: tuple[str, ...]
    is_dotless: bool  #: dots in the name, and in addresses of it, are nothing

    @property
    def key(self) -> str:
        """The one address that stands for all of them: equal for equal mailboxes."""
        return f"{self.name}@{self.domains[0]}"


def mailbox_of(address_key: str) -> Mailbox:
    """Return the mailbox of an address's key."""
    local, _, domain = address_key.rpartition("@")
    name = local.partition("+")[0] or local
    keeper = keeper_of(address_key)
    if keeper in _DOTLESS:
        return Mailbox(name.replace(".", "") or name, _KEEPERS[keeper], is_dotless=True)
    return Mailbox(name, (domain,), is_dotless=False)
