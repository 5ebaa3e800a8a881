"""The settings that sign letters: they belong together, and the key is looked at before anything runs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from domain.errors import SettingsError
from paperround.settings import build
from paperround.wiring import House

WHOLE = {"dkim_domain": "example.org", "dkim_selector": "autumn", "dkim_key_file": "keys/dkim.pem"}


@pytest.fixture(scope="module")
def pem() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def folder(tmp_path: Path, pem: bytes) -> Path:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "dkim.pem").write_bytes(pem)
    return tmp_path


def refused(mail: Mapping[str, str], folder: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        build({"mail": mail}, folder)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_the_key_lies_beside_the_settings_and_the_house_signs_with_it(folder: Path) -> None:
    settings = build({"mail": WHOLE}, folder)
    assert settings.mail.dkim_key_file == str(folder / "keys" / "dkim.pem")
    with House(settings) as house:
        assert house.sign is not None
        header = house.sign(b"From: a@example.org\r\n\r\nx\r\n", datetime(2026, 11, 20, tzinfo=UTC))
    assert "d=example.org; s=autumn;" in header


def test_without_a_key_letters_are_not_signed(tmp_path: Path) -> None:
    with House(build({}, tmp_path)) as house:
        assert house.sign is None


@pytest.mark.parametrize("missing", sorted(WHOLE))
def test_domain_selector_and_key_belong_together(missing: str, folder: Path) -> None:
    assert "belong together" in refused({name: value for name, value in WHOLE.items() if name != missing}, folder)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"dkim_key_file": "gone.pem"}, "dkim_key_file"),
        ({"dkim_key_file": "gone.pem"}, "cannot be read: No such file"),
        ({"dkim_key_file": "keys"}, "cannot be read: Is a directory"),
        ({"dkim_key_file": "empty.pem"}, "no private key in PEM form"),
        ({"dkim_domain": "no domain"}, "'no domain' is not a domain"),
        ({"dkim_selector": "a;b"}, "'a;b' is not a name in DNS"),
    ],
)
def test_what_cannot_sign_is_said_in_one_sentence(changes: dict[str, str], why: str, folder: Path) -> None:
    (folder / "empty.pem").touch()
    sentence = refused(WHOLE | changes, folder)
    assert sentence.startswith("[mail] dkim_")
    assert why in sentence


def test_a_short_key_is_refused_with_its_length(folder: Path) -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 too short on purpose
    (folder / "short.pem").write_bytes(short.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert "has 1024 bits" in refused(WHOLE | {"dkim_key_file": "short.pem"}, folder)
