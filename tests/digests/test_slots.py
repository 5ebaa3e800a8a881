"""Slots between fragments: the quick ways are the same as the plain ones, and no value breaks a line."""

import html
import string
from email import message_from_bytes, policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digests.mail import quoted
from digests.mail.joining import Joiner, compiled, join, part, whole
from domain.errors import UsageError
from domain.issues import Fragment, Role

BEFORE, AFTER = b"Leave: =\r\n", b"Bye.\r\n"
# Short and plain, as nearly every value is, and now and then what is not.
plain = st.text(string.ascii_letters + string.digits + "-_.~/:?#+,;@%!$*() ", max_size=90)
odd = st.text(max_size=90)
lined = st.text("=\t .\n\r&<>\"'Frmo ü", max_size=90)


def slow(value: str, role: Role) -> bytes:
    """Return what a slot's value is without any short cut."""
    text = html.escape(value) if role is Role.HTML else value
    return quoted.encode(text).removesuffix(b"=\r\n") if text else b""


@given(st.one_of(plain, odd, lined), st.sampled_from([Role.TEXT, Role.HTML]))
@example("From me", Role.TEXT)
@example("From", Role.TEXT)
@example(".", Role.TEXT)
@example("ends in a blank ", Role.TEXT)
@example("a" * 75, Role.HTML)
@example("a" * 76, Role.HTML)
@example("https://digests.example.org/unsubscribe/Zk3?a=b&c=d", Role.HTML)
@example("x" * 70 + "=", Role.TEXT)
@example("", Role.TEXT)
def test_a_value_is_encoded_as_it_would_be_without_the_short_cut(value: str, role: Role) -> None:
    made = join([Fragment(role, BEFORE + b"\0q:name\0=\r\n" + AFTER)], {"name": value})
    assert made == BEFORE + slow(value, role) + b"=\r\n" + AFTER


def lines_of(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(st.one_of(plain, odd, lined), st.sampled_from([Role.TEXT, Role.HTML]))
@example("From me", Role.TEXT)
def test_every_line_is_legal_and_says_what_the_page_says(value: str, role: Role) -> None:
    fragments = [Fragment(role, BEFORE + b"\0q:name\0=\r\n" + AFTER)]
    body = join(fragments, {"name": value})
    lines = body.split(b"\r\n")
    assert all(len(line) <= 76 for line in lines)
    assert body.isascii()
    assert not [line for line in lines if line.startswith((b".", b"From "))]
    mail = message_from_bytes(
        b'MIME-Version: 1.0\r\nContent-Type: text/plain; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + body,
        policy=policy.default,
    )
    kind = "html" if role is Role.HTML else "text"
    said = part(fragments, kind, personal=True, slots={"name": value})
    # What mail cannot carry is U+FFFD or a line end in it, and only there.
    assert lines_of(mail.get_content()) == lines_of(said).replace("\0", "\ufffd")


@given(
    st.lists(st.sampled_from([b"one\r\n", b"\0q:a\0=\r\n", b"\0q:b\0=\r\n", b"", b"\0q:a\0"]), max_size=9), plain, plain
)
def test_a_joiner_that_remembers_gives_the_same_bytes(bodies: list[bytes], one: str, other: str) -> None:
    fragments = tuple([Fragment(Role.TEXT, each) for each in bodies])
    joiner = Joiner()
    for slots in ({"a": one, "b": other}, {"a": other, "b": one}):
        plainly = b"".join(bodies)
        for name, value in slots.items():
            plainly = plainly.replace(b"\0q:%s\0" % name.encode(), slow(value, Role.TEXT))
        assert joiner.join(fragments, slots).data == join(fragments, slots) == plainly


def test_a_joiner_with_little_room_forgets_the_oldest_and_joins_all_the_same() -> None:
    contents = [(Fragment(Role.TEXT, b"%d: \0q:a\0=\r\n" % each + b"x" * 100),) for each in range(5)]
    joiner = Joiner(remembered=250)
    for _ in range(3):
        for number, each in enumerate(contents):
            assert joiner.join(each, {"a": "b"}).data.startswith(b"%d: b=" % number)
        assert len(joiner._known) == 2
        assert joiner._room == 250 - sum(made.size for _, made in joiner._known.values())
    # One that is larger than all the room is still compiled once a turn, not refused.
    large = (Fragment(Role.TEXT, b"\0q:a\0=\r\n" + b"x" * 1000),)
    assert joiner.join(large, {"a": "b"}).data.startswith(b"b=")


@pytest.mark.parametrize(
    "body", [b"a\0b\r\n", b"\0q:name\0\0", b"\0x:name\0", b"\0q:NAME\0", b"\0q:\0", b"\0q:na me\0", b"\0\0", b"\0"]
)
def test_a_nul_that_is_no_slot_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError, match="NUL"):
        compiled([Fragment(Role.TEXT, b"before\r\n"), Fragment(Role.TEXT, body)])
    with pytest.raises(UsageError, match="NUL"):  # nor is one made of two fragments
        compiled([Fragment(Role.TEXT, b"\0q:na"), Fragment(Role.TEXT, b"me\0")])


def test_a_signature_stands_before_all_else_and_none_changes_nothing() -> None:
    assert whole("DKIM-Signature: v=1;\r\n b=x", b"From: a\r\n") == b"DKIM-Signature: v=1;\r\n b=x\r\nFrom: a\r\n"
    assert whole("", b"From: a\r\n") == b"From: a\r\n"
