"""XML from outside, record by record, at no risk (a feed's items, an answer's entries).

The parser is the standard library's expat, which builds no tree and knows no files or sockets: an external entity has
nothing to open it. A document type is refused where it begins, so no entity is ever declared, let alone expanded.
Each record is built as a small tree, handed out as it ends, and forgotten; what stands around the records is kept
apart. Depth, elements and attributes are counted on the way, and a document that is cut or broken gives nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from xml.parsers import expat

from domain.errors import LayoutChanged
from scrapers.source import Page
from scrapers.text import NO_XML

_DEEPEST = 30  # elements one in another; the feeds known have 5
_MOST_ATTRIBUTES = 100  # of one element; the feeds known have 6
_MOST_AROUND = 1_000  # elements outside the records; the feeds known have 20
_MOST_IN_RECORD = 50_000  # a paper of 3,300 authors has 10,000

_DECLARATION = re.compile(r"<\?xml\b[^<>]{0,200}\?>")
_DECLARED_CHARSET = re.compile(rb"^\s*<\?xml\b[^<>]{0,200}?\bencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")

#: What the namespaces of feeds are called here, whatever prefix a document gives them.
_PREFIXES = {
    "www.w3.org/2005/Atom": "atom",
    "arxiv.org/schemas/atom": "arxiv",
    "purl.org/dc/elements/1.1": "dc",
    "a9.com/-/spec/opensearch/1.1": "opensearch",
    # And those of Zotero's exports.
    "www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "purl.org/dc/terms": "dcterms",
    "purl.org/net/biblio#": "bib",
    "xmlns.com/foaf/0.1": "foaf",
    "www.zotero.org/namespaces/export#": "z",
}
_SEPARATOR = "\x1f"  # stands in no name and no address


@dataclass(frozen=True, slots=True)
class Element:
    """An element, read."""

    name: str  #: "item", "atom:entry", "dc:creator"; "?:thing" of a namespace that is not known here
    attributes: Mapping[str, str]
    text: str  #: its own, as it stands; not that of its children
    children: "tuple[Element, ...]"

    def all(self, name: str) -> "list[Element]":
        """Return the children of a name."""
        return [child for child in self.children if child.name == name]

    def said(self, *names: str) -> str:
        """Return the text of the first child of any of the names that has some, as it stands; "" for none."""
        return next((child.text for name in names for child in self.all(name) if child.text.strip()), "")


def text_of(page: Page) -> str:
    """Return a page's text as `Page.text` does, believing the XML declaration where HTTP names no charset."""
    named = _DECLARED_CHARSET.search(page.body[:1_000])
    if named is None or "charset" in page.headers.get("content-type", "").lower():
        return page.text()
    headers = {**page.headers, "content-type": f"application/xml; charset={named[1].decode()}"}
    return replace(page, headers=headers).text()


def read_xml(text: str, *, records: frozenset[str] | None, take: Callable[[Element], None]) -> Element:
    """Read a document: each element of a name in `records` goes to `take` as it ends; the root comes back without them.

    Without names, each child of the root is one.

    Raises LayoutChanged for what is no well-formed XML, or such as no feed has: a document type, depth without end.
    """
    reader = _Reader(records, take)
    body = NO_XML.sub("", text.lstrip("\ufeff")).strip()
    if declaration := _DECLARATION.match(body):
        body = body[declaration.end() :]
    try:
        reader.parser.Parse(body.encode("utf-8"), True)  # noqa: FBT003 - expat takes "this is the end" by place
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise LayoutChanged(f"the XML is broken or cut at line {error.lineno}: {reason}") from error
    if reader.root is None:
        raise LayoutChanged("the XML holds no element")
    return reader.root


@dataclass(slots=True)
class _Open:
    """An element that has not ended."""

    name: str
    attributes: dict[str, str]
    pieces: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)


class _Reader:
    """Builds elements from what expat tells, and counts."""

    def __init__(self, records: frozenset[str] | None, take: Callable[[Element], None]) -> None:
        self._records = records
        self._take = take
        self._open: list[_Open] = []
        self._record_at = 0  # the depth of the record that is open; 0 for none
        self._around = 0
        self._inside = 0
        self._names: dict[str, str] = {}
        self.root: Element | None = None
        # The text is ours by now, and UTF-8 whatever its declaration says.
        self.parser = expat.ParserCreate("utf-8", _SEPARATOR)
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._say

    def _refuse_doctype(self, *_: object) -> None:
        raise LayoutChanged("the XML declares a document type, which no feed needs, so nothing of it is read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _DEEPEST:
            raise LayoutChanged(f"the XML nests its elements more than {_DEEPEST} deep")
        if len(attributes) > _MOST_ATTRIBUTES:
            raise LayoutChanged(f"the XML has an element of more than {_MOST_ATTRIBUTES} attributes")
        called = self._called(name)
        self._open.append(_Open(called, attributes))
        begins = len(self._open) == 2 if self._records is None else called in self._records
        if not self._record_at and begins:
            self._record_at, self._inside = len(self._open), 0
        if self._record_at:
            self._inside += 1
        else:
            self._around += 1
        if self._inside > _MOST_IN_RECORD or self._around > _MOST_AROUND:
            raise LayoutChanged("the XML has more elements in or around a record than any feed has")

    def _say(self, text: str) -> None:
        self._open[-1].pieces.append(text)

    def _end(self, _: str) -> None:
        depth = len(self._open)
        ended = self._open.pop()
        element = Element(ended.name, ended.attributes, "".join(ended.pieces), tuple(ended.children))
        if depth == self._record_at:
            self._record_at = 0
            self._take(element)
        elif self._open:
            self._open[-1].children.append(element)
        if not self._open:
            self.root = element

    def _called(self, name: str) -> str:
        if name not in self._names:
            space, _, local = name.rpartition(_SEPARATOR)
            address = space.partition("://")[2].rstrip("/")
            called = f"{_PREFIXES.get(address, '?')}:{local}" if space else local
            if len(self._names) >= _MOST_AROUND:
                return called
            self._names[name] = called
        return self._names[name]
