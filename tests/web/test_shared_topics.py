"""Pages and feeds of shared topics: what they show, to whom, and when they are gone."""

import re
from datetime import date, timedelta
from types import SimpleNamespace

import feedparser
import pytest
from lxml import etree

from domain.subscriptions import Consent, SubscriberState
from domain.topics import WishedTopic
from topics.query import parse
from web.shared.lookback import newest

ATOM = "{http://www.w3.org/2005/Atom}"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NEWEST = date(2026, 11, 20)


def publish(site, public_id, query, name=None):
    """Share a topic as the operator does; return the path of its page."""
    shared = site.house.shared_topics.publish(WishedTopic(name or query, parse(query)), public_id, site.clock.now())
    return f"/topics/{shared.public_id}"


def share(site, public_id):
    """Share the topic of a reader; return the reader and the path of its page."""
    reader = site.reader()
    topic = next(each for each in site.house.topics.all() if each.normal_form == parse("tides").normal_form)
    site.house.shared_topics.share(reader.id, topic.id, public_id, site.clock.now())
    return reader, f"/topics/{public_id}"


@pytest.fixture(scope="module")
def eels(stocked):
    return publish(stocked, "Eels-1", "tides eels", "Eels and tides")


# -- the page ----------------------------------------------------------------------------------------------------------


def test_a_page_tells_what_is_asked_and_the_newest_papers_that_answer_with_why(stocked, eels):
    text = stocked.ask("GET", eels).text

    assert '<h1 dir="auto">Eels and tides</h1>' in text
    assert "The topic asks for: <bdi>tides eels</bdi>" in text
    assert "14 papers of the 14 days up to 20 November 2026 answer it." in text
    assert "Why: both words" in text
    days = re.findall(r"<h2>(.+)</h2>", text)
    assert days[:2] == ["Friday 20 November 2026", "Thursday 19 November 2026"]
    assert 'href="/papers/doi:10.1101/a%28b%29%3Cc%3E"' in text


def test_a_page_draws_its_days_and_may_look_back_further(stocked, eels):
    few, many = stocked.ask("GET", eels), stocked.ask("GET", f"{eels}?days=90")

    assert "Papers each day" in few.text
    assert "Papers each week" in many.text
    assert "of the 90 days up to" in many.text
    assert few.text.count("<svg") >= 1
    assert "'sha256-" in few.headers["content-security-policy"]
    assert "unsafe" not in few.headers["content-security-policy"]


@pytest.mark.parametrize("days", ["1000000000", "-1", "x", "", "%ff", "90&days=14"])
def test_days_that_are_not_offered_are_the_usual_ones(stocked, eels, days):
    answer = stocked.ask("GET", f"{eels}?days={days}")

    assert answer.status == 200
    assert "14 days up to" in answer.text


def test_of_very_many_the_newest_stand_there_and_the_rest_is_counted(stocked):
    text = stocked.ask("GET", publish(stocked, "all", "tides")).text

    assert text.count('<article class="paper">') == 25
    assert "These are the newest 25 of 42." in text
    assert "Friday 20 November 2026" in text
    assert "Tides, observation 40" not in text


def test_a_page_leads_to_the_form_and_to_the_feed(stocked, eels):
    text = stocked.ask("GET", eels).text

    assert '/subscribe?topic=Eels%20and%20tides%20%3D%20tides%20eels"' in text
    assert f'href="{eels}.atom">Follow as feed' in text
    assert f'type="application/atom+xml" title="Eels and tides" href="{eels}.atom"' in text


def test_a_name_that_the_form_would_take_for_a_query_is_left_out_of_the_link(stocked):
    text = stocked.ask("GET", publish(stocked, "quoted", "tides moons", 'a "b" = c')).text

    assert '/subscribe?topic=tides%20moons"' in text


def test_markup_in_names_queries_and_titles_is_text(stocked):
    text = stocked.ask("GET", publish(stocked, "script", "tides -lynx", "<script>alert(2)</script>\"'&")).text

    assert "<script" not in text
    assert "&lt;script&gt;alert(2)" in text
    assert "&lt;script&gt;alert(1)" in text
    assert "javascript:" not in text
    assert "\u202e" not in text


def test_a_topic_without_answers_and_an_empty_archive_are_calm(stocked, below):
    nothing = stocked.ask("GET", publish(stocked, "nothing", "quasar"))
    empty = below.ask("GET", "/papers" + publish(below, "empty", "tides"))

    assert "No paper of the 14 days up to 20 November 2026 answers it." in nothing.text
    assert "no paper in 14 days" in nothing.text
    assert empty.status == 200
    assert "The archive has no papers yet." in empty.text
    assert "<svg" not in empty.text
    assert 'href="/papers/topics/empty.atom"' in empty.text


def test_a_page_has_one_address_and_is_sent_again_only_when_it_changed(stocked, eels):
    first = stocked.ask("GET", eels)
    again = stocked.ask("GET", eels, headers={"If-None-Match": first.headers["etag"]})
    head = stocked.ask("HEAD", eels)

    assert (again.status, again.text) == (304, "")
    assert f'<link rel="canonical" href="https://digests.example.org{eels}">' in first.text
    assert (head.status, head.headers["etag"], head.text) == (200, first.headers["etag"], "")


# -- who shares --------------------------------------------------------------------------------------------------------


def test_search_engines_may_keep_what_the_operator_shares_alone(stocked, eels):
    _, path = share(stocked, "readers-1")

    assert "x-robots-tag" not in stocked.ask("GET", eels).headers
    for each in (path, f"{path}.atom", "/topics/none"):
        assert stocked.ask("GET", each).headers["x-robots-tag"] == "noindex"


def test_nothing_tells_who_shares(stocked):
    reader, path = share(stocked, "readers-2")

    for each in (path, f"{path}.atom", f"/api/v1{path}"):
        answer = stocked.ask("GET", each)
        assert answer.status == 200
        for own in (reader.email, reader.public_id, reader.email.partition("@")[0], 'lab.example"'):
            assert own not in answer.text + str(answer.headers)


def test_a_topic_that_is_no_longer_shared_has_no_page(stocked):
    reader, path = share(stocked, "readers-3")
    stocked.house.shared_topics.unshare("readers-3", reader.id)

    for each in (path, f"{path}.atom"):
        answer = stocked.ask("GET", each)
        assert answer.status == 404
        assert "its owner may have stopped sharing it" in answer.text


def test_the_page_goes_when_its_reader_leaves(stocked):
    reader, path = share(stocked, "readers-4")
    consent = Consent(action="unsubscribed", wording="test", at=stocked.clock.now(), place="/unsubscribe")
    stocked.subscribers.unsubscribe(reader.public_id, consent, None)

    assert stocked.state(reader) is SubscriberState.UNSUBSCRIBED
    assert stocked.ask("GET", path).status == 404


def test_the_list_names_what_the_operator_shares_alone(stocked, personal, eels):
    _, path = share(stocked, "readers-5")
    text = stocked.ask("GET", "/topics").text

    assert f'<a href="{eels}">Eels and tides</a>' in text
    assert path not in text
    assert "More shared topics" in stocked.ask("GET", path).text
    nothing = personal.ask("GET", "/topics")
    assert "No topic is shown here yet." in nothing.text
    assert nothing.headers["x-robots-tag"] == "noindex"


@pytest.mark.parametrize(
    "odd", ["..%2f..%2fetc%2fpasswd", "%00", "%ff%fe", "a'--", "a" * 5000, "Eels-1%0a", "Eels-1.atom.atom", "eels-1/x"]
)
def test_an_id_that_nobody_gave_is_a_calm_page(stocked, eels, odd):
    for path in (f"/topics/{odd}", f"/topics/{odd}.atom"):
        answer = stocked.ask("GET", path)
        assert answer.status == 404
        assert "<h1>" in answer.text


# -- the feed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("public_id", "query"), [("rfc-all", "tides -pulsar"), ("rfc-eels", "eels -pulsar"), ("rfc-no", "quasar -pulsar")]
)
def test_a_feed_keeps_the_rules_of_rfc_4287(stocked, public_id, query):
    path = publish(stocked, public_id, query, f"<b>{query}</b> & co")
    answer = stocked.ask("GET", f"{path}.atom")
    root = etree.fromstring(answer.text.encode())

    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert root.tag == f"{ATOM}feed"
    for each in (root, *root.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(each.findall(f"{ATOM}{name}")) == 1
        assert INSTANT.fullmatch(each.findtext(f"{ATOM}updated"))
        assert each.findtext(f"{ATOM}title")
        assert re.fullmatch(r"https://digests\.example\.org/[!-~]+", each.findtext(f"{ATOM}id"))
        assert len(each.findall(f"{ATOM}link[@rel='alternate']")) == 1
        assert all(author.findtext(f"{ATOM}name") for author in each.findall(f"{ATOM}author"))
        assert each.findall(f"{ATOM}author")
        assert len(each.findall(f"{ATOM}summary")) <= 1
        assert all(term.get("term") for term in each.findall(f"{ATOM}category"))
        assert all(re.fullmatch(r"https?://[!-~]+", link.get("href")) for link in each.findall(f"{ATOM}link"))
    ids = [each.text for each in root.iter(f"{ATOM}id")]
    assert len(ids) == len(set(ids))
    assert root.find(f"{ATOM}link[@rel='self']").get("href") == f"https://digests.example.org{path}.atom"
    assert root.findtext(f"{ATOM}title") == f"<b>{query}</b> & co"


def test_readers_of_feeds_find_the_papers_of_fourteen_days_newest_first(stocked):
    path = publish(stocked, "feed-all", "tides")
    found = feedparser.parse(stocked.ask("GET", f"{path}.atom").text)

    assert not found.bozo
    assert len(found.entries) == 42
    assert [each.updated for each in found.entries] == sorted((each.updated for each in found.entries), reverse=True)
    assert found.feed.updated == max(stocked.clock.now().isoformat()[:19] + "Z", found.entries[0].updated)
    odd = next(each for each in found.entries if each.id.endswith("arxiv:2611.00000"))
    assert odd.title == "<script>alert(1)</script> & ]]> tides"
    assert odd.title_detail.type == "text/plain"
    assert "<b>why</b>" in odd.summary
    assert [each.name for each in odd.authors] == ["Mira <i>Okafor</i>", "Jun Wei"]
    assert [each.term for each in odd.tags] == ["cs.LG", "<& >"]
    assert "related" not in [each.rel for each in odd.links]


def test_a_feed_is_the_same_bytes_until_something_changes(stocked, eels):
    first = stocked.ask("GET", f"{eels}.atom")
    now = stocked.clock.now()
    stocked.clock.set(now + timedelta(hours=5))
    second = stocked.ask("GET", f"{eels}.atom")
    stocked.clock.set(now)
    again = stocked.ask("GET", f"{eels}.atom", headers={"If-None-Match": first.headers["etag"]})

    assert first.text == second.text
    assert (again.status, again.text) == (304, "")
    assert again.headers["etag"] == first.headers["etag"]
    assert stocked.ask("HEAD", f"{eels}.atom").headers["content-length"] == first.headers["content-length"]


def test_a_paper_has_one_id_in_every_feed(stocked):
    ids = [
        set(re.findall(r"<id>(.*?/papers/.*?)</id>", stocked.ask("GET", f"{publish(stocked, *each)}.atom").text))
        for each in (("feed-all", "tides"), ("feed-eels", "eels"))
    ]

    assert ids[1]
    assert ids[1] < ids[0]


def test_without_a_site_ids_are_tags_and_still_permanent(personal):
    path = publish(personal, "own", "tides")
    root = etree.fromstring(personal.ask("GET", f"{path}.atom").text.encode())

    assert root.findtext(f"{ATOM}id") == "tag:localhost,2026:/topics/own"
    assert "/subscribe" not in personal.ask("GET", path).text


# -- the newest papers -------------------------------------------------------------------------------------------------


class Papers:
    """A look back over papers that are numbers: `found` is their days' distance from the newest, the best first."""

    def __init__(self, *found):
        self.papers = [
            SimpleNamespace(paper=SimpleNamespace(id=nth, listed=NEWEST - timedelta(days=ago)))
            for nth, ago in enumerate(found)
        ]
        self.asked = []

    def __call__(self, _query, days, limit=None, *, related=None):
        assert related is False
        self.asked.append((days, limit))
        inside = [each for each in self.papers if (NEWEST - each.paper.listed).days < days]
        per_day = {}
        for each in inside:
            per_day[each.paper.listed] = per_day.get(each.paper.listed, 0) + 1
        return SimpleNamespace(newest=NEWEST, per_day=per_day, total=len(inside), papers=inside[:limit])


def told(look_back, days, limit):
    found = newest(look_back, parse("tides"), days, limit)
    return [(NEWEST - each.paper.listed).days for each in found.papers], [each.paper.id for each in found.papers]


def test_few_papers_are_asked_for_once():
    papers = Papers(3, 0, 3, 1)

    assert told(papers, 14, 25) == ([0, 1, 3, 3], [1, 3, 0, 2])
    assert papers.asked == [(14, 25)]


def test_of_many_only_the_days_that_are_shown_are_asked_for_in_full():
    papers = Papers(*[9] * 30, 2, 1, 0, 0)

    assert told(papers, 14, 3) == ([0, 0, 1], [32, 33, 31])
    assert papers.asked == [(14, 3), (2, 3)]


def test_the_newest_are_not_lost_beside_a_day_of_thousands():
    papers = Papers(*[1] * 2000, 0, 0)

    assert told(papers, 14, 4) == ([0, 0, 1, 1], [2000, 2001, 0, 1])


def test_days_without_papers_are_counted_as_none():
    found = newest(Papers(0, 2), parse("tides"), 4, 5)

    assert found.per_day == (0, 1, 0, 1)
    assert found.first == date(2026, 11, 17)
    assert list(found.by_day.values()) == [1, 1]
