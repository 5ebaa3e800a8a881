"""How long one daily page of 60 cards takes, from bytes to listing.

Generate a page in the site's markup → read it as `collect` does → beside it, in the same process, the least that any
reader must do: find the element with selectolax and load its JSON, which gives no papers yet.
"""

from __future__ import annotations

import html
import json
import random
from datetime import UTC, date, datetime, timedelta

from selectolax.lexbor import LexborHTMLParser

from benchmarks.figures import Figure, cpu_seconds
from scrapers.huggingface import DailySource
from scrapers.huggingface_cards import read_cards
from scrapers.source import Page

CARDS = 60
DAY = date(2026, 3, 4)
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
    page = Page("https://huggingface.co/papers", 200, {}, text.encode(), datetime(2026, 3, 4, tzinfo=UTC))
    source = DailySource("bench", "https://huggingface.co", timedelta(hours=1))
    listing = source.parse(page, DAY)
    assert len(listing.papers) == CARDS
    assert len(_blob(text)["dailyPapers"]) == CARDS
    least = cpu_seconds(lambda: _blob(page.body.decode()), REPEAT)
    name = "selectolax and json.loads"
    whole = cpu_seconds(lambda: source.parse(page, DAY), REPEAT)
    cards = cpu_seconds(lambda: read_cards(page.text(), source="bench", day=DAY), REPEAT // 4)
    return [
        Figure(f"page of {CARDS} cards, {len(page.body) // 1024} KiB", whole * 1000, "ms", least * 1000, name),
        Figure("the same from its cards, the fall-back", cards * 1000, "ms", least * 1000, name),
    ]


def daily_page(cards: int) -> str:
    """Return a daily page of invented papers, the same at every call."""
    vocabulary = VOCABULARY.split()
    chance = random.Random(20260304)  # noqa: S311 - invented papers, not secrets

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
                "submittedOnDailyAt": "2026-03-04T00:00:00.000Z",
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

    items = [paper(number) for number in range(1, cards + 1)]
    props = json.dumps({"dailyPapers": items, "dateString": DAY.isoformat(), "periodType": "day", "query": {}})
    return (
        '<!doctype html>\n<html class=""><head><meta charset="utf-8" /><title>Daily Papers</title></head>\n'
        '<body class="flex flex-col DailyPapersPage"><main class="flex flex-1 flex-col"><div class="SVELTE_HYDRATER '
        f'contents" data-target="DailyPapers" data-props="{html.escape(props)}"><section class="container relative">'
        f"{''.join(_card(f'2603.{number:05}', words(9)) for number in range(1, cards + 1))}"
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
