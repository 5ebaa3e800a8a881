"""A page of four times the entries, or of entries four times as long, costs about four times as much, of every kind.

Measured as processor time, the best of three, and with room for a busy machine: what is quadratic costs sixteen times.
"""

import html
import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.papers import Listing
from scrapers.importing import read_file
from scrapers.registry import SourceConfig, build
from scrapers.source import Page, Visit

DAY = date(2026, 3, 4)
VISIT = Visit(day=DAY, newest=DAY, since=DAY)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
AT_MOST = 8  # times the cost of a page a quarter as large
NOISE = 0.003  # seconds; what is quicker is not compared

Make = Callable[[int, int], str]  #: entries, and words of each abstract; from it the text of a page
AUTHORS = "Ada Moss", "Bo Reed", "Cy Fell"


def said(words: int) -> str:
    return "We look at $x < 1$ &amp; see. " * (words // 7)


# -- pages -------------------------------------------------------------------------------------------------------------


def _item(number: int, words: int) -> dict[str, Any]:
    listed = "2026-03-04T00:00:00.000Z"
    paper = {
        "id": f"2603.{number:05}",
        "title": f"Paper {number}",
        "summary": said(words),
        "authors": [{"name": name} for name in AUTHORS],
        "publishedAt": "2026-03-02T00:00:00.000Z",
        "submittedOnDailyAt": listed,
        "upvotes": number,
    }
    return {"paper": paper, "title": paper["title"], "publishedAt": listed}


def _props(entries: int, words: int, **props: object) -> str:
    items = [_item(number, words) for number in range(entries)]
    blob = html.escape(json.dumps({"dailyPapers": items, "searchResults": items, "dateString": str(DAY), **props}))
    return f'<!doctype html><div data-target="DailyPapers" data-props="{blob}"></div>'


def huggingface_daily(entries: int, words: int) -> str:
    return _props(entries, words)


def huggingface_week(entries: int, words: int) -> str:
    return _props(entries, words, periodType="week")


def huggingface_trending(entries: int, words: int) -> str:
    return _props(entries, words, isTrending=True)


def huggingface_search(entries: int, words: int) -> str:
    return _props(entries, words, query={"q": "x"})


def huggingface_mojibake(entries: int, words: int) -> str:
    return huggingface_search(entries, words).replace("look", "l\u0e23\u0e09ok \u0e22\u0e17 \u0e42\u20ac")


def huggingface_cards(entries: int, words: int) -> str:
    cards = "".join(
        f'<article><a href="/papers/2603.{n:05}"><img/></a>Submitted by x<h3><a href="/papers/2603.{n:05}">Paper {n} '
        f'{"of many words " * (words // 7)}</a></h3><span>3 authors</span><a href="/papers/2603.{n:05}#community">3</a>'
        "</article>"
        for n in range(entries)
    )
    return f"<!doctype html><body><main><section>{cards}</section></main></body></html>"


def huggingface_api(entries: int, words: int) -> str:
    return json.dumps([_item(number, words) for number in range(entries)])


def _listed(entries: int, words: int, heading: str) -> str:
    found = "".join(
        f"<dt><a name='item{n}'>[{n}]</a> <a href='/abs/2603.{n:05}'>arXiv:2603.{n:05}</a></dt><dd>"
        f"<div class='list-title'>Title: Paper {n}</div><div class='list-authors'><a href='/s'>Ada Moss</a></div>"
        f"<div class='list-subjects'><span class='primary-subject'>Optics (cs.CL)</span></div><p>{said(words)}</p></dd>"
        for n in range(1, entries + 1)
    )
    return (
        f"<html><body><div class='paging'>Total of {entries} entries</div><dl id='articles'>"
        f"<h3>{heading} (showing {entries} of {entries} entries)</h3>{found}</dl></body></html>"
    )


def arxiv_list(entries: int, words: int) -> str:
    return _listed(entries, words, "New submissions")


def arxiv_recent(entries: int, words: int) -> str:
    return _listed(entries, words, "Wed, 4 Mar 2026")


def _feed_items(entries: int, words: int, item: str) -> str:
    return "".join(
        item.format(
            n=f"{n:05}", said=f"arXiv:2603.{n:05}v1 Announce Type: new \nAbstract: {said(words).replace('<', '&lt;')}"
        )
        for n in range(1, entries + 1)
    )


SPACES = (
    "xmlns:arxiv='http://arxiv.org/schemas/atom' xmlns:dc='http://purl.org/dc/elements/1.1/' "
    "xmlns:opensearch='http://a9.com/-/spec/opensearch/1.1/'"
)
RSS = f"<?xml version='1.0'?><rss {SPACES} version='2.0'>"
ATOM = f"<?xml version='1.0'?><feed {SPACES} xmlns='http://www.w3.org/2005/Atom'>"
ITEM = (
    "<item><title>Paper {n}</title><link>https://arxiv.org/abs/2603.{n}</link><description>{said}</description>"
    "<guid isPermaLink='false'>oai:arXiv.org:2603.{n}v1</guid><category>cs.CL</category>"
    "<arxiv:announce_type>new</arxiv:announce_type><dc:creator>Ada Moss, Bo Reed</dc:creator></item>"
)
ENTRY = (
    "<entry><id>oai:arXiv.org:2603.{n}v1</id><title>Paper {n}</title><link href='https://arxiv.org/abs/2603.{n}'/>"
    "<summary>{said}</summary><category term='cs.CL'/><published>2026-03-04T00:00:00-05:00</published>"
    "<arxiv:announce_type>new</arxiv:announce_type><dc:creator>Ada Moss</dc:creator></entry>"
)


def arxiv_rss(entries: int, words: int) -> str:
    head = "<channel><title>cs.CL updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs.CL</link>"
    day = "<pubDate>Wed, 04 Mar 2026 00:00:00 -0500</pubDate>"
    return f"{RSS}{head}{day}{_feed_items(entries, words, ITEM)}</channel></rss>"


def arxiv_atom(entries: int, words: int) -> str:
    head = "<id>http://rss.arxiv.org/atom/cs.CL</id><title>cs.CL updates on arXiv.org</title>"
    return f"{ATOM}{head}<updated>2026-03-04T05:00:03Z</updated>{_feed_items(entries, words, ENTRY)}</feed>"


def arxiv_api(entries: int, words: int) -> str:
    counts = "".join(
        f"<opensearch:{name}>{value}</opensearch:{name}>"
        for name, value in (("totalResults", entries), ("startIndex", 0), ("itemsPerPage", entries))
    )
    entry = ENTRY.replace("oai:arXiv.org:", "http://arxiv.org/abs/").replace("-05:00", "Z")
    title = "<title>arXiv Query: search_query=abs:x&amp;id_list=&amp;start=0&amp;max_results=100</title>"
    return f"{ATOM}<id>https://arxiv.org/api/x</id>{title}{counts}{_feed_items(entries, words, entry)}</feed>"


def feed_rss(entries: int, words: int) -> str:
    return arxiv_rss(entries, words).replace("arxiv.org/abs/", "journal.example/").replace("arXiv", "Journal")


def feed_atom(entries: int, words: int) -> str:
    return arxiv_atom(entries, words).replace("arxiv.org/abs/", "journal.example/").replace("arXiv", "Journal")


def feed_json(entries: int, words: int) -> str:
    items = [
        {"id": str(n), "url": f"https://journal.example/{n}", "title": f"Paper {n}", "content_html": said(words)}
        for n in range(entries)
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": items})


def biorxiv(entries: int, words: int) -> str:
    records = [
        {
            "doi": f"10.1101/2026.03.01.{n:06}",
            "title": f"Paper {n}",
            "authors": "Moss, A.; Reed, B.",
            "date": "2026-03-04",
            "version": "1",
            "abstract": said(words),
        }
        for n in range(entries)
    ]
    return json.dumps({"messages": [{"status": "ok", "count": entries}], "collection": records})


def arxiv_mail(entries: int, words: int) -> str:
    rule = "-" * 78
    found = "".join(
        f"\\\\\narXiv:2603.{n:05}\nDate: Tue, 3 Mar 2026 18:00:02 GMT   (1kb)\n\nTitle: Paper {n}\nAuthors: Ada Moss\n"
        f"Categories: cs.CL\n\\\\\n  {said(words)}\n\\\\ ( https://arxiv.org/abs/2603.{n:05} ,  1kb)\n{rule}\n"
        for n in range(1, entries + 1)
    )
    return (
        f"Date: Wed, 4 Mar 26 00:31:09 GMT\nSubject: cs daily {entries} new + 0 crosses received\n\n{rule}\n"
        f" received from  Mon  2 Mar 26 19:00:00 GMT  to  Tue  3 Mar 26 19:00:00 GMT\n{rule}\n{found}"
    )


def capture(entries: int, words: int) -> str:
    head = "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nbyAK and the research community\n\nMar 4\n"
    found = "".join(
        f"\nPaper {n} on the Patience of Many Lighthouse Keepers\n\n{'We look at what is there and see it well. ' * 9}"
        f"{said(words)}\n"
        for n in range(entries)
    )
    return head + found


def records(entries: int, words: int) -> str:
    return "".join(
        json.dumps({"title": f"Paper {n}", "arxiv_id": f"2603.{n:05}", "abstract": said(words)}) + "\n"
        for n in range(entries)
    )


# -- what they cost ----------------------------------------------------------------------------------------------------

HF, CS = "https://huggingface.co", ("cs.CL",)
#: How a page is made, what reads it (None for `import`), and from what address it came.
KINDS: tuple[tuple[Make, SourceConfig | None, str], ...] = (
    (huggingface_daily, SourceConfig("s", "huggingface-daily"), f"{HF}/papers/date/2026-03-04"),
    (huggingface_week, SourceConfig("s", "huggingface-week"), f"{HF}/papers/week/2026-W10"),
    (huggingface_trending, SourceConfig("s", "huggingface-trending"), f"{HF}/papers/trending"),
    (huggingface_search, SourceConfig("s", "huggingface-search", query="x"), f"{HF}/papers?q=x"),
    (huggingface_mojibake, SourceConfig("s", "huggingface-search", query="x"), f"{HF}/papers?q=x"),
    (huggingface_cards, SourceConfig("s", "huggingface-daily"), f"{HF}/papers/date/2026-03-04"),
    (huggingface_api, SourceConfig("s", "huggingface-daily"), f"{HF}/api/daily_papers?date=2026-03-04"),
    (arxiv_list, SourceConfig("s", "arxiv-listing", categories=CS), "https://arxiv.org/list/cs.CL/new"),
    (arxiv_recent, SourceConfig("s", "arxiv-listing", categories=CS), "https://arxiv.org/list/cs.CL/recent"),
    (arxiv_rss, SourceConfig("s", "arxiv-feed", categories=CS), "https://rss.arxiv.org/rss/cs.CL"),
    (arxiv_atom, SourceConfig("s", "arxiv-feed", categories=CS), "https://rss.arxiv.org/atom/cs.CL"),
    (arxiv_api, SourceConfig("s", "arxiv-api", query="abs:x"), "https://export.arxiv.org/api/query?start=0"),
    (feed_rss, SourceConfig("s", "feed", url="https://journal.example/rss"), "https://journal.example/rss"),
    (feed_atom, SourceConfig("s", "feed", url="https://journal.example/atom"), "https://journal.example/atom"),
    (feed_json, SourceConfig("s", "feed", url="https://journal.example/json"), "https://journal.example/json"),
    (biorxiv, SourceConfig("s", "biorxiv"), "https://api.biorxiv.org/details/biorxiv/2026-03-04/2026-03-04/0/json"),
    (arxiv_mail, None, ""),
    (capture, None, ""),
    (records, None, ""),
)


def reader(config: SourceConfig | None, url: str) -> Callable[[bytes], list[Listing]]:
    if config is None:
        return lambda body: list(read_file("saved.file", body, day=DAY, kind=None, backlog=None))
    source = build(config)
    return lambda body: [source.parse(Page(url, 200, {}, body, NOW), VISIT)]


def seconds(read: Callable[[bytes], list[Listing]], body: bytes, entries: int) -> float:
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        listings = read(body)
        best = min(best, time.process_time() - begun)
        assert sum(len(listing.papers) for listing in listings) == entries
    return best


#: Many entries, and few long ones; of a capture, where what is too long for an abstract is none, only many.
CASES = [
    pytest.param(*kind, *size, id=f"{kind[0].__name__}-{what}")
    for kind in KINDS
    for what, *size in (("entries", (120, 60), (480, 60)), ("words", (6, 3_000), (6, 12_000)))
    if what == "entries" or kind[0] is not capture
]


@pytest.mark.parametrize(("make", "config", "url", "small", "large"), CASES)
def test_four_times_the_page_costs_no_more_than_its_length(
    make: Make, config: SourceConfig | None, url: str, small: tuple[int, int], large: tuple[int, int]
) -> None:
    read = reader(config, url)
    before, after = (seconds(read, make(*size).encode(), size[0]) for size in (small, large))

    assert after < AT_MOST * max(before, NOISE), f"{before * 1000:.1f} ms became {after * 1000:.1f} ms"
