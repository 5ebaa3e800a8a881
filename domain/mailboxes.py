"""Mailboxes and who keeps them: letters to one keeper share one lane (mail.md section 2, "domain").

Keepers are told by the address alone, without asking DNS: the large ones have a handful of domains that everyone knows,
and any other domain is a keeper of its own.
"""

from collections.abc import Mapping

_KEEPERS: Mapping[str, tuple[str, ...]] = {
    "gmail": ("gmail.com", "googlemail.com"),
    "outlook": ("outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.co.uk", "hotmail.fr", "outlook.de"),
    "yahoo": ("yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de"),
    "icloud": ("icloud.com", "me.com", "mac.com"),
    "proton": ("proton.me", "protonmail.com", "pm.me"),
    "gmx": ("gmx.net", "gmx.de", "gmx.com", "web.de"),
}
_OF = {domain: keeper for keeper, domains in _KEEPERS.items() for domain in domains}


def keeper_of(address: str) -> str:
    """Return who keeps a mailbox: "gmail" for `a@googlemail.com`, else the domain in lower case; "" for no address."""
    domain = address.rpartition("@")[2].lower().rstrip(".") if "@" in address else ""
    return _OF.get(domain, domain)
