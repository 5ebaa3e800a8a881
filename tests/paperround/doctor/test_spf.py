"""Who may send for a domain: each fault of a record, and what is followed of it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperround.doctor import spf, spf_terms
from paperround.doctor.finding import Verdict
from paperround.doctor.resolving import Answer, Zone

OK, WRONG, UNKNOWN = Verdict.OK, Verdict.WRONG, Verdict.UNKNOWN
DEAD = Answer(problem="the name server did not answer in time")
SPF = ("lab.example", "TXT")


def sent(visit, table, host="relay.lab.example", **values):
    (found,) = spf.check(visit({"mail": {"host": host, **values}}, resolver=Zone(table)))
    return found


A = {("relay.lab.example", "A"): ("192.0.2.7",)}


@pytest.mark.parametrize(
    ("record", "more"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", {}),
        ("V=SPF1 +a:relay.lab.example ~all", {}),
        ("v=spf1 mx -all", {("lab.example", "MX"): ("10 relay.lab.example",)}),
        ("v=spf1 a:other.example/24 -all", {("other.example", "A"): ("192.0.2.200",)}),
        ("v=spf1 include:x.example -all", {("x.example", "TXT"): ("v=spf1 ip4:192.0.2.7 -all",)}),
        ("v=spf1 redirect=x.example", {("x.example", "TXT"): ("text", "v=spf1 ip4:192.0.2.7 -all")}),
    ],
)
def test_a_relay_that_the_record_names(visit, record, more):
    found = sent(visit, {SPF: (record,), **A, **more})

    assert (found.verdict, found.record) == (OK, None)
    assert "lets relay.lab.example send for it" in found.sentence


def test_a_known_provider_is_found_by_what_the_record_includes(visit):
    table = {
        SPF: ("v=spf1 include:_spf.google.com ~all",),
        ("_spf.google.com", "TXT"): ("v=spf1 ip4:198.51.100.0/24 -all",),
    }

    assert sent(visit, table, "smtp-relay.gmail.com").verdict is OK


def test_a_known_provider_that_is_not_included_is_added_to_the_record_that_is_there(visit):
    found = sent(visit, {SPF: ("v=spf1 mx -all",)}, "smtp-relay.gmail.com")

    assert found.verdict is WRONG
    assert found.record.value == "v=spf1 mx include:_spf.google.com -all"


@pytest.mark.parametrize("host", ["email-smtp.eu-west-1.amazonaws.com", "smtp.eu.mailgun.org", "smtp.sendgrid.net"])
def test_where_the_provider_has_a_return_path_of_its_own_no_record_of_ours_helps(visit, host):
    found = sent(visit, {}, host)

    assert (found.verdict, found.record) == (UNKNOWN, None)
    assert "return path" in found.advice


@pytest.mark.parametrize(
    ("records", "words", "value"),
    [
        ((), "has no SPF record", "v=spf1 a:relay.lab.example ~all"),
        (("v=spf10 -all", "hello"), "has no SPF record", "v=spf1 a:relay.lab.example ~all"),
        (("v=spf1 -all", "v=spf1 mx ~all"), "has 2 SPF records", "v=spf1 a:relay.lab.example -all"),
        (("v=spf1 mx +all",), "says +all", "v=spf1 mx a:relay.lab.example ~all"),
        (("v=spf1 all",), "says +all", "v=spf1 a:relay.lab.example ~all"),
    ],
)
def test_a_record_that_is_wrong_comes_with_the_right_one(visit, records, words, value):
    found = sent(visit, {SPF: records, **A})

    assert found.verdict is WRONG
    assert words in found.sentence
    assert found.record.value == value


def test_in_place_of_everybody_the_relay_is_named(visit):
    found = sent(visit, {SPF: ("v=spf1 +all",), **A})

    assert found.record.value == "v=spf1 a:relay.lab.example ~all"


@pytest.mark.parametrize(
    ("host", "term"),
    [
        ("192.0.2.5", "ip4:192.0.2.5"),
        ("2001:db8::5", "ip6:2001:db8::5"),
        ("bücher.example", "a:xn--bcher-kva.example"),
        ("Relay.Lab.Example", "a:relay.lab.example"),
    ],
)
def test_a_relay_is_named_as_a_record_can_hold_it(visit, host, term):
    assert sent(visit, {}, host).record.value == f"v=spf1 {term} ~all"
    assert sent(visit, {SPF: ("v=spf1 ip4:198.51.100.9 -all",)}, "192.0.2.5").verdict is UNKNOWN
    assert sent(visit, {SPF: ("v=spf1 ip4:192.0.2.0/24 -all",)}, "192.0.2.5").verdict is OK


@pytest.mark.parametrize(
    "record", ["v=spf1 -all", "v=spf1 ~all", "v=spf1", "v=spf1 -a -all ip4:192.0.2.7", "v=spf1 include:no.example -all"]
)
@pytest.mark.parametrize("table", [A, {}])
def test_a_record_that_lets_nobody_send_is_wrong_whatever_the_relays_addresses(visit, record, table):
    found = sent(visit, {SPF: (record,), ("no.example", "TXT"): ("v=spf1 -all",), **table})

    assert found.verdict is WRONG
    assert "lets nobody send" in found.sentence
    assert "a:relay.lab.example" in found.record.value


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all",
        "v=spf1 ~a:relay.lab.example ip4:192.0.2.0/24 -all",
        "v=spf1 -include:x.example ip4:192.0.2.0/24 -all",
    ],
)
def test_the_first_term_that_names_the_relay_decides(visit, record):
    found = sent(visit, {SPF: (record,), ("x.example", "TXT"): ("v=spf1 ip4:192.0.2.7 -all",), **A})

    assert found.verdict is WRONG
    assert "turns 192.0.2.7 away" in found.sentence
    assert found.record.value.startswith("v=spf1 a:relay.lab.example ")


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        ("v=spf1 exists:%{i}.x.example ip4:192.0.2.7 -all", OK),  # either way it may
        ("v=spf1 -exists:%{i}.x.example ip4:192.0.2.7 -all", UNKNOWN),
        ("v=spf1 include:x.example ip4:192.0.2.7 -all", OK),  # an include that says no is no match
        ("v=spf1 -include:x.example ip4:192.0.2.7 -all", OK),
        ("v=spf1 ?ip4:192.0.2.7 ip4:192.0.2.0/24 -all", UNKNOWN),
    ],
)
def test_terms_that_may_match_or_do_not(visit, record, verdict):
    assert sent(visit, {SPF: (record,), ("x.example", "TXT"): ("v=spf1 -all",), **A}).verdict is verdict


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("v=spf1 ip4:everyone -all", "is no network"),
        ("v=spf1 ipv4:192.0.2.7 -all", "does not understand"),
        ("v=spf1 include:gone.example -all", "has no SPF record"),
        ("v=spf1 include:two.example -all", "several SPF records"),
        ("v=spf1 + -all", "does not understand"),
        ("v=spf1 a/99 -all", "is no network"),
    ],
)
def test_a_record_that_receivers_cannot_read(visit, record, words):
    table = {
        SPF: (record,),
        ("two.example", "TXT"): ("v=spf1 -all", "v=spf1 ~all"),
        ("lab.example", "A"): ("192.0.2.1",),
    }
    found = sent(visit, table)

    assert found.verdict is WRONG
    assert words in found.sentence


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 " + " ".join(f"include:i{number}.example" for number in range(11)) + " -all",
        "v=spf1 " + " ".join(f"exists:i{number}.example" for number in range(11)) + " -all",
        "v=spf1 include:loop.example -all",
        "v=spf1 a a a a a a a a a a a -all",
    ],
)
def test_too_many_look_ups_are_counted_and_never_made(visit, record):
    table = {(f"i{number}.example", "TXT"): ("v=spf1 -all",) for number in range(20)}
    zone = Zone({**table, SPF: (record,), ("loop.example", "TXT"): ("v=spf1 include:loop.example -all",)})
    (found,) = spf.check(visit(resolver=zone))

    assert found.verdict is WRONG
    assert "more than 10 names" in found.sentence
    assert zone.asked < 40


def test_ten_look_ups_are_allowed(visit):
    table = {(f"i{number}.example", "TXT"): ("v=spf1 -all",) for number in range(10)}
    record = "v=spf1 " + " ".join(f"include:i{number}.example" for number in range(10)) + " ip4:192.0.2.7 -all"

    assert sent(visit, {**table, **A, SPF: (record,)}).verdict is OK


def test_where_nobody_can_tell_it_is_said_and_what_to_do(visit):
    found = sent(visit, {SPF: ("v=spf1 ip4:198.51.100.9 -all",), **A})

    assert found.verdict is UNKNOWN
    assert "cannot be told from here" in found.sentence
    assert "v=spf1 ip4:198.51.100.9 -all" in found.advice


@pytest.mark.parametrize("table", [{SPF: DEAD}, {SPF: ("v=spf1 include:x.example -all",), ("x.example", "TXT"): DEAD}])
def test_a_silent_name_server_makes_nothing_wrong(visit, table):
    found = sent(visit, table)

    assert found.verdict is UNKNOWN
    assert "did not answer in time" in found.sentence


def test_what_is_asked_is_the_domain_that_letters_come_back_to(visit):
    found = sent(
        visit, {("b.lab.example", "TXT"): ("v=spf1 a:relay.lab.example -all",), **A}, bounce_domain="b.lab.example"
    )

    assert found.verdict is OK


def test_a_machine_that_delivers_itself_names_its_own_address(visit):
    made = visit({"mail": {"host": "localhost"}}, own_address=lambda: "93.184.216.34")
    (found,) = spf.check(made)

    assert found.record.value == "v=spf1 ip4:93.184.216.34 ~all"


@given(st.text(max_size=300))
@example("v=spf1 ip4:0/0 a:%{i} mx//129 a//-1 include: redirect= exp=x -all")
@example("v=spf1 \ud800 include:\0")
def test_any_record_is_followed_to_an_end(text):
    zone = Zone({("lab.example", "A"): ("192.0.2.1",), ("lab.example", "MX"): ("10 lab.example",)})
    reach = spf_terms.follow("lab.example", f"v=spf1 {text}", zone)

    assert reach.lookups <= 11
    assert reach.broken == "" or reach.broken.isprintable()
