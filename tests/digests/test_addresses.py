"""What is an address, and which two are one mailbox."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.addresses import Address, address, address_key, sender
from domain.errors import AddressError


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ann@lab.example", Address("ann@lab.example", "ann@lab.example", needs_smtputf8=False)),
        (
            "  Ann.Lee+papers@Lab.Example\t",
            Address("Ann.Lee+papers@Lab.Example", "Ann.Lee+papers@lab.example", needs_smtputf8=False),
        ),
        ("ann@bücher.example", Address("ann@bücher.example", "ann@xn--bcher-kva.example", needs_smtputf8=False)),
        ("björn@bücher.example", Address("björn@bücher.example", None, needs_smtputf8=True)),
        ("ann@localhost", Address("ann@localhost", "ann@localhost", needs_smtputf8=False)),
        ("ann@mail.test", Address("ann@mail.test", "ann@mail.test", needs_smtputf8=False)),
        ("o'neil@lab.local", Address("o'neil@lab.local", "o'neil@lab.local", needs_smtputf8=False)),
    ],
)
def test_mail_goes_to_what_was_typed(typed: str, expected: Address) -> None:
    assert address(typed) == expected


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "not an address"),
        ("ann", "@"),
        ("ann@", "after the @"),
        ("@lab.example", "before the @"),
        ("ann@gmail", "no dot"),
        ("ann lee@lab.example", "not an address"),
        ("ann@lab@example.org", "not an address"),
        ("ann..lee@lab.example", "not an address"),
        ("ann@-lab.example", "not an address"),
        ("ann@[127.0.0.1]", "not an address"),
        ('"ann lee"@lab.example', "not an address"),
        ("Ann <ann@lab.example>", "not an address"),
        ("ann@lab.example, bob@lab.example", "not an address"),
        ("ann@lab.example\r\nRCPT TO:<eve@lab.example>", r"U\+000D"),
        ("ann\n@lab.example", r"U\+000A"),
        ("ann@lab.example\n", r"U\+000A"),
        ("ann\0@lab.example", r"U\+0000"),
        ("ann\u202e@lab.example", "not an address"),
        ("ann\ud800@lab.example", r"U\+D800"),
        ("a" * 65 + "@lab.example", "too long"),
        ("ü" * 60 + "@lab.example", "too long"),
        ("a" * 300 + "@" + "b" * 300 + ".example", "longer than 320"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_one_clear_sentence(typed: str, why: str) -> None:
    with pytest.raises(AddressError, match=why) as caught:
        address(typed)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 250
    with pytest.raises(AddressError):
        address_key(typed)


@pytest.mark.parametrize(
    "spelling",
    [
        "ann.lee@bücher.example",
        "Ann.Lee@BÜCHER.example",
        " ann.lee@xn--bcher-kva.example",
        "ANN.LEE@XN--BCHER-KVA.EXAMPLE",
    ],
)
def test_all_spellings_of_a_mailbox_have_one_key(spelling: str) -> None:
    assert address_key(spelling) == "ann.lee@xn--bcher-kva.example"


def test_composed_and_decomposed_letters_have_one_key() -> None:
    assert address_key("bjo\u0308rn@lab.example") == address_key("BJ\u00d6RN@lab.example") == "bj\u00f6rn@lab.example"


def test_dots_and_plus_signs_are_the_mailboxs_own_affair() -> None:
    assert address_key("a.b@lab.example") != address_key("ab@lab.example") != address_key("ab+x@lab.example")


@given(st.emails())
def test_a_key_is_its_own_key_and_pure_on_the_right(typed: str) -> None:
    try:
        key = address_key(typed)
    except AddressError:
        return
    assert address_key(key) == key
    assert key.rpartition("@")[2].isascii()


@given(st.text(st.characters(), max_size=400))
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    try:
        found = address(text)
    except AddressError as error:
        assert str(error).isprintable()  # noqa: PT017 either way is right
    else:
        wire = found.display if found.ascii is None else found.ascii
        assert wire.isprintable()
        assert not set(wire) & set(" <>\r\n\0")


@given(st.text('ab@.\r\n\0<> "\\', max_size=30))
def test_nothing_that_breaks_an_smtp_command_passes(text: str) -> None:
    try:
        found = address(text)
    except AddressError:
        return
    assert not set(found.display) & set('\r\n\0<> "\\')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Paperround <digests@example.org>", ("Paperround", "digests@example.org")),
        ('"Papers, every day" <digests@example.org>', ("Papers, every day", "digests@example.org")),
        ("Bücherei <digests@bücher.example>", ("Bücherei", "digests@xn--bcher-kva.example")),
        ("digests@example.org", ("", "digests@example.org")),
        ("<digests@example.org>", ("", "digests@example.org")),
        ("papers@localhost", ("", "papers@localhost")),
    ],
)
def test_a_sender_is_a_name_and_an_address(text: str, expected: tuple[str, str]) -> None:
    assert sender(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "Paperround", "Paperround <>", "Paperround <digests@example.org", "Paperround digests@example.org>",
        "Paperround <digests>", "Paperround <digests@example.org>\r\nBcc: eve@example.org", "Büro <büro@example.org>",
        "Paper\0round <digests@example.org>", "a@example.org, b@example.org", "A <a@b.example> <digests@example.org>",
    ],
)  # fmt: skip
def test_a_sender_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        sender(text)
