"""A newcomer comes, sees the newest papers, and tries a topic before any address is asked for."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from domain.errors import QueryError
from domain.topics import WishedTopic
from paperround import serving
from topics.neighbours import Neighbour
from topics.query import parse
from web.lookback import _with, fault
from web.policy import POLICY_WITH_PLOTS
from web.server import serve


def preview(place, text, **more):
    return place.ask("GET", f"/topics/preview?{urlencode({'q': text, **more})}")


# -- the first page --------------------------------------------------------------------------------------------------


def test_the_first_page_shows_the_newest_day_most_voted_first(place):
    page = place.ask("GET", "/")

    titles = re.findall(r'<h3 class="title" dir="auto"><a href="([^"]*)">(.*?)</a>', page.text)
    assert len(titles) == 10
    assert titles[0] == ("/papers/arxiv:2611.00040", "Loss &lt; 1: a &amp; b &lt;script&gt;alert(1)&lt;/script&gt;")
    assert [title for _, title in titles[1:]] == [f"Ships {number}" for number in range(11, 2, -1)]
    assert "Friday 20 November 2026" in page.text
    assert page.text.count('href="/days/2026-11-20"') == 2
    assert "13 papers listed" in page.text


def test_the_first_page_is_one_for_everyone_and_may_be_kept(place):
    page = place.ask("GET", "/")

    assert page.headers["cache-control"] == "public, max-age=60"
    assert place.ask("GET", "/", headers={"If-None-Match": page.headers["etag"]}).status == 304
    assert "x-robots-tag" not in page.headers
    assert '<link rel="canonical" href="https://digests.example.org/">' in page.text
    for name in ("title", "description", "type", "url"):
        assert re.search(rf'<meta property="og:{name}" content="[^"]+">', page.text)
    assert place.ask("HEAD", "/").body == b""


def test_an_archive_without_papers_says_so(open_place):
    empty = open_place(papers=False)

    assert "There are no papers here yet" in empty.ask("GET", "/").text
    assert "The archive has no papers yet." in preview(empty, "tides").text


def test_what_a_newcomer_loads_is_small(place):
    parts = ["/", "/subscribe", "/topics/preview?q=tides"]
    for path in parts:
        page = place.ask("GET", path)
        assets = re.findall(r'(?:href|src)="(/(?:style|site)[^"]*)"', page.text)
        assert len(assets) == 2, "one style sheet, one script"
        assert len(page.body) + sum(len(place.ask("GET", each).body) for each in assets) < 60_000
    script = place.ask("GET", next(each for each in assets if "site.js" in each))
    assert len(script.body) < 4096
    assert not re.search(r"submit\(|\.click\(|cookie|localStorage|https?:", script.text)


# -- a topic is tried --------------------------------------------------------------------------------------------------


def test_a_preview_tells_how_many_shows_the_best_and_says_why(place):
    page = preview(place, "tides -survey")

    assert page.status == 200
    assert "About 1 paper a day: 8 papers in the last 14 days." in page.text
    assert "-survey keeps out 7 papers." in page.text
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="pl"' in page.text
    assert "most on 18 November 2026 (7)" in page.text
    assert "<mark>Tides</mark>" in page.text
    assert 'class="why" dir="auto">Why: ' in page.text
    assert "style=" not in page.text
    assert page.headers["content-security-policy"] == POLICY_WITH_PLOTS
    assert page.headers["x-robots-tag"] == "noindex"


def test_a_preview_shows_ten_and_counts_all(place):
    page = preview(place, "tides", fragment="1")

    assert page.text.count('<article class="paper">') == 10
    assert "The best 10 of 15" in page.text


def test_the_form_below_is_filled_with_the_topic_and_asks_for_the_rest(place):
    page = preview(place, 'title:"tides" -survey')

    assert re.search(r'name="topic" value="title:&#34;tides&#34; -survey"', page.text)
    assert 'action="/subscribe"' in page.text
    assert page.headers["cache-control"] == "no-store"


def test_what_the_script_fetches_is_one_for_everyone_and_only_a_part(place):
    part = preview(place, "tides", fragment="1")

    assert part.headers["cache-control"] == "public, max-age=60"
    assert part.headers["x-robots-tag"] == "noindex"
    assert "<html" not in part.text
    assert "<form" not in part.text
    assert 'href="/subscribe?topic=tides"' in part.text
    path = f"/topics/preview?{urlencode({'q': 'tides', 'fragment': '1'})}"
    assert place.ask("GET", path, headers={"If-None-Match": part.headers["etag"]}).status == 304


def test_the_script_shows_nothing_but_our_own_parts(place, open_place):
    limited = open_place(previews="3/minute")
    script = place.ask("GET", "/site.js").text
    assert 'answer.headers.get("X-Part") === "preview" ? await answer.text() : FAILED' in script
    assert script.count("innerHTML") == script.count("answer.text()") == 1

    parts = [preview(place, topic, fragment="1") for topic in ("tides", "deep (neural", "")]
    parts += [preview(limited, f"tide{number}", fragment="1") for number in range(9)]
    assert {each.status for each in parts} == {200, 429}
    assert {each.headers.get("x-part") for each in parts} == {"preview"}
    assert "x-part" not in preview(place, "tides").headers
    assert "x-part" not in preview(place, "deep (neural").headers


def test_words_to_add_are_links_to_a_topic_that_can_be_read(place, monkeypatch):
    found = place.house.previewer.preview(parse("tides OR ships"), 14, 10)
    told = replace(found, terms=(Neighbour("harbour", 7), Neighbour("state-of-the-art", 3)))
    monkeypatch.setattr(place.house.previewer, "preview", lambda *_: told)
    with serve(serving.site(place.house, caching=False), "127.0.0.1", 0, threading.Event()) as address:
        other = type(place)(place.house, address)
        page = preview(other, "tides OR ships")
        other.close()

    (links,) = re.findall(r"Words to add: (.*)</p>", page.text)
    topics = [parse_qs(urlsplit(unescape(href)).query)["q"][0] for href in re.findall(r'href="([^"]+)"', links)]
    assert topics == ["(tides OR ships) harbour", "(tides OR ships) state-of-the-art"]
    for topic in topics:
        assert preview(place, topic).status == 200


@pytest.mark.parametrize(
    ("text", "word", "result"),
    [
        ("deep nets", "trees", "deep nets trees"),
        ("deep OR nets", "trees", "(deep OR nets) trees"),
        ("deep -survey", "trees", "deep -survey trees"),
    ],
)
def test_a_word_is_added_so_that_it_narrows(text, word, result):
    assert _with(WishedTopic(text, parse(text)), word) == result
    assert _with(WishedTopic("Mine", parse(text)), word) == f"Mine = {result}"


def test_what_may_not_have_been_meant_is_said(place):
    assert "OR in capitals means either." in preview(place, "tides or ships").text


def test_a_topic_that_finds_nothing_says_what_to_do(place):
    page = preview(place, "zebrafish")

    assert "No paper of the last 14 days answers this topic." in page.text
    assert "A star at its end finds every word that begins so: zebrafish*" in page.text
    assert "Fewer words" not in page.text
    assert "Have these by mail" not in page.text
    assert page.text.count("Have it by mail all the same") == 2  # the way to the form, and what stands over it
    assert "Fewer words find more" in preview(place, "zebrafish larvae").text


def test_a_topic_that_cannot_be_read_is_pointed_at(place):
    page = preview(place, "deep (neural")

    assert page.status == 422
    assert "This parenthesis is never closed (column 6)." in page.text
    assert "deep (neural\n     ^</pre>" in page.text
    assert 'href="/topics/preview?q=deep+%28neural%29"' in page.text
    assert '<form method="post"' not in page.text
    assert preview(place, "deep (neural", fragment="1").status == 200, "half a topic is nothing wrong to the script"


@pytest.mark.parametrize(
    ("text", "column", "excerpt", "caret"),
    [
        ("deep (", 6, "deep (", "     ^"),
        ("", 1, "", "^"),
        ("x" * 30 + "(" + "y" * 30, 31, "…" + "x" * 20 + "(" + "y" * 9 + "…", " " * 21 + "^"),
        ("深度 (", 4, "深度 (", "     ^"),
        ("a\tb\0(", 5, "a b (", "    ^"),
        ("short", 1001, "short", "     ^"),
    ],
)
def test_the_caret_stands_under_the_place(text, column, excerpt, caret):
    found = fault(text, QueryError("Wrong", column))

    assert (found.excerpt, found.caret) == (excerpt, caret)
    assert found.sentence == f"Wrong (column {column:,})."


@pytest.mark.parametrize(
    "text",
    [
        '"><script>alert(1)</script>',
        "</pre><img src=x onerror=alert(1)> (",
        "<svg onload=alert(1)> = tides",
        "{{ 7*7 }} (",
        "\0",
        "\u202e (",
        "x" * 1001,
        "x" * 20_000,
        "(" * 900,
        "a OR " * 199 + "a",
        "*" * 50,
        "NOT",
    ],
    ids=lambda text: repr(text)[:24],
)
def test_a_hostile_topic_is_only_text(place, text):
    before = place.tables()
    for more in ({}, {"fragment": "1"}):
        page = preview(place, text, **more)
        assert page.status in {200, 422}
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "<svg onload" not in page.text
        assert "49" not in re.sub(r"[0-9a-f]{12,}|\d+\.\d+", "", page.text) or "7*7" in page.text
    assert place.tables() == before


def test_bytes_that_are_no_text_are_no_fault_of_ours(place):
    for path in (
        "/topics/preview?q=%ff%fe%00",
        "/topics/preview?q=",
        "/topics/preview?fragment=1",
        "/topics/preview?q=a&q=b",
    ):
        assert place.ask("GET", path).status in {200, 422}
    assert place.ask("POST", "/topics/preview?q=tides").status == 405


def test_one_network_tries_so_many_topics_a_minute(open_place):
    limited = open_place(previews="3/minute")
    assert [preview(limited, "tides").status for _ in range(3)] == [200] * 3

    page, part = preview(limited, "tides"), preview(limited, "tides", fragment="1")

    assert (page.status, part.status) == (429, 429)
    assert 0 < int(page.headers["retry-after"]) <= 60
    assert "Many topics were tried from your network" in page.text
    assert "<html" not in part.text
    assert limited.ask("GET", "/topics/preview").status == 200, "the empty box costs nothing"


def test_a_few_previews_run_at_once_and_too_many_are_told_to_come_again(place, monkeypatch):
    door, running, most = threading.Event(), [], []

    def slow(*asked):
        running.append(1)
        most.append(len(running))
        door.wait(20)
        running.pop()
        return found

    found = place.house.previewer.preview(parse("tides"), 14, 10)
    monkeypatch.setattr(place.house.previewer, "preview", slow)
    with serve(serving.site(place.house, caching=False), "127.0.0.1", 0, threading.Event()) as address:

        def ask(_):
            other = type(place)(place.house, address)
            with closing(other):
                answer = preview(other, "tides")
            if answer.status == 503:
                until = time.monotonic() + 10
                while len(most) < 3 and time.monotonic() < until:  # a thread may be slow to begin
                    time.sleep(0.01)
                door.set()
            return answer

        with ThreadPoolExecutor(28) as threads:
            answers = list(threads.map(ask, range(28)))

    statuses = [answer.status for answer in answers]
    assert max(most) == 3
    assert (statuses.count(503), statuses.count(200)) == (5, 23)
