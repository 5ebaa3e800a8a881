"""Who keeps which domains of senders, and who sends from where: a few names that everyone knows."""

import ipaddress
from collections.abc import Mapping

from domain.mailboxes import keeper_of
from paperround.settings_model import LOOPBACK

# The keeper of a mailbox → the ends of the names of its own relays.
_RELAYS: Mapping[str, tuple[str, ...]] = {
    "gmail": ("gmail.com", "google.com"),
    "outlook": ("outlook.com", "office365.com", "live.com"),
    "yahoo": ("yahoo.com", "aol.com"),
    "icloud": ("me.com", "icloud.com"),
    "proton": ("proton.me", "protonmail.ch"),
    "gmx": ("gmx.net", "gmx.com", "web.de"),
}
# The end of a relay's name → the SPF record that names the addresses it sends from, as its keeper documents it.
_SENDS_FROM: Mapping[str, str] = {
    "gmail.com": "_spf.google.com",
    "google.com": "_spf.google.com",
    "office365.com": "spf.protection.outlook.com",
    "outlook.com": "spf.protection.outlook.com",
    "brevo.com": "spf.brevo.com",
    "messagingengine.com": "spf.messagingengine.com",
}
# The end of a relay's name → the provider, who unless told otherwise puts a return path of its own on every letter.
_OWN_RETURN_PATHS: Mapping[str, str] = {
    "amazonaws.com": "Amazon SES",
    "mailgun.org": "Mailgun",
    "sendgrid.net": "SendGrid",
    "postmarkapp.com": "Postmark",
}
#: The end of the name of a relay that changes Date and Message-ID of letters.
_REWRITES = "amazonaws.com"


def keeper_of_domain(domain: str) -> str:
    """Return which large keeper of mailboxes a domain belongs to, such as "gmail"; "" for a domain of one's own."""
    keeper = keeper_of(f"a@{domain}")
    return keeper if keeper in _RELAYS else ""


def sends_for(keeper: str, host: str) -> bool:
    """Whether a relay is the keeper's own."""
    return _has_end(host, _RELAYS.get(keeper, ()))


def include_of(host: str) -> str:
    """Return the name that an SPF record includes for letters through this relay; "" where we do not know."""
    return next((include for end, include in _SENDS_FROM.items() if _has_end(host, (end,))), "")


def has_own_return_path(host: str) -> str:
    """Return the provider whose relay puts a return path of its own on letters, such as "Mailgun"; "" for any other."""
    return next((name for end, name in _OWN_RETURN_PATHS.items() if _has_end(host, (end,))), "")


def about_return_path(name: str) -> str:
    """Return what to do about such a provider."""
    return (
        f"in the console of {name} switch on DKIM for the sender's domain, or a return path (MAIL FROM domain) below "
        "it; a test letter then shows dmarc=pass in its source"
    )


def breaks_signatures(host: str) -> bool:
    """Whether a relay changes what we signed."""
    return _has_end(host, (_REWRITES,))


def is_here(host: str) -> bool:
    """Whether the relay is this machine: then it delivers to the mailboxes itself, or hands on to who does."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() in LOOPBACK


def is_of(host: str, end: str) -> bool:
    """Whether a host's name is that domain, or below it."""
    return _has_end(host, (end,))


def _has_end(host: str, ends: tuple[str, ...]) -> bool:
    name = host.lower().rstrip(".")
    return any(name == end or name.endswith(f".{end}") for end in ends)
