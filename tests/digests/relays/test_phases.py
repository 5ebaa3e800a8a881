"""What a relay does in each phase, and what of the letter: surely not sent, refused, or uncertain."""

import socket
import threading
from typing import Any

import pytest

from digests.mail.smtp import Timeouts
from domain.errors import (
    DeliveryError,
    NotConnected,
    PermanentDeliveryError,
    TransientDeliveryError,
    UncertainDelivery,
)

DATA = b"Subject: x\r\n\r\none\r\n.\r\n..two\r\n"
STUFFED = b"Subject: x\r\n\r\none\r\n..\r\n...two\r\n"
HASTY = Timeouts(connect=0.3, command=0.3, dot=0.3)


def yes() -> bool:
    return True


# -- what is said before the dot ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "kind", "why"),
    [
        (b"552 5.3.4 too big\r\n", PermanentDeliveryError, "did not wait for the end of the letter: 552"),
        (b"421 4.4.2 too slow\r\n", TransientDeliveryError, "did not wait for the end of the letter: 421"),
        (b"250 2.0.0 queued\r\n", TransientDeliveryError, "did not wait"),
        (b"", TransientDeliveryError, "was lost at the body"),
    ],
)
def test_a_relay_that_gives_up_before_the_dot_has_surely_not_taken_the_letter(
    last: bytes, kind: type[DeliveryError], why: str, playing, good, letter
) -> None:
    said = threading.Event()

    def relay(talk):
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok", b"250 ok", b"354 go")
        for line in STUFFED.split(b"\r\n")[:-1]:
            assert talk.hear() == line
        talk.sock.sendall(last)
        if not last:
            talk.sock.shutdown(socket.SHUT_RDWR)
        said.set()
        assert talk.unread == b""
        assert talk.hear() == b""

    def mark() -> bool:
        return said.wait(5)

    with playing(relay, good) as (stage, mail):
        with pytest.raises(kind, match=why) as caught:
            mail.send(letter(), mark)
        assert type(caught.value) is kind
        assert mail.send(letter(), yes)
    assert stage.connections == 2


@pytest.mark.parametrize("stall", [True, False])
def test_a_relay_that_says_nothing_after_the_dot_leaves_it_open_and_gets_no_copy(
    stall: bool, playing, good, letter
) -> None:
    taken: list[bytes] = []

    def relay(talk):
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok", b"250 ok", b"354 go")
        taken.append(talk.letter())
        if stall:
            talk.hear()

    with playing(relay, good, timeouts=HASTY) as (stage, mail):
        with pytest.raises(UncertainDelivery):
            mail.send(letter(), yes)
        assert (taken, stage.connections) == ([STUFFED], 1)
        assert mail.send(letter(), yes)
    assert (len(taken), stage.connections) == (1, 2)


def test_leave_and_then_a_no_is_a_no(playing, good, letter) -> None:
    def relay(talk):
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok", b"250 ok", b"354 go")
        talk.letter()
        talk.say(b"554 5.7.1 not this one")
        talk.serve()

    with playing(relay) as (stage, mail):
        with pytest.raises(PermanentDeliveryError, match=r"554 5\.7\.1 not this one"):
            mail.send(letter(), yes)
        assert mail.send(letter(), yes)
    assert stage.connections == 1


def test_a_relay_that_does_not_read_the_body_is_left_in_time(playing, good, letter) -> None:
    gone = threading.Event()

    def relay(talk):
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok", b"250 ok", b"354 go")
        gone.wait(5)

    huge = b"Subject: x\r\n\r\n" + b"x" * 32_000_000 + b"\r\n"
    with playing(relay, timeouts=HASTY) as (_, mail):
        with pytest.raises(TransientDeliveryError, match="lost at the body: no answer in time"):
            mail.send(letter(data=huge), yes)
        gone.set()


# -- every phase -------------------------------------------------------------------------------------------------------


def staged(phase: int, act: Any) -> Any:
    """Return a relay that is good up to a phase (0 greeting, 1 EHLO, 2 MAIL, 3 RCPT, 4 DATA, 5 dot) and then acts."""

    def relay(talk):
        if phase > 0:
            talk.say(b"220 mail.test")
            talk.hear()
        if phase > 1:
            talk.say(b"250-mail.test", b"250 PIPELINING")
            talk.group()
            talk.say(*(b"250 ok", b"250 ok", b"354 go")[: phase - 2])
        if phase > 4:
            talk.letter()
        act(talk)

    return relay


def left(phase: int) -> type[DeliveryError]:
    return NotConnected if phase < 2 else TransientDeliveryError


@pytest.mark.parametrize("phase", range(6))
def test_421_in_any_phase_is_a_no_for_now_and_the_end_of_the_connection(phase: int, playing, good, letter) -> None:
    relay = staged(phase, lambda talk: talk.say(b"421-4.3.2 closing", b"421 4.3.2 down"))
    with playing(relay, good) as (stage, mail):
        with pytest.raises(left(phase), match=r"421 4\.3\.2 closing 4\.3\.2 down") as caught:
            mail.send(letter(), yes)
        assert (type(caught.value), caught.value.code, caught.value.enhanced) == (left(phase), 421, "4.3.2")
        assert mail.send(letter(), yes)
    assert stage.connections == 2


@pytest.mark.parametrize("half", [b"", b"2", b"250-and"])
@pytest.mark.parametrize("phase", range(6))
def test_a_relay_that_closes_early_in_any_phase_takes_nothing_unless_it_has_the_dot(
    phase: int, half: bytes, playing, good, letter
) -> None:
    relay = staged(phase, lambda talk: talk.sock.sendall(half))
    with playing(relay, good) as (stage, mail):
        with pytest.raises(DeliveryError) as caught:
            mail.send(letter(), yes)
        assert type(caught.value) is (UncertainDelivery if phase == 5 else left(phase))
        assert mail.send(letter(), yes)
    assert stage.connections == 2


@pytest.mark.parametrize("phase", range(6))
def test_an_answer_may_come_in_many_lines_and_octet_by_octet(phase: int, playing, good, letter) -> None:
    code = (b"220", b"250", b"250", b"250", b"354", b"250")[phase]

    def trickle(talk):
        last = b" PIPELINING" if phase == 1 else b" end"
        for octet in code + b"-one\r\n" + code + b"-\r\n" + code + last + b"\r\n":
            talk.sock.sendall(bytes([octet]))
        if phase == 0:
            talk.hear()
            talk.say(b"250-mail.test", b"250 PIPELINING")
        if phase < 2:
            talk.group()
        talk.say(*(b"250 ok", b"250 ok", b"354 go")[max(phase - 1, 0) :])
        if phase < 5:
            talk.letter()
            talk.say(b"250 ok")
        talk.serve()

    with playing(staged(phase, trickle)) as (stage, mail):
        assert mail.send(letter(), yes)
        assert mail.send(letter(), yes)
    assert stage.connections == 1


@pytest.mark.parametrize("phase", range(6))
def test_what_a_relay_says_is_shown_as_one_printable_line(phase: int, playing, good, letter) -> None:
    words = b"550 5.7.1 \x1b[31mred\x07 \x00\xff \xe2\x80\xae" + "é".encode() + b"x" * 5_000
    with playing(staged(phase, lambda talk: talk.say(words))) as (_, mail):
        with pytest.raises(DeliveryError) as caught:
            mail.send(letter(), yes)
        assert str(caught.value).isprintable()
        assert "5.7.1 [31mred � éxxx" in str(caught.value)
        assert len(str(caught.value)) < 700


def test_a_kept_relay_that_goes_after_it_took_the_sender_is_not_asked_again_in_the_call(playing, good, letter) -> None:
    def relay(talk) -> None:
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok", b"250 ok", b"354 go")
        talk.letter()
        talk.say(b"250 ok")
        talk.group()
        talk.say(b"250 ok")

    with playing(relay, good) as (stage, mail):
        assert mail.send(letter(), yes)
        with pytest.raises(TransientDeliveryError, match="lost at RCPT"):
            mail.send(letter(), yes)
        assert stage.connections == 1


def test_the_answer_to_the_dot_is_waited_for_longer_than_any_other(playing, letter) -> None:
    def relay(talk) -> None:
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok", b"250 ok", b"354 go")
        talk.letter()
        threading.Event().wait(0.7)  # more than a command may take, less than the dot may
        talk.say(b"250 2.0.0 queued at last")

    with playing(relay, timeouts=Timeouts(connect=5, command=0.3, dot=10)) as (_, mail):
        answer = mail.send(letter(), yes)
    assert answer.reply == "250 2.0.0 queued at last"


# -- how long a connection lives ---------------------------------------------------------------------------------------


def test_a_connection_is_renewed_after_a_hundred_letters(playing, good, letter) -> None:
    last: list[bytes] = []

    def relay(talk):
        talk.greet(b"PIPELINING")
        while line := talk.hear():
            last.append(line)
            if line == b"DATA":
                talk.say(b"354 go")
                talk.letter()
            talk.say(b"250 ok")

    with playing(relay, good) as (stage, mail):
        for _ in range(100):
            assert mail.send(letter(), yes)
        assert (stage.connections, last[-1]) == (1, b"DATA")
        assert mail.send(letter(), yes)
        assert (stage.connections, last[-1]) == (2, b"QUIT")
