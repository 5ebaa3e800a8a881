"""The envelope in one group (RFC 2920): every answer is heard, in its place, and none is counted for another letter."""

import threading
from contextlib import suppress

import pytest

from digests.mail.smtp import Timeouts
from domain.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError

DATA = b"Subject: x\r\n\r\none\r\n.\r\n..two\r\n"
STUFFED = b"Subject: x\r\n\r\none\r\n..\r\n...two\r\n"
HASTY = Timeouts(connect=0.3, command=0.3, dot=0.3)
GROUP = [b"MAIL FROM:<digests@example.org>", b"RCPT TO:<ann@lab.example>", b"DATA"]


def yes() -> bool:
    return True


# -- one group ---------------------------------------------------------------------------------------------------------


def test_the_envelope_comes_in_one_group_and_the_body_only_after_leave(playing, good, letter) -> None:
    def relay(talk):
        talk.greet(b"PIPELINING", b"SIZE 1000")
        for _ in range(2):
            # Nothing has been answered yet: a client that waits for an answer would stand still here.
            size = f" SIZE={len(DATA)}".encode()
            assert talk.group() == [GROUP[0] + size, *GROUP[1:]]
            assert talk.unread == b""
            talk.say(b"250 ok", b"250 ok", b"354 go")
            assert talk.letter() == STUFFED
            talk.say(b"250 2.0.0 queued")
        assert talk.hear() == b"QUIT"

    with playing(relay) as (stage, mail):
        assert mail.send(letter(), yes)
        assert mail.send(letter(), yes)
    assert stage.connections == 1


def test_where_it_is_not_offered_each_command_waits_for_its_answer(playing, good, letter) -> None:
    def relay(talk):
        talk.greet(b"8BITMIME")
        for command, answer in zip(GROUP, (b"250 ok", b"250 ok", b"354 go"), strict=True):
            assert talk.hear() == command
            assert talk.unread == b""
            talk.say(answer)
        talk.letter()
        talk.say(b"250 ok")
        talk.serve()

    with playing(relay) as (_, mail):
        assert mail.send(letter(), yes)


@pytest.mark.parametrize(
    ("answers", "kind", "code", "next_line"),
    [
        # RFC 2920 section 3.1: a relay that waits for a letter to nobody gets the dot, and nothing else.
        ((b"550 5.7.1 not you", b"503 first MAIL", b"354 go"), PermanentDeliveryError, 550, b"."),
        ((b"451 4.3.0 later", b"503 first MAIL", b"354 go"), TransientDeliveryError, 451, b"."),
        ((b"250 ok", b"550 5.1.1 nobody", b"354 go"), PermanentDeliveryError, 550, b"."),
        ((b"250 ok", b"450 4.2.1 full", b"503 no recipient"), TransientDeliveryError, 450, b"RSET"),
        ((b"250-ok", b"250 so far", b"550-5.1.1 a no", b"550 of two lines", b"554-no", b"554 no"),
         PermanentDeliveryError, 550, b"RSET"),
        ((b"250 ok", b"250 ok", b"451 4.3.0 later"), TransientDeliveryError, 451, b"RSET"),
        ((b"550 5.7.1 not you", b"503 first MAIL", b"503 first MAIL"), PermanentDeliveryError, 550, GROUP[0]),
        # It would send an empty letter to the recipient that it took: it gets no dot at all.
        ((b"550 5.7.1 not you", b"250 ok", b"354 go"), PermanentDeliveryError, 550, b""),
        ((b"550 5.7.1 not you", b"250 ok", b"503 no"), PermanentDeliveryError, 550, b"RSET"),
    ],
)  # fmt: skip
def test_a_refused_group_leaves_nothing_behind_at_the_relay(
    answers: tuple[bytes, ...], kind: type[DeliveryError], code: int, next_line: bytes, playing, good, letter
) -> None:
    def relay(talk):
        talk.greet(b"PIPELINING")
        assert talk.group() == GROUP
        talk.say(*answers)
        assert talk.hear() == next_line
        if next_line == GROUP[0]:
            talk.say(b"250 ok")
        elif next_line:
            talk.say(b"554 5.5.1 no valid recipients" if next_line == b"." else b"250 ok")
        talk.serve()

    with playing(relay, good) as (stage, mail):
        with pytest.raises(kind) as caught:
            mail.send(letter(), yes)
        assert type(caught.value) is kind
        assert caught.value.code == code
        assert mail.send(letter(), yes)
    assert stage.connections == (2 if next_line == b"" else 1)


# -- the wrong order ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answers",
    [
        [b"354 go", b"250 ok", b"250 ok"],
        [b"250 ok", b"354 go", b"250 ok"],
        [b"250 ok", b"250 ok", b"250 ok"],
        [b"250 ok", b"250 ok", b"354 go", b"250 queued already"],
        [b"250 ok", b"250 ok", b"what"],
        [b"220 mail.test", b"250 ok", b"354 go", b"354 go"],
    ],
)
def test_answers_in_the_wrong_order_end_the_conversation_before_the_letter_is_whole(
    answers: list[bytes], playing, good, letter
) -> None:
    def relay(talk):
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(*answers)
        rest = b""
        with suppress(ConnectionResetError):
            while more := talk.sock.recv(4096):
                rest += more
        assert b"\r\n.\r\n" not in rest

    with playing(relay, good) as (stage, mail):
        with pytest.raises(TransientDeliveryError):
            mail.send(letter(data=b"Subject: x\r\n\r\nx\r\n"), yes)
        assert mail.send(letter(), yes)
    assert stage.connections == 2


def test_answers_that_come_before_the_questions_are_not_heard(playing, good, letter) -> None:
    def relay(talk):
        talk.say(b"220 mail.test")
        talk.hear()
        talk.say(b"250-mail.test", b"250 PIPELINING", b"250 ok", b"250 ok", b"354 go")
        assert talk.hear() == b""

    with playing(relay) as (_, mail), pytest.raises(TransientDeliveryError, match="out of turn"):
        mail.send(letter(), yes)


def test_answers_to_a_group_that_was_given_up_are_not_counted_for_the_next_letter(playing, good, letter) -> None:
    late = threading.Event()

    def relay(talk):
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok")
        late.wait(5)
        talk.say(b"250 ok", b"354 go", b"250 2.0.0 late")

    def strict(talk):
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok", b"550 5.1.1 nobody", b"503 no")
        talk.serve()

    with playing(relay, strict, timeouts=HASTY) as (stage, mail):
        with pytest.raises(TransientDeliveryError, match="lost at RCPT: no answer in time"):
            mail.send(letter(), yes)
        late.set()
        with pytest.raises(PermanentDeliveryError, match="nobody"):
            mail.send(letter(), yes)
    assert stage.connections == 2


def test_a_refusal_whose_group_is_not_answered_to_the_end_is_the_news_and_the_connection_goes(
    playing, good, letter
) -> None:
    late = threading.Event()

    def relay(talk) -> None:
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"550 5.7.1 not you")
        late.wait(5)
        talk.say(b"250 ok", b"354 go")
        assert talk.hear() == b""

    with playing(relay, good, timeouts=HASTY) as (stage, mail):
        with pytest.raises(PermanentDeliveryError, match="not you"):
            mail.send(letter(), yes)
        late.set()
        assert mail.send(letter(), yes)
    assert stage.connections == 2
