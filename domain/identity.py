"""One work or two? Strong ids, title keys, and the verdict over a pair (relevance.md, "Identity of a paper", 1 to 3).

Ids come out of any text or link that carries one, normalised and without version. A title key is what is left of a
title when typography, markup and glued words are gone. The verdict never guesses: what is not sure is `UNSURE`.
"""

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from enum import Enum
from urllib.parse import unquote

from domain.papers import Identifiers

_NEW_STYLE = r"\d{4}\.\d{4,5}"
_OLD_STYLE = r"[a-z][a-z-]*(?:\.[A-Za-z-]{2,})?/\d{7}"
_BARE_ARXIV = re.compile(rf"(?:arxiv:)?({_NEW_STYLE}|{_OLD_STYLE})(?:v\d+)?", re.IGNORECASE)
_OWN_DOI = ("10.48550/arxiv.", "10.65215/arxiv.")  # an arXiv id in other words (sources.md 3.7)
_LONGEST = 2_000  # characters of an id or an address; what is longer is cut before it is searched
_LONGEST_TITLE = 4_000  # characters that a title key is made of
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

_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_TEX_ACCENT = re.compile(r"\\[\"'`^~=.](?=\s*\{?\\?[A-Za-z])|\\[uvHcdbkrt](?=\s*\{)")
_TEX_LETTER = re.compile(r"\\(aa|AA|ae|AE|oe|OE|ss|o|O|l|L|i|j)(?![A-Za-z])")
_TEX_LETTERS = {"aa": "a", "AA": "a", "i": "i", "j": "j"}
_UNDECOMPOSED = str.maketrans(
    {"ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ı": "i", "æ": "ae", "Æ": "ae", "œ": "oe"}
)
_TEX_WORD = re.compile(r"\\(?:text|math|emph|rm|bf|it|sc|tt|ensuremath|operatorname)[a-z]*(?![A-Za-z])")
_SERIAL = re.compile(r"^\s*pre-?print\s*:\s*|\(\s*extended\s+(?:version|abstract)\s*\)\s*\.?\s*$", re.IGNORECASE)
# An alphanumeric; or + and # right after a letter: "C++", "C#", "C++11", but not the signs of "A+B" and "n+1", which
# others write with blanks.
_SAID = re.compile(r"[^\W_]|(?<=[^\W\d_])(?:[+#](?![+#]|[^\W_])|[+#]{2,}+(?![^\W\d_]))")
_DIGITS = re.compile(r"&#\d{8,}")  # a character's number has seven at most; Python refuses to read thousands
_ENOUGH_TITLE = 24  # characters of a key under which equal titles alone prove nothing ("Editorial")
_OPENING = 300  # alphanumerics of an abstract that are compared
_SAME_OPENING = 0.60


class Verdict(Enum):
    """Whether two records are the same work."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


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
    return value if _DOI.fullmatch(value) else None


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


def title_key(title: str) -> str:
    r"""Return what a title says, without typography: casefolded alphanumerics, and the signs of "C++" and "C#".

    "Schr\"odinger" and "Schrödinger", "$N$-ary" and "N-ary", "TranslationUsing" and "Translation Using" are equal.
    """
    text = title[:_LONGEST_TITLE]
    for _ in range(2):  # some sources escape twice
        text = html.unescape(_DIGITS.sub("", text))
    text = " ".join(text.split())
    text = _SERIAL.sub("", _TAG.sub("", text))
    text = _TEX_LETTER.sub(lambda found: _TEX_LETTERS.get(found[1], found[1]), text)
    text = _TEX_WORD.sub("", _TEX_ACCENT.sub("", text))
    text = unicodedata.normalize("NFKD", text.replace("&", " and ").translate(_UNDECOMPOSED))
    key = "".join(_SAID.findall(text.casefold()))
    # A title of signs alone ("???") is told by its signs.
    return key or "".join(title.casefold().split())


def title_hash(key: str, salt: str = "") -> str:
    """Return the short hex name of a title key, used as paper key where no strong id is known.

    `salt` tells works of one title apart.
    """
    return hashlib.sha256(f"{key}{salt}".encode()).hexdigest()[:16]


def verdict(  # the rule compares eight facts of two records
    one: Identifiers,
    other: Identifiers,
    *,
    titles: tuple[str, str],
    abstracts: tuple[str, str],
    first_authors: tuple[str, str],
) -> Verdict:
    """Return whether two records are one work, by their ids, then by equal title keys (rules 1 and 3).

    Records whose title keys differ and that share no id are different here.
    """
    by_id = _verdict_by_ids(one, other)
    if by_id is not None:
        return by_id
    keys = title_key(titles[0]), title_key(titles[1])
    if not keys[0] or keys[0] != keys[1]:
        return Verdict.DIFFERENT
    openings = _opening(abstracts[0]), _opening(abstracts[1])
    if all(openings) and SequenceMatcher(None, *openings, autojunk=False).ratio() >= _SAME_OPENING:
        return Verdict.SAME
    surnames = _surname(first_authors[0]), _surname(first_authors[1])
    agree = surnames[0] == surnames[1] if all(surnames) else None  # None: one is not known
    if len(keys[0]) >= _ENOUGH_TITLE and (agree or (agree is None and not all(openings))):
        return Verdict.SAME
    return Verdict.UNSURE


def _verdict_by_ids(one: Identifiers, other: Identifiers) -> Verdict | None:
    mine, theirs = dict(one.pairs()), dict(other.pairs())
    shared = mine.keys() & theirs.keys()
    if any(mine[scheme] == theirs[scheme] for scheme in shared):
        return Verdict.SAME
    if shared & {"arxiv", "openreview"}:
        return Verdict.DIFFERENT
    return None


def _opening(abstract: str) -> str:
    return title_key(abstract[: _OPENING * 3])[:_OPENING]


def _surname(author: str) -> str:
    words = author.partition(",")[0].split()  # "Moss, Ada" is "Ada Moss"
    return title_key(words[-1]) if words else ""
