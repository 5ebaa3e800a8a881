"""A feed taken apart by its tags alone: bytes → text, by the charset that fits → the root → each item as a slice of it.

Nothing is parsed here, so nothing of a DOCTYPE or its entities is ever looked at, and a damaged item costs only itself.
Each step is one pass over the text.
"""

import codecs
import re
from dataclasses import dataclass
from itertools import islice

from scrapers import charsets
from scrapers.text import NO_XML

#: Items that are read of one feed; the longest feed known, arXiv's, has 2,000 (sources.md 3.2).
MOST_ITEMS = 2_000
_PROLOG_WITHIN = 65_536  # characters before the root; feeds have 200

# -- bytes to text -----------------------------------------------------------------------------------------------------

_XML_CHARSET = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})")
_BOMS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"))
_WIDE = (
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)


def decoded(body: bytes, content_type: str) -> str:
    """Return a feed as text that XML may hold: strict UTF-8 first, then the header's charset, then the document's own.

    The header is often wrong, and what is strict UTF-8 is nothing else; never a detector (sources.md section 5,
    row 19). Bytes that fit nothing become U+FFFD.
    """
    declared = [found[1].decode() for found in [_XML_CHARSET.match(body)] if found]
    marked = [charset for mark, charset in (*_BOMS, *_WIDE) if body.startswith(mark)]
    return NO_XML.sub("", charsets.decoded(body, content_type, declared, marked=marked[:1]))


# -- the root ----------------------------------------------------------------------------------------------------------

_SPACE = re.compile(r"[\s\ufeff]*+")
_DOCTYPE = re.compile(r"<!DOCTYPE[^<>\[]*+(?:\[(?:[^\]\"']|\"[^\"]*+\"|'[^']*+')*+\]\s*+)?>", re.IGNORECASE)
_TAG = re.compile(r"<([A-Za-z_][\w.:-]*+)((?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+)>")
_ATTRIBUTE = re.compile(r"([\w.:-]++)\s*+=\s*+(?:\"([^\"<]*+)\"|'([^'<]*+)')")
_ATOM = ("http://www.w3.org/2005/atom", "http://purl.org/atom/ns#")
_RDF_FEEDS = ("purl.org/rss/1.0/", "my.netscape.com/rdf/simple/")
_FIRST_TAGS = 2_000  # characters in which a feed says of what kind it is
_MOST_NAMESPACES = 50
_LONGEST_NAME = 500  # characters of a namespace, or of the base of links


@dataclass(frozen=True, slots=True)
class Root:
    """Of what kind a feed is."""

    name: str  #: "rss", "RDF" or "feed"
    item: str  #: what its items are called
    namespaces: tuple[tuple[str, str], ...]  #: prefix, "" for none, and name
    base: str  #: of relative links; ""
    start: int  #: where the root begins


def root_of(text: str) -> Root | None:
    """Return the root of an RSS, RDF or Atom feed; None for any other text."""
    at = _root_at(text)
    tag = _TAG.match(text, at)
    if tag is None:
        return None
    name = tag[1].rpartition(":")[2]
    if name.lower() not in {"rss", "rdf", "feed"}:
        return None
    # Some declare what they use at the channel, which follows.
    tags = [tag, *islice(_TAG.finditer(text, tag.end(), tag.end() + _FIRST_TAGS), 1)]
    attributes = [
        (found[1], found[2] if found[2] is not None else found[3])
        for each in tags
        for found in islice(_ATTRIBUTE.finditer(each[2]), 2 * _MOST_NAMESPACES)
    ]
    declared = {
        key.removeprefix("xmlns").removeprefix(":"): value for key, value in attributes if _declares(key, value)
    }
    spoken = " ".join(declared.values()).lower()
    known = {
        "rss": True,
        "rdf": any(space in spoken for space in _RDF_FEEDS),
        "feed": any(space in spoken for space in _ATOM),
    }
    if not known[name.lower()]:
        return None
    base = next((value for key, value in attributes if key == "xml:base" and len(value) <= _LONGEST_NAME), "")
    item = "entry" if name.lower() == "feed" else "item"
    return Root(name, item, tuple(islice(declared.items(), _MOST_NAMESPACES)), base, at)


def _declares(key: str, name: str) -> bool:
    if len(name) > _LONGEST_NAME:
        return False
    return key == "xmlns" or (key.startswith("xmlns:") and key[6:] not in {"xml", "xmlns", ""})


def _root_at(text: str) -> int:
    """Return where the first tag is, after white space, declarations, comments and a DOCTYPE; -1 if not near."""
    at = 0
    while at < _PROLOG_WITHIN:
        at = _end(_SPACE.match(text, at))
        if text.startswith("<?", at):
            end = text.find("?>", at, at + _PROLOG_WITHIN)
        elif text.startswith("<!--", at):
            end = text.find("-->", at, at + _PROLOG_WITHIN) + 1
        elif text[at : at + 9].upper() == "<!DOCTYPE":
            end = _end(_DOCTYPE.match(text, at, at + _PROLOG_WITHIN)) - 2
        else:
            return at
        if end < at:
            return len(text)
        at = end + 2
    return len(text)


def _end(found: re.Match[str] | None) -> int:
    return found.end() if found else -1


# -- items -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slices:
    """The items of a feed."""

    items: tuple[str, ...]  #: each from its tag to its end tag, at most MOST_ITEMS
    unclosed: int  #: items that no end tag closes: the feed is cut there, or damaged
    more: int  #: whole items beyond MOST_ITEMS
    is_closed: bool  #: whether the root's end tag is there


def slices(text: str, root: Root) -> Slices:
    """Cut a feed into its items, in one pass; tags within CDATA and comments are none."""
    marks = re.compile(rf"(<!\[CDATA\[|<!--)|<(/?)(?:[\w.-]++:)?(?:{root.item}|({root.name}))(?=[\s/>])")
    ends = {"<![CDATA[": "]]>", "<!--": "-->"}
    items: list[str] = []
    at, start, unclosed, whole, closed = root.start + 1, -1, 0, 0, False
    while found := marks.search(text, at):
        literal, slash, is_root = found.groups()
        at = found.end()
        if literal:
            end = text.find(ends[literal], at) if ends[literal] else -1
            if end < 0:
                ends[literal] = ""  # nothing closes this one, nor any later one
            at = max(at, end)
        elif is_root:
            closed = closed or bool(slash)
        elif not slash:
            unclosed += start >= 0
            start = found.start()
        elif start >= 0:
            whole += 1
            if whole <= MOST_ITEMS:
                items.append(text[start : text.find(">", at) + 1])
            start = -1
    return Slices(tuple(items), unclosed + (start >= 0), max(whole - MOST_ITEMS, 0), closed)
