"""The table of providers: the last part of the address /webhooks/<name> → what makes its reader from the settings.

A third provider is one module beside these, one line in PROVIDERS with what it needs in Keys, and one row in
docs/operating.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from digests.mail.webhooks.mailgun import Mailgun
from digests.mail.webhooks.ses import Ses
from digests.mail.webhooks.told import Provider


@dataclass(frozen=True, slots=True)
class Keys:
    """What providers are known by."""

    get: Callable[[str], bytes]  #: fetches an https address; raises CollectError
    ses_topics: tuple[str, ...] = ()
    mailgun_key: str = ""


PROVIDERS: Mapping[str, Callable[[Keys], Provider | None]] = {
    "ses": lambda keys: Ses(keys.ses_topics, keys.get) if keys.ses_topics else None,
    "mailgun": lambda keys: Mailgun(keys.mailgun_key) if keys.mailgun_key else None,
}


def configured(keys: Keys) -> Mapping[str, Provider]:
    """Return the providers that are set up, by name. Raises SettingsError."""
    made = {name: make(keys) for name, make in PROVIDERS.items()}
    return {name: provider for name, provider in made.items() if provider is not None}
