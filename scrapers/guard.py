"""A look at a page before a parser builds a tree of it.

libxml2 compares every attribute of a tag with every other, and Beautiful Soup walks up the open elements at every
link, so a hostile page of a few hundred kilobytes would hold them for minutes. Its tags are counted first, in one pass
that is linear in the page's length: the patterns never give back what they took.
"""

import re

from domain.errors import LayoutChanged

_VALUE = r"(?:\"[^\"]*+\"|'[^']*+'|(?![\"'])[^\s>]*+)"
_ATTRIBUTE = rf"[^\s/>][^\s/>=]*+(?:\s*+=\s*+{_VALUE}|(?!\s*+=))"
_START = re.compile(rf"<([A-Za-z][^\s/>]*+)((?:[\s/]++{_ATTRIBUTE}|(?<=[\"']){_ATTRIBUTE})*+)[\s/]*+>")
_NAMED = re.compile(rf"[^\s/>][^\s/>=]*+(?:\s*+=\s*+{_VALUE})?+")
_OPENS = re.compile(r"<[A-Za-z]")
_NESTING = re.compile(r"<(/?)(?:a|h[1-4])(?=[\s/>])", re.IGNORECASE)
_MOST_ATTRIBUTES = 1_000  # of one tag; the pages known have 30
_DEEPEST = 50  # links and headings one in another; the pages known have 2
_MOST_LINKS = 20_000  # links and headings; the fullest page known to Beautiful Soup has 1,500


def look_over(page: str, *, links: int = _MOST_LINKS) -> None:
    """Raise LayoutChanged for a page that no site would send and no parser would read in good time.

    `links` is the most links and headings that a page may have.
    """
    at = 0
    while opened := _OPENS.search(page, at):
        tag = _START.match(page, opened.start())
        if tag is None:
            # A tag that is cut swallows the rest, and the rest would be its attributes.
            if len(_NAMED.findall(page[opened.end() :])) > _MOST_ATTRIBUTES:
                raise LayoutChanged("the page is cut in the middle of a tag, so nothing of it is kept")
            break
        if len(_NAMED.findall(tag[2])) > _MOST_ATTRIBUTES:
            raise LayoutChanged(f"the page has a tag of more than {_MOST_ATTRIBUTES:,} attributes")
        at = tag.end()
    depth = 0
    for number, found in enumerate(_NESTING.finditer(page)):
        depth = max(depth - 1, 0) if found[1] else depth + 1
        if depth > _DEEPEST or number > 2 * links:
            raise LayoutChanged("the page nests or repeats its links as no list of papers does")
