"""What each event of Amazon SES means for a letter."""

from datetime import UTC, datetime

import pytest

from digests.mail.webhooks.ses_events import reports_of
from domain.errors import UnreadableWebhook
from domain.letter_events import LetterEventKind

BOUNCE, DELAYED = LetterEventKind.BOUNCE, LetterEventKind.DELAYED


def only(event):
    (report,) = reports_of(event)
    return report


@pytest.mark.parametrize(
    ("kind", "subtype", "said", "event", "status"),
    [
        ("Permanent", "General", "5.1.1", BOUNCE, "5.1.1"),
        ("Permanent", "General", "", BOUNCE, "5.0.0"),
        ("Permanent", "General", "4.4.7", BOUNCE, "5.4.7"),
        ("Permanent", "General", "5.7.1", BOUNCE, "5.7.1"),
        ("Permanent", "NoEmail", "", BOUNCE, "5.1.1"),
        ("Permanent", "Suppressed", "", BOUNCE, "5.1.1"),
        ("Permanent", "OnAccountSuppressionList", "", BOUNCE, "5.2.1"),
        ("Permanent", "UnsubscribedRecipient", "", LetterEventKind.UNSUBSCRIBE, ""),
        ("Transient", "General", "", DELAYED, ""),
        ("Transient", "General", "not a status", DELAYED, ""),
        ("Transient", "General", "5.4.4", BOUNCE, "4.4.4"),
        ("Transient", "General", "4.4.7", BOUNCE, "4.4.7"),
        ("Transient", "MailboxFull", "5.2.2", BOUNCE, "4.2.2"),
        ("Transient", "MessageTooLarge", "", BOUNCE, "4.3.4"),
        ("Transient", "ContentRejected", "", BOUNCE, "5.7.1"),
        ("Transient", "AttachmentRejected", "", BOUNCE, "5.7.1"),
        ("Undetermined", "Undetermined", "", BOUNCE, "4.0.0"),
        ("Something new", "", "", BOUNCE, "4.0.0"),
    ],
)
@pytest.mark.parametrize("name", ["notificationType", "eventType"])
def test_a_bounce_has_the_class_that_ses_gives_it_and_the_rest_from_the_mailbox(
    amazon, name, kind, subtype, said, event, status
):
    report = only(amazon.bounce(kind, subtype, [{"emailAddress": "m@lab.example", "status": said}], name=name))

    assert (report.kind, report.status) == (event, status)
    assert report.at == datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
    assert report.event_id == "feedback-1"


def test_the_status_may_stand_in_the_diagnosis_alone(amazon):
    said = [{"diagnosticCode": "smtp; 550 5.2.1 disabled, see 10.2.3.4 or 4.4.4.4"}]

    assert only(amazon.bounce(recipients=said)).status == "5.2.1"


def test_several_recipients_are_one_report_with_the_worst_of_them(amazon):
    several = [{"status": "4.4.7"}, {"status": "5.7.1", "diagnosticCode": "no"}, "no recipient", {"status": 7}]

    assert only(amazon.bounce("Undetermined", "", several)).status == "5.7.1"


def test_a_diagnosis_is_one_printable_line_of_bounded_length(amazon):
    report = only(
        amazon.bounce(recipients=[{"status": "5.1.1", "diagnosticCode": "a\r\nb\x1b[31m\u202e" + "c" * 9000}])
    )

    assert report.detail.isprintable()
    assert len(report.detail) == 500


@pytest.mark.parametrize("feedback", ["abuse", "fraud", "virus", "other", None, 7])
def test_a_complaint_is_one_whatever_its_reason(amazon, feedback):
    report = only(amazon.complaint(feedback))

    assert (report.kind, report.event_id) == (LetterEventKind.COMPLAINT, "feedback-2")


@pytest.mark.parametrize("feedback", ["not-spam", "auth-failure"])
def test_a_report_that_no_reader_complained_with_is_none(amazon, feedback):
    assert reports_of(amazon.complaint(feedback)) == ()


def test_an_old_complaint_that_ses_remembers_is_no_new_one(amazon):
    report = only(amazon.complaint(complaintSubType="OnAccountSuppressionList"))

    assert (report.kind, report.status) == (BOUNCE, "5.2.1")


def test_a_delivery_and_a_delay_are_told_apart(amazon):
    delivered = {"eventType": "Delivery", "mail": amazon.mail(), "delivery": {"timestamp": "2026-11-20T07:01:00.000Z"}}
    delay = {
        "timestamp": "2026-11-20T07:02:00Z",
        "delayType": "MailboxFull",
        "delayedRecipients": [{"status": "4.2.2"}],
    }
    delayed = {"eventType": "DeliveryDelay", "mail": amazon.mail(), "deliveryDelay": delay}

    assert only(delivered).kind is LetterEventKind.DELIVERED
    assert (only(delayed).kind, only(delayed).status) == (DELAYED, "4.2.2")
    assert only(delivered).event_id != only(delayed).event_id


def test_what_ses_took_and_did_not_send_is_no_fault_of_the_mailbox(amazon):
    report = only({"eventType": "Reject", "mail": amazon.mail(), "reject": {"reason": "Bad content"}})

    assert (report.kind, report.status) == (BOUNCE, "5.7.1")


@pytest.mark.parametrize("kind", ["Send", "Open", "Click", "Rendering Failure", "Subscription", "", "bounce"])
def test_what_is_not_counted_is_no_report(amazon, kind):
    assert reports_of({"eventType": kind, "mail": amazon.mail()}) == ()


@pytest.mark.parametrize("missing", ["feedbackId", "timestamp", "bounceType"])
def test_a_bounce_without_what_ses_always_says_is_not_guessed_at(amazon, missing):
    with pytest.raises(UnreadableWebhook, match=missing):
        reports_of(amazon.bounce(**{missing: None}))


@pytest.mark.parametrize(
    "at", ["yesterday", "2026-11-20T07:30:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_an_instant_that_is_none_is_refused(amazon, at):
    with pytest.raises(UnreadableWebhook, match="timestamp"):
        reports_of(amazon.bounce(timestamp=at))


def test_our_own_header_names_the_letter_then_the_message_id_that_we_wrote(amazon):
    headers = [
        {"name": "Message-ID", "value": "<written@lab.example>"},
        {"name": "X-PAPERROUND-LETTER", "value": f" {amazon.LEFT} "},
    ]
    event = amazon.bounce() | {"mail": amazon.mail(headers=headers)}

    assert only(event).letters == (amazon.LEFT, "<written@lab.example>", "<0100-ses@eu-west-1.amazonses.com>")


@pytest.mark.parametrize("value", ["", "x", "0123456789ABCDEF0123456789ABCDEF", "a@b", "%", "0" * 33, None, 7])
def test_a_header_that_we_did_not_write_names_no_letter(amazon, value):
    mail = amazon.mail(headers=[{"name": "X-Paperround-Letter", "value": value}], commonHeaders=None)

    assert only(amazon.bounce() | {"mail": mail}).letters == ()
