"""A relay that takes a letter and is not heard of any more: sent once more with the very same bytes, or held."""

import hashlib
from datetime import timedelta

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digests.mail.dkim import read_key
from digests.mail.smtp import Relay, Timeouts
from digests.transports.smtp import SmtpTransport

LATER = timedelta(minutes=10)


def only_ann(what):
    return lambda recipient: what if recipient.startswith("ann") else b"250 2.0.0 queued"


def hang_up(talk):
    talk.hang_up()


def stall(talk):
    talk.stall()


def key(file):
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return {"dkim_domain": "lab.example", "dkim_selector": file.stem, "dkim_key_file": str(file)}


@pytest.fixture
def uncertain(town, relay):
    """Give what sends two letters, of which the answer to the first is lost."""

    def send(what=hang_up, **mail):
        town.mail |= mail
        if what is stall:
            quick = Timeouts(connect=5, command=5, dot=0.3)
            town.transport = SmtpTransport(Relay("127.0.0.1", relay.port, "none"), quick)
        town.readers("ann@lab.example", "ben@lab.example")
        town.publish()
        relay.after_dot = only_ann(what)
        counts = town.deliver()
        assert (counts.accepted, counts.uncertain) == (1, 1)
        assert len(relay.letters_of("ann")) == 1  # not twice in one pass
        assert town.deliver().uncertain == 0
        assert town.records()["ann"].state == "uncertain"
        relay.after_dot = only_ann(b"250 2.0.0 queued")

    return send


@pytest.mark.parametrize("what", [hang_up, stall])
def test_it_is_sent_once_more_later_as_the_same_message(town, relay, uncertain, what):
    uncertain(what)
    town.later(LATER)
    assert town.deliver().accepted == 1
    first, second = relay.letters_of("ann")
    assert first.data == second.data
    assert first.sender == second.sender
    assert first.parsed["Message-ID"] == second.parsed["Message-ID"] != relay.letters_of("ben")[0].parsed["Message-ID"]
    assert first.parsed["Date"] == second.parsed["Date"]
    assert len(relay.letters_of("ben")) == 1
    assert hashlib.sha256(first.data).hexdigest() == town.records()["ann"].sha256


@pytest.mark.engines("sqlite")
def test_nobody_gets_a_third_copy_however_often_the_answer_is_lost(town, relay, uncertain):
    uncertain()
    relay.after_dot = only_ann(hang_up)
    town.later(LATER)
    assert town.deliver().uncertain == 1
    for _ in range(4):
        town.later(timedelta(hours=2))
        assert town.deliver().uncertain == 0
    assert len(relay.letters_of("ann")) == 2
    assert town.records()["ann"].state == "uncertain"
    town.later(timedelta(days=10))
    town.deliver()
    assert town.records()["ann"].state == "uncertain"  # it may have arrived: it is not "too old"


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("rotated", ["not", "key", "off", "sender"])
def test_a_signed_letter_keeps_its_signature_whatever_key_there_is_by_then(town, relay, uncertain, tmp_path, rotated):
    uncertain(**key(tmp_path / "old.pem"))
    if rotated == "key":
        town.again(**key(tmp_path / "new.pem"))
    elif rotated == "off":
        town.again(dkim_domain="", dkim_selector="", dkim_key_file="")
    elif rotated == "sender":
        town.again(**{"from": "Another <q@lab.example>", "postal_address": "2 Ebb Street"})
    town.later(LATER)
    assert town.deliver().accepted == 1
    first, second = relay.letters_of("ann")
    assert first.data == second.data
    assert first.data.startswith(b"DKIM-Signature: ")
    assert b"s=old;" in first.data.replace(b"\r\n", b"").replace(b" ", b"")


def test_it_is_held_where_the_operator_said_so_until_they_say_what_became_of_it(town, relay, uncertain):
    uncertain(uncertain="hold")
    town.later(timedelta(hours=10))
    assert town.deliver().uncertain == 0
    ann = town.records()["ann"]
    shown = town.command("subscribers", "show", "ann@lab.example", "--json").json
    assert f"deliveries resolve {ann.id}" in shown["answer"]
    said = town.command("deliveries", "resolve", str(ann.id), "--as", "sent")
    assert (said.code, said.out.strip()) == (0, f"Delivery {ann.id} counts as accepted.")
    assert town.deliver().accepted == 0
    assert len(relay.letters_of("ann")) == 1
    assert town.records()["ann"].state == "accepted"
    again = town.command("deliveries", "resolve", str(ann.id), "--as", "resend")
    assert again.code == 2
    assert "not uncertain" in again.err


@pytest.mark.engines("sqlite")
def test_one_that_was_held_is_sent_once_more_where_the_operator_says_so(town, relay, uncertain):
    uncertain(uncertain="hold")
    town.later(LATER)
    number = str(town.records()["ann"].id)
    assert town.command("deliveries", "resolve", number, "--as", "resend").code == 0
    assert town.deliver().accepted == 1
    first, second = relay.letters_of("ann")
    assert first.data == second.data
    assert town.states() == {"accepted": 2}


@pytest.mark.engines("sqlite")
def test_a_letter_that_is_made_of_other_bytes_than_before_is_told_in_the_log(town, relay, uncertain, caplog):
    from sqlalchemy import text

    uncertain()
    with town.house.database.writing() as connection:
        connection.execute(text("UPDATE delivery SET slots = replace(slots, '@lab.example', '@LAB.example')"))
    town.again()
    town.later(LATER)
    assert town.deliver().accepted == 1
    number = town.records()["ann"].id
    assert f"delivery {number} goes out again with other bytes than before" in caplog.messages
    first, second = relay.letters_of("ann")
    assert first.data != second.data


@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.engines("sqlite")
def test_a_replay_is_byte_for_byte_what_was_sent(town, relay, tmp_path, is_signed):
    town.mail |= key(tmp_path / "old.pem") if is_signed else {}
    town.readers("ann@lab.example")
    town.publish()
    town.deliver()
    ann = town.records()["ann"]
    if is_signed:
        town.again(**key(tmp_path / "new.pem"))
    replayed = town.command("issues", "show", ann.issue, "--format", "eml").out.encode()
    (sent,) = relay.letters_of("ann")
    assert replayed == sent.data
    assert replayed.startswith(b"DKIM-Signature: ") is is_signed
    record = read_key((tmp_path / "old.pem").read_bytes()).record if is_signed else ""
    assert dkim.verify(replayed, dnsfunc=lambda *_, **__: record.encode()) is is_signed
    assert hashlib.sha256(replayed).hexdigest() == ann.sha256
