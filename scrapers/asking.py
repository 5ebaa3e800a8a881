"""What a request says: who asks, what for, and what is known already; nothing about whom it is for."""

import re
from dataclasses import dataclass

from domain.errors import SettingsError
from domain.papers import PageRequest, Validators
from scrapers.addresses import Reach

_CONTACT = re.compile(r"https?://[\x21-\x7e]+|[\x21-\x27\x2a-\x3f\x41-\x7e]+@[A-Za-z0-9.-]+")
_MAILTO = "mailto:"


@dataclass(slots=True)
class Errand:
    """One request on its way, through redirects and tries."""

    request: PageRequest
    validators: Validators | None
    reach: Reach
    is_robots: bool = False  #: asks for robots.txt, of which the first part will do
    seconds: float = 0.0  #: that answers took so far

    def headers(self, url: str, agent: str) -> dict[str, str]:
        """Return the headers for one hop; validators only for the address that gave them."""
        known = self._known(url)
        named = {
            "user-agent": agent,
            "accept": self.request.accept,
            "accept-encoding": "gzip",
            "if-none-match": known.etag,
            "if-modified-since": known.last_modified,
        }
        return {name: value for name, value in named.items() if value}

    def is_conditional(self, url: str) -> bool:
        """Whether 304 is an answer to what is asked of an address."""
        known = self._known(url)
        return bool(known.etag or known.last_modified)

    def _known(self, url: str) -> Validators:
        known = self.validators
        return known if known and (known.given_by or known.url) == url else Validators(url)


def user_agent(version: str, contact: str) -> str:
    """Return how we introduce ourselves; raises SettingsError for a contact that cannot stand in a header."""
    if not contact:
        return f"paperround/{version}"
    address = contact[len(_MAILTO) :] if contact.lower().startswith(_MAILTO) else contact
    if not _CONTACT.fullmatch(address):
        raise SettingsError(f"collect.contact must be a mail or web address, not {contact[:80]!r}")
    return f"paperround/{version} (+{address if '://' in address else _MAILTO + address})"
