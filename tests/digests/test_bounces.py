"""What is heard in the reports of servers and providers: invented by us in the forms that they have."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digests.mail.bounces import arf, dsn
from digests.mail.bounces.opening import opened
from digests.mail.bounces.reading import Heard, read
from digests.mail.bounces.verp import ReturnPaths
from domain.bounce_score import weigh
from domain.letter_events import MOST_LATE, LetterEvent, LetterEventKind

REPORTS = Path(__file__).with_name("reports")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PATHS = ReturnPaths("bounces.lab.example", "a secret")
LETTER = "0123456789abcdef0123456789abcdef"
K = LetterEventKind


def report(name: str, *, sender: str = "", **more: str) -> bytes:
    said = {
        "VERP": sender or PATHS.address(41),
        "LETTER": LETTER,
        "READER": "mira@faculty.example",
        **more,
    }
    text = (REPORTS / f"{name}.eml").read_text(encoding="utf-8")
    for key, value in said.items():
        text = text.replace(f"@{key}@", value)
    return text.encode()


def heard(raw: bytes, paths: ReturnPaths | None = PATHS) -> LetterEvent:
    (event,) = read(raw, NOW, paths).events
    return event


def ignored(raw: bytes, paths: ReturnPaths | None = PATHS) -> str:
    found = read(raw, NOW, paths)
    assert (found.events, found.by_message_id) == ((), ())
    return found.ignored


@pytest.mark.parametrize(
    ("name", "source", "kind", "status", "points"),
    [
        ("postfix", "dsn", K.BOUNCE, "5.1.1", 4),
        ("exim", "dsn", K.BOUNCE, "5.2.2", 0.5),  # of its Status: 5.0.0 the diagnostic knows more
        ("microsoft365", "dsn", K.BOUNCE, "5.1.10", 4),
        ("exchange-policy", "dsn", K.BOUNCE, "5.7.1", 0),
        ("gmail", "dsn", K.BOUNCE, "5.2.1", 4),
        ("yahoo", "dsn", K.BOUNCE, "4.4.2", 0.5),
        ("eai", "dsn", K.BOUNCE, "5.1.1", 4),
        ("delayed", "dsn", K.DELAYED, "4.4.1", 0),
        ("qmail", "body", K.BOUNCE, "", 1),
        ("complaint-yahoo", "arf", K.COMPLAINT, "", 0),
    ],
)
def test_each_form_is_heard_and_weighed(name, source, kind, status, points):
    event = heard(report(name))
    assert (event.source, event.delivery_id, event.kind, event.status) == (source, 41, kind, status)
    assert weigh(event.kind, event.status, event.detail) == points
    assert event.raw == report(name)
    assert event.letter in {LETTER, ""}


@pytest.mark.parametrize(
    ("name", "source", "kind", "status"),
    [("ses", "dsn", K.BOUNCE, "5.5.0"), ("complaint-fastmail", "arf", K.COMPLAINT, "")],
)
def test_where_the_return_path_is_lost_the_returned_headers_name_the_letter(name, source, kind, status):
    found = read(report(name), NOW, PATHS)
    (event,) = found.by_message_id
    assert (found.events, event.delivery_id, event.letter) == ((), 0, LETTER)
    assert (event.source, event.kind, event.status) == (source, kind, status)
    assert read(report(name), NOW, None) == found


@pytest.mark.parametrize("name", ["vacation-gmail", "vacation-microsoft"])
def test_a_vacation_note_is_neither_a_bounce_nor_an_unsubscribe(name):
    assert ignored(report(name)) == "it is an automatic answer, such as a vacation note"


@pytest.mark.parametrize(
    "headers",
    [
        "From: mira@lab.example\nAuto-Submitted: auto-replied; owner-email=mira@lab.example",
        "From: mira@lab.example\nPrecedence: junk",
        "From: mira@lab.example\nX-Autorespond: away",
        "From: mira@lab.example\nContent-Type: multipart/report; report-type=disposition-notification; boundary=x",
    ],
)
def test_what_a_machine_wrote_is_told_by_its_headers(headers):
    assert "automatic" in ignored(f"{headers}\nTo: {PATHS.address(41)}\n\nunsubscribe me\n".encode())


def test_a_reader_who_writes_back_is_no_bounce_whatever_they_quote():
    quoted = report("qmail").decode().split("\n\n", 1)[1]
    mail = f"From: mira@lab.example\nAuto-Submitted: no\nTo: {PATHS.address(41)}\n\nWhat is this?\n\n{quoted}"
    assert ignored(mail.encode()) == "it is no bounce and no complaint"


def test_what_a_mail_system_says_without_a_failure_is_no_bounce():
    mail = f"From: postmaster@lab.example\nTo: {PATHS.address(41)}\n\nThe mail server moves on Sunday.\n"
    assert ignored(mail.encode()) == "a mail system sent it, but it tells of no failure"


def test_a_guess_counts_only_with_a_return_path():
    lost = report("qmail", sender="digests@lab.example")
    assert ignored(lost) == "it names no letter of ours that can be proved"
    assert ignored(report("qmail"), None) == "it names no letter of ours that can be proved"


def test_a_flood_of_forged_return_paths_is_nobodys():
    made = PATHS.address(41)
    mac = made.partition(".")[2].partition("@")[0]
    other = ReturnPaths("bounces.lab.example", "another secret")
    forged = [
        f"b+42.{mac}@bounces.lab.example",
        f"b+041.{mac}@bounces.lab.example",
        f"b+41.{'0' * 32}@bounces.lab.example",
        f"b+41.{mac[:-1]}@bounces.lab.example",
        f"b+41.{mac}@bounces.lab.example.evil.example",
        *(other.address(number) for number in range(1, 200)),
    ]
    for sender in forged:
        raw = report("postfix", sender=sender, LETTER="no letter of ours")
        assert ignored(raw) == "it names no letter of ours that can be proved"


@pytest.mark.parametrize(
    "header", ["Delivered-To", "X-Original-To", "Envelope-to", "To", "Cc", "Return-Path", "Original-Recipient"]
)
def test_the_return_path_is_found_wherever_a_server_wrote_it(header):
    raw = report("delayed", sender="postmaster@lab.example")
    assert heard(f"{header}: rfc822;<{PATHS.address(41).upper()}>\n".encode() + raw).delivery_id == 41


def test_a_report_names_the_letter_beside_the_return_path_so_that_both_can_be_compared():
    assert heard(report("postfix")).letter == LETTER
    assert heard(report("exim")).letter == LETTER
    assert heard(report("delayed")).letter == ""


# -- several recipients ------------------------------------------------------------------------------------------------


def three(third: str, status: str) -> dsn.StatusReport:
    found = dsn.read(opened(report("three-recipients", THIRD=third, STATUS=status)))
    assert found is not None
    assert [each.final for each in found.recipients] == ["jun@inner.example", "ada@inner.example", "noor@inner.example"]
    return found


@pytest.mark.parametrize(
    ("third", "status", "kind", "counted"),
    [
        ("failed", "5.1.1", K.BOUNCE, "4.2.2"),
        ("failed", "5.7.1", K.BOUNCE, "5.7.1"),
        ("delayed", "4.4.1", K.DELAYED, "4.4.1"),
        ("delivered", "2.1.5", K.DELIVERED, "2.1.5"),
        ("relayed", "2.0.0", K.DELIVERED, "2.0.0"),
        ("expanded", "2.1.5", K.DELIVERED, "2.1.5"),
    ],
)
def test_of_three_recipients_behind_one_address_the_mildest_counts(third, status, kind, counted):
    outcome = three(third, status).outcome
    assert (outcome.kind, outcome.status) == (kind, counted)


def test_of_several_recipients_the_one_that_the_letter_was_addressed_to_counts():
    returned = b"--three\nContent-Type: text/rfc822-headers\n\nTo: Jun <Jun@inner.example>\n\n--three--"
    raw = report("three-recipients", THIRD="delivered", STATUS="2.1.5").replace(b"--three--", returned)
    assert heard(raw).status == "5.1.1"


# -- strictly read -----------------------------------------------------------------------------------------------------


def test_the_recipient_of_an_internationalized_report_is_read():
    found = dsn.read(opened(report("eai")))
    assert found is not None
    assert (found.outcome.final, found.outcome.original) == ("müller@bücher.example", "müller@bücher.example")
    assert found.returned.recipients == {"müller@bücher.example"}


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("Action: failed", "Action: exploded"),
        ("Action: failed", "X-Action: failed"),
        ("Final-Recipient: rfc822; mira@faculty.example", "Final-Recipient: nobody"),
        ("Status: 5.1.1", "Status: 2.0.0"),
    ],
)
def test_a_group_that_lacks_what_the_standard_requires_is_none(was, becomes):
    assert dsn.read(opened(report("postfix").replace(was.encode(), becomes.encode()))) is None


@pytest.mark.parametrize(
    ("status", "diagnostic", "read_as"),
    [
        ("5.1.1 (bad mailbox)", "", "5.1.1"),
        ("5.0.0", "smtp; 550 #5.1.1 unknown", "5.1.1"),
        ("5.0.0", "smtp; 550 No such user", "5.0.0"),
        ("5.0.0", "smtp; 450 4.2.1 later", "5.0.0"),
        ("5.2.2", "smtp; 550 5.1.1 unknown", "5.2.2"),
        ("", "smtp;550 5.1.1 unknown", "5.1.1"),
        ("5.1.1.2", "", ""),
        ("9.1.1", "", ""),
        ("5.1111.1", "", ""),
    ],
)
def test_a_status_is_read_and_a_vague_one_made_exact_by_the_diagnostic(status, diagnostic, read_as):
    raw = report("delayed").replace(b"Action: delayed", b"Action: failed")
    raw = raw.replace(b"Status: 4.4.1", f"Status: {status}".encode())
    raw = raw.replace(b"X-Postfix; connect to mx.faculty.example: Connection timed out", diagnostic.encode())
    assert heard(raw).status == read_as


@pytest.mark.parametrize("missing", ["Feedback-Type: abuse\n", "User-Agent: FastMail/1.0\n", "Version: 1\n"])
def test_a_feedback_report_without_what_the_standard_requires_is_none(missing):
    raw = report("complaint-fastmail").replace(missing.encode(), b"")
    assert arf.read(opened(raw)) is None
    assert ignored(raw) == "it is no bounce and no complaint"


@pytest.mark.parametrize("other", ["not-spam", "auth-failure", "virus", "other", "x-new"])
def test_a_feedback_report_of_another_kind_is_no_complaint(other):
    raw = report("complaint-fastmail").replace(b"Feedback-Type: abuse", f"Feedback-Type: {other}".encode())
    assert ignored(raw) == "it is a feedback report of another kind than a complaint"


# -- the event ---------------------------------------------------------------------------------------------------------


def test_the_same_report_by_another_way_is_the_same_event_and_another_report_is_not():
    raw = report("postfix")
    by_imap = b"Received: from elsewhere by here; Sat, 21 Nov 2026 07:00:03 +0000\n" + raw
    assert heard(by_imap).source_event_id == heard(raw).source_event_id
    lost = report("postfix", sender="digests@lab.example")
    (found,) = read(lost, NOW, PATHS).by_message_id
    assert found.source_event_id.partition(":")[0] == heard(raw).source_event_id.partition(":")[0]
    later = raw.replace(b"Action: failed", b"Action: delayed")
    assert heard(later).source_event_id != heard(raw).source_event_id


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("Fri, 20 Nov 2026 11:00:03 +0000", datetime(2026, 11, 20, 11, 0, 3, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 10:30:00 -0000", datetime(2026, 11, 20, 10, 30, tzinfo=UTC)),
        ("Fri, 20 Nov 2099 11:00:03 +0000", NOW),
        ("Fri, 20 Nov 1999 11:00:03 +0000", NOW - MOST_LATE),
        ("yesterday", NOW),
        ("Fri, 99 Nov 99999 11:00:03 +9999", NOW),
    ],
)
def test_a_report_is_of_when_it_says_within_reason(said, at):
    raw = report("delayed").replace(b"Fri, 20 Nov 2026 11:00:03 +0000", said.encode())
    assert heard(raw).at == at


def test_what_is_told_of_a_report_is_one_printable_line():
    raw = report("postfix").replace(b"no such user\n    here", b"no \x1b[31m such\x00 " + "\u202ehere ".encode() * 200)
    detail = heard(raw).detail
    assert len(detail) <= 500
    assert detail.isprintable()
    assert heard(raw).at == NOW - timedelta(hours=4, minutes=59, seconds=57)


def test_nothing_heard_says_why():
    assert read(b"", NOW, PATHS) == Heard(ignored="it is no message that can be read")
    assert ignored(b"From: mira@lab.example\n\nThank you.\n") == "it is no bounce and no complaint"
