"""What feedparser may be given: the guard that keeps its cost linear and its reader the strict one.

Each item is parsed by expat, mended once if it is no XML, and sifted: of its children only those that tell of a paper
stay, bounded in number and size. What is left becomes one small well-formed document without prolog.

feedparser takes linear time for honest feeds (measured: 0.15 ms an item). A hostile one would hold it: its search for
an address in an author's name, its comparison of each category with each other, its table of namespaces and its loose
reader for damaged feeds are all quadratic. None of them meets what could make it so here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from html.entities import html5
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from scrapers.feed_shape import Root

_TEXTS = frozenset({"description", "summary", "content", "content:encoded", "dc:description"})
_PEOPLE = frozenset({"author", "dc:creator"})
_KEPT = (
    _TEXTS
    | _PEOPLE
    | frozenset({"title", "link", "guid", "id", "category", "pubdate", "published", "updated", "issued", "modified"})
    | frozenset({"dc:date", "dc:identifier", "dc:subject", "dcterms:issued", "dcterms:modified", "feedburner:origlink"})
    | frozenset({"prism:doi", "prism:publicationdate", "prism:coverdate", "prism:publicationname", "prism:url"})
    | frozenset({"arxiv:announce_type", "arxiv:doi", "arxiv:journal_reference", "arxiv:journal_ref"})
)
_LONGEST_TEXT = 500_000  # bytes of one child; an article in a feed has 100,000
_LONGEST_PEOPLE = 200_000  # 3,300 authors in one string have 60,000
_LONGEST = 10_000
_MOST_TEXTS = 5  # children of one name in an item
_MOST_PEOPLE = 10_000
_MOST = 50
_MOST_ATTRIBUTES = 50
_MOST_PREFIXES = 100  # of namespaces, in the whole feed
_DEEPEST = 200  # elements one in another; an article in a feed has 30
_RUN = re.compile(rb"[A-Za-z0-9_.+-]{100}")  # no name is so long; feedparser's search for an address is quadratic in it

#: What a prefix means where a feed forgot to declare it, and what a namespace's name has in it.
_STANDARD = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "prism": "http://prismstandard.org/namespaces/basic/2.0/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "arxiv": "http://arxiv.org/schemas/atom",
    "atom": "http://www.w3.org/2005/Atom",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}
_GROUPS = (
    ("purl.org/dc/elements", "dc:"),
    ("purl.org/dc/terms", "dcterms:"),
    ("prismstandard.org", "prism:"),
    ("purl.org/rss/1.0/modules/prism", "prism:"),
    ("purl.org/rss/1.0/modules/content", "content:"),
    ("purl.org/rss/1.0/modules/", "other:"),
    ("feedburner", "feedburner:"),
    ("arxiv.org/schemas", "arxiv:"),
    ("w3.org/2005/atom", ""),
    ("purl.org/atom/ns", ""),
    ("purl.org/rss/1.0/", ""),
    ("my.netscape.com/rdf", ""),
)


def sifted(items: Iterable[str], root: Root) -> tuple[bytes, int]:
    """Return a small feed of what the items tell of papers, as UTF-8, and how many items were too damaged to keep."""
    prefixes: set[str] = set()
    kept = [_Item(item, root, prefixes).sifted() for item in items]
    whole = [item for item in kept if item is not None]
    opening, closing = _root_tags(root, prefixes)
    if not _is_xml(opening, whole, closing):  # a namespace that no XML can have; it costs its item alone
        whole = [item for item in whole if _is_xml(opening, [item], closing)]
    return b"".join([opening, *whole, closing]), len(kept) - len(whole)


def _root_tags(root: Root, prefixes: Iterable[str]) -> tuple[bytes, bytes]:
    """Return the tags around the items; each prefix is declared, as the feed does, as is usual, or by any name."""
    declared = {**dict(root.namespaces), "rdf": _STANDARD["rdf"]}
    spaces = {prefix: _STANDARD.get(prefix, f"urn:prefix:{prefix}") for prefix in prefixes} | declared
    said = [f"xmlns{':' if prefix else ''}{prefix}={quoteattr(name)}" for prefix, name in spaces.items() if name]
    said += [f"xml:base={quoteattr(root.base)}"] if root.base else []
    tag, version = {"rss": ("rss", ' version="2.0"'), "feed": ("feed", "")}.get(root.name.lower(), ("rdf:RDF", ""))
    return f"<{tag}{version} {' '.join(said)}>".encode(errors="replace"), f"</{tag}>".encode()


def _is_xml(opening: bytes, items: Iterable[bytes], closing: bytes) -> bool:
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(b"".join([opening, *items, closing]), True)  # noqa: FBT003 - expat takes it by place
    except expat.ExpatError:
        return False
    return True


class _DamagedError(Exception):
    """The item is no XML, or shaped as no feed's item is."""


class _Item:
    """One item on its way through the sieve."""

    def __init__(self, text: str, root: Root, prefixes: set[str]) -> None:
        self._text = text
        self._declared = dict(root.namespaces)
        self._prefixes = prefixes  #: shared by all items of the feed

    def sifted(self) -> bytes | None:
        """Return the item with the children that are kept; None if it cannot be read, even mended."""
        for text in (self._text, _mended(self._text)):
            body = text.encode(errors="replace")
            try:
                return self._sifted(body)
            except (_DamagedError, expat.ExpatError):
                continue
        return None

    def _sifted(self, body: bytes) -> bytes:
        self._depth = 0
        self._starts: list[tuple[int, str]] = []
        self._end = 0
        self._used: set[str] = set()
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        self._parser = parser
        parser.Parse(body, True)  # noqa: FBT003 - expat takes it by place
        if len(self._prefixes | self._used) > _MOST_PREFIXES:
            raise _DamagedError
        self._prefixes |= self._used
        return self._picked(body) if self._starts else body

    def _open(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(attributes) > _MOST_ATTRIBUTES or self._depth > _DEEPEST:
            raise _DamagedError
        spaces = {key: value for key, value in attributes.items() if key.startswith("xmlns")}
        self._used.update(key.partition(":")[0] for key in (name, *attributes) if ":" in key)
        self._used.update(key[6:] for key in spaces if ":" in key)
        self._used -= {"xml", "xmlns"}
        if self._depth <= 1:
            here = self._declared | {key[6:]: value for key, value in spaces.items()}
            if self._depth == 0:
                self._declared = here
            else:
                self._starts.append((self._parser.CurrentByteIndex, _canonical(name, here)))
        self._depth += 1

    def _close(self, _name: str) -> None:
        self._depth -= 1
        self._end = self._parser.CurrentByteIndex

    def _picked(self, body: bytes) -> bytes:
        """Return the item's tags around the children that are kept; a child ends where the next begins."""
        first = self._starts[0][0]
        if first > _LONGEST:
            raise _DamagedError
        seen: Counter[str] = Counter()
        picked = [body[:first]]
        ends = [start for start, _ in self._starts[1:]] + [self._end]
        for (start, name), end in zip(self._starts, ends, strict=True):
            if name in _KEPT:
                seen[name] += 1
                if _is_modest(name, body[start:end], seen[name]):
                    picked.append(body[start:end])
        return b"".join([*picked, body[self._end :]])


def _canonical(name: str, declared: Mapping[str, str]) -> str:
    """Return a child's name with the usual prefix of its namespace, lower case; as it is where that is unknown."""
    prefix, _, local = name.rpartition(":")
    space = (declared.get(prefix) or _STANDARD.get(prefix, "")).lower()
    known = next((group for part, group in _GROUPS if part in space), None)
    return f"{f'{prefix}:' * bool(prefix) if known is None else known}{local}".lower()


def _is_modest(name: str, child: bytes, number: int) -> bool:
    if name in _TEXTS:
        return len(child) <= _LONGEST_TEXT and number <= _MOST_TEXTS
    if name in _PEOPLE:
        return len(child) <= _LONGEST_PEOPLE and number <= _MOST_PEOPLE and not _RUN.search(child)
    return len(child) <= _LONGEST and number <= _MOST


# -- what feeds forget -------------------------------------------------------------------------------------------------

_REFERENCE = re.compile(r"&(?:([A-Za-z][A-Za-z0-9]{1,31});|(?!#[0-9]{1,7};|#[xX][0-9A-Fa-f]{1,6};))")
_LOOSE = re.compile(r"<(?![A-Za-z/!?_])")
_VOID = re.compile(r"<(br|hr|img|wbr|input)((?=[\s>])[^<>]*+)(?<!/)>", re.IGNORECASE)
_OWN = frozenset({"amp", "lt", "gt", "quot", "apos"})


def _mended(text: str) -> str:
    """Return an item with HTML's character names spelt out, lone "&" and "<" escaped, and lone tags closed."""
    text = _LOOSE.sub("&lt;", _REFERENCE.sub(_reference, text))
    return _VOID.sub(r"<\1\2/>", text)


def _reference(found: re.Match[str]) -> str:
    name = found[1]
    if name in _OWN:
        return found[0]
    return escape(html5.get(f"{name};", f"&{name};")) if name else "&amp;"
