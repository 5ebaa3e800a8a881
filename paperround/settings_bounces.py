"""What can be wrong with the section [bounces] though each of its keys is legal."""

from collections.abc import Iterator

from digests.mail.webhooks.arns import topic_of
from domain.errors import SettingsError
from paperround.settings_model import BouncesSettings


def bounce_complaints(bounces: BouncesSettings) -> Iterator[str]:
    """Yield a sentence for each setting that cannot be used."""
    for arn in bounces.ses_topics:
        try:
            topic_of(arn)
        except SettingsError as error:
            yield f"[bounces] ses_topics: {error}"
    if bounces.imap_host and not (bounces.imap_user and bounces.imap_password):
        yield "[bounces] imap_host needs imap_user and imap_password, or imap_password_file"
    if not (bounces.imap_folder.isascii() and bounces.imap_folder.isprintable()):
        yield "[bounces] imap_folder must be ASCII, as the server lists it, such as Entw&APw-rfe for Entwürfe"
