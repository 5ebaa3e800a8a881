"""The pages of Hugging Face papers, of the site itself or of any mirror: one list each.

The page carries its own data: JSON in the attribute `data-props` of the element whose `data-target` is "DailyPapers"
(sources.md 1.2). It is read first and alone; only where that element is missing are the cards read, as far as they go.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from domain.errors import Blocked, LayoutChanged, Throttled
from domain.papers import Listing
from scrapers.guard import look_over
from scrapers.huggingface_api import looks_like_answer, read_answer
from scrapers.huggingface_cards import read_cards
from scrapers.huggingface_data import LISTS, blob_of, props_of
from scrapers.huggingface_items import day_in, mapping, read_items, text_in, usual_day
from scrapers.huggingface_kinds import DAILY, MONTH, SEARCH, TRENDING, WEEK, clamped, slot_in, slot_of
from scrapers.huggingface_paper import looks_like_paper_page, read_paper_page
from scrapers.text import plausible_day

_MARKER = re.compile(rf"data-target\s*+=\s*+[\"']?{LISTS}(?=[\"'\s>])")
_CARD = re.compile(r"href\s*+=\s*+[\"']?(?:https?://[^/\"'\s]+)?/papers/\d{4}\.\d{4,5}(?!\d)")
_THROTTLED = re.compile(r"\brate exceeded\b|\btoo many requests\b|\brate[- ]limit", re.IGNORECASE)
_SHORT = 2_000  # characters; a page that asks for patience says little else
_ASKED = {
    DAILY: "a daily page",
    WEEK: "a page of a week",
    MONTH: "a page of a month",
    TRENDING: "a trending page",
    SEARCH: "a search",
}


def looks_like_huggingface(text: str) -> bool:
    """Whether a text is HTML of Hugging Face papers, of a list or of one paper, or an answer of the API."""
    marked = _MARKER.search(text) is not None or looks_like_paper_page(text)
    return marked or _CARD.search(text) is not None or looks_like_answer(text)


def refuse_throttling(text: str) -> None:
    """Raise Throttled for an answer that asks for patience though its status does not say so."""
    if len(text) < _SHORT and _THROTTLED.search(text) and not looks_like_huggingface(text):
        raise Throttled("the site asks for patience in place of the page")


def read_page(
    text: str, *, source: str, day: date, kind: str, visited: date | None = None, asked: date | None = None
) -> Listing:
    """Read the HTML of a list that is to be of a `kind`, on a visit of `day`; for a `kind` of "" the page tells.

    A daily page's own day is believed from 1991 to the day after `visited` (None for `day` itself); else it is `day`,
    as it is for every other kind. Each paper of a week or a month keeps the day on which it was listed. Where the page
    of the day, week or month of `asked` was asked for, and this is another's, the note says so.

    Raises:
        Blocked: neither the page's data nor any card is there: a bot check or a login, not an empty day.
        LayoutChanged: the data is there, but broken, cut, or not the list that was asked for.
        Throttled: an answer that asks for patience.

    """
    refuse_throttling(text)
    text = text.replace("\0", "")  # libxml2 ends a document there
    look_over(text)
    blob = blob_of(text)
    if blob is None and _MARKER.search(text):
        raise LayoutChanged("the page is cut inside its own data, so nothing of it is kept")
    if blob is not None:
        return _read_data(props_of(blob), source=source, day=day, visited=visited or day, expected=kind, asked=asked)
    if kind and looks_like_paper_page(text):
        raise LayoutChanged(f"{_ASKED[kind]} was asked for, but the page is of one paper")
    listing = read_cards(text, source=source, day=day, visited=visited, kind=kind, asked=asked)
    if listing is None:
        raise Blocked("the page holds no papers and no sign of a list: a bot check, a login or another page")
    return listing


def read_saved(text: str, *, day: date) -> Listing:
    """Read what somebody saved on `day`: a list, one paper's page, or an answer of the API.

    The listing's source is what the page says it is, such as "huggingface-week". Raises as read_page, read_paper_page
    and read_answer do.
    """
    if looks_like_answer(text):
        return read_answer(text, source="", day=day, visited=day)
    if looks_like_paper_page(text) and not _MARKER.search(text):
        return read_paper_page(text, source="", day=day, visited=day)
    return read_page(text, source="", day=day, kind="")


def _read_data(
    props: Mapping[str, object], *, source: str, day: date, visited: date, expected: str, asked: date | None
) -> Listing:
    says = _kind(props)
    if expected and expected != SEARCH and says == SEARCH:
        raise LayoutChanged(f"{_ASKED[expected]} was asked for, but the page answers a search")
    if expected and expected not in {SEARCH, says}:
        raise LayoutChanged(f"{_ASKED[expected]} was asked for, but the page is one of {says}")
    kind = expected or says
    # On a search page `dailyPapers` is still there, and is not the result (sources.md 1.2).
    key = "searchResults" if kind == SEARCH else "dailyPapers"
    items = props.get(key)
    if not isinstance(items, list):
        raise LayoutChanged(f"the page's data has no list named {key}")
    own = plausible_day(day_in(props.get("dateString")), visited) or usual_day(items, visited)
    listing = read_items(
        items,
        source=source or kind,
        day=own if own and kind == DAILY else day,
        visited=visited,
        has_own_days=kind in {WEEK, MONTH},
    )
    moved = clamped(kind, _slot(props, kind, own), asked)
    return replace(listing, note="; ".join(filter(None, (listing.note, moved))))


def _slot(props: Mapping[str, object], kind: str, own: date | None) -> str:
    """Return the day, week or month that the page names, else that of its `own` day; "" for what has none."""
    if kind in {TRENDING, SEARCH}:
        return ""
    named = slot_in(text_in(props.get("dateString")))
    if named and kind != DAILY and ("W" in named) == (kind == WEEK):
        return named
    return slot_of(kind, own) if own else ""


def _kind(props: Mapping[str, object]) -> str:
    """Return what the page says it lists; raises LayoutChanged for a period that is not known."""
    if text_in(mapping(props.get("query")).get("q")):
        return SEARCH
    if props.get("isTrending") is True:
        return TRENDING
    kinds = {"day": DAILY, "week": WEEK, "month": MONTH}
    period = props.get("periodType") or "day"
    if not isinstance(period, str) or period not in kinds:
        raise LayoutChanged("the page lists the papers of a period that is neither day, week nor month")
    return kinds[period]
