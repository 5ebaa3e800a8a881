"""What letters say, and who they come from."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property

from digests.links import Links
from digests.mail.askings import Askings
from digests.mail.farewell import Farewells
from digests.mail.message import Identity
from digests.pages import SitePages
from digests.render import Frame, Renderer
from paperround.settings_model import MailSettings
from paperround.signing import sign
from paperround.wiring_learning import LearningSide


def identity_of(mail: MailSettings, secret: str) -> Identity:
    """Return who the letters come from; `secret` is the archive's, which keys their Message-IDs."""
    return Identity(mail.sender, mail.reply_to, bounce_domain=mail.bounce_domain, secret=secret)


class LettersSide(LearningSide):
    """The words of letters, the links in them, and their signature."""

    @cached_property
    def links(self) -> Links | None:
        """The addresses in letters; None for a personal installation, which has no site."""
        web = self.settings.web
        return Links(web.base_url, web.secret_key, web.old_secret_keys) if web.base_url else None

    @cached_property
    def identity(self) -> Identity:
        """Who the letters come from."""
        return identity_of(self.settings.mail, self.letter_events.secret())

    @cached_property
    def sign(self) -> Callable[[bytes, datetime], str] | None:
        """What signs a letter as of an instant; None where letters are not signed."""
        return sign(self.settings.mail)

    @cached_property
    def renderer(self) -> Renderer:
        """What turns digests into letters."""
        return Renderer(
            Frame(
                linked=self.links is not None,
                pages=SitePages(self.settings.web.base_url) if self.links else None,
                postal_address=self.settings.mail.postal_address,
                abstract_chars=self.settings.digest.abstract_chars,
                labels=self.labels,
            )
        )

    @cached_property
    def farewells(self) -> Farewells:
        """What composes the letter to one who left."""
        return Farewells(self.renderer, self.identity, self.links)

    @cached_property
    def askings(self) -> Askings | None:
        """What composes the letters whose only purpose is their link; None where there is no site."""
        return Askings(self.renderer, self.identity, self.links) if self.links else None
