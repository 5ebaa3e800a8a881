"""From the settings to what signs letters: the check of the settings reads the key file, and so does the house."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from domain.errors import SettingsError
from paperround.settings_model import MailSettings

_LARGEST = 65_536  # octets; a key of 4096 bits has about 3,300


def complaints(mail: MailSettings) -> Iterator[str]:
    """Yield what is wrong with the settings that sign letters, one sentence each."""
    said = (mail.dkim_domain, mail.dkim_selector, mail.dkim_key_file)
    if any(said) and not all(said):
        yield "[mail] dkim_domain, dkim_selector and dkim_key_file belong together; set all three or none"
    try:
        sign(mail)
    except SettingsError as error:
        yield str(error)


def sign(mail: MailSettings) -> Callable[[bytes, datetime], str] | None:
    """Return what signs a letter as of an instant (Signer.sign), None where letters are not signed.

    Raises SettingsError, with the setting and the file, for a key that cannot be read or is not fit, and for a name
    that cannot stand in DNS.
    """
    if not mail.dkim_key_file:
        return None
    from digests.mail.dkim import Signer, read_key  # noqa: PLC0415 cryptography is loaded only where letters are signed

    try:
        with Path(mail.dkim_key_file).open("rb") as file:
            pem = file.read(_LARGEST)
    except OSError as error:
        raise SettingsError(f"[mail] dkim_key_file {mail.dkim_key_file!r} cannot be read: {error.strerror}") from error
    try:
        key = read_key(pem)
    except SettingsError as error:
        raise SettingsError(f"[mail] dkim_key_file {mail.dkim_key_file!r}: {error}") from error
    try:
        return Signer(mail.dkim_domain, mail.dkim_selector, key).sign
    except SettingsError as error:
        raise SettingsError(f"[mail] dkim_domain and dkim_selector: {error}") from error
