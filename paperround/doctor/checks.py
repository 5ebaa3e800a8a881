"""Every check, in the order in which a person would look, and how they are run.

    settings → what is kept here → letters → the site → the relay → what the DNS says of the sender → what comes back

A check is a module with one function: a visit in, findings out. It changes nothing, raises nothing that is its own
subject's fault, and what it says of others is bounded. A new one is a module, a line here and a row in docs/doctor.md.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from domain.errors import PaperroundError
from paperround.doctor import (
    archive,
    bounces,
    clock,
    deliveries,
    dkim,
    dmarc,
    letter,
    meaning,
    operations,
    receiving,
    relay,
    reverse,
    setup,
    site,
    sources,
    spf,
    templates,
)
from paperround.doctor.finding import Finding, Record, shown, unknown
from paperround.doctor.visit import Visit
from paperround.settings_model import Settings

_SHORTEST_SECRET = 4  # characters; a shorter one would black out half of the words


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table."""

    subject: str
    look: Callable[[Visit], Iterable[Finding]]
    of_mail: bool = False  #: only where letters leave by SMTP


CHECKS: tuple[Check, ...] = (
    Check("settings", setup.check),
    Check("database", archive.check),
    Check("deliveries", deliveries.check),
    Check("clock", clock.check),
    Check("sources", sources.check),
    Check("sentence model", meaning.check),
    Check("templates", templates.check),
    Check("site", site.check),
    Check("operations", operations.check),
    Check("sender", setup.check_sender, of_mail=True),
    Check("relay", relay.check, of_mail=True),
    Check("DKIM", dkim.check, of_mail=True),
    Check("SPF", spf.check, of_mail=True),
    Check("DMARC", dmarc.check, of_mail=True),
    Check("reverse DNS", reverse.check, of_mail=True),
    Check("bounce domain", receiving.check, of_mail=True),
    Check("MTA-STS", receiving.check_sts, of_mail=True),
    Check("TLS-RPT", receiving.check_reports, of_mail=True),
    Check("bounces", bounces.check, of_mail=True),
    Check("test letter", letter.check, of_mail=True),
)


def due(visit: Visit) -> tuple[Check, ...]:
    """Return the checks that this installation has use for."""
    by_mail = visit.settings.mail.transport == "smtp"
    return tuple(each for each in CHECKS if by_mail or not each.of_mail)


def examine(visit: Visit, on_check: Callable[[str], object] = lambda _: None) -> Iterator[Finding]:
    """Run the checks one after another, telling `on_check` each one's subject before; no finding holds a secret."""
    secrets = _secrets(visit.settings)
    for check in due(visit):
        on_check(check.subject)
        try:
            found = list(check.look(visit))
        except PaperroundError as error:  # of a part that another check looks at, such as the database
            found = [unknown(shown(str(error)))]
        for each in found:
            yield _without(replace(each, subject=check.subject), secrets)


def _secrets(settings: Settings) -> tuple[str, ...]:
    """Return what must never be shown, also as a relay would repeat it from a log-in (RFC 4616), longest first."""
    mail, bounces_ = settings.mail, settings.bounces
    plain = [mail.password, bounces_.imap_password, bounces_.mailgun_key]
    plain += [settings.web.secret_key, *settings.web.old_secret_keys, settings.web.operator_password]
    try:
        of_database = urlsplit(settings.database.url).password or ""
    except ValueError:
        of_database = ""
    plain += [of_database, unquote(of_database)]
    spoken = [base64.b64encode(each.encode()).decode() for each in (mail.password, f"\0{mail.user}\0{mail.password}")]
    known = {each for each in (*plain, *(spoken if mail.password else ())) if len(each) >= _SHORTEST_SECRET}
    return tuple(sorted(known, key=len, reverse=True))


def _without(finding: Finding, secrets: tuple[str, ...]) -> Finding:
    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "…")
        return text

    record = finding.record
    return replace(
        finding,
        sentence=clean(finding.sentence),
        advice=clean(finding.advice),
        record=Record(record.name, record.kind, clean(record.value)) if record else None,
    )
