"""What goes on the wire of a message: addresses that can stand in a command, and octets that end where they should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.addresses import address
from digests.mail.envelope import Envelope, check, is_plain, stuffed
from digests.mail.offers import Offers
from digests.mail.wire import Reply
from domain.deliveries import Message
from domain.errors import AddressError, PermanentDeliveryError
from domain.issues import LetterKind

local = st.text("abcXYZ019.+_'-\"@ <>\r\nü\0", max_size=66)
host = st.text("abcXYZ019.-ü_[] \r\n", max_size=12)


def envelope(recipient: str) -> Envelope:
    message = Message("issue:1f", LetterKind.DIGEST, "digests@example.org", recipient, "<1f@example.org>", b"")
    return Envelope.of(message)


@pytest.mark.parametrize(
    ("typed", "wire", "needs_smtputf8"),
    [
        ("ann@lab.example", "ann@lab.example", False),
        ("Ann.O'Hara+papers@Lab.Example", "Ann.O'Hara+papers@lab.example", False),
        ("ann@bücher.example", "ann@xn--bcher-kva.example", False),
        ("björn@bücher.example", "björn@bücher.example", True),
        ("ann@localhost", "ann@localhost", False),
        ("a" * 64 + "@" + "b" * 60 + ".example", "a" * 64 + "@" + "b" * 60 + ".example", False),
    ],
)
def test_an_address_goes_out_in_the_form_that_a_command_can_carry(typed: str, wire: str, needs_smtputf8: bool) -> None:
    made = envelope(typed)
    assert (made.recipient, made.needs_smtputf8) == (wire, needs_smtputf8)


@pytest.mark.parametrize(
    "bad",
    [
        '"ann b"@lab.example', '"ann\\"b"@lab.example', "ann@lab.example\r\nDATA", "ann@lab.example>\r\n",
        "ann b@lab.example",
        "ann@lab.example SIZE=1", "a" * 65 + "@lab.example", "a@" + ("b" * 60 + ".") * 5 + "example", "a" * 320,
        "ann..b@lab.example", ".ann@lab.example", "ann@-lab.example", "ann@lab..example", "ann@[127.0.0.1]", "@",
        "ann@lab",
    ],
)  # fmt: skip
def test_what_no_command_can_carry_is_refused_before_anything_is_said(bad: str) -> None:
    with pytest.raises(PermanentDeliveryError) as caught:
        envelope(bad)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


@given(local, host)
def test_no_text_breaks_out_of_its_command(local: str, host: str) -> None:
    try:
        made = envelope(f"{local}@{host}")
    except PermanentDeliveryError:
        return
    assert not set(made.recipient) & set('\r\n\0 <>"')
    assert len(made.recipient.encode()) <= 320


@given(local, host)
def test_what_both_take_is_the_same_as_when_the_reader_came(local: str, host: str) -> None:
    typed = f"{local}@{host}"
    try:
        wire, known = envelope(typed), address(typed)
    except (PermanentDeliveryError, AddressError):
        return
    assert wire.recipient == (known.ascii or known.display)


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"x", b"\0", b"\xff"]), max_size=12).map(b"".join))
def test_only_crlf_ends_a_line(data: bytes) -> None:
    rest = data.replace(b"\r\n", b"")
    if b"\r" in rest or b"\n" in rest or b"\0" in rest:
        with pytest.raises(PermanentDeliveryError, match="bare CR or LF"):
            check(data)
        assert not is_plain(data)
    else:
        check(data)
        sent = stuffed(data)
        # What RFC 5321 section 4.5.2 has the relay do brings the letter back, and no line is the dot alone.
        lines = sent.split(b"\r\n")
        assert b"." not in lines
        assert is_plain(data) == (sent == data)
        assert b"\r\n".join(line.removeprefix(b".") for line in lines) in {data, data + b"\r\n"}


# -- what a relay offers -----------------------------------------------------------------------------------------------


def test_keywords_are_read_whatever_their_case_and_an_old_form_of_auth_counts() -> None:
    lines = (b"mail.test PIPELINING", b"Size 1000", b"8bitmime", b"AUTH plain", b"AUTH=LOGIN", b"STARTTLS", b"", b"?")
    offers = Offers.of(Reply(250, lines))
    assert offers.largest == 1000
    assert offers.log_ins == {"PLAIN", "LOGIN"}
    assert offers.has("8BITMIME")
    assert offers.has("STARTTLS")
    # The first line is the relay's name and greeting, and no keyword stands in it.
    assert not offers.has("PIPELINING")


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=20))
def test_any_answer_to_ehlo_is_read(lines: list[bytes]) -> None:
    offers = Offers.of(Reply(250, tuple(lines)))
    assert offers.largest is None or offers.largest > 0
    assert all(name.isupper() or name.isdigit() or "-" in name for name in offers.keywords)
