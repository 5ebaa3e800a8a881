"""Strong ids of a work, out of any text or link that carries one (relevance.md, "Identity of a paper", 1).

They are normalised and without version. arXiv's own DOIs are arXiv ids.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from domain.papers import Identifiers

_NEW_STYLE = r"\d{4}\.\d{4,5}"
_OLD_STYLE = r"[a-z][a-z-]*(?:\.[A-Za-z-]{2,})?/\d{7}"
_BARE_ARXIV = re.compile(rf"(?:arxiv:)?({_NEW_STYLE}|{_OLD_STYLE})(?:v\d+)?", re.IGNORECASE)
_OWN_DOI = ("10.48550/arxiv.", "10.65215/arxiv.")  # an arXiv id in other words (sources.md 3.7)
_LONGEST_DOI = 500  # characters; every database can hold an index of such
_LONGEST = 2_000  # characters of an id or an address; what is longer is cut before it is searched
_LINKED_ARXIV = re.compile(
    r"(?:arxiv\.org/(?:abs|pdf|html|format|src)/|/papers/|alphaxiv\.org/(?:abs|overview)/|oai:arxiv\.org:|10\.(?:48550|65215)/arxiv\.)"
    rf"({_NEW_STYLE}|{_OLD_STYLE})(?:v\d++)?+(?!\.*\d)",
    re.IGNORECASE,
)
_DBLP_ARXIV = re.compile(r"corr/abs-(\d{4})-(\d{4,5})(?!\d)", re.IGNORECASE)
# "<" and ">" stand in a DOI only around an item number of old serials (SICI): "…49:8<693::AID-ASI4>3.0.CO;2-O".
_DOI = re.compile(
    r"\b(10\.\d{4,9}/(?:[^\s\"<>\x00-\x1f\x7f-\x9f\ud800-\udfff]|<[^\s\"<>/:]{1,40}:[^\s\"<>/]{0,80}>)+)", re.IGNORECASE
)
_BIORXIV_VERSION = re.compile(r"v\d+(?:\.[a-z][a-z.+-]*)?$")
_OPENREVIEW = re.compile(r"openreview\.net/(?:forum|pdf|attachment)\?(?:[^#\s]{0,500}&)?id=([A-Za-z0-9_-]{6,64})")

_PUNCTUATION = ".,;:)]}'"  # that ends a sentence around a DOI


def arxiv_id(text: str) -> str | None:
    """Return the arXiv id in a bare id, a link, an OAI name or a DOI, without version; None if there is none.

    Old ids lose their subject class: "math.GT/0309136" is "math/0309136".
    """
    text = text[:_LONGEST].strip()
    found = _BARE_ARXIV.fullmatch(text) or _LINKED_ARXIV.search(text)
    if found:
        return _plausible(found[1])
    dblp = _DBLP_ARXIV.search(text)
    return _plausible(f"{dblp[1]}.{dblp[2]}") if dblp else None


def _plausible(identifier: str) -> str | None:
    if "/" in identifier:
        archive, number = identifier.lower().split("/")
        return f"{archive.split('.')[0]}/{number}"
    month = int(identifier[2:4])
    return identifier if 1 <= month <= 12 and identifier.isascii() else None


def doi(text: str) -> str | None:
    """Return the DOI in a text or link, lower case, a bioRxiv version cut off; None if there is none.

    A link's query and fragment are not the DOI's, and its escapes (RFC 3986 section 2.1) are undone. arXiv's own DOIs
    are arXiv ids, not DOIs, here.
    """
    text = text[:_LONGEST]
    found = _DOI.search(text)
    if not found:
        return None
    value = found[1]
    address = text[: found.start()].split(" ")[-1]
    if "/" in address:
        value = re.split(r"[?#&]" if "?" in address else r"[?#]", value, maxsplit=1)[0]
        whole = _DOI.match(unquote(value))
        value = whole[1] if whole else ""
    value = value.lower()
    if value.startswith(_OWN_DOI):
        return None
    if value.startswith(("10.1101/", "10.64898/")):
        value = _BIORXIV_VERSION.sub("", value.rstrip(_PUNCTUATION))
    value = value.rstrip(_PUNCTUATION)
    return value if len(value) <= _LONGEST_DOI and _DOI.fullmatch(value) else None


def openreview_id(text: str) -> str | None:
    """Return the forum id of an OpenReview link; None for any other text."""
    found = _OPENREVIEW.search(text[:_LONGEST])
    return found[1] if found else None


def identifiers_in(texts: Iterable[str]) -> Identifiers:
    """Return the first strong id of each kind that stands in any of the texts."""
    arxiv = digital = forum = None
    for text in texts:
        arxiv = arxiv or arxiv_id(text)
        digital = digital or doi(text)
        forum = forum or openreview_id(text)
    return Identifiers(arxiv=arxiv, doi=digital, openreview=forum)
