"""What is known of a joined message's octets without looking at them again."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digests.mail.envelope import is_plain
from digests.mail.joining import Joiner
from digests.mail.message import Identity, Letter, freeze
from digests.mail.quoted import encode
from domain.errors import UsageError
from domain.issues import Fragment, LetterKind, Role

SLOTS = ("to", "message-id", "date", "unsubscribe", "preferences", "feedback", "issue", "confirm", "letter")

heads = st.lists(st.sampled_from([b"\0h:to\0", b"\r\n", b"\r", b"\n", b".", b"x: ", b"<"]), max_size=8).map(b"".join)
bodies = st.lists(
    st.sampled_from([b"\0q:issue\0", b"\0q:issue\0=\r\n", b"\r\n", b"\r", b"\n", b".", b"..", b"words"]), max_size=8
).map(b"".join)
values = st.text(st.sampled_from(["\r", "\n", ".", "x", " ", "é", "F", "\0"]), max_size=6)


@given(heads, bodies, values.map(lambda value: value.translate(dict.fromkeys(map(ord, "\r\n\0")))), values)
@example(b"\0h:to\0\r\n", b"", ".", "")
@example(b"\0h:to\0", b"", "x", "")
@example(b"\0h:to\0.\r\n", b"", "", "")
@example(b"", b"\0q:issue\0.\r\n", "", "words\n")
def test_what_is_called_plain_is_plain_whatever_a_content_holds_and_a_value_says(
    head: bytes, body: bytes, recipient: str, issue: str
) -> None:
    fragments = (Fragment(Role.HEAD, head), Fragment(Role.TEXT_PERSONAL, body))
    try:
        joined = Joiner().join(fragments, {"to": recipient, "issue": issue})
    except UsageError:
        return
    assert is_plain(joined.data) or not joined.is_plain


@pytest.mark.parametrize("issue", ["https://papers.example/issue/1", "…a value of more than plain letters\n", ""])
def test_a_letter_of_ours_is_known_to_be_plain(issue: str) -> None:
    text = Fragment(Role.TEXT_PERSONAL, encode("Dear reader,\n.a dot\nRead it here: \0q:issue\0\n"))
    letter = Letter(LetterKind.DIGEST, "Tides", (text, Fragment(Role.HTML, encode("<p>.</p>\n"))))
    content = freeze(letter, Identity("Paperround <digests@example.org>", secret="of this archive"))
    slots = dict.fromkeys(SLOTS, "https://papers.example/") | {"issue": issue}
    joined = Joiner().join(content.fragments, slots)
    assert joined.is_plain
    assert is_plain(joined.data)
