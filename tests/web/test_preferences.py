"""A reader's own page: each button does one thing, two windows lose nothing, and bad input changes nothing."""

import re
from datetime import UTC, date, datetime
from urllib.parse import quote, urlencode

import pytest
from sqlalchemy import update

from digests.links import Links
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from domain.subscriptions import Cadence, Choices, Consent, Schedule, SubscriberState
from domain.topics import WishedTopic
from storage.tables import SUBSCRIBER
from topics.query import parse
from web.policy import POLICY_WITH_PLOTS
from web.words import WORDING

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
pytestmark = pytest.mark.engines("sqlite")


@pytest.fixture(autouse=True)
def _at_rest(site):
    site.clock.set(NOW)


class Visitor:
    """One reader with the page open."""

    def __init__(self, site, reader):
        self.site = site
        self.reader = reader
        self.path = site.path(site.links.preferences(reader.public_id))

    @property
    def now(self):
        return self.site.subscribers.by_public_id(self.reader.public_id)

    @property
    def page(self):
        return self.site.ask("GET", self.path).text

    def press(self, action, **fields):
        sent = {"action": action, "seen": self.now.revision, **fields}
        return self.site.ask("POST", self.path, urlencode(sent).encode(), URLENCODED)

    def do(self, action, **fields):
        """Press a button, follow to the page, and return what it says."""
        answer = self.press(action, **fields)
        assert answer.status == 303, answer.text
        assert answer.headers["location"].startswith(f"{self.path}?done=")
        page = self.site.ask("GET", answer.headers["location"].partition("#")[0])
        assert page.status == 200
        return re.search(r'role="status">(.*?)</p>', page.text)[1]

    def topic(self, query):
        return next(each for each in self.now.subscriptions if each.query == query)


@pytest.fixture
def visitor(site):
    def make(*topics, state=SubscriberState.CONFIRMED, shared=False):
        reader = site.reader(state, topics=())
        for name in topics:
            site.house.changes.add_topic(reader.public_id, None, WishedTopic(name, parse(name)), NOW)
        if shared:
            with site.database.writing() as connection:
                connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader.id).values(shared=True))
        return Visitor(site, reader)

    return make


# -- what each button does ---------------------------------------------------------------------------------------------


def test_a_topic_is_added_renamed_moved_shared_and_removed(visitor, site):
    me = visitor("tides", "moon")

    said = me.do("add", query="krill -mud", name="  Krill   swarms ")
    assert said == "The topic was added; letters look for it from now on."
    assert [each.name for each in me.now.subscriptions] == ["tides", "moon", "Krill swarms"]
    krill = me.topic("krill -mud").topic_id
    assert me.do("amend", topic=krill, name="Antarctic krill", related="no") == "The topic was changed."
    assert (me.topic("krill -mud").name, me.topic("krill -mud").related) == ("Antarctic krill", False)
    assert "Exact matches only" in me.page
    for _ in range(3):
        me.do("up", topic=krill)
    me.do("down", topic=me.topic("tides").topic_id)
    assert [each.query for each in me.now.subscriptions] == ["krill -mud", "moon", "tides"]

    me.do("share", topic=krill)
    (shared,) = site.house.shared_topics.of(me.reader.id)
    assert f"https://digests.example.org/topics/{shared.public_id}" in me.page
    me.do("share", topic=krill)
    assert [each.public_id for each in site.house.shared_topics.of(me.reader.id)] == [shared.public_id]
    assert me.do("unshare", topic=krill) == "The topic is shared no more; its page is gone within a minute."
    assert site.house.shared_topics.of(me.reader.id) == ()

    assert me.do("remove", topic=krill) == "The topic was removed."
    assert [each.query for each in me.now.subscriptions] == ["moon", "tides"]


def test_a_topic_that_is_there_already_is_not_there_twice(visitor):
    me = visitor("tides")

    assert me.do("add", query="tides") == "You have that topic already."
    assert len(me.now.subscriptions) == 1


def test_a_topic_is_shown_before_it_is_added_and_nothing_is_changed_by_that(visitor, site):
    titles = [r"Krill and $\alpha$ tides", "Krill <b>two</b>", *(f"Krill {number}" for number in range(5))]
    papers = tuple(
        ListedPaper(
            title=title, rank=rank, ids=Identifiers(doi=f"10.5555/krill{rank}"), abstract="Of what moves.",
            authors=("Mira Okafor",), author_count=1, abstract_kind=AbstractKind.AUTHORS,
        )
        for rank, title in enumerate(titles, 1)
    )  # fmt: skip
    site.house.archive.add(Listing(source="hf", day=date(2026, 11, 19), papers=papers, status=FetchStatus.OK), NOW)
    me = visitor("tides")
    before = site.tables()

    page = me.press("preview", query="krill", name="Swarms")

    assert page.status == 200
    assert "7 papers in the last 14 days." in page.text, "as the page to try topics on tells it"
    assert "The best 5 of 7:" in page.text
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="pl"' in page.text
    assert page.headers["content-security-policy"] == POLICY_WITH_PLOTS
    assert "Have these by mail" not in page.text
    assert len(re.findall("<bdi>", page.text)) == 5
    assert "$" not in page.text
    assert "<b>two" not in page.text
    assert 'value="krill"' in page.text
    assert 'value="Swarms"' in page.text
    assert "No paper of the last 14 days answers this topic." in me.press("preview", query="nothing of the kind").text
    assert site.tables() == before


def test_letters_come_when_and_hold_what_the_reader_says(visitor):
    me = visitor("tides")

    me.do("schedule", every="week", weekday="4", hour="22", zone="America/New_York")
    assert "every Friday at 22:00, America/New_York" in me.page
    me.do("schedule", every="day", weekday="4", hour="11", zone="Asia/Tokyo", ready="yes")
    assert me.now.schedule == Schedule(weekday=4, hour=11, zone="Asia/Tokyo", ready=True)
    assert "every day as soon as your sources have closed their day, at 11:00 at the latest, Asia/Tokyo" in me.page
    assert '<input type="checkbox" name="ready" value="yes" checked>' in me.page
    me.do("schedule", every="day", weekday="4", hour="11", zone="Asia/Tokyo")
    assert not me.now.schedule.ready, "a box that is not ticked is not sent"
    me.do("choose", papers="20", per_topic="", late_risers="0", trending="2", text_only="yes")
    assert (me.now.choices, me.now.text_only) == (Choices(20, None, 0, 2), True)
    me.do("choose", papers="", per_topic="", late_risers="", trending="")
    assert (me.now.choices, me.now.text_only) == (Choices(), False)


def test_a_time_zone_is_known_in_any_case_and_one_of_a_list(visitor):
    me = visitor("tides")

    me.do("schedule", every="day", weekday="0", hour="7", zone="europe/BERLIN")
    assert me.now.schedule.zone == "Europe/Berlin"
    assert 'list="zones"' in me.page
    assert me.page.count('<option value="Asia/Tokyo">') == 1


def test_letters_pause_until_a_day_or_without_an_end_and_come_again(visitor, site):
    me = visitor("tides")

    assert me.do("pause", until="2026-11-21") == "Your letters are paused."
    assert me.now.paused_until == date(2026, 11, 21)
    assert "paused until 21 November 2026" in me.page
    me.do("pause", until="")
    assert (me.now.state, me.now.paused_until) == (SubscriberState.PAUSED, None)
    me.do("resume")
    assert me.site.state(me.reader) is SubscriberState.CONFIRMED
    said = [(each.action, each.place) for each in site.subscribers.consents(me.reader.id)]
    assert said == [("paused", "/preferences"), ("paused", "/preferences"), ("resumed", "/preferences")]


def test_a_fresh_link_goes_to_the_mailbox_and_the_page_says_the_same_each_time(visitor, site):
    me = visitor("tides")
    first = me.do("fresh")

    assert first == me.do("fresh") == "If a letter may go to this address, one with a link is on its way."
    letters = [each for each in site.outbox.records() if each.recipient == me.reader.email]
    assert len(letters) == 1
    assert "/account/" not in me.page


def test_the_page_says_what_became_of_the_last_letters_and_names_no_command(visitor, site):
    me = visitor("tides")
    issue = site.issue(me.reader)

    assert f'<a href="/issues/{issue}">Letter of 20 November 2026</a>' in me.page
    assert "waits for its turn" in me.page
    for state in SubscriberState:
        assert "`" not in visitor(state=state).page


# -- who may change nothing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "shared", "said"),
    [
        (SubscriberState.PENDING, False, "Please confirm your address first"),
        (SubscriberState.UNSUBSCRIBED, False, 'To have letters again, <a href="/subscribe">subscribe again</a>'),
        (SubscriberState.SUPPRESSED, False, "To have letters again"),
        (SubscriberState.CONFIRMED, True, "Ask whoever runs this"),
    ],
)
def test_who_does_not_get_letters_of_their_own_changes_nothing(visitor, site, state, shared, said):
    me = visitor("tides") if shared else visitor()
    with site.database.writing() as connection:
        connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == me.reader.id).values(state=state, shared=shared))
    before = site.tables()

    assert said in me.page
    assert me.page.count("<form") == (
        state in {SubscriberState.PENDING, SubscriberState.UNSUBSCRIBED}
    )  # the way out, the link
    for action in ("add", "preview", "schedule", "choose", "pause", "resume", "fresh", "share", "remove"):
        if action == "fresh" and state is SubscriberState.UNSUBSCRIBED:
            continue
        answer = me.press(action, query="krill", every="day", weekday=0, hour=7, zone="UTC", topic=1)
        assert answer.status == 409
        assert "Nothing was changed." in answer.text
    if shared:
        assert me.press("unsubscribe").status == 409
    assert site.tables() == before


def test_who_left_asks_for_the_link_within_the_same_limits_and_takes_everything_along_or_has_it_erased(visitor, site):
    me = visitor("tides")
    me.press("unsubscribe")

    assert "What is kept of you stays until you have it erased." in me.page
    for _ in range(2):
        assert me.do("fresh") == "If a letter may go to this address, one with a link is on its way."
    sent = [each for each in site.outbox.records() if each.recipient == me.reader.email and each.kind == "preferences"]
    assert len(sent) == 1
    account = site.path(site.links.fresh(me.reader.public_id, NOW))
    assert "New address" not in site.ask("GET", account).text
    assert me.reader.email in site.ask("POST", account, b"action=export", URLENCODED).text
    assert site.ask("POST", account, b"action=erase&word=ERASE", URLENCODED).status == 200
    assert me.now is None


# -- two windows -------------------------------------------------------------------------------------------------------


def test_of_two_windows_the_later_one_is_told_and_keeps_what_was_typed(visitor):
    me = visitor("tides")
    seen = me.now.revision
    me.do("add", query="moon")

    late = me.press("add", query="krill", name="Swarms", seen=seen)

    assert late.status == 409
    assert "your change was not made" in late.text
    assert 'value="krill"' in late.text
    assert f'name="seen" value="{me.now.revision}"' in late.text
    assert [each.query for each in me.now.subscriptions] == ["tides", "moon"]
    for action, fields in (
        ("schedule", {"every": "week", "weekday": 1, "hour": 9, "zone": "UTC"}),
        ("choose", {"papers": 3}),
        ("pause", {"until": ""}),
        ("remove", {"topic": me.topic("tides").topic_id}),
        ("amend", {"topic": me.topic("tides").topic_id, "name": "x", "related": ""}),
        ("up", {"topic": me.topic("moon").topic_id}),
    ):
        assert me.press(action, **fields, seen=seen).status == 409
    assert me.now.schedule.every is Cadence.DAY
    assert me.press("unsubscribe", seen=seen).status == 200
    assert me.site.state(me.reader) is SubscriberState.UNSUBSCRIBED


def test_a_topic_that_another_window_removed_is_told_calmly(visitor):
    me = visitor("tides", "moon")
    gone = me.topic("moon").topic_id
    me.do("remove", topic=gone)

    for action in ("remove", "up", "share", "unshare", "amend"):
        answer = me.press(action, topic=gone, name="x", related="")
        assert answer.status == 422
        assert "not among yours any more" in answer.text


# -- bad input ---------------------------------------------------------------------------------------------------------

_WRONG = [
    ("add", {"query": ""}, "add-query", "Please type what you want to read about"),
    ("add", {"query": "tides AND"}, "add-query", "(column 7)"),
    ("add", {"query": "(" * 600}, "add-query", "olumn"),
    ("add", {"query": "tides \u202eevil"}, "add-query", "olumn"),
    ("add", {"query": "x" * 1001}, "add-query", "at most 1,000 characters"),
    ("add", {"query": "krill", "name": "n" * 101}, "add-name", "A name has 100 characters at most"),
    ("add", {"query": "krill", "name": "a\x00b"}, "add-name", "characters that nobody can see"),
    ("add", {"query": "krill", "name": "a\u202eb"}, "add-name", "characters that nobody can see"),
    ("schedule", {"every": "day", "weekday": 0, "hour": 25, "zone": "UTC"}, "hour", "The hour is one of 0 to 23."),
    (
        "schedule",
        {"every": "day", "weekday": 7, "hour": 2, "zone": "UTC"},
        "weekday",
        "Please choose a day of the week",
    ),
    ("schedule", {"every": "hour", "weekday": 0, "hour": 2, "zone": "UTC"}, "every", "every day or once a week"),
    ("schedule", {"every": "day", "weekday": 0, "hour": 2, "zone": "Mars/Olympus"}, "zone", "no such time zone"),
    ("schedule", {"every": "day", "weekday": 0, "hour": 2, "zone": "../../etc/passwd"}, "zone", "no such time zone"),
    ("schedule", {"every": "day", "weekday": 0, "hour": 2, "zone": "z" * 9000}, "zone", "no such time zone"),
    ("schedule", {"every": "day", "weekday": 0, "hour": 2, "zone": "\x00"}, "zone", "no such time zone"),
    ("schedule", {"every": "day", "weekday": 0, "hour": 2, "zone": ""}, "zone", "no such time zone"),
    ("choose", {"papers": 101}, "papers", "a number from 1 to 100"),
    ("choose", {"papers": "٣"}, "papers", "a number from 1 to 100"),
    ("choose", {"trending": "-1"}, "trending", "a number from 0 to 20"),
    ("choose", {"late_risers": "9" * 5000}, "late_risers", "a number from 0 to 20"),
    ("pause", {"until": "9999-99-99"}, "until", "year-month-day"),
    ("pause", {"until": "9999-12-31"}, "until", "between 2026-11-21 and 2027-11-20"),
    ("pause", {"until": "2026-11-20"}, "until", "between 2026-11-21 and 2027-11-20"),
    ("pause", {"until": "20261125"}, "until", "year-month-day"),
]


@pytest.mark.parametrize(("action", "fields", "field", "said"), _WRONG, ids=lambda each: str(each)[:30])
def test_what_is_mistyped_gets_a_sentence_beside_its_field_and_changes_nothing(
    visitor, site, action, fields, field, said
):
    me = visitor("tides")
    before = site.tables()

    answer = me.press(action, **fields)

    assert answer.status == 422
    beside = re.search(rf'id="{field}-wrong">(.*?)</p>', answer.text)
    assert said in beside[1]
    assert re.search(rf'<(input|select|fieldset) [^>]*aria-describedby="{field}-wrong', answer.text)
    assert "\u202e" not in answer.text
    assert site.tables() == before


def test_what_was_typed_is_kept_where_it_was_wrong(visitor):
    page = visitor("tides").press("schedule", every="week", weekday=3, hour=5, zone="Nowhere").text

    assert 'value="Nowhere"' in page
    assert '<option value="3" selected>Thursday' in page
    assert re.search(r"<details open>\s*<summary>Change when they come", page)


def test_a_reader_has_at_most_fifty_topics(visitor):
    me = visitor(*(f"topic{number}" for number in range(50)))

    answer = me.press("add", query="krill")

    assert answer.status == 422
    assert "50 topics are the most" in answer.text
    assert len(me.now.subscriptions) == 50


@pytest.mark.parametrize(
    "body",
    [
        b"", b"action", b"action=", b"action=erase", b"action=address", b"action=export", b"action=add&action=remove",
        b"action=add&query=krill", b"action=add&query=krill&seen=", b"action=add&query=krill&seen=-1",
        b"action=add&query=krill&seen=0&seen=0", b"action=add&query=krill&seen=" + b"9" * 40, b"\xff\xfe\x00%%&&==",
        b"action=add&query=%ff%fe&seen=0", b"action=remove&seen=0", b"action=remove&seen=0&topic=one",
        b"action=remove&seen=0&topic=0x1", "action=remove&seen=0&topic=١".encode(), b"action=up&topic=1&topic=2&seen=0",
        b"&".join(b"f%d=" % number for number in range(500)), b"action=ADD&query=krill&seen=0",
        b'{"action": "add", "query": "krill", "seen": 0}',
        b'--cut\r\nContent-Disposition: form-data; name="action"\r\n\r\nadd\r\n--cut--\r\n',
    ],
    ids=lambda body: repr(body[:30]),
)  # fmt: skip
def test_what_no_form_of_ours_sends_is_refused_and_changes_nothing(visitor, site, body):
    me = visitor("tides")
    before = site.tables()

    answer = site.ask("POST", me.path, body, URLENCODED)

    assert answer.status == 400
    assert "Nothing was changed" in answer.text
    assert site.tables() == before


def test_a_topic_of_another_reader_is_not_touched(visitor, site):
    me, other = visitor("tides"), visitor("moon")
    theirs = other.topic("moon").topic_id
    site.house.shared_topics.share(other.reader.id, theirs, f"page{other.reader.id}", NOW)
    before = site.tables()

    for action in ("amend", "up", "down", "remove", "share", "unshare"):
        assert me.press(action, topic=theirs, name="mine", related="yes").status == 422
        assert me.press(action, topic=10**17, name="mine", related="yes").status == 422
    assert site.tables() == before


def test_names_and_queries_are_shown_as_text(visitor):
    me = visitor("tides")
    me.do("add", query='"<script>alert(1)</script>"', name="<img src=x onerror=alert(1)>")

    assert "<img" not in me.page
    assert "<script" not in me.page
    assert "&lt;img src=x onerror=alert(1)&gt;" in me.page


def test_what_the_page_says_is_ours_whatever_its_address_asks(visitor, site):
    me = visitor("tides")
    for query in (
        "?done=<b>hi</b>",
        "?done=added&topic=99999999999999999999",
        "?done=%00&topic=%ff",
        "?topic=1&done=moved",
    ):
        page = site.ask("GET", me.path + quote(query, safe="?=&%"))
        assert page.status == 200
        assert "<b>hi" not in page.text


def test_a_change_is_told_until_the_next_one_and_no_link_makes_the_page_tell_one(visitor, site):
    me = visitor("tides")
    told = "Your letters are paused."
    assert told not in site.ask("GET", f"{me.path}?done=paused").text
    assert told not in site.ask("GET", f"{me.path}?done=paused&seen=x").text

    after = me.press("pause").headers["location"]

    assert told in site.ask("GET", after).text
    me.press("resume")
    assert told not in site.ask("GET", after).text


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_a_link_of_a_dropped_key_opens_nothing(visitor, site):
    me = visitor("tides")
    dropped = Links("https://digests.example.org", "another key, long enough to sign").preferences(me.reader.public_id)

    for method in ("GET", "POST"):
        assert site.ask(method, site.path(dropped), b"action=unsubscribe", URLENCODED).status == 404
    assert site.state(me.reader) is SubscriberState.CONFIRMED


def test_no_link_of_another_purpose_and_no_piece_of_one_opens_the_page(visitor, site):
    me = visitor("tides")
    who, before = me.reader.public_id, site.tables()
    tokens = [
        link.rpartition("/")[2]
        for link in (
            site.links.unsubscribe(who),
            *(each(who, NOW) for each in (site.links.confirm, site.links.fresh, site.links.address)),
        )
    ]  # fmt: skip
    mine = me.path.rpartition("/")[2]

    for token in [*tokens, mine[:-1], mine + "A", mine[::-1], mine.upper()]:
        for method in ("GET", "POST"):
            answer = site.ask(method, f"/preferences/{token}", b"action=unsubscribe", URLENCODED)
            assert answer.status == 404
    assert site.tables() == before


# -- the record --------------------------------------------------------------------------------------------------------


def test_what_a_reader_says_is_recorded_with_its_place(visitor, site):
    me = visitor("tides")
    me.press("unsubscribe")

    assert site.subscribers.consents(me.reader.id)[-1] == Consent("unsubscribed", WORDING, NOW, "/preferences")
