"""Replies, octet by octet: read whole, bounded, and never more of them than there are."""

import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.mail.wire import Reply, Wire, WireError, printable


@pytest.fixture
def ends() -> Iterator[tuple[Wire, socket.socket]]:
    ours, theirs = socket.socketpair()
    wire = Wire(ours, 0.2)
    with theirs:
        yield wire, theirs
        wire.close()


code = st.integers(200, 599)
words = st.binary(max_size=30).map(lambda text: text.replace(b"\r", b"").replace(b"\n", b""))


def written(code: int, lines: list[bytes]) -> bytes:
    last = len(lines) - 1
    return b"".join(b"%d%s%s\r\n" % (code, b" " if number == last else b"-", line) for number, line in enumerate(lines))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(code, st.lists(words, min_size=1, max_size=4)), min_size=1, max_size=5), st.integers(1, 40))
def test_replies_are_heard_one_by_one_however_they_are_cut(replies: list[tuple[int, list[bytes]]], cut: int) -> None:
    ours, theirs = socket.socketpair()
    wire = Wire(ours, 5)
    data = b"".join(written(code, lines) for code, lines in replies)

    def say() -> None:
        for start in range(0, len(data), cut):
            theirs.sendall(data[start : start + cut])

    with theirs:
        talker = threading.Thread(target=say)
        talker.start()
        heard = [wire.hear() for _ in replies]
        talker.join()
        assert not wire.has_spoken()
        wire.close()
    assert heard == [Reply(code, tuple(line.strip() for line in lines)) for code, lines in replies]
    assert all(reply.text.isprintable() and len(reply.text) <= 500 for reply in heard)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_any_octets_are_a_reply_or_an_error_of_the_wire(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    wire = Wire(ours, 5)
    with theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        said = ""
        try:
            said = str(wire.hear())
        except WireError as error:
            said = str(error)
        assert said.isprintable()
        wire.close()


def test_silence_ends_when_the_patience_does(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    theirs.sendall(b"250-half")
    with pytest.raises(TimeoutError):
        wire.hear()
    with pytest.raises(TimeoutError):
        wire.hear(0.05)


def test_more_patience_than_usual_is_had_for_one_reply(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    late = threading.Timer(0.5, theirs.sendall, [b"250 at last\r\n"])
    late.start()
    assert wire.hear(10).text == "at last"  # the usual patience would have ended after 0.2 s
    late.join()
    with pytest.raises(TimeoutError):
        wire.hear()


def test_an_endless_reply_is_cut_off(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends

    def talk() -> None:
        try:
            while True:
                theirs.sendall(b"250-and so on\r\n" * 1_000)
        except OSError:
            pass

    talker = threading.Thread(target=talk)
    talker.start()
    with pytest.raises(WireError, match="longer than 65,536 bytes"):
        wire.hear(10)
    wire.close()
    talker.join()


def test_what_was_not_asked_for_is_seen_without_waiting(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    assert not wire.has_spoken()
    theirs.sendall(b"421 ")
    assert wire.has_spoken()
    theirs.sendall(b"bye\r\n")
    assert str(wire.hear()) == "421 bye"
    assert not wire.has_spoken()
    theirs.shutdown(socket.SHUT_RDWR)
    with pytest.raises(WireError, match="closed the connection"):
        wire.has_spoken()


def test_nothing_is_said_after_an_answer_that_nobody_asked_for(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    theirs.sendall(b"250 one\r\n250 two\r\n")
    wire.hear()
    with pytest.raises(WireError, match="out of turn"):
        wire.pour(b"DATA\r\n")


def test_a_closed_wire_says_so(ends: tuple[Wire, socket.socket]) -> None:
    wire, _ = ends
    wire.close()
    wire.close()
    assert not wire.is_open
    for act in (wire.hear, wire.has_spoken, lambda: wire.pour(b"x")):
        with pytest.raises(WireError, match="is closed"):
            act()


@given(st.binary(max_size=3_000))
def test_whatever_is_said_can_be_shown(text: bytes) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= 500
