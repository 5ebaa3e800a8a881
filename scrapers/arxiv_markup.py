"""What arXiv's pages have in common: one tree per page, its words, its days and its lists of names.

The tree is lxml's own and not Beautiful Soup's: the listing of a busy archive has 2,000 entries and 30,000 links, for
which Beautiful Soup, with or without a strainer, takes a second and more, and lxml a twentieth of that.
A page comes in as text; what no parser would read in good time is refused first (guard.py, and a limit on depth).
Labels such as "Title:" are taken out of the tree at once, and addresses that arXiv shows as "this https URL" are put
back, so that no field has to.
"""

import re
from dataclasses import dataclass
from datetime import date

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from domain.errors import Blocked, LayoutChanged, Throttled
from scrapers.arxiv import is_throttled
from scrapers.arxiv_authors import tidied
from scrapers.guard import look_over
from scrapers.text import collapse, day_of, plausible_day, repair_mojibake, shows_mojibake, web_address

_DEEPEST = 100  # elements one in another; the pages known have 12
_MOST_LINKS = 250_000  # 2,000 entries of 100 shown authors each would have 210,000
# 28 to 42 start tags an entry, and up to 2,000 entries.
_MOST_TAGS = 200_000
_HIDDEN_ADDRESS = re.compile(r"this (?:https?|ftp) URL", re.IGNORECASE)
_DAY = re.compile(r"\b([0-9]{1,2})\s+([A-Za-z]{3,9})\.?,?\s+([0-9]{4})(?![0-9])")


@dataclass(frozen=True, slots=True)
class Markup:
    """A page as a tree, without its labels."""

    root: HtmlElement
    damaged: bool  #: whether the page surely holds UTF-8 that was read as Thai

    def words(self, element: HtmlElement) -> str:
        """Return what an element says, repaired and collapsed."""
        return self.repaired("".join(element.itertext()))

    def repaired(self, text: str) -> str:
        """Return a text of the page, such as an attribute, repaired and collapsed."""
        return collapse(repair_mojibake(text, damaged=self.damaged))


def markup_of(text: str) -> Markup:
    """Return the tree of a page.

    Raises:
        Throttled: the page is arXiv's "Rate exceeded." (sources.md 3.3).
        Blocked: there is nothing on the page.
        LayoutChanged: the page is built as no page of arXiv is, and would cost too much to read.

    """
    if is_throttled(text):
        raise Throttled("arXiv answered that the rate was exceeded")
    text = text.replace("\0", "")  # libxml2 ends a document there
    look_over(text, links=_MOST_LINKS, tags=_MOST_TAGS)
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        root = document_fromstring(text.encode("utf-8", errors="replace"), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise Blocked("the page is empty, or no HTML at all") from error
    _refuse_depth(root)
    _make_plain(root)
    return Markup(root=root, damaged=shows_mojibake(text))


def _make_plain(root: HtmlElement) -> None:
    for element in root.iter("br", "span", "a"):
        said = element.text or ""
        if element.tag == "br":
            element.text = " "
        elif element.tag == "a":
            if _HIDDEN_ADDRESS.fullmatch(said.strip()) and (address := web_address(element.get("href"))):
                element.text = address
        elif "descriptor" in classes(element):
            # What follows the colon is there only where the label's end is lost. lxml takes no control characters.
            element.text = f"{collapse(said.partition(':')[2])} "


def is_cut(text: str) -> bool:
    """Whether a page stops before its end, so that its last words may be half of what was written."""
    return "</html" not in text.lower()


def classes(element: HtmlElement) -> list[str]:
    """Return the class names of an element."""
    return (element.get("class") or "").split()


def day_in(text: str, visited: date) -> date | None:
    """Return the day of "Wednesday, 12 August 2026" or "Wed, 05 Aug 2026"; None for none that a page can be of."""
    found = _DAY.search(text)
    return plausible_day(day_of(f"{found[2]} {found[1]}, {found[3]}", visited), visited) if found else None


def authors_of(markup: Markup, block: HtmlElement) -> tuple[str, ...]:
    """Return the names in a block of authors: what is linked; affiliations and "for the … group" stand beside it.

    Where nothing is linked it is the text at its commas; none for "(author list is unavailable)".
    """
    links = [link for link in block.iter("a") if not (link.get("href") or "").startswith("javascript:")]
    if links:
        return tidied(map(markup.words, links))  # the last may read "and Ada Moss"
    said = markup.words(block).removeprefix("Authors:")
    return () if "(" in said else tidied(said.split(","))


_CODE = re.compile(r"\(([a-z][a-z-]{1,15}(?:\.[A-Za-z-]{2,15})?)\)(?=\s*(?:;|$))")


def categories_of(said: str) -> tuple[str, ...]:
    """Return the codes of "Optics (physics.optics); Quantum Physics (quant-ph)" in their order: the primary first."""
    return tuple(dict.fromkeys(_CODE.findall(said)))


def _refuse_depth(root: HtmlElement) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > _DEEPEST:
            raise LayoutChanged("the page nests its elements deeper than any page of arXiv does")
