"""Messages that mean harm, or are broken: read within bounds, and without a word where they tell nothing."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.mail.bounces.opening import opened
from digests.mail.bounces.reading import Heard, read
from digests.mail.bounces.verp import ReturnPaths

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PATHS = ReturnPaths("bounces.lab.example", "a secret")
MINE = PATHS.address(41)
TO = f"From: MAILER-DAEMON@x.example\nTo: {MINE}\n".encode()
WHOLE = [
    file.read_bytes().replace(b"@VERP@", MINE.encode()).replace(b"@LETTER@", b"0123456789abcdef" * 2)
    for file in sorted(Path(__file__).with_name("reports").iterdir())
]
DSN = next(each for each in WHOLE if b"Postfix" in each)
RETURNED = next(each for each in WHOLE if b"Postfix" in each and b"\nTo: @READER@\n" in each)
TEN = 10_000_000


@given(st.integers(1, 2**63 - 1), st.text(min_size=1), st.sampled_from(["b.example", "bounces.lab.example", "X.ORG"]))
def test_a_return_path_comes_back_as_its_delivery_and_under_no_other_secret(number, secret, domain):
    address = ReturnPaths(domain, secret).address(number)
    assert len(address.rpartition("@")[0]) <= 64
    assert address.isascii()
    assert ReturnPaths(domain, secret).read(address) == number
    assert ReturnPaths(domain, secret).read(address.upper()) == number
    assert ReturnPaths(domain, secret).found_in(f"rfc822; <{address}> (of ours)") == number
    assert ReturnPaths(domain, f"{secret}.").read(address) is None


@given(st.text() | st.from_regex(r"b\+\d{1,30}\.[0-9a-f]{30,34}@bounces\.lab\.example"))
def test_no_other_text_is_a_return_path(text):
    assert PATHS.read(text) is None
    assert PATHS.found_in(text) is None


@given(st.binary(max_size=3_000))
def test_garbage_tells_nothing(raw):
    assert read(raw, NOW, PATHS).events == ()
    assert read(TO + b"Content-Type: multipart/report; boundary=x\n\n--x\n" + raw, NOW, PATHS).by_message_id == ()


@settings(max_examples=300)
@given(st.sampled_from(WHOLE), st.data())
def test_a_report_that_was_damaged_or_cut_is_read_or_not_but_harms_nobody_else(raw, data):
    at = data.draw(st.integers(0, len(raw)))
    put = data.draw(st.binary(max_size=20) | st.sampled_from([b"(" * 998, b"\nFrom: " + b"(" * 998, b"<[" * 499]))
    cut = data.draw(st.integers(0, 200))
    found = read(raw[:at] + put + raw[at + cut :], NOW, PATHS)
    assert isinstance(found, Heard)
    assert {each.delivery_id for each in found.events} <= {41}
    assert bool(found.ignored) is not bool(found.events or found.by_message_id)


@pytest.mark.parametrize("end", range(0, len(DSN), 97))
def test_a_report_that_ends_early_names_the_same_letter_or_none(end):
    assert {each.delivery_id for each in read(DSN[:end], NOW, PATHS).events} <= {41}


def nested(depth: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (each, each) for each in range(depth))


HOSTILE = {
    "newlines": TO + b"\n" * TEN,
    "newlines in many parts": TO + nested(40) + b"\n" * TEN,
    "one line": TO + b"\n" + b"a" * TEN,
    "one header": b"X: " + b"a" * TEN,
    "headers": TO + b"X: 1\n" * (TEN // 5),
    "a folded header": TO + b"Subject: a\n" + b" a\n" * (TEN // 3),
    "parameters": TO + b'Content-Type: multipart/report; a="' + b";" * TEN,
    "folded parameters": TO + b'Content-Type: multipart/report; a="\n' + b" ;;\n" * (TEN // 4),
    "deep": TO + nested(TEN // 60),
    "deep messages": TO + b"Content-Type: message/rfc822\n\n" * (TEN // 30),
    "deep digests": TO + b"Content-Type: multipart/digest; boundary=x\n\n--x\n" * (TEN // 50),
    "carriage returns": TO + b"Content-Type: message/rfc822\r\r" * (TEN // 30),
    "parts": TO + b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\n" * (TEN // 5),
    "addresses": TO + b"\n" + b"<a@b>" * (TEN // 5),
    "signs": TO + b"\nDelivery has failed\nOriginal message\n" + b"@<" * (TEN // 2),
    "groups": DSN.replace(b"\n\nFinal-Recipient", b"\n\nFinal-Recipient: rfc822; a@b\nAction: failed\n" * 100_000, 1),
    "brackets in From": b"From: " + b"(" * 998 + b"\nTo: " + MINE.encode() + b"\n\nno",
    "brackets in the returned To": RETURNED.replace(b"\nTo: @READER@\n", b"\nTo: " + b"(" * 998 + b"\n"),
    "brackets all over": TO + b"(" * TEN,
    "forged recipients": b"Delivered-To: b+41.0@bounces.lab.example\n" * (TEN // 42),
    "binary": bytes(range(256)) * (TEN // 256),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_ten_megabytes_of_anything_are_read_in_no_time(name):
    raw = HOSTILE[name][:TEN]
    begin = time.process_time()
    found = read(raw, NOW, PATHS)
    assert time.process_time() - begin < 4
    assert {each.delivery_id for each in found.events} <= {41}


def test_a_message_of_nothing_but_empty_parts_is_cut_before_each_becomes_an_object():
    message = opened(HOSTILE["parts"])
    assert 100 < sum(1 for _ in message.walk()) <= 500


def test_brackets_that_nest_hide_no_report():
    (event,) = read(HOSTILE["brackets in the returned To"], NOW, PATHS).events
    assert event.status == "5.1.1"


def test_more_than_ten_megabytes_are_not_looked_at():
    assert read(DSN + b"\n" * TEN, NOW, PATHS).ignored == "it is larger than 10 MB, as no report is"
    assert read(DSN + b"\n" * (TEN - len(DSN)), NOW, PATHS).events


def test_a_report_with_more_recipients_than_any_letter_has_is_read_up_to_a_hundred():
    group = b"\nFinal-Recipient: rfc822; a%d@b.example\nAction: failed\nStatus: 5.1.1\n"
    raw = DSN.replace(b"\nFinal-Recipient", b"".join(group % each for each in range(5_000)) + b"\nFinal-Recipient")
    (event,) = read(raw, NOW, PATHS).events
    assert event.status == "5.1.1"
