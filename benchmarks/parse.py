"""How long a page takes, from bytes to listing: of Hugging Face, of arXiv, and a feed.

Generate a page of invented papers in the site's markup → read it as `collect` does → beside it, in the same run, the
least that any reader must do: for the daily page of 60 cards find the element with selectolax and load its JSON, for
arXiv's list of 264 entries let Beautiful Soup build its tree, for a feed of 300 entries feedparser alone.
"""

from __future__ import annotations

import html
import io
import json
import random
from datetime import UTC, date, datetime, timedelta

import feedparser
from bs4 import BeautifulSoup
from selectolax.lexbor import LexborHTMLParser

from benchmarks.figures import Figure, cpu_seconds
from domain.papers import FetchStatus
from scrapers.arxiv_feed import FeedSource as ArxivFeedSource
from scrapers.arxiv_listing import ListingSource
from scrapers.feeds import FeedSource
from scrapers.huggingface import DailySource
from scrapers.huggingface_cards import read_cards
from scrapers.source import Page, Visit

CARDS = 60
DAY = date(2026, 3, 4)
VISIT = Visit(day=DAY, newest=DAY, since=DAY)
ENTRIES = 264  # of arXiv's fullest sample page
ITEMS = 300
REPEAT = 20
VOCABULARY = (
    "sparse dense gradient harbour lantern moss protein graph language model attention memory retrieval policy reward "
    "speech image video depth motion agent tool benchmark corpus token layer expert student teacher noise schedule "
    "we show that our method improves over strong baselines while using less compute and fewer labels on real data"
)


def run(options: list[str]) -> list[Figure]:
    """Measure; takes no options."""
    if options:
        message = f"parse takes no options, not {' '.join(options)}"
        raise SystemExit(message)
    text = daily_page(CARDS)
    page = _page("https://huggingface.co/papers/date/2026-03-04", text, "text/html")
    source = DailySource("bench", "https://huggingface.co", timedelta(hours=1))
    listing = source.parse(page, VISIT)
    assert len(listing.papers) == CARDS
    assert len(_blob(text)["dailyPapers"]) == CARDS
    least = cpu_seconds(lambda: _blob(page.body.decode()), REPEAT)
    name = "selectolax and json.loads"
    whole = cpu_seconds(lambda: source.parse(page, VISIT), REPEAT)
    cards = cpu_seconds(lambda: read_cards(page.text(), source="bench", day=DAY), REPEAT // 4)
    return [
        Figure(f"page of {CARDS} cards, {len(page.body) // 1024} KiB", whole * 1000, "ms", least * 1000, name),
        Figure("the same from its cards, the fall-back", cards * 1000, "ms", least * 1000, name),
        _arxiv_list(),
        _feed("arXiv's feed", ArxivFeedSource("bench", "https://rss.arxiv.org", ("cs.CL",), timedelta(hours=1))),
        _feed("the same as a feed of anyone", FeedSource("bench", "https://feeds.example/rss", timedelta(hours=1))),
    ]


def _arxiv_list() -> Figure:
    page = _page("https://arxiv.org/list/cs.CL/new", arxiv_list(ENTRIES), "text/html; charset=utf-8")
    source = ListingSource("bench", "https://arxiv.org", ("cs.CL",), timedelta(hours=1))
    listing = source.parse(page, VISIT)
    assert (listing.status, len(listing.papers)) == (FetchStatus.OK, ENTRIES), listing.note
    whole = cpu_seconds(lambda: source.parse(page, VISIT), REPEAT // 2)
    tree = cpu_seconds(lambda: BeautifulSoup(page.body, "lxml"), REPEAT // 4)
    name = "Beautiful Soup's tree"
    size = len(page.body) // 1024
    return Figure(f"arXiv's list of {ENTRIES} entries, {size} KiB", whole * 1000, "ms", tree * 1000, name)


def _feed(what: str, source: ArxivFeedSource | FeedSource) -> Figure:
    page = _page("https://rss.arxiv.org/rss/cs.CL", arxiv_feed(ITEMS), "application/rss+xml; charset=utf-8")
    listing = source.parse(page, VISIT)
    assert (listing.status, len(listing.papers)) == (FetchStatus.OK, ITEMS), listing.note
    whole = cpu_seconds(lambda: source.parse(page, VISIT), REPEAT // 4)
    alone = cpu_seconds(lambda: feedparser.parse(io.BytesIO(page.body)), REPEAT // 4)
    size = len(page.body) // 1024
    return Figure(f"{what} of {ITEMS} entries, {size} KiB", whole * 1000, "ms", alone * 1000, "feedparser alone")


def _page(url: str, text: str, content_type: str) -> Page:
    return Page(url, 200, {"content-type": content_type}, text.encode(), datetime(2026, 3, 4, 12, tzinfo=UTC))


def arxiv_list(entries: int) -> str:
    """Return arXiv's page of new submissions (sources.md 3.1) with invented papers."""
    words = _Words(264)
    found = "".join(
        f'<dt><a name=\'item{n}\'>[{n}]</a> <a href ="/abs/2603.{n:05}" title="Abstract" id="2603.{n:05}">'
        f' arXiv:2603.{n:05} </a> [<a href="/pdf/2603.{n:05}" title="Download PDF" id="pdf-2603.{n:05}">pdf</a>, '
        f'<a href="https://arxiv.org/html/2603.{n:05}v1" title="View HTML" id="html-2603.{n:05}">html</a>, '
        f'<a href="/format/2603.{n:05}" title="Other formats" id="oth-2603.{n:05}">other</a>]</dt>'
        f"<dd><div class='meta'><div class='list-title mathjax'><span class='descriptor'>Title:</span> {words(9)}</div>"
        f"<div class='list-authors'>{words.authors()}</div>"
        f"<div class='list-comments mathjax'><span class='descriptor'>Comments:</span> {n} pages</div>"
        "<div class='list-subjects'><span class='descriptor'>Subjects:</span> <span class=\"primary-subject\">"
        "Computation and Language (cs.CL)</span>; Machine Learning (cs.LG)</div>"
        f"<p class='mathjax'> {words(190)} </p></div></dd>"
        for n in range(1, entries + 1)
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><title>Computation and Language</title></head><body>'
        "<h3>Showing new listings for Wednesday, 4 March 2026</h3>"
        f"<div class='paging'>Total of {entries} entries</div><dl id='articles'>"
        f"<h3>New submissions (showing {entries} of {entries} entries)</h3>{found}</dl></body></html>"
    )


def arxiv_feed(items: int) -> str:
    """Return arXiv's RSS feed (sources.md 3.2) with invented papers."""
    words = _Words(300)
    found = "".join(
        f"<item><title>{words(9)}</title><link>https://arxiv.org/abs/2603.{n:05}</link>"
        f"<description>arXiv:2603.{n:05}v1 Announce Type: new \nAbstract: {words(190)}</description>"
        f'<guid isPermaLink="false">oai:arXiv.org:2603.{n:05}v1</guid><category>cs.CL</category>'
        "<pubDate>Wed, 04 Mar 2026 00:00:00 -0500</pubDate><arxiv:announce_type>new</arxiv:announce_type>"
        f"<dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights><dc:creator>{words(2)}, {words(2)}"
        "</dc:creator></item>"
        for n in range(1, items + 1)
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?><rss xmlns:arxiv=\"http://arxiv.org/schemas/atom\" "
        'xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel><title>cs.CL updates on arXiv.org</title>'
        "<link>http://rss.arxiv.org/rss/cs.CL</link><description>cs.CL updates</description>"
        "<pubDate>Wed, 04 Mar 2026 00:00:00 -0500</pubDate>"
        f"<lastBuildDate>Wed, 04 Mar 2026 05:00:00 +0000</lastBuildDate>{found}</channel></rss>"
    )


class _Words:
    """Words by chance, the same for a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - invented papers, not secrets

    def __call__(self, count: int) -> str:
        return " ".join(self._chance.choices(VOCABULARY.split(), k=count))

    def authors(self) -> str:
        names = (self(2).title() for _ in range(self._chance.randint(2, 9)))
        return ", ".join(f'<a href="https://arxiv.org/search/cs?searchtype=author">{name}</a>' for name in names)


def daily_page(cards: int, *, day: date = DAY, seed: int = 0) -> str:
    """Return a daily page of invented papers; those of a seed are the same at every call, and no other's."""
    vocabulary = VOCABULARY.split()
    chance = random.Random(20260304 + seed)  # noqa: S311 - invented papers, not secrets

    def words(count: int) -> str:
        return " ".join(chance.choices(vocabulary, k=count))

    def paper(number: int) -> dict[str, object]:
        authors = [
            {"_id": f"{number:012x}{place:012x}", "name": words(2).title(), "hidden": False}
            for place in range(chance.randint(2, 14))
        ]
        title, summary = words(9).capitalize(), words(190)
        return {
            "paper": {
                "id": f"2603.{number:05}",
                "authors": authors,
                "publishedAt": "2026-03-02T00:00:00.000Z",
                "submittedOnDailyAt": f"{day}T00:00:00.000Z",
                "title": title,
                "summary": summary,
                "upvotes": chance.randint(0, 200),
                "discussionId": f"{number:024x}",
                "ai_summary": words(30),
                "ai_keywords": words(12).split(),
                "githubRepo": f"https://github.com/example/repository-{number}",
                "githubStars": chance.randint(0, 5_000),
            },
            "publishedAt": "2026-03-01T19:00:00.000Z",
            "title": title,
            "summary": summary,
            "thumbnail": f"https://cdn.example/papers/2603.{number:05}.png",
            "numComments": chance.randint(0, 9),
            "submittedBy": {"_id": f"{number:024x}", "fullname": words(2), "name": "reader", "type": "user"},
        }

    numbers = range(1 + seed * cards, 1 + (seed + 1) * cards)
    items = [paper(number) for number in numbers]
    props = json.dumps({"dailyPapers": items, "dateString": day.isoformat(), "periodType": "day", "query": {}})
    return (
        '<!doctype html>\n<html class=""><head><meta charset="utf-8" /><title>Daily Papers</title></head>\n'
        '<body class="flex flex-col DailyPapersPage"><main class="flex flex-1 flex-col"><div class="SVELTE_HYDRATER '
        f'contents" data-target="DailyPapers" data-props="{html.escape(props)}"><section class="container relative">'
        f"{''.join(_card(f'2603.{number:05}', words(9)) for number in numbers)}"
        "</section></div></main></body></html>\n"
    )


def _card(identifier: str, title: str) -> str:
    avatars = "".join(
        f'<li class="-mr-1.5 h-3 w-3 block flex-none" title="account-{place}"></li>' for place in range(5)
    )
    return (
        '<article class="relative flex flex-col overflow-hidden rounded-xl border">'
        f'<a href="/papers/{identifier}" class="shadow-xs relative block h-56 w-full"><img loading="lazy" alt=""/></a>'
        '<div class="absolute bottom-2 right-2">Submitted by <div class="flex-none"><img alt=""/></div> x</div>'
        f'<div class="-mt-2 flex px-6 pb-6 pt-8"><a href="/login?next=%2Fpapers%2F{identifier}" class="self-start">'
        '<label class="group"><input type="checkbox" disabled/><div class="leading-none">9</div></label></a>'
        f'<div class="w-full"><h3 class="mb-1 text-lg/6"><a href="/papers/{identifier}">{title}</a></h3>'
        f'<a href="/papers/{identifier}" class="flex"><ul class="flex items-center text-xs">{avatars}'
        '<li class="text-xs order-first ml-2"><span>7 authors</span></li></ul></a>'
        f'<a href="/papers/{identifier}#community" class="ml-auto">2</a></div></div></article>'
    )


def _blob(text: str) -> dict[str, list[object]]:
    node = LexborHTMLParser(text).css_first('[data-target="DailyPapers"]')
    assert node is not None
    found: dict[str, list[object]] = json.loads(node.attributes["data-props"] or "")
    return found
