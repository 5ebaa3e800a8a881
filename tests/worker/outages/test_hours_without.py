"""A relay that is away, wants another password, shows an old certificate or has no address: nothing is spent."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from digests.mail.smtp import Relay, Timeouts
from digests.transports.smtp import SmtpTransport

READERS = 6
CONNECTIONS = 2
FIVE = timedelta(minutes=5)


@pytest.fixture
def certificates(tmp_path):
    """An authority that a client trusts, and what makes a server's certificate of it, so many days from its end."""
    signer, name = ec.generate_private_key(ec.SECP256R1()), _name("an authority")
    (tmp_path / "authority.pem").write_bytes(_certificate(name, signer, name, signer, 9).public_bytes(Encoding.PEM))

    def served(days):
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(_name("relay"), key, name, signer, days)
        packed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = tmp_path / f"{days}.pem"
        file.write_bytes(packed + made.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    return ssl.create_default_context(cafile=str(tmp_path / "authority.pem")), served


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(name, key, issuer, signer, days):
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )


class Trouble:
    """One way in which a relay is not to be had; `begin` and `mend` change the relay or the settings."""

    def __init__(self, town, relay, certificates):
        self.town, self.relay = town, relay
        self.trusted, self.served = certificates

    def password(self):
        self.relay.password = b"right"
        self.town.mail |= {"user": "us", "password": "wrong"}

    def mend_password(self):
        self.town.again(password="right")

    def refused(self):
        self.relay.close()

    def mend_refused(self):
        self.relay.open()

    def certificate(self):
        self.relay.tls = self.served(-1)
        route = Relay("127.0.0.1", self.relay.port, "implicit")
        self.town.transport = SmtpTransport(route, Timeouts(5, 5, 5), self.trusted)

    def mend_certificate(self):
        self.relay.tls = self.served(1)

    def dns(self):
        self.town.mail |= {"host": "no-such-relay.invalid"}

    def mend_dns(self):
        self.town.again(host="127.0.0.1")


SAID = {
    "password": "the relay refuses the log-in: ",
    "refused": "the relay is out of reach: ",
    "certificate": "the relay is out of reach: ",
    "dns": "the relay is out of reach: ",
}
WORDS = {"password": "5.7.8", "refused": "refused", "certificate": "expired", "dns": "no-such-relay.invalid"}


@pytest.fixture
def trouble(town, relay, certificates):
    return Trouble(town, relay, certificates)


@pytest.mark.parametrize("kind", list(SAID))
def test_an_hour_of_it_spends_nothing_is_told_and_everybody_gets_their_letter(town, relay, trouble, kind):
    getattr(trouble, kind)()
    town.readers(*[f"reader{each}@lab{each % 2}.example" for each in range(READERS)])
    town.publish()
    told = []
    for number in range(12):
        counts = town.deliver()
        # One letter tries it, whoever else waits; at first each connection may have one in hand already.
        assert counts.deferred <= (1 if number else CONNECTIONS)
        if counts.held:
            told.append(counts.held)
        town.later(FIVE)
    assert town.attempts() == {0}
    assert relay.arrived == []
    assert len(relay.log_ins) <= CONNECTIONS + 2  # after 15, 30 and 60 minutes
    assert WORDS[kind] in told[-1]
    assert SAID[kind] in told[-1]
    assert told[-1].startswith("nothing leaves since ")
    lane = town.lanes()["relay"]
    assert lane["why"].startswith(SAID[kind])
    shown = town.command("subscribers", "show", "reader5@lab1.example", "--json").json
    assert "the relay is not asked for a while" in shown["answer"]
    getattr(trouble, f"mend_{kind}")()
    if kind in {"password", "dns"}:  # what a person mends by hand need not wait for the next try
        assert town.command("deliveries", "resume").code == 0
    town.passes(FIVE, 60)
    assert town.states() == {"accepted": READERS}
    assert town.attempts() == {1}
    assert len(relay.arrived) == READERS
    assert town.lanes() == {}
    assert town.deliver().held == ""


@pytest.mark.engines("sqlite")
def test_a_relay_that_is_away_is_tried_by_one_letter_at_a_time_and_less_and_less_often(town, relay, trouble):
    town.readers(*[f"reader{each}@lab.example" for each in range(READERS)])
    town.publish()
    relay.password = b"right"
    town.again(user="us", password="wrong", connections=4)
    for _ in range(24 * 2):
        town.deliver()
        town.later(timedelta(minutes=30))
    pauses = [later - earlier for earlier, later in pairwise(relay.log_ins)]
    # All connections of the first pass may have tried before the first heard no.
    tries = [round(each / timedelta(minutes=30)) * timedelta(minutes=30) for each in pauses if each]
    assert len(relay.log_ins) <= 4 + len(tries) < 14
    assert tries == sorted(tries)
    assert timedelta(0) < tries[0] <= timedelta(hours=1)
    assert tries[-1] == timedelta(hours=4)


@pytest.mark.parametrize("is_mended", [True, False])
@pytest.mark.engines("sqlite")
def test_the_operator_is_written_to_after_a_day_of_it(town, relay, is_mended):
    town.more = '[operator]\nemail = "op@lab.example"'
    town.again(max_age_hours=72)
    town.readers("ann@lab.example")
    town.publish()
    relay.close()
    for hour in range(27):
        if hour == 20 and is_mended:
            relay.open()
        town.house.rounds.deliver()
        town.house.rounds.watch()
        town.later(timedelta(hours=1))
    relay.close()
    relay.open()
    town.passes(FIVE, 30)
    alerts = relay.letters_of("op@")
    assert len(relay.letters_of("ann")) == 1
    assert len(alerts) == (0 if is_mended else 1)
    if not is_mended:
        body = alerts[0].parsed
        words = next(each for each in body.walk() if each.get_content_type() == "text/plain").get_payload(decode=True)
        assert b"could not be reached" in words
