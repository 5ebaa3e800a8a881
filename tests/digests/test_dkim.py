"""DKIM: another program's verifier says yes to our letters, and no to every letter that was changed."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.mail.dkim import PrivateKey, Signer, read_key
from digests.mail.joining import join
from digests.mail.message import Identity, Letter, freeze, mailing_slots
from digests.mail.quoted import encode
from domain.errors import SettingsError, UsageError
from domain.issues import Fragment, LetterKind, Role

GOLDEN = Path(__file__).parent / "golden"
LETTERS = sorted(path.name for path in GOLDEN.glob("*.eml"))
AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
SITE = "https://digests.example.org"


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, lock: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption())


@pytest.fixture(scope="module")
def made() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def key(made: rsa.RSAPrivateKey) -> PrivateKey:
    return read_key(pem(made))


@pytest.fixture(scope="module")
def signer(key: PrivateKey) -> Signer:
    return Signer("example.org", "autumn", key)


def signed(signer: Signer, data: bytes, at: datetime = AT) -> bytes:
    return signer.sign(data, at).encode("ascii") + b"\r\n" + data


def golden(name: str) -> bytes:
    return re.sub(rb"\r?\n", b"\r\n", (GOLDEN / name).read_bytes())


def verifies(message: bytes, key: PrivateKey, name: str = "autumn._domainkey.example.org.") -> bool:
    def record(asked: bytes, timeout: float = 0) -> bytes | None:
        return key.record.encode() if asked.decode() == name else None

    return bool(dkim.verify(message, dnsfunc=record))


def letter(
    subject: str = "Three papers", *, sender: str = "Paperround <digests@example.org>", to: str = "ann@lab.example",
    unsubscribe: str = f"{SITE}/unsubscribe/Zk3.abc", listed: bool = True, text: str = "one\n",
) -> bytes:  # fmt: skip
    fragments = (
        Fragment(Role.TEXT, encode(text)),
        Fragment(Role.TEXT_PERSONAL, encode("Unsubscribe: \0q:unsubscribe\0\n")),
        Fragment(Role.HTML, encode("<p>one</p>\n")),
    )
    content = freeze(
        Letter(LetterKind.DIGEST, subject, fragments, listed=listed),
        Identity(sender, "Lab <lab@example.org>", secret="a secret"),
    )
    links = {name: f"{SITE}/{name}/Zk3.abc" for name in ("preferences", "feedback", "issue")}
    links["unsubscribe"] = unsubscribe
    slots = mailing_slots(recipient=to, message_id="<1f@example.org>", date=AT, links=links)
    return join(content.fragments, slots)


# -- what verifies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LETTERS)
def test_every_kind_of_letter_verifies(name: str, signer: Signer, key: PrivateKey) -> None:
    assert verifies(signed(signer, golden(name)), key)


@pytest.mark.parametrize("name", LETTERS)
def test_every_header_on_which_something_depends_is_signed(name: str, signer: Signer) -> None:
    data = golden(name)
    tags = dict(tag.split("=", 1) for tag in re.sub(r"\s", "", signer.sign(data, AT)).partition(":")[2].split(";"))
    names = {each.lower() for each, _ in message_from_bytes(data).items()}
    assert names - set(tags["h"].split(":")) <= {"precedence", "x-auto-response-suppress"}


@pytest.mark.parametrize("header", ["CFBL-Address", "Feedback-ID", "X-Paperround-Letter"])
def test_a_header_by_which_complaints_are_heard_cannot_be_changed(header: str, signer: Signer, key: PrivateKey) -> None:
    message = signed(signer, next(each for each in map(golden, LETTERS) if b"\r\nCFBL-Address:" in each))
    changed = re.sub(rf"\r\n{header}: [^\r]+".encode(), f"\r\n{header}: eve".encode(), message)
    assert changed != message
    assert not verifies(changed, key)


@pytest.mark.parametrize(
    "subject",
    [
        "Loss < 1: a & b <script>alert(1)</script>",
        "🦉 Owls, naïvely: 梯度 and \u202eRTL",
        "a  b   c  ",
        "d=evil.example; b=; h=from",
        "From: eve@evil.example",
        "x" * 2_000,
        "=?utf-8?q?already?=",
        " ",
    ],
)
def test_a_hostile_subject_verifies(subject: str, signer: Signer, key: PrivateKey) -> None:
    assert verifies(signed(signer, letter(subject)), key)


@settings(max_examples=25, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=400),
)
def test_any_words_verify(signer: Signer, key: PrivateKey, subject: str, text: str) -> None:
    assert verifies(signed(signer, letter(subject, text=text)), key)


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": "Bücher, Gelesenes <digests@bücher.example>"},
        {"unsubscribe": f"{SITE}/unsubscribe/{'k' * 300}"},
        {"to": "ann+papers@bücher.example"},
        {"to": '"ann b"@lab.example'},
        {"to": "björn@lab.example"},  # raw UTF-8 in a header, as SMTPUTF8 allows
        {"listed": False},
        {"text": ".\n..\n\n\n"},
    ],
)
def test_unusual_letters_verify(changes: dict[str, str], signer: Signer, key: PrivateKey) -> None:
    assert verifies(signed(signer, letter(**changes)), key)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"one", b"one\r\n", b"one\r\n\r\n\r\n", b"\r\n\r\none\r\n", b" \r\n\t x"]
)
def test_any_end_of_a_body_verifies(body: bytes, signer: Signer, key: PrivateKey) -> None:
    assert verifies(signed(signer, b"From: a@example.org\r\nSubject: x\r\n\r\n" + body), key)


def test_folds_and_blanks_of_headers_may_change_on_the_way(signer: Signer, key: PrivateKey) -> None:
    message = signed(signer, letter("Many words that stand in one line, or in two"))
    changed = message.replace(b"Subject: Many words", b"SUBJECT:  Many\r\n\t words ")
    assert changed != message
    assert verifies(changed, key)


def test_an_idn_domain_signs_as_a_labels(key: PrivateKey) -> None:
    signer = Signer("Bücher.example", "s2", key)
    message = signed(signer, letter(sender="digests@bücher.example"))
    assert b"d=xn--bcher-kva.example; s=s2;" in message
    assert verifies(message, key, "s2._domainkey.xn--bcher-kva.example.")


def test_a_4096_bit_key_signs_too() -> None:
    key = read_key(pem(rsa.generate_private_key(65537, 4096)))
    assert key.bits == 4096
    message = signed(Signer("example.org", "autumn", key), letter())
    assert verifies(message, key)
    assert max(map(len, message.split(b"\r\n\r\n")[0].split(b"\r\n"))) <= 998


# -- what does not -----------------------------------------------------------------------------------------------------

UNSUBSCRIBE = f"List-Unsubscribe: <{SITE}/unsubscribe/Zk3.abc>\r\n".encode()
ONE_CLICK = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"\r\n\r\none", b"\r\n\r\ntwo"),
        (b"<p>one</p>", b"<p>two</p>"),
        (b"--=_paperround--\r\n", b"--=_paperround--\r\nmore\r\n"),
        (b"From: Paperround", b"From: Eve"),
        (b"From: Paperround", b"From: eve@evil.example\r\nFrom: Paperround"),
        (b"To: ann", b"To: bob"),
        (b"Subject: Three", b"Subject: Four"),
        (b"Subject: Three", b"Subject: Won\r\nSubject: Three"),
        (b"Date: Fri, 20", b"Date: Sat, 21"),
        (b"Message-ID: <1f", b"Message-ID: <2f"),
        (b"MIME-Version: 1.0", b"MIME-Version: 1.1"),
        (b'boundary="=_p', b'boundary="=_q'),
        (b"Content-Type: multi", b"Content-Type: text/html\r\nContent-Type: multi"),
        (b"Reply-To: Lab", b"Reply-To: Eve"),
        (b"Auto-Submitted: auto-generated\r\n", b""),
        (b"List-Id: Paperround", b"List-Id: Other"),
        (b"List-Help: <https://digests", b"List-Help: <https://evil"),
        (b"List-Archive: <https://digests", b"List-Archive: <https://evil"),
        (UNSUBSCRIBE, b""),
        (UNSUBSCRIBE, b"List-Unsubscribe: <https://evil.example>\r\n" + UNSUBSCRIBE),
        (UNSUBSCRIBE, UNSUBSCRIBE + b"List-Unsubscribe: <https://evil.example>\r\n"),
        (ONE_CLICK, b""),
        (ONE_CLICK, ONE_CLICK * 2),
        (b" d=example.org;", b" d=evil.example;"),
        (b"t=1795154400", b"t=1795154401"),
    ],
)
def test_a_changed_letter_does_not_verify(was: bytes, becomes: bytes, signer: Signer, key: PrivateKey) -> None:
    message = signed(signer, letter())
    assert message.count(was) >= 1
    assert verifies(message, key)
    assert not verifies(message.replace(was, becomes, 1), key)


@pytest.mark.parametrize("added", [UNSUBSCRIBE, ONE_CLICK])
def test_a_letter_that_offers_no_way_out_cannot_be_given_one(added: bytes, signer: Signer, key: PrivateKey) -> None:
    message = signed(signer, letter(listed=False))
    assert verifies(message, key)
    assert not verifies(message.replace(b"Subject:", added + b"Subject:", 1), key)


def test_another_key_does_not_verify(signer: Signer) -> None:
    other = read_key(pem(rsa.generate_private_key(65537, 2048)))
    assert not verifies(signed(signer, letter()), other)


# -- the header --------------------------------------------------------------------------------------------------------


def test_what_is_signed_is_said(signer: Signer) -> None:
    header = message_from_bytes(signed(signer, letter()), policy=policy.compat32)["DKIM-Signature"]
    tags = dict(tag.strip().split("=", 1) for tag in re.sub(r"\s", "", header).split(";"))
    assert {name: tags[name] for name in "vacdst"} == {
        "v": "1", "a": "rsa-sha256", "c": "relaxed/simple", "d": "example.org", "s": "autumn", "t": "1795154400",
    }  # fmt: skip
    assert "l" not in tags
    names = tags["h"].split(":")
    twice = {"from", "to", "subject", "date", "message-id", "mime-version", "content-type", "list-unsubscribe",
             "list-unsubscribe-post"}  # fmt: skip
    once = {"reply-to", "auto-submitted", "list-id", "list-help", "list-archive", "x-paperround-letter"}
    assert {name: names.count(name) for name in names} == dict.fromkeys(twice, 2) | dict.fromkeys(once, 1)


def test_the_same_letter_has_the_same_signature_in_any_zone_and_it_is_folded(signer: Signer) -> None:
    data = letter()
    header = signer.sign(data, AT)
    assert signer.sign(data, AT.astimezone(timezone(timedelta(hours=9)))) == header
    assert signer.sign(data, AT + timedelta(seconds=1)) != header
    assert max(map(len, header.split("\r\n"))) <= 78
    assert all(line.startswith(" ") for line in header.split("\r\n")[1:])
    assert header.startswith("DKIM-Signature: v=1;")
    assert not header.endswith("\n")


def test_a_letter_without_a_sender_is_not_signed(signer: Signer) -> None:
    with pytest.raises(UsageError, match="without From"):
        signer.sign(b"Subject: x\r\n\r\nFrom: a@example.org\r\n", AT)


# -- keys and names ----------------------------------------------------------------------------------------------------


def test_the_record_is_what_dns_has_to_say(key: PrivateKey) -> None:
    assert re.fullmatch(r"v=DKIM1; k=rsa; p=MIIBIjANBg[A-Za-z0-9+/]+={0,2}", key.record)


def test_a_key_of_the_old_form_is_read(made: rsa.RSAPrivateKey, key: PrivateKey) -> None:
    old = made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert read_key(old).record == key.record


def test_a_key_does_not_show_itself(key: PrivateKey) -> None:
    assert repr(key) == "PrivateKey()"


@pytest.mark.parametrize(
    ("made_key", "why"),
    [
        (lambda: b"", "no private key"),
        (lambda: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key"),
        (lambda: b"\xff" * 1000, "no private key"),
        (lambda: pem(rsa.generate_private_key(65537, 1024)), "has 1024 bits; it must have 2048"),  # noqa: S505 too short on purpose
        (lambda: pem(ec.generate_private_key(ec.SECP256R1())), "must be RSA"),
        (lambda: pem(rsa.generate_private_key(65537, 2048), BestAvailableEncryption(b"x")), "locked by a passphrase"),
        (
            lambda: (
                rsa.generate_private_key(65537, 2048)
                .public_key()
                .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            ),
            "no private key",
        ),
    ],
)
def test_what_is_no_fit_key_is_refused(made_key: object, why: str) -> None:
    assert callable(made_key)
    with pytest.raises(SettingsError, match=why):
        read_key(made_key())


@pytest.mark.parametrize(
    ("domain", "selector"),
    [
        ("", "s"), ("example.org; x=1", "s"), ("example .org", "s"), ("-a.example", "s"), ("a" * 64 + ".example", "s"),
        ("exa\r\nmple.org", "s"), ("example.org", ""), ("example.org", "s;t"), ("example.org", "s\r\nx"),
        ("example.org", "sélecteur"), ("example.org", "a..b"), ("example.org", "-a"), ("example.org", "a\n"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_stand_in_dns_is_refused(domain: str, selector: str, key: PrivateKey) -> None:
    with pytest.raises(SettingsError, match="is not a"):
        Signer(domain, selector, key)
