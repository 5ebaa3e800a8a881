"""Which parameters of its address a page reads.

The rest is taken off before any page sees it, and is no part of what an answer is kept by. Else `/?x=1`, `/?x=2` …
would each be made, and push what others ask for out of memory.

A path that is not in this table gets its query whole. A page that begins to read another parameter says so here.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import fields
from urllib.parse import unquote_to_bytes

from web.papers.asking import Form

_NOTHING: tuple[str, ...] = ()
_SEARCH = tuple(each.name for each in fields(Form))
#: Paths below the site's root, and what is read of their queries; the first that fits is right.
READ: Sequence[tuple[str, Collection[str]]] = (
    (r"/?", _NOTHING),
    (r"/(?:privacy|trending|topics|openapi\.json|robots\.txt|sitemap[a-z0-9-]*\.xml|api/v1/topics)", _NOTHING),
    (r"/(?:issues|weeks|days)/.*|/topics/[^/]*\.atom|(?:/api/v1)?/papers/.*", _NOTHING),
    (r"/(?:style\.css|site\.js|favicon\.svg)", ("v",)),
    (r"/papers", (*_SEARCH, "page")),
    (r"/days", ("month",)),
    (r"/topics/preview", ("q", "fragment")),
    (r"/topics/[^/]*", ("days",)),
    (r"/api/v1/papers", ("q", "source", "category", "since", "until", "sort", "limit", "after")),
    (r"/api/v1/topics/[^/]*", ("days", "limit")),
    (r"/api/v1/preview", ("q", "days", "limit")),
)


class Reading:
    """Takes off what a page does not read; `root` is "" or such as "/papers"."""

    def __init__(self, root: str = "") -> None:
        self._root = root
        self._read = tuple(
            (re.compile(pattern, re.DOTALL), frozenset(name.encode("ascii") for name in names))
            for pattern, names in READ
        )

    def of(self, path: str, query: bytes) -> bytes:
        """Return of a query what the page at a path reads: each name once, the last as everywhere, in one order."""
        if not query or not path.startswith(self._root):
            return query
        below = path.removeprefix(self._root)
        names = next((names for pattern, names in self._read if pattern.fullmatch(below)), None)
        if names is None:
            return query
        pairs = (each for each in query.split(b"&") if each)
        last = {name: each for each in pairs if (name := _name(each)) in names}
        return b"&".join(last[name] for name in sorted(last))


def _name(pair: bytes) -> bytes:
    return unquote_to_bytes(pair.partition(b"=")[0].replace(b"+", b" "))
