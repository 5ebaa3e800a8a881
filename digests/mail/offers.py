"""What a relay says it can do, read off its answer to EHLO (RFC 5321 section 4.1.1.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from digests.mail.wire import Reply

_KEYWORD = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*)[ =]?(.*)")  # "=": how some old relays write AUTH
_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870 section 4


@dataclass(frozen=True, slots=True)
class Offers:
    """The keywords of one relay; nothing for one that knows HELO only."""

    keywords: Mapping[str, str] = field(default_factory=dict)  #: in upper case, with what stands behind them

    @classmethod
    def of(cls, reply: Reply) -> "Offers":
        """Return what the lines behind the first one say; a line that is no keyword is passed over."""
        found: dict[str, str] = {}
        for line in reply.lines[1:]:
            keyword = _KEYWORD.fullmatch(line)
            if keyword:
                name = keyword[1].decode("ascii").upper()
                found[name] = f"{found.get(name, '')} {keyword[2].decode('ascii', 'replace').strip()}".strip()
        return cls(found)

    def has(self, keyword: str) -> bool:
        """Whether the keyword, in upper case, was named."""
        return keyword in self.keywords

    @property
    def largest(self) -> int | None:
        """The greatest message that is taken, in octets; None if there is no such limit (RFC 1870 section 3)."""
        limit = self.keywords.get("SIZE", "")
        return int(limit) or None if _SIZE.fullmatch(limit) else None

    @property
    def log_ins(self) -> frozenset[str]:
        """The ways to log in, in upper case (RFC 4954 section 3)."""
        return frozenset(self.keywords.get("AUTH", "").upper().split())
