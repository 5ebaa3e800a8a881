"""What a saved text is: the table of all that is read from files, and words for what is not.

A text is one of the rows if the row's `looks_like` says so; the first row that does has it. So the order is from the
surest sign to the weakest: pages and answers by marks of their site, then feeds of anyone by their root, then arXiv's
mail by its lines, and captures, which have nothing but the look of their lines, last. Of the feeds, arXiv's own stand
before those of anyone, since each is also one of those. JSON lines of records are not here: they are a stream of lines
and no text, and importing.py tells them from one JSON document.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from domain.errors import PermanentCollectError
from domain.papers import Listing
from scrapers import arxiv_api_page, biorxiv, captures, huggingface_api, keyword_capture
from scrapers.arxiv import ANNOUNCED, is_throttled
from scrapers.arxiv_abstract import looks_like_abstract, read_abstract
from scrapers.arxiv_feed_page import looks_like_arxiv_feed
from scrapers.arxiv_feed_page import read_feed as read_arxiv_feed
from scrapers.arxiv_list_page import looks_like_list, read_list
from scrapers.arxiv_mail import SOURCE as ARXIV_MAIL
from scrapers.arxiv_mail import looks_like_arxiv_mail, read_arxiv_mail
from scrapers.feed_page import looks_like_feed, read_feed
from scrapers.huggingface_kinds import DAILY, MONTH, PAPER, SEARCH, TRENDING, WEEK
from scrapers.huggingface_page import looks_like_huggingface, read_page, read_saved
from scrapers.huggingface_paper import read_paper_page
from scrapers.json_feed import looks_like_json_feed, read_json_feed
from scrapers.saved_mail import looks_like_mailbox, looks_like_message

_HEAD = 65_536  # characters that tell a text's kind; pages are told by their whole
_LARGEST_JSON = 2**24  # characters of a document that is parsed only to name it
_JSON = re.compile(r"\s*+(?:\{\s*+[\"}]|\[\s*+[\[{\"\]])")
_MEDRXIV = re.compile(r'"server"\s*+:\s*+"medrxiv"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TextKind:
    """One sort of text that is read from files."""

    names: tuple[str, ...]  #: what `--kind` calls it; several where the text itself tells which of them it is
    label: str  #: for people
    looks_like: Callable[[str], bool]
    read: Callable[[str, date, str], Listing]  #: text, day of the visit, and the name that was asked for, "" for none
    is_json: bool = False  #: it can be JSON


def _read_huggingface(text: str, day: date, name: str) -> Listing:
    if not name:
        return read_saved(text, day=day)
    if huggingface_api.looks_like_answer(text):
        return huggingface_api.read_answer(text, source=name, day=day, visited=day, kind=name)
    if name == PAPER:
        return read_paper_page(text, source=name, day=day, visited=day)
    return read_page(text, source=name, day=day, kind=name)


def _looks_like_any_feed(text: str) -> bool:
    return looks_like_feed(text) or looks_like_json_feed(text)


def _read_any_feed(text: str, day: date) -> Listing:
    if looks_like_json_feed(text):
        return read_json_feed(text, source="feed", day=day, visited=day)
    body = text.encode("utf-8", errors="replace")
    return read_feed(body, "application/xml; charset=utf-8", source="feed", day=day, visited=day)


def _read_biorxiv(text: str, day: date, name: str) -> Listing:
    server = "medrxiv" if _MEDRXIV.search(text, 0, _HEAD) else "biorxiv"
    return biorxiv.read_answer(text, source=name or server, day=day, visited=day)


#: All texts that are read from files, in the order in which they are tried.
TEXTS = (
    TextKind(
        ("arxiv-abstract",),
        "arXiv's page of one paper",
        looks_like_abstract,
        lambda text, day, _: read_abstract(text, source="arxiv-abstract", day=day, visited=day),
    ),
    TextKind(
        ("arxiv-listing",),
        "a list page of arXiv",
        looks_like_list,
        lambda text, day, _: read_list(text, source="arxiv-listing", day=day, visited=day, announce=ANNOUNCED),
    ),
    TextKind(
        ("huggingface-api",),
        "an answer of the Hugging Face API",
        huggingface_api.looks_like_answer,
        lambda text, day, _: huggingface_api.read_answer(text, source="", day=day, visited=day),
        is_json=True,
    ),
    TextKind(
        (DAILY, WEEK, MONTH, TRENDING, SEARCH, PAPER),
        "a page of Hugging Face papers",
        looks_like_huggingface,
        _read_huggingface,
    ),
    TextKind(
        ("biorxiv", "medrxiv"),
        "an answer of the bioRxiv API",
        biorxiv.looks_like_answer,
        _read_biorxiv,
        is_json=True,
    ),
    TextKind(
        ("arxiv-api",),
        "an answer of arXiv's search API",
        arxiv_api_page.looks_like_answer,
        lambda text, day, _: arxiv_api_page.read_answer(text, source="arxiv-api", day=day),
    ),
    TextKind(
        ("arxiv-feed",),
        "a feed of arXiv",
        looks_like_arxiv_feed,
        lambda text, day, _: read_arxiv_feed(text, source="arxiv-feed", day=day, visited=day, announce=ANNOUNCED),
    ),
    TextKind(
        ("feed",),
        "any other feed (RSS, Atom, RDF, JSON Feed)",
        _looks_like_any_feed,
        lambda text, day, _: _read_any_feed(text, day),
        is_json=True,
    ),
    TextKind(
        (ARXIV_MAIL,),
        "arXiv's alert mail",
        looks_like_arxiv_mail,
        lambda text, day, _: read_arxiv_mail(text, day=day),
    ),
    TextKind(
        (captures.SOURCE,),
        "a text capture of a Hugging Face page",
        lambda text: captures.looks_like_capture(text[:_HEAD]),
        lambda text, day, _: captures.read_capture(text, day=day),
    ),
    TextKind(
        (keyword_capture.SOURCE,),
        "a keyword listing with authors as “Last, First”",
        lambda text: keyword_capture.looks_like_keyword_capture(text[:_HEAD]),
        lambda text, day, _: keyword_capture.read_keyword_capture(text, day=day),
    ),
)


def detected(text: str) -> TextKind | None:
    """Return what a text is; None for none of TEXTS.

    JSON may hold anything in its strings, such as a whole page, so it is held against the kinds that are JSON alone.
    """
    possible = [kind for kind in TEXTS if kind.is_json] if _JSON.match(text) else TEXTS
    return next((kind for kind in possible if kind.looks_like(text)), None)


# -- what is not read --------------------------------------------------------------------------------------------------

_SEVERAL = re.compile(
    r"</html>\s*+<(?:!doctype\b|html\b|\?xml\b)|</(?:rss|feed|rdf:rdf|oai-pmh)>\s*+<(?:\?xml\b|rss\b|feed\b|rdf:rdf\b)",
    re.IGNORECASE,
)
_PROLOGUE = r"\s*+(?:<\?xml\b[^<>]{0,200}\?>\s*+)?(?:<!--[^>]{0,500}-->\s*+)?(?:<!DOCTYPE\s[^<>]{0,500}>\s*+)?"
_NUMBERS = r'\s*+\{[^{}]{0,200}(?:\{[^{}]{0,200}\}[^{}]{0,200})?"esearchresult"'
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def _begins(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.IGNORECASE).match


def _is_web_archive(text: str) -> bool:
    head = text[:_HEAD].partition("\n\n")[0].lower()
    return looks_like_message(head) and ("multipart/related" in head or "snapshot-content-location" in head)


def is_json_document(text: str) -> bool:
    """Whether a text is one JSON object or list; a huge one is not looked at."""
    if len(text) > _LARGEST_JSON or not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


#: What this version knows by name only, from the surest sign to the weakest: how it is told, and the words for it.
_UNREAD: tuple[tuple[Callable[[str], object], str], ...] = (
    (_begins(rf"{_PROLOGUE}<(?:\w{{1,20}}:)?OAI-PMH\b"), "it is an OAI-PMH answer, which this version does not read"),
    (_begins(rf"{_PROLOGUE}<Pubmed(?:Book)?Article(?:Set)?\b"), "it is PubMed XML, which this version does not read"),
    (_begins(_NUMBERS), "it is a list of PubMed numbers, without papers"),
    (is_throttled, "it asks for patience (“Rate exceeded”) and lists nothing"),
    (looks_like_mailbox, "it is a mailbox of several messages; save each as a file of its own"),
    (_is_web_archive, "it is a page saved as a web archive (MHTML); save it as HTML alone"),
    (lambda text: _HTML.search(text, 0, _HEAD), "it is a web page, but none that lists papers as the known sites do"),
    (looks_like_message, "it is a mail, but not arXiv's alert mail"),
    (
        _begins(rf"{_PROLOGUE}<[a-z_][\w.:-]{{0,60}}[\s/>]"),
        "it is XML, but neither a feed nor an answer of a known API",
    ),
    (is_json_document, "it is JSON, but no answer of a known API; records stand one a line"),
    (
        _begins(r"\s*+@(?:article|misc|inproceedings|preprint|book)\s*+\{"),
        "it is BibTeX, which this version does not read",
    ),
    (_begins(r"\s*+TY  - [A-Z]{3,5}\s"), "it is a file of RIS records, which this version does not read"),
    (_begins(r"(?:[^\n,]{0,60},){0,20}\"?title\"?,"), "it is a table (CSV), which this version does not read"),
    (_begins(r"(?:[^\n\t]{0,60}\t){0,20}title\t"), "it is a table (TSV), which this version does not read"),
)


def refuse_several(text: str) -> None:
    """Raise PermanentCollectError for pages or feeds that stand one after the other, of which one would be read."""
    if _SEVERAL.search(text):
        raise PermanentCollectError("several pages stand in it, one after the other; import each as a file of its own")


def why_unread(text: str) -> str:
    """Return the sentence that says why a text is none of TEXTS."""
    named = next((sentence for tells, sentence in _UNREAD if tells(text)), "")
    labels = ", ".join(kind.label for kind in TEXTS)
    return named or f"it is none of: {labels}, JSON lines of bibliographic records"
