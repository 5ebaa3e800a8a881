"""The answers of the Hugging Face API (sources.md 1.4).

A list of /api/daily_papers or /api/papers/search, or one paper of /api/papers/<id>. The items are those of the pages'
own data, so they are read by the same rules.
"""

import re
from datetime import date

from domain.errors import LayoutChanged, PermanentCollectError
from domain.identifiers import arxiv_id
from domain.papers import Listing
from scrapers.huggingface_data import json_of
from scrapers.huggingface_items import listed_day, mapping, read_items, read_one, text_in, usual_day
from scrapers.huggingface_kinds import DAILY, MONTH, PAPER, SEARCH, WEEK

_HEAD = 65_536  # characters that tell what a text is
_EMPTY = re.compile(r"\[\s*+\]")
_ITEM = re.compile(r'\[\s*+\{.*?"paper"\s*+:\s*+\{', re.DOTALL)
_OBJECT = re.compile(r'\{.*?"id"\s*+:\s*+"[0-9]{4}\.[0-9]{4,5}', re.DOTALL)
_OF_A_PAPER = ('"authors"', '"summary"', '"title"')


def looks_like_answer(text: str) -> bool:
    """Whether a text is an answer of the API, such as "[]"; told by its head."""
    head = text[:_HEAD].strip()
    if head.startswith("["):
        return (_EMPTY.fullmatch(head) or _ITEM.match(head)) is not None
    return head.startswith("{") and _OBJECT.match(head) is not None and all(name in text for name in _OF_A_PAPER)


def read_answer(text: str, *, source: str, day: date, visited: date, kind: str = "") -> Listing:
    """Read an answer of a `kind`, which is PAPER for /api/papers/<id> and "" if nobody knows.

    A `source` of "" is named by the kind that the answer shows.

    A list of one day is of that day where it can be one on `visited`. In a list of several days each paper keeps its
    own, and the listing is of `day`, as is whatever answers a search. "[]" is an empty listing.

    Raises:
        LayoutChanged: broken or cut JSON, or not what was asked for; nothing of it is kept.
        PermanentCollectError: the answer is an error.

    """
    answer = json_of(text, "the API's answer")
    if isinstance(answer, list) and kind != PAPER:
        return _read_list(answer, source=source, day=day, visited=visited, kind=kind)
    fields = mapping(answer)
    if error := text_in(fields.get("error")):
        raise PermanentCollectError(f"the API answers with an error: {error[:200]}")
    if kind not in {"", PAPER} or arxiv_id(text_in(fields.get("id"))) is None:
        asked = {"": "neither a list of papers nor a paper", PAPER: "not a paper"}.get(kind, "not a list of papers")
        raise LayoutChanged(f"the API's answer is {asked}")
    return read_one({"paper": fields}, source=source or PAPER, day=day, visited=visited)


def _read_list(items: list[object], *, source: str, day: date, visited: date, kind: str) -> Listing:
    # What a search finds need not ever have been listed; the papers of a day or a longer time have been.
    kind = kind or (DAILY if all(map(listed_day, items)) else SEARCH)
    days = set(map(listed_day, items)) - {None}
    several = kind in {WEEK, MONTH} or (kind == DAILY and len(days) > 1)
    own = usual_day(items, visited) if kind == DAILY and not several else None
    return read_items(items, source=source or kind, day=own or day, visited=visited, has_own_days=several)
