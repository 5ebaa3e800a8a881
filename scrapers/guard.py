"""A look at a page before a parser builds a tree of it.

libxml2 compares every attribute of a tag with every other, and Beautiful Soup walks up the open elements at every
link, so a hostile page of a few hundred kilobytes would hold them for minutes; and each tag of three characters becomes
an object of hundreds of bytes. Tags are counted first, in passes that are linear in the page's length: the patterns
never give back what they took.
"""

import re
from itertools import islice

from domain.errors import LayoutChanged

_VALUE = r"(?:\"[^\"]*+\"|'[^']*+'|(?![\"'])[^\s>]*+)"
_ATTRIBUTE = rf"[^\s/>][^\s/>=]*+(?:\s*+=\s*+{_VALUE}|(?!\s*+=))"
_START = re.compile(rf"<([A-Za-z][^\s/>]*+)((?:[\s/]++{_ATTRIBUTE}|(?<=[\"']){_ATTRIBUTE})*+)[\s/]*+>")
_NAMED = re.compile(rf"[^\s/>][^\s/>=]*+(?:\s*+=\s*+{_VALUE})?+")
_OPENS = re.compile(r"<[A-Za-z]")
_NESTING = re.compile(r"<(/?)(?:a|h[1-4])(?=[\s/>])", re.IGNORECASE)
_OTHERS = re.compile(r"<[/!?]")
# Start tags; and as many ends, comments and declarations. The pages of Hugging Face have 2,500 start tags.
_MOST_TAGS = 50_000
_MOST_IN_ALL = 1_000_000  # attributes of all tags; the pages known have three a tag
_MOST_ATTRIBUTES = 1_000  # of one tag; the pages known have 30
_DEEPEST = 50  # links and headings one in another; the pages known have 2
_MOST_LINKS = 20_000  # links and headings; the fullest page known to Beautiful Soup has 1,500


def look_over(page: str, *, links: int = _MOST_LINKS, tags: int = _MOST_TAGS) -> None:
    """Raise LayoutChanged for a page that no site would send and no parser would read in good time.

    `links` is the most links and headings that a page may have, `tags` the most start tags.
    """
    for kind in (_OPENS, _OTHERS):
        if sum(1 for _ in islice(kind.finditer(page), tags + 1)) > tags:
            raise LayoutChanged(f"the page has more than {tags:,} tags, as no list of papers does")
    _look_at_attributes(page)
    depth = 0
    for number, found in enumerate(_NESTING.finditer(page)):
        depth = max(depth - 1, 0) if found[1] else depth + 1
        if depth > _DEEPEST or number > 2 * links:
            raise LayoutChanged("the page nests or repeats its links as no list of papers does")


def _look_at_attributes(page: str) -> None:
    at = attributes = 0
    while opened := _OPENS.search(page, at):
        tag = _START.match(page, opened.start())
        if tag is None:
            # A tag that is cut swallows the rest, and the rest would be its attributes.
            if len(_NAMED.findall(page[opened.end() :])) > _MOST_ATTRIBUTES:
                raise LayoutChanged("the page is cut in the middle of a tag, so nothing of it is kept")
            break
        number = len(_NAMED.findall(tag[2]))
        attributes += number
        if number > _MOST_ATTRIBUTES:
            raise LayoutChanged(f"the page has a tag of more than {_MOST_ATTRIBUTES:,} attributes")
        if attributes > _MOST_IN_ALL:
            raise LayoutChanged(f"the page has more than {_MOST_IN_ALL:,} attributes, as no list of papers does")
        at = tag.end()
