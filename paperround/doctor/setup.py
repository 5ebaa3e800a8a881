"""The settings: which hold, what they make of this installation, and what in them will bite later."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from paperround.doctor.finding import Finding, ok, wrong
from paperround.doctor.providers import is_here, keeper_of_domain, sends_for
from paperround.doctor.visit import Visit
from paperround.settings import secrets_of
from paperround.settings_model import LOOPBACK, MailSettings, Settings

_SHORT = 12  # hours
_DEFAULT_SENDER = MailSettings.model_fields["sender"].default
_ELSEWHERE = {
    "folder": "into files in {}",
    "html": "into web pages in {}",
    "memory": "nowhere, as [mail] transport says",
}
_OTHERS = 0o077  # of a file's mode: what anybody but its owner may do


def check(visit: Visit) -> Iterator[Finding]:
    """Say what the settings are, and name each combination that is legal and still risky."""
    where = f"the settings are those of {visit.file}" if visit.file else "there is no settings file: the defaults hold"
    yield ok(where, "" if visit.file else "`paperround init` writes one with every setting explained")
    exposed = [str(each) for each in _secret_files(visit) if each.is_file() and each.stat().st_mode & _OTHERS]
    if exposed:
        yield ok(
            f"others on this machine may read secrets of yours, in {', '.join(exposed)}",
            f"chmod 600 {' '.join(exposed)}",
        )
    yield _kind(visit.settings)
    yield from _risks(visit.settings)


def check_sender(visit: Visit) -> Iterator[Finding]:
    """Judge the address that readers see: a large keeper's domain is obeyed only from the keeper's own relay."""
    domain, host = visit.from_domain, visit.settings.mail.host
    keeper = keeper_of_domain(domain)
    if visit.settings.mail.sender == _DEFAULT_SENDER:
        yield wrong(
            f"letters come from {visit.identity.address}, an address that nobody can answer",
            "set [mail] from to a mailbox of yours",
        )
    elif not keeper:
        yield ok(f"letters come from {visit.identity.address}")
    elif sends_for(keeper, host):
        yield ok(f"letters come from {visit.identity.address}, through that provider's own relay")
    else:
        yield wrong(
            f"letters say they come from {domain}, but leave through {host}: mailbox providers take them for forged, "
            f"for only the servers of {domain} can prove that a letter is from there",
            f"set [mail] from to an address of a domain of your own, or [mail] host to the relay of {domain}",
        )


def _secret_files(visit: Visit) -> Iterator[Path]:
    """Yield the files in which secrets stand: that of the settings if any do, those that it names, the key's."""
    if visit.file and visit.file.is_file():
        inside, named = secrets_of(visit.file)
        yield from (visit.file,) if inside else ()
        yield from named
    if visit.settings.mail.dkim_key_file:
        yield visit.folder / visit.settings.mail.dkim_key_file


def _kind(settings: Settings) -> Finding:
    mail, web = settings.mail, settings.web
    way = f"through {mail.host}" if mail.transport == "smtp" else _ELSEWHERE[mail.transport].format(mail.dir)
    if web.base_url:
        return ok(
            f"the installation is open: [web] base_url is set, readers confirm and leave by links; letters go {way}"
        )
    return ok(
        f"the installation is personal: without [web] base_url letters carry no links; letters go {way}",
        "" if is_here(mail.host) or mail.transport != "smtp" else "set [web] base_url before you write to other people",
    )


def _risks(settings: Settings) -> Iterator[Finding]:
    mail = settings.mail
    is_open = bool(settings.web.base_url) and urlsplit(settings.web.base_url).hostname not in LOOPBACK
    if mail.transport == "smtp" and is_open and not mail.postal_address.strip():
        yield wrong(
            "letters name no postal address, which the law of many countries asks of a digest with subscribers",
            "set [mail] postal_address",
        )
    if mail.transport == "smtp" and not settings.operator.email:
        yield ok(
            "nobody is told when something stays broken for a day",
            "set [operator] email to your own address, and [operator] ping_url for a monitor that misses us",
        )
    if mail.transport == "smtp" and mail.uncertain == "hold":
        yield ok(
            'a letter whose answer got lost waits for you: [mail] uncertain = "hold"',
            "look at `paperround deliveries list --state uncertain` now and then, or set it to resend: then at worst "
            "a reader gets a letter twice",
        )
    if mail.transport == "smtp" and mail.max_age_hours < _SHORT:
        yield ok(
            f"letters are given up after {mail.max_age_hours} hours: a relay that is away for a night loses them",
            "set [mail] max_age_hours to 36",
        )
    if mail.transport == "smtp" and mail.tls == "none" and not is_here(mail.host):
        yield wrong(
            f"letters travel to {mail.host} unprotected: everybody on the way can read who reads what",
            'set [mail] tls to "starttls" or "implicit", whichever the relay offers',
        )
