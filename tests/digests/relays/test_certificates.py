"""Over TLS: certificates that change between two connections, offers made in clear text, and time limits."""

import threading

import pytest

from digests.mail.smtp import Timeouts
from domain.errors import NotConnected, PermanentDeliveryError, TransientDeliveryError, UncertainDelivery


def yes() -> bool:
    return True


def test_an_offer_made_before_tls_is_forgotten(identity, playing, letter) -> None:
    def relay(talk):
        talk.greet(b"STARTTLS", b"PIPELINING", b"SIZE 1")
        assert talk.hear() == b"STARTTLS"
        talk.say(b"220 go")
        talk.encrypt(identity.served("127.0.0.1"))
        assert talk.hear().startswith(b"EHLO ")
        talk.say(b"250-mail.test", b"250 8BITMIME")
        assert talk.hear() == b"MAIL FROM:<digests@example.org>"
        assert talk.unread == b""
        talk.say(b"250 ok")
        talk.serve()

    with playing(relay, mode="starttls", context=identity.trusted) as (_, mail):
        assert mail.send(letter(), yes)


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (lambda made: made.served("127.0.0.1", own=True), "self-signed certificate"),
        (lambda made: made.served("127.0.0.1", days=-1), "certificate has expired"),
        (lambda made: made.served("evil.example"), "certificate is not valid for '127.0.0.1'"),
    ],
)
def test_a_relay_whose_certificate_changes_for_the_worse_gets_no_more_letters(
    second, why: str, identity, playing, good, letter
) -> None:
    def short(talk):
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok", b"250 ok", b"354 go")
        talk.letter()
        talk.say(b"250 ok")
        talk.group()
        talk.say(b"421 4.3.2 enough")

    served = [identity.served("127.0.0.1"), second(identity)]
    with playing(short, good, tls=served, mode="implicit", context=identity.trusted) as (stage, mail):
        assert mail.send(letter(), yes)
        with pytest.raises(NotConnected, match=why) as caught:
            mail.send(letter(), yes)
        assert "its certificate is not trusted" in str(caught.value)
        assert str(caught.value).isprintable()
    assert stage.connections == 2


def test_a_new_certificate_of_the_same_authority_is_no_trouble(identity, playing, good, letter) -> None:
    served = [identity.served("127.0.0.1"), identity.served("127.0.0.1")]

    def short(talk):
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"421 4.3.2 enough")

    with playing(short, good, tls=served, mode="implicit", context=identity.trusted) as (stage, mail):
        with pytest.raises(TransientDeliveryError):
            mail.send(letter(), yes)
        assert mail.send(letter(), yes)
    assert stage.connections == 2


def test_over_tls_a_relay_is_heard_and_left_in_time_too(identity, playing, good, letter) -> None:
    def relay(talk):
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok", b"250 ok", b"354 go")
        talk.letter()
        talk.hear()

    served = [identity.served("127.0.0.1")]
    hasty = Timeouts(connect=5, command=5, dot=0.3)
    with (
        playing(relay, tls=served, mode="implicit", context=identity.trusted, timeouts=hasty) as (_, mail),
        pytest.raises(UncertainDelivery, match="no answer in time"),
    ):
        mail.send(letter(data=b"Subject: x\r\n\r\n" + b"a line of some length\r\n" * 10_000), yes)


def test_over_tls_the_dot_is_waited_for_longer_too_and_large_letters_arrive_whole(identity, playing, letter) -> None:
    huge = b"Subject: x\r\n\r\n" + b"a line of some length\r\n" * 20_000
    taken = []

    def relay(talk) -> None:
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok", b"250 ok", b"354 go")
        taken.append(talk.letter())
        threading.Event().wait(1.4)  # more than a command may take, less than the dot may
        talk.say(b"250 2.0.0 queued at last")

    served = [identity.served("127.0.0.1")]
    slow = Timeouts(connect=5, command=1, dot=10)
    with playing(relay, tls=served, mode="implicit", context=identity.trusted, timeouts=slow) as (_, mail):
        assert mail.send(letter(data=huge), yes).reply == "250 2.0.0 queued at last"
    assert taken == [huge]


def test_over_tls_too_a_relay_that_gives_up_before_the_dot_has_not_taken_the_letter(identity, playing, letter) -> None:
    said = threading.Event()

    def relay(talk) -> None:
        talk.greet(b"PIPELINING")
        talk.group()
        talk.say(b"250 ok", b"250 ok", b"354 go")
        assert talk.hear() == b"Subject: x"
        talk.say(b"552 5.3.4 no, it is too big")
        said.set()
        talk.letter()

    served = [identity.served("127.0.0.1")]
    with (
        playing(relay, tls=served, mode="implicit", context=identity.trusted) as (_, mail),
        pytest.raises(PermanentDeliveryError, match="did not wait for the end of the letter: 552"),
    ):
        mail.send(letter(), lambda: said.wait(5))
