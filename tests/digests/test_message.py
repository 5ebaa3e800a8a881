"""Messages: what is written here, Python's own parser reads back without a defect."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.mail import headers
from digests.mail.joining import join, part
from digests.mail.message import Identity, Letter, freeze, mailing_slots, message_id
from digests.mail.quoted import encode
from domain.errors import AddressError, UsageError
from domain.issues import Content, Fragment, LetterKind, Role
from domain.seals import unsealed

IDENTITY = Identity(
    sender="Paperround <digests@example.org>", reply_to='"Lab, Reader\'s" <lab@example.org>', secret="a secret"
)
SITE = "https://digests.example.org"
BROKEN = re.compile("[\ud800-\udfff\0]")
printable = st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))
CONTROLS = ["a\r\nBcc: x@example.org", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\x85b", "a\u2028b", "a\ud800b"]


def one_line(text: str) -> str:
    return " ".join(text.split())


def letter(subject: str = "Hello", text: str = "one\n", page: str = "<p>one</p>\n", **changes: bool) -> Letter:
    fragments = (
        Fragment(Role.TEXT, encode(text)),
        Fragment(Role.TEXT_PERSONAL, encode("Unsubscribe: \0q:unsubscribe\0\n")),
        Fragment(Role.HTML, encode(page)),
        Fragment(Role.HTML_PERSONAL, encode('<a href="\0q:unsubscribe\0">Unsubscribe</a>\n')),
    )
    return Letter(LetterKind.DIGEST, subject, fragments, listed=changes.get("listed", True))


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    for name, value in message.items():
        assert not value.defects, (name, value.defects)
    for piece in message.walk():
        assert not piece.defects
    return message


def bodies(message: EmailMessage) -> list[str]:
    return [piece.get_content().replace("\r\n", "\n") for piece in message.iter_parts()]


def assert_legal(data: bytes) -> None:
    assert data.isascii()
    assert b"\0" not in data
    assert not re.search(rb"[^\r]\n|\r[^\n]", data)
    head, body = data.split(b"\r\n\r\n", 1)
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    for line in body.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert line == line.rstrip()


def test_a_digest_has_every_header_once(slots: dict[str, str]) -> None:
    content = freeze(letter(), IDENTITY)
    data = join(content.fragments, slots)
    assert_legal(data)
    message = parsed(data)
    names = [name.lower() for name in message]
    assert len(names) == len(set(names))
    assert {"from", "to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to"} <= set(names)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Precedence"] == "bulk"
    assert message["List-Id"] == "Paperround <digest.example.org>"
    assert f"\r\nList-Unsubscribe: <{slots['unsubscribe']}>\r\n".encode() in data
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in data
    assert message["Date"].datetime == datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert message["Message-ID"] == slots["message-id"]
    assert message["Reply-To"].addresses[0].display_name == "Lab, Reader's"
    assert [piece.get_content_type() for piece in message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("kind", list(LetterKind))
def test_a_letter_that_no_link_can_stop_names_its_list_and_nothing_more(
    kind: LetterKind, slots: dict[str, str]
) -> None:
    """Mailbox filters need the List-Id of each digest and quiet note (mail.md item 10); others belong to no list."""
    plain = Letter(kind, "Hello", letter().fragments, listed=False)
    message = parsed(join(freeze(plain, IDENTITY).fragments, slots))
    listing = [(name, str(value)) for name, value in message.items() if name.startswith("List-")]
    in_a_list = kind in {LetterKind.DIGEST, LetterKind.QUIET}
    assert listing == ([("List-Id", "Paperround <digest.example.org>")] if in_a_list else [])
    assert (message["Precedence"] == "bulk") is in_a_list


@given(subject=printable)
def test_any_subject_survives(subject: str) -> None:
    line = headers.unstructured("Subject", subject)
    assert all(len(piece) <= 78 for piece in line.split("\r\n"))
    assert all(len(word) <= 75 for word in re.findall(r"=\?utf-8\?[qb]\?.*?\?=", line))
    message = message_from_bytes(f"{line}\r\n\r\n".encode("ascii"), policy=policy.default)
    assert message["Subject"] == subject
    assert not message["Subject"].defects


@given(name=printable.map(one_line).filter(lambda name: name and "<" not in name and name[0] != '"'))
def test_any_display_name_survives(name: str) -> None:
    line = headers.mailbox("From", f"{name} <digests@bücher.example>")
    assert all(len(piece) <= 78 for piece in line.split("\r\n"))
    message = message_from_bytes(f"{line}\r\n\r\n".encode("ascii"), policy=policy.default)
    (found,) = message["From"].addresses
    assert found.addr_spec == "digests@xn--bcher-kva.example"
    if not found.display_name:  # too long for some relays, with the address (headers.mailbox)
        assert len(" ".join(headers.phrase(name))) > 320 - len(" <digests@xn--bcher-kva.example>")
        return
    if line.count("=?") <= 1:
        assert found.display_name == name
    else:  # this parser puts a blank between the words of a long name, against RFC 2047 section 6.2
        words = line.removeprefix("From: ").rpartition("<")[0].strip()
        assert str(make_header(decode_header(words))) == name


@pytest.mark.parametrize("name", ["Müller, Anna", 'The "Lab"', "Paper (test)", "論文だより", "a.b", "Kuş Gözü Ağı"])
def test_names_with_commas_quotes_and_accents_survive(name: str) -> None:
    line = headers.mailbox("From", f"{name} <digests@example.org>")
    message = message_from_bytes(f"{line}\r\n\r\n".encode("ascii"), policy=policy.default)
    assert [found.display_name for found in message["From"].addresses] == [name]


@settings(max_examples=60, deadline=None)
@given(text=st.text(), page=st.text())
def test_any_body_survives(text: str, page: str) -> None:
    slots = {
        "to": "a@example.org",
        "message-id": "<a@b>",
        "letter": "a",
        "date": "Fri, 20 Nov 2026 06:00:00 +0000",
        "unsubscribe": f"{SITE}/u",
        "preferences": SITE,
        "feedback": SITE,
    }
    slots["issue"] = SITE
    data = join(freeze(letter(text=text, page=page), IDENTITY).fragments, slots)
    assert_legal(data)
    kept = [BROKEN.sub("\ufffd", body).replace("\r\n", "\n").replace("\r", "\n") for body in (text, page)]
    assert bodies(parsed(data)) == [
        f"{kept[0]}Unsubscribe: {SITE}/u\n",
        f'{kept[1]}<a href="{SITE}/u">Unsubscribe</a>\n',
    ]


@pytest.mark.parametrize("text", ["a" * n + tail for n in range(70, 80) for tail in (" ", "\t", "é ", ".", "=", " \n")])
def test_lines_of_every_length_stay_legal(text: str, slots: dict[str, str]) -> None:
    data = join(freeze(letter(text=f"{text}\nFrom me\n.\n..b\n"), IDENTITY).fragments, slots)
    assert_legal(data)
    assert bodies(parsed(data))[0].startswith(f"{text}\nFrom me\n.\n..b\n")


def test_a_link_of_any_length_is_neither_cut_nor_encoded(slots: dict[str, str]) -> None:
    long = f"{SITE}/unsubscribe/{'Zk3=' * 180}?a=1&b=2"
    data = join(freeze(letter(), IDENTITY).fragments, slots | {"unsubscribe": long})
    assert_legal(data)
    assert f"List-Unsubscribe: <{long}>\r\n".encode() in data
    text, page = bodies(parsed(data))
    assert long in text
    assert long.replace("&", "&amp;") in page


@pytest.mark.parametrize("value", CONTROLS)
def test_controls_are_refused_wherever_they_come_in(value: str, slots: dict[str, str]) -> None:
    content = freeze(letter(), IDENTITY)
    with pytest.raises(UsageError):
        freeze(letter(subject=value), IDENTITY)
    with pytest.raises(UsageError):
        freeze(letter(), replace(IDENTITY, sender=f"{value} <a@example.org>"))
    with pytest.raises(UsageError):
        freeze(letter(), replace(IDENTITY, list_name=value))
    for name in ("to", "date", "message-id", "unsubscribe"):
        with pytest.raises(UsageError):
            join(content.fragments, slots | {name: value})
    with pytest.raises(UsageError):
        mailing_slots(recipient=f"{value}@example.org", message_id="<a@b>", date=datetime.now(UTC))


@pytest.mark.parametrize("value", [f"{SITE}/> x", "javascript:alert(1)", f"{SITE}/a b", f"{SITE}/{'a' * 1000}", ""])
def test_what_would_break_a_link_header_is_refused(value: str, slots: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        join(freeze(letter(), IDENTITY).fragments, slots | {"unsubscribe": value})


def test_a_slot_without_a_value_is_an_error(slots: dict[str, str]) -> None:
    del slots["unsubscribe"]
    with pytest.raises(UsageError, match="unsubscribe"):
        join(freeze(letter(), IDENTITY).fragments, slots)


@pytest.mark.parametrize(
    ("typed", "header"),
    [
        ("Reader+papers@Example.ORG", "Reader+papers@example.org"),
        ("o'neil@example.org", "o'neil@example.org"),
        ('"quoted reader"@example.org', '"quoted reader"@example.org'),
        ("reader@bücher.example", "reader@xn--bcher-kva.example"),
        ("reader@faß.example", "reader@xn--fa-hia.example"),
        ("reader@localhost", "reader@localhost"),
        ("reader@[127.0.0.1]", "reader@[127.0.0.1]"),
        ("läser@example.org", "läser@example.org"),
    ],
)
def test_recipients_go_out_as_headers_need_them(typed: str, header: str) -> None:
    made = mailing_slots(recipient=typed, message_id="<a@b>", date=datetime(2026, 11, 20, 7, tzinfo=UTC))
    assert made["to"] == header
    assert parseaddr(made["to"])[1] == header.replace('"quoted reader"', '"quoted reader"')


@pytest.mark.parametrize(
    "typed", ["", "reader", "a b@example.org", "a@", "@example.org", "a@b c", "a,b@c.org", "<a@b.org>"]
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(AddressError):
        headers.address(typed)


def test_slots_name_the_day_and_the_reader_s_own_links() -> None:
    made = mailing_slots(
        recipient="a@example.org",
        message_id=message_id("issue:8c1f", IDENTITY),
        date=datetime(2026, 11, 20, 7, tzinfo=UTC),
        confirmed_on=date(2026, 10, 3),
        links={"unsubscribe": f"{SITE}/u"},
    )
    assert made["confirmed"] == "3 October 2026"
    assert made["message-id"] == message_id("issue:8c1f", IDENTITY)
    assert "8c1f" not in made["message-id"]
    assert message_id("issue:8c1f", replace(IDENTITY, secret="another")) != made["message-id"]
    assert unsealed("issue:8c1f") not in made["message-id"]
    assert parsedate_to_datetime(made["date"]) == datetime(2026, 11, 20, 7, tzinfo=UTC)
    assert made["date"].endswith("+0000")
    with pytest.raises(UsageError):
        mailing_slots(recipient="a@example.org", message_id="<a>", date=datetime.now(UTC))
    with pytest.raises(UsageError):
        mailing_slots(recipient="a@example.org", message_id="<a@b>", date=datetime.now(UTC), links={"x": "ftp://a"})


def test_a_public_page_gets_no_reader_s_own_link(slots: dict[str, str]) -> None:
    content = freeze(letter(text="a \0q:nothing\0", page="b\n"), IDENTITY)
    assert part(content.fragments, "html", personal=False, slots={}) == "b\n"
    own = part(content.fragments, "html", personal=True, slots=slots | {"unsubscribe": f"{SITE}/?a&b"})
    assert own == f'b\n<a href="{SITE}/?a&amp;b">Unsubscribe</a>\n'
    with pytest.raises(UsageError):
        part(content.fragments, "text", personal=False, slots={})


def test_equal_letters_are_one_content_and_replay_byte_for_byte(slots: dict[str, str]) -> None:
    one, two = (freeze(letter(), IDENTITY) for _ in range(2))
    assert one.key == two.key
    assert isinstance(one, Content)
    assert join(one.fragments, slots) == join(two.fragments, dict(slots))
    assert freeze(letter(subject="Other"), IDENTITY).key != one.key
