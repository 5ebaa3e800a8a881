"""A newcomer signs up: two clicks, one letter, one answer; and everything that is no newcomer."""

import re
import time
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.letter_events import SuppressionReason
from domain.seals import seal
from domain.subscriptions import Cadence, Consent, Schedule, SubscriberState
from domain.topics import WishedTopic
from storage.subscribers import Signup
from topics.query import parse
from web.confirming import PLACE as CONFIRMED_AT
from web.signup import PLACE, _until_the_next
from web.signup_form import MOST_TOPICS, TRAP
from web.words import WORDING

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STATES = SubscriberState


class Form(HTMLParser):
    """What a browser would send for the form of a page, and what it shows."""

    def __init__(self, text):
        super().__init__()
        self.values = []
        self.alien = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "input" and (found.get("type") != "radio" or "checked" in found):
            self.values.append((found.get("name"), found.get("value", "")))
        if tag in {"img", "iframe", "object"} or any(name.startswith("on") for name in found):
            self.alien.append((tag, attrs))

    def __getitem__(self, name):
        return [value for key, value in self.values if key == name]


def known(place, email, state, topic="tides"):
    """Make a reader who stands so."""
    wanted = state if state in {STATES.PENDING, STATES.CONFIRMED} else STATES.CONFIRMED
    reader, _ = place.house.subscribers.subscribe(
        Signup(
            email=email,
            address_key=email,
            public_id=seal("", "tests", email).hex()[:16],
            topics=[WishedTopic(topic, parse(topic))],
            schedule=Schedule(),
            state=wanted,
            shared=False,
            consent=[],
        ),
        place.clock.now(),
    )
    if state is STATES.SUPPRESSED:
        place.house.suppressions.add(email, SuppressionReason.BOUNCE, "", place.clock.now())
    if state is STATES.UNSUBSCRIBED:
        place.house.desk.unsubscribe(email)
    if state is STATES.PAUSED:
        place.house.changes.pause(reader.public_id, None, None, Consent("paused", "", place.clock.now()))
    found = place.house.subscribers.by_address(email)
    assert found.state is state
    return found


# -- the whole way ---------------------------------------------------------------------------------------------------


def test_a_newcomer_asks_gets_one_letter_and_presses_one_button(place):
    form = Form(place.ask("GET", "/subscribe?topic=tides+-survey").text)
    place.clock.set(place.clock.now() + timedelta(seconds=20))
    typed = [(n, v) for n, v in form.values if n not in {"email", "zone", "q"}]
    answer = place.send(
        [
            *typed,
            ("email", "New@Lab.example"),
            ("weekday", "mon"),
            ("hour", "6"),
            ("zone", "Asia/Tokyo"),
            ("ready", "yes"),
        ]
    )

    assert answer.status == 200
    assert "Look into your mailbox" in answer.text
    (letter,) = place.letters("New@Lab.example")
    path = letter["confirm"].removeprefix("https://digests.example.org")
    reader = place.house.subscribers.by_address("new@lab.example")
    assert (reader.state, reader.schedule) == (STATES.PENDING, Schedule(Cadence.DAY, 0, 6, "Asia/Tokyo", ready=True))
    assert [each.query for each in reader.subscriptions] == ["tides -survey"]

    before = place.tables()
    for method in ("GET", "HEAD", "GET", "OPTIONS"):
        page = place.ask(method, path)
    page = place.ask("GET", path)
    assert page.text.count("<button") == 1
    assert "<script" not in page.text
    assert "tides -survey" in page.text
    assert "every day as soon as your sources have closed their day, at 06:00 at the latest, Asia/Tokyo" in page.text
    assert place.tables() == before

    first, second = place.ask("POST", path), place.ask("POST", path)

    assert first.status == second.status == 200
    assert "Your address is confirmed" in first.text
    assert "Your address is confirmed" in second.text
    assert ("within minutes" in first.text, "within minutes" in second.text) == (True, False)
    asked, confirmed = place.house.subscribers.consents(reader.id)
    assert (asked.action, asked.place, asked.wording) == ("asked", PLACE, WORDING)
    assert (confirmed.action, confirmed.place, confirmed.wording) == ("confirmed", CONFIRMED_AT, WORDING)


def test_address_and_topic_alone_suffice(place):
    answer = place.sign_up("script@lab.example", ["tides", "title:ships"])

    assert answer.status == 200
    reader = place.house.subscribers.by_address("script@lab.example")
    assert reader.schedule == Schedule()
    assert [each.query for each in reader.subscriptions] == ["tides", "title:ships"]
    assert len(place.letters("script@lab.example")) == 1


def test_the_same_on_either_engine_through_the_site_as_it_is_served(site):
    began = time.monotonic()
    answer = site.ask("POST", "/subscribe", b"email=eve%40lab.example&topic=tides", FORM)

    assert answer.status == 200
    assert time.monotonic() - began >= 0.5
    reader = site.subscribers.by_address("eve@lab.example")
    path = site.path(site.links.confirm(reader.public_id, site.clock.now()))
    assert site.ask("POST", path).status == 200
    assert site.state(reader) is STATES.CONFIRMED


# -- one answer ------------------------------------------------------------------------------------------------------


def test_every_address_gets_the_same_bytes(place):
    emails = {state: f"{state}@same.example" for state in STATES}
    for state, email in emails.items():
        known(place, email, state)

    answers = [place.sign_up(email).all for email in [*emails.values(), "nobody@same.example", "x" * 60 + "@b.example"]]

    assert answers == [answers[0]] * len(answers)
    assert answers[0][0] == 200


def test_every_address_waits_as_long(open_place):
    slow = open_place(same_seconds=0.2)
    known(slow, "known@lab.example", STATES.CONFIRMED)

    took = []
    for more in ({"email": "known@lab.example"}, {"email": "new@lab.example"}, {TRAP: "x"}, {"given": "forged"}):
        began = time.monotonic()
        assert slow.sign_up(**more).status == 200
        took.append(time.monotonic() - began)

    assert min(took) >= 0.2


@pytest.mark.parametrize(("taken", "answered"), [(0.0, 0.5), (0.1, 0.5), (0.5, 0.5), (0.6, 1.0), (3.01, 3.5)])
def test_an_answer_that_others_hold_up_waits_for_the_next_of_a_few_moments(taken, answered):
    assert taken + _until_the_next(0.5, taken) == pytest.approx(answered)
    assert _until_the_next(0.0, taken) == 0.0


@pytest.mark.parametrize("state", [STATES.CONFIRMED, STATES.PAUSED])
def test_a_stranger_changes_nothing_of_who_has_letters(place, state):
    email = f"{state}@mine.example"
    reader = known(place, email, state)

    place.sign_up(email, "spam", every="week", hour="3", zone="Asia/Tokyo")

    after = place.house.subscribers.by_address(email)
    assert (after.schedule, after.subscriptions, after.state) == (reader.schedule, reader.subscriptions, state)
    assert place.letters(email) == []


# -- floods ----------------------------------------------------------------------------------------------------------


def test_a_thousand_sign_ups_for_one_address_leave_one_letter(open_place):
    flooded = open_place(papers=False)

    answers = {flooded.sign_up("victim@lab.example").body for _ in range(1000)}

    assert len(answers) == 1
    assert len(flooded.letters()) == 1


def test_a_thousand_sign_ups_from_one_network_stop_at_the_limit(open_place):
    flooded = open_place(papers=False, sign_ups="10/hour; 30/day")

    answers = [flooded.sign_up(f"a{number}@lab{number}.example") for number in range(1000)]

    assert [each.status for each in answers] == [200] * 10 + [429] * 990
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600
    assert "from your network" in answers[-1].text
    assert len(flooded.letters()) == 10


def test_what_is_dropped_counts_as_well_and_a_slip_does_not(open_place):
    limited = open_place(papers=False, sign_ups="3/hour")
    for _ in range(5):
        assert limited.sign_up("no address").status == 422

    kinds = [{TRAP: "x"}, {"given": "forged"}, {}, {TRAP: "x"}, {}]

    assert [limited.sign_up(**more).status for more in kinds] == [200, 200, 200, 429, 429]


# -- what cannot be read -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"email": ""}, "Write the address"),
        ({"email": "mira@"}, "is not an address"),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, "is not an address"),
        ({"email": "a" * 400 + "@b.example"}, "is not an address"),
        ({"email": "\0@b.example"}, "is not an address"),
        ({"topic": ""}, "Write at least one topic"),
        ({"topic": "deep (neural"}, "This parenthesis is never closed (column 6)."),
        ({"topic": "deep (neural"}, '<a href="/subscribe?topic=deep+%28neural%29" dir="auto">deep (neural)</a>'),
        ({"topic": "of the"}, "too common"),
        ({"topic": "x" * 1001}, "at most 1,000 characters"),
        ({"topic": "x" * 60_000}, "at most 1,000 characters"),
        ({"topic": "tides\0"}, "control character U+0000"),
        ({"topic": "n" * 101 + " = tides"}, "name must be at most 100"),
        ({"topic": [f"tide{n}" for n in range(50)]}, f"At first {MOST_TOPICS} topics are enough"),
        ({"zone": "Mars/Base"}, "There is no time zone “Mars/Base”"),
        ({"zone": "../../etc/passwd"}, "There is no time zone"),
        ({"zone": "z" * 9000}, "There is no time zone"),
        ({"hour": "24"}, "number from 0 to 23"),
        ({"hour": "-1"}, "number from 0 to 23"),
        ({"hour": "٣"}, "number from 0 to 23"),
        ({"every": "hour"}, "every day or every week"),
        ({"weekday": "someday"}, "A weekday is one of"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field_and_changes_nothing(place, changes, said):
    before = place.tables()

    answer = place.sign_up(**{"email": "typed@lab.example", "topic": "tides", **changes})

    assert answer.status == 422
    assert said in unescape(answer.text).replace("&quot;", '"')
    assert 'aria-describedby="wrong-' in answer.text
    assert place.tables() == before


def test_what_was_perhaps_meant_is_a_link_that_keeps_the_other_topics(place):
    page = place.sign_up("mira@lab.example", ["tides -survey", "deep (neural"]).text

    link = unescape(re.search(r'Perhaps you meant <a href="([^"]+)"', page)[1])
    assert Form(place.ask("GET", link).text)["topic"] == ["tides -survey", "deep (neural)", ""]
    assert "mira" not in link


def test_a_time_zone_is_known_in_any_case(place):
    place.sign_up("mira@lab.example", "tides", zone="europe/berlin")

    assert place.house.subscribers.by_address("mira@lab.example").schedule.zone == "Europe/Berlin"


def test_what_was_typed_is_kept(place):
    answer = place.sign_up(
        "mira@", ["tides", "ships -ropes"], every="week", weekday="thu", hour="19", zone="Asia/Tokyo"
    )

    form = Form(answer.text)
    assert form["email"] == ["mira@"]
    assert form["topic"] == ["tides", "ships -ropes", ""]
    assert (form["every"], form["zone"]) == (["week"], ["Asia/Tokyo"])
    assert '<option value="thu" selected>' in answer.text
    assert '<option value="19" selected>' in answer.text
    assert "data-guess" not in answer.text


def test_each_bad_topic_is_pointed_at_in_its_own_row(place):
    answer = place.sign_up("a@lab.example", ["tides", "deep OR", "ships"])

    assert re.search(r'value="deep OR"[^>]*aria-describedby="wrong-topic-1"', answer.text)
    assert 'id="wrong-topic-1"' in answer.text
    assert "wrong-topic-0" not in answer.text + str("wrong-topic-2" in answer.text)


def test_hostile_text_comes_back_as_text(place):
    evil = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}"
    answer = place.sign_up(evil, [evil, f"{evil} ("], zone=evil, every=evil, weekday=evil, hour=evil)

    assert answer.status == 422
    form = Form(answer.text)
    assert form.alien == []
    assert answer.text.count("<script") == 1
    assert form["email"] == [evil]
    assert form["topic"][0] == evil
    assert "49" not in answer.text


def test_twenty_topics_are_taken(place):
    assert place.sign_up("many@lab.example", [f"tide{number}" for number in range(MOST_TOPICS)]).status == 200
    assert len(place.house.subscribers.by_address("many@lab.example").subscriptions) == MOST_TOPICS


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", FORM, 422),
        (b"", {}, 422),
        (b"email=a%40lab.example", FORM, 422),
        (b"topic=tides", FORM, 422),
        (b"email=a%40lab.example&email=b%40lab.example&topic=", FORM, 422),
        (b"\xff\xfe\x00\x01" * 100, FORM, 422),
        (b"email=%ff%fe&topic=%00%ff", FORM, 422),
        (b"&" * 5000, FORM, 413),
        (b"topic=a&" * 300, FORM, 400),
        (b'{"email": "a@lab.example", "topic": "tides"}', {"Content-Type": "application/json"}, 415),
        (b"--x\r\n\r\n--x--", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        (b"email=a%40lab.example&topic=tides", {"Content-Type": "text/plain"}, 415),
        (b"email=a%40lab.example&topic=tides", {"Content-Type": "\xe9"}, 415),
        (b"topic=" + b"x" * 65_531, FORM, 413),
        (b"topic=" + b"x" * 65_000, FORM, 422),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bodies_that_no_form_sends_change_nothing(place, body, headers, status):
    before = place.tables()

    answer = place.ask("POST", "/subscribe", body, headers)

    assert answer.status == status
    assert "Nothing was" in answer.text
    assert place.tables() == before
    if status == 413:
        place._connection.close()


def test_looking_at_the_form_changes_nothing(place):
    before = place.tables()
    for method in ("GET", "HEAD", "OPTIONS", "DELETE", "PUT"):
        place.ask(method, "/subscribe?email=a%40lab.example&topic=tides")

    assert place.tables() == before
    page = place.ask("GET", "/subscribe?topic=a&topic=b&topic=&email=a%40lab.example")
    assert Form(page.text)["topic"] == ["a", "b", ""]
    assert Form(page.text)["email"] == [""]
    assert page.headers["cache-control"] == "no-store"
    assert page.text.count('<option value="Europe/Berlin">') == 1


_FIELD = st.sampled_from(["email", "topic", "every", "weekday", "hour", "zone", "given", TRAP, "", "other"])
_VALUE = st.one_of(
    st.text(max_size=60),
    st.binary(max_size=60),
    st.sampled_from(
        ["a@lab.example", "tides", "(", '"', "week", "mon", "7", "UTC", "a OR", "title:", "x = ", "\ud800"]
    ),
)


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(fields=st.lists(st.tuples(_FIELD, _VALUE), max_size=12), tail=st.binary(max_size=20))
def test_no_form_is_a_fault_of_ours(place, fields, tail):
    body = urlencode([(name, v if isinstance(v, bytes) else v.encode("utf-8", "surrogatepass")) for name, v in fields])

    answer = place.ask("POST", "/subscribe", body.encode() + tail, FORM)

    assert answer.status in {200, 400, 422}


# -- who may -----------------------------------------------------------------------------------------------------------


def test_where_only_some_domains_may_others_are_told_which(open_place):
    lab = open_place(papers=False, signup="domains", allowed_domains=["Lab.example", "bücher.example"])

    assert "addresses at lab.example or xn--bcher-kva.example" in lab.ask("GET", "/subscribe").text
    for email in ("a@elsewhere.example", "a@sub.lab.example", "lab.example@evil.example"):
        refused = lab.sign_up(email)
        assert refused.status == 422
        assert "Letters go only to addresses at lab.example" in refused.text
    assert lab.letters() == []
    assert lab.sign_up("a@LAB.example").status == 200
    assert lab.sign_up("a@BÜCHER.example").status == 200
    assert len(lab.letters()) == 2


def test_where_nobody_may_the_page_says_whom_to_ask(open_place):
    closed = open_place(papers=False, signup="closed")
    before = closed.tables()

    page, refused = closed.ask("GET", "/subscribe"), closed.sign_up()

    assert (page.status, refused.status) == (200, 403)
    for answer in (page, refused):
        assert "write to digests@lab.example" in answer.text
        assert "<form" not in answer.text
    assert "/subscribe" not in closed.ask("GET", "/").text
    assert closed.tables() == before


def test_where_nobody_may_no_page_tells_readers_to_subscribe_again(open_place, place):
    closed = open_place(papers=False, signup="closed")
    for site, again in ((closed, False), (place, True)):
        reader, _ = site.house.desk.subscribe("left@lab.example", ["tides"], None, vouched=True, shared=False)
        links, who, now = site.house.links, reader.public_id, site.clock.now()
        ways = [links.unsubscribe(who), links.preferences(who), links.confirm(who, now)]
        leave, own, confirm = (way.removeprefix("https://digests.example.org") for way in ways)
        pages = [site.ask("POST", leave, b"action=unsubscribe", FORM), site.ask("GET", leave), site.ask("GET", own)]
        site.clock.set(now + timedelta(hours=1))
        pages += [site.ask("POST", leave, b"action=weekly", FORM), site.ask("GET", confirm)]
        assert [each.status for each in pages] == [200, 200, 200, 410, 410]
        assert {"subscribe again" in each.text for each in pages} == {again}
        assert again or {"write to whoever sent them" in each.text for each in pages} == {True}


def test_a_personal_installation_has_no_sign_up(open_place):
    personal = open_place(linked=False)

    assert personal.ask("GET", "/subscribe").status == 404
    assert personal.sign_up().status == 404
    assert "/subscribe" not in personal.ask("GET", "/").text
    assert "paperround subscribe" in personal.ask("GET", "/topics/preview?q=tides").text


# -- the link ----------------------------------------------------------------------------------------------------------


def test_a_link_that_is_too_old_leads_to_the_form(place):
    reader = known(place, "late@lab.example", STATES.PENDING)
    path = place.house.links.confirm(reader.public_id, place.clock.now() - timedelta(hours=73)).split("org", 1)[1]
    before = place.tables()

    for method in ("GET", "POST"):
        answer = place.ask(method, path)
        assert answer.status == 410
        assert 'href="/subscribe"' in answer.text
    assert place.tables() == before


def test_a_link_that_is_too_old_brings_a_new_one_at_the_press_of_a_button(open_place):
    place = open_place()
    place.sign_up("tardy@lab.example")
    path = place.letters()[0]["confirm"].split("org", 1)[1]
    place.clock.set(place.clock.now() + timedelta(hours=73))
    assert Form(place.ask("GET", path).text).values == []
    assert 'name="action" value="resend"' in place.ask("GET", path).text

    answers = [place.ask("POST", path, b"action=resend", FORM).all for _ in range(2)]

    assert answers[0] == answers[1] == place.sign_up("somebody@lab.example").all
    assert len(place.letters("tardy@lab.example")) == 2
    fresh = place.letters("tardy@lab.example")[1]["confirm"].split("org", 1)[1]
    assert place.ask("POST", fresh, b"action=resend", FORM).status == 200
    reader = place.house.desk.find("tardy@lab.example")
    assert reader.state is STATES.PENDING, "that button confirms nobody"
    assert place.ask("POST", fresh).status == 200
    assert place.house.desk.find("tardy@lab.example").state is STATES.CONFIRMED
    place.house.subscribers.erase(reader.public_id, place.clock.now())
    assert place.ask("POST", path, b"action=resend", FORM).all == answers[0], "nor is it told who was erased"
    for other in (b"action=resend&x=1", b"", b"action=confirm"):
        assert place.ask("POST", path, other, FORM).status == 410


def test_new_links_count_as_sign_ups_do(open_place):
    place = open_place(sign_ups="2/hour")
    reader = known(place, "late@lab.example", STATES.PENDING)
    path = place.house.links.confirm(reader.public_id, place.clock.now() - timedelta(hours=73)).split("org", 1)[1]
    assert [place.ask("POST", path, b"action=resend", FORM).status for _ in range(3)] == [200, 200, 429]


def test_a_link_of_another_purpose_or_cut_confirms_nobody(place):
    reader = known(place, "other@lab.example", STATES.PENDING)
    good = place.house.links.confirm(reader.public_id, place.clock.now()).rpartition("/")[2]
    others = [
        place.house.links.unsubscribe(reader.public_id),
        place.house.links.fresh(reader.public_id, place.clock.now()),
    ]
    before = place.tables()

    for token in [good[:-1], good + "A", good.swapcase(), "x" * 36, *(each.rpartition("/")[2] for each in others)]:
        assert place.ask("POST", f"/confirm/{token}").status == 404
    assert place.tables() == before
