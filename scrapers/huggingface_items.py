"""The JSON items of Hugging Face: one shape in the pages' own data and in the answers of its API (sources.md 1.3).

What the JSON holds is never trusted to have a type: each field is read by a small function that answers "nothing" for
anything unexpected, and a record without id or title is rejected and counted. A list goes in, a listing comes out.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from domain.identifiers import arxiv_id
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.rejects import rejects_note
from scrapers.text import collapse, plausible_day, repair_mojibake, web_address

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COUNT_LIMIT = 2**31  # votes, comments and stars beyond it are damage
_MOST_KEYWORDS = 50  # of one paper; the most known are 33
_LONGEST_KEYWORD = 100  # characters


def read_items(
    items: Sequence[object], *, source: str, day: date, visited: date, has_own_days: bool = False
) -> Listing:
    """Read the records of one list, each paper once; `declared` counts the papers, not how often they are shown.

    `has_own_days` says that the list is of several days, so that each paper keeps the day on which it was listed, where
    that can be one on `visited`.

    Raises LayoutChanged where more than one record and more than 5 % of them, or all, have no id or no title.
    """
    papers: dict[str, ListedPaper] = {}  # by id: a list may show a paper twice
    rejected = 0
    for item in items:
        own = plausible_day(listed_day(item), visited) if has_own_days else None
        paper = _paper(mapping(item), rank=len(papers) + 1, day=own, visited=visited)
        if paper is None:
            rejected += 1
        else:
            papers.setdefault(paper.ids.arxiv or "", paper)
    note = rejects_note(rejected, len(items), records="records", identifier="paper id")
    return Listing(
        source=source,
        day=day,
        papers=tuple(papers.values()),
        status=FetchStatus.PARTIAL if rejected else FetchStatus.OK if papers else FetchStatus.OK_EMPTY,
        declared=len(papers) + rejected,
        rejected=rejected,
        note=note,
    )


def read_one(item: Mapping[str, object], *, source: str, day: date, visited: date) -> Listing:
    """Read the record of one paper as a listing of the day on which it was listed; one that never was is of `day`.

    Raises LayoutChanged for a record without id or title.
    """
    return read_items([item], source=source, day=plausible_day(listed_day(item), visited) or day, visited=visited)


def listed_day(item: object) -> date | None:
    """Return the day on which an item was listed; None if it does not say."""
    return day_in(mapping(mapping(item).get("paper")).get("submittedOnDailyAt"))


def usual_day(items: Sequence[object], visited: date) -> date | None:
    """Return the listing day that most items name; None where none of them names one that can be on `visited`."""
    days = Counter(plausible_day(listed_day(item), visited) for item in items)
    del days[None]
    return days.most_common(1)[0][0] if days else None


def _paper(item: Mapping[str, object], *, rank: int, day: date | None, visited: date) -> ListedPaper | None:
    paper = mapping(item.get("paper"))
    identifier = arxiv_id(text_in(paper.get("id")))
    title = text_in(paper.get("title")) or text_in(item.get("title"))
    if identifier is None or not title:
        return None
    abstract = text_in(paper.get("summary")) or text_in(item.get("summary"))
    summary = text_in(paper.get("ai_summary"))
    authors = _list(paper.get("authors"))
    organization = mapping(paper.get("organization")) or mapping(item.get("organization"))
    return ListedPaper(
        title=title,
        rank=rank,
        ids=Identifiers(arxiv=identifier),
        abstract=abstract or summary,
        abstract_kind=_abstract_kind(abstract, summary),
        authors=tuple(name for name in map(_author, authors) if name),
        author_count=len(authors),
        # Not the item's own publishedAt, which is hours off and often the day before (sources.md 1.3).
        published=plausible_day(day_in(paper.get("publishedAt")), visited),
        url=f"https://arxiv.org/abs/{identifier}",
        pdf_url=f"https://arxiv.org/pdf/{identifier}",
        code_url=web_address(paper.get("githubRepo")),
        project_url=web_address(paper.get("projectPage")),
        organization=text_in(organization.get("fullname")) or text_in(organization.get("name")),
        upvotes=_count(paper.get("upvotes")),
        comments=_count(item.get("numComments")),
        withdrawn=bool(text_in(paper.get("withdrawnAt"))),
        day=day,
        summary=summary,
        keywords=_keywords(paper.get("ai_keywords")),
        stars=_count(paper.get("githubStars")),
    )


def _abstract_kind(abstract: str, summary: str) -> AbstractKind:
    if abstract:
        return AbstractKind.AUTHORS
    return AbstractKind.SUMMARY if summary else AbstractKind.NONE


def _author(entry: object) -> str:
    """Return the name; "" for an author that the site hides, or that has none.

    The user account beside it is not the author's name (sources.md 1.2).
    """
    author = mapping(entry)
    return "" if author.get("hidden") else text_in(author.get("name"))


def _keywords(value: object) -> tuple[str, ...]:
    """Return the first keywords, each once; what is too long to be one is left out."""
    words = dict.fromkeys(map(text_in, _list(value)[: 2 * _MOST_KEYWORDS]))
    return tuple(word for word in words if 0 < len(word) <= _LONGEST_KEYWORD)[:_MOST_KEYWORDS]


# -- values of any type ------------------------------------------------------------------------------------------------


def mapping(value: object) -> Mapping[str, object]:
    """Return a JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def text_in(value: object) -> str:
    """Return a JSON string repaired and collapsed; "" for anything else."""
    return collapse(repair_mojibake(value)) if isinstance(value, str) else ""


def day_in(value: object) -> date | None:
    """Return the day of "2025-09-15" or "2025-09-15T17:59:19.000Z"; None for no day, such as 31 February."""
    found = _DAY.match(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _COUNT_LIMIT:
        return value
    return None
