"""What comes back: whether somebody reads it, by a mailbox or by the relay's own messages to the site."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import suppress

from paperround.doctor.finding import Finding, ok, shown, unknown, wrong
from paperround.doctor.providers import has_own_return_path, is_of
from paperround.doctor.reach import cut_after, unreached
from paperround.doctor.visit import Visit
from paperround.settings_model import BouncesSettings

_SECONDS = 3.0


def check(visit: Visit) -> Iterator[Finding]:
    """Look at each way that undeliverable letters can be heard of."""
    settings, mail = visit.settings.bounces, visit.settings.mail
    ways = 0
    if settings.imap_host:
        ways += 1
        yield _mailbox(visit)
    for end, name, is_set, setting in (
        ("amazonaws.com", "Amazon SES", bool(settings.ses_topics), "[bounces] ses_topics"),
        ("mailgun.org", "Mailgun", bool(settings.mailgun_key), "[bounces] mailgun_key"),
    ):
        if is_of(mail.host, end):
            ways += 1
            yield _webhook(name, setting, visit.settings.web.base_url, is_set=is_set)
    if ways:
        return
    if provider := has_own_return_path(mail.host):
        yield unknown(
            f"what {provider} knows of undeliverable letters: they come back to it, and its reports are not read here",
            "look now and then at the suppressed addresses in its console, or let it mail reports to a mailbox that "
            "[bounces] imap_host names",
        )
    elif visit.bounce_domain:
        yield unknown(
            f"whether anybody hands on what comes back to {visit.bounce_domain}",
            "let the mail server there pipe it into `paperround bounces read -`, or set [bounces] imap_host to the "
            "mailbox that it goes to",
        )
    else:
        yield ok("nothing is set up to read what comes back; you see it in the sender's mailbox")


def log_in(settings: BouncesSettings, context: ssl.SSLContext, seconds: float = _SECONDS) -> None:
    """Log in, open the folder for reading only and leave; raises OSError, ValueError or imaplib's error."""
    mailbox = imaplib.IMAP4_SSL(settings.imap_host, settings.imap_port, ssl_context=context, timeout=seconds)
    folder = settings.imap_folder.replace("\\", "\\\\").replace('"', '\\"')
    try:
        with cut_after(mailbox.sock, 2 * seconds):
            mailbox.login(settings.imap_user, settings.imap_password)
            answer, said = mailbox.select(f'"{folder}"', readonly=True)
        if answer != "OK":
            raise imaplib.IMAP4.error(f"the folder {settings.imap_folder!r} cannot be opened: {said!r}")
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            mailbox.logout()


def _mailbox(visit: Visit) -> Finding:
    settings = visit.settings.bounces
    where = f"{settings.imap_host}:{settings.imap_port}"
    if visit.is_offline:
        return unknown(f"whether the mailbox at {where} can be read: --offline")
    try:
        log_in(settings, visit.context)
    except imaplib.IMAP4.error as error:
        if isinstance(error, imaplib.IMAP4.abort):
            return wrong(f"the mailbox at {where} cannot be read: {unreached(error).reason}")
        return wrong(
            f"the mailbox at {where} does not let us in: {shown(str(error))}",
            "check [bounces] imap_user, imap_password and imap_folder",
        )
    except (OSError, ValueError) as error:
        why = unreached(error)
        said = f"the mailbox at {where} cannot be read: {why.reason}"
        return unknown(said) if why.is_offline else wrong(said, "check [bounces] imap_host and imap_port")
    return ok(f"the mailbox of {settings.imap_user} at {where} can be read")


def _webhook(name: str, setting: str, base_url: str, *, is_set: bool) -> Finding:
    if not base_url:
        return unknown(
            f"what {name} knows of undeliverable letters and complaints: there is no site that it could tell",
            "set [web] base_url, or read the bounces that it mails you with `paperround bounces read`",
        )
    path = "ses" if "ses" in setting else "mailgun"
    if not is_set:
        return wrong(
            f"{name} is the relay, and its reports of undeliverable letters and complaints are not listened to",
            f"let it post them to {base_url.rstrip('/')}/webhooks/{path}, and set {setting}",
        )
    return ok(f"reports of {name} are taken at {base_url.rstrip('/')}/webhooks/{path}")
