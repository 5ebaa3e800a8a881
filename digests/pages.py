"""The addresses of the site's own pages, the same for everyone: they stand in letters beside each reader's own links.

A key of a paper is a path: its colon and its slashes stay (RFC 3986 section 3.3), everything else is encoded, so that
no text from outside can add a query or end the address.
"""

from datetime import date
from urllib.parse import quote

from digests.links import site_root

_IN_PATH = "/:"
_LONGEST_QUERY = 800  # octets, encoded: beyond, mailboxes and servers may cut the address


def in_path(key: str) -> str:
    """Return a paper's key as part of a path."""
    return quote(key, safe=_IN_PATH, errors="replace")


class SitePages:
    """Names the pages under one root, http(s), with or without a path; raises SettingsError for anything else."""

    def __init__(self, base_url: str) -> None:
        self._base = site_root(base_url)

    def paper(self, key: str) -> str:
        """Return the address of a paper's page."""
        return f"{self._base}/papers/{in_path(key)}"

    def bib(self, key: str) -> str:
        """Return the address of a paper's BibTeX entry."""
        return f"{self.paper(key)}.bib"

    def similar(self, key: str) -> str:
        """Return the address of the papers that are like one."""
        return f"{self.paper(key)}#similar"

    def search(self, query: str, since: date | None) -> str:
        """Return the address of what a query finds, listed since a day; "" where it would be too long to be a link."""
        asked = quote(query, safe="", errors="replace")
        if not query or len(asked) > _LONGEST_QUERY:
            return ""
        return f"{self._base}/papers?q={asked}{f'&since={since}' if since else ''}"

    def privacy(self) -> str:
        """Return the address of the page that says what is kept of readers."""
        return f"{self._base}/privacy"
