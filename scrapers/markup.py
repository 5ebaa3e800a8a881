"""HTML as a stream: start tags, end tags and the text between them, in one pass that is linear in the page's length.

No tree is built: a tree's parsers compare every attribute of a tag with every other, walk the open elements at every
end, and recurse, so a hostile page of a few hundred kilobytes holds them for minutes. What a paper list needs is less:
which tags come, with which attributes, around which text.

The rules are those of the tokenizer that browsers follow (WHATWG HTML, section 13.2.5): quotes protect ">", comments
and scripts hold no tags, the first of two equal attributes counts, and what never ends swallows the rest of the page.
Every loop of the patterns is possessive: what it took, it does not give back.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from domain.errors import LayoutChanged

_ATTRIBUTE = r"[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|(?![\"'])[^\s>]*+)|(?!\s*+=))"
_TAG_LIKE = re.compile(r"<[A-Za-z!?/]")
_START = re.compile(rf"<([A-Za-z][^\s/>]*+)((?:[\s/]++{_ATTRIBUTE}|(?<=[\"']){_ATTRIBUTE})*+)[\s/]*+>")
_NAMED = re.compile(r"([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>]*+)))?+")
_END = re.compile(r"</([A-Za-z][^\s/>]*+)[^>]*+>")
_COMMENT = re.compile(r"<!--(?:>|->|.*?--!?>)", re.DOTALL)
_OTHER = re.compile(r"<[!?/][^>]*+>")  # a doctype, an XML head, nonsense that browsers take for a comment
_RAW = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in ("script", "style", "textarea", "title", "xmp")
}


@dataclass(frozen=True, slots=True)
class StartTag:
    """A start tag; an element without content, such as <meta>, has no end tag."""

    name: str  #: in lower case
    written: str  #: its attributes as they stand in the page

    def attributes(self) -> Mapping[str, str]:
        """Return the attributes by name in lower case, their values unescaped."""
        found: dict[str, str] = {}
        for name, double, single, bare in _NAMED.findall(self.written):
            found.setdefault(name.lower(), double or single or bare)
        return {name: unescaped(value) for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class EndTag:
    """An end tag."""

    name: str  #: in lower case


def tokens(page: str) -> Iterator[StartTag | EndTag | str]:
    """Yield the tags of a page and the texts between them, as they are written; a tag that is cut ends the page.

    What scripts, styles, comments, titles and text fields hold is left out.
    """
    at = 0
    while (opened := page.find("<", at)) >= 0:
        if opened > at:
            yield page[at:opened]
        if not _TAG_LIKE.match(page, opened):
            yield "<"
            at = opened + 1
            continue
        if start := _START.match(page, opened):
            name = start[1].lower()
            yield StartTag(name, start[2])
            at = start.end()
            if name in _RAW:
                end = _RAW[name].search(page, at)
                if not end:
                    return
                at = end.start()
        elif end := _END.match(page, opened):
            yield EndTag(end[1].lower())
            at = end.end()
        elif passed := (_COMMENT if page.startswith("<!--", opened) else _OTHER).match(page, opened):
            at = passed.end()
        else:
            return
    if at < len(page):
        yield page[at:]


def unescaped(written: str) -> str:
    """Return text as it is meant: "&amp;" is "&".

    Raises LayoutChanged for a number of thousands of digits, which Python refuses to read and no page holds.
    """
    try:
        return html.unescape(written)
    except ValueError as error:
        raise LayoutChanged("a character of the page is written as a number of thousands of digits") from error
