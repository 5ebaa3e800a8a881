"""What can be wrong with settings of which each alone is legal."""

import ipaddress
import re
from collections.abc import Iterator
from itertools import chain
from urllib.parse import urlsplit

from digests.addresses import address, mail_domain, sender
from digests.links import Links
from digests.mail.webhooks.arns import topic_of
from domain.errors import PaperroundError, SettingsError
from paperround import signing
from paperround.settings_model import LOOPBACK, Settings

_SHORTEST_KEY = 32
_SHORTEST_PASSWORD = 12
_LONGEST_DOMAIN = 190  # characters; with the local part of a return path at most 254 (RFC 5321 section 4.5.3.1.3)
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SHA256 = re.compile("[0-9a-f]{64}")
_HUB_NAME = re.compile(r"[A-Za-z0-9._-]{1,96}(?:/[A-Za-z0-9._-]{1,96})?")
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PATH = re.compile(r"/|(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)+/?")  # no part of it is "." or ".."


def complaints(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each thing that does not go together; the first is to be mended first."""
    return chain(
        _mail_complaints(settings),
        _name_complaints(settings),
        _bounce_complaints(settings),
        _source_complaints(settings),
        _site_complaints(settings),
        _key_complaints(settings),
        _visitor_complaints(settings),
        _operator_complaints(settings),
        _worker_complaints(settings),
        _model_complaints(settings),
    )


def _mail_complaints(settings: Settings) -> Iterator[str]:
    mail = settings.mail
    for key, value in (("from", mail.sender), ("reply_to", mail.reply_to)):
        try:
            if value:
                sender(value)
        except PaperroundError as error:
            yield f"[mail] {key}: {error}"
    yield from signing.complaints(mail)
    if mail.transport != "smtp":
        return
    if not mail.host:
        yield "[mail] host must name the relay where transport is smtp"
    if bool(mail.user) != bool(mail.password):
        yield "[mail] user and password belong together; set both or neither"
    if mail.host in LOOPBACK:
        return
    if mail.sender == type(mail).model_fields["sender"].default:
        yield "[mail] from must be set to send letters by smtp to other hosts"
    if mail.tls == "none" and mail.password:
        yield '[mail] tls = "none" would send the password in the clear; use "starttls" or "implicit"'


def _name_complaints(settings: Settings) -> Iterator[str]:
    name, domain = settings.mail.ehlo_name, settings.mail.bounce_domain
    if name and not _is_full_host_name(name):
        yield f"[mail] ehlo_name must be the full name of a host, such as digests.example.org, not {name!r}"
    if domain and not _is_host_name(domain):
        yield (
            "[mail] bounce_domain must be the name of a domain whose mail comes back to you, such as "
            f"bounces.example.org, not {domain!r}"
        )


def _bounce_complaints(settings: Settings) -> Iterator[str]:
    bounces = settings.bounces
    for arn in bounces.ses_topics:
        try:
            topic_of(arn)
        except SettingsError as error:
            yield f"[bounces] ses_topics: {error}"
    if bounces.imap_host and not (bounces.imap_user and bounces.imap_password):
        yield "[bounces] imap_host needs imap_user and imap_password, or imap_password_file"
    if not (bounces.imap_folder.isascii() and bounces.imap_folder.isprintable()):
        yield "[bounces] imap_folder must be ASCII, as the server lists it, such as Entw&APw-rfe for Entwürfe"


def _is_host_name(text: str) -> bool:
    """Whether it is a name as an envelope holds it: ASCII, an IDN as its A-labels; no longer than fits there."""
    return len(text) <= _LONGEST_DOMAIN and bool(_HOST_NAME.fullmatch(text))


def _is_full_host_name(text: str) -> bool:
    """Whether a relay can look it up: a name with a dot in it that is no address (RFC 5321 section 2.3.5)."""
    return _is_host_name(text) and not text.rpartition(".")[2].isdigit() and "." in text


def _source_complaints(settings: Settings) -> Iterator[str]:
    names = [source.name for source in settings.sources]
    for name in names:
        if names.count(name) > 1:
            yield f"two sources are called {name!r}; give each a name of its own"


def _site_complaints(settings: Settings) -> Iterator[str]:
    mail, web = settings.mail, settings.web
    if not web.base_url:
        return
    if len(web.secret_key) < _SHORTEST_KEY:
        yield f"[web] secret_key must be at least {_SHORTEST_KEY} characters where base_url is set: it signs the links"
    try:
        Links(web.base_url, web.secret_key)
    except SettingsError as error:
        yield str(error)
    parts = urlsplit(web.base_url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        yield f"[web] base_url {web.base_url!r} must be https: its links carry readers' tokens"
    if mail.transport == "html":
        yield '[mail] transport = "html" writes pages for yourself and sends no confirmations; remove [web] base_url'
    if mail.transport == "smtp" and mail.host not in LOOPBACK:
        if parts.scheme != "https":
            yield "[web] base_url must be https to send letters by smtp to other hosts"
        if not mail.postal_address.strip():
            yield "[mail] postal_address must be set to send letters by smtp to subscribers"


def _key_complaints(settings: Settings) -> Iterator[str]:
    web = settings.web
    for key in web.old_secret_keys:
        if len(key) < _SHORTEST_KEY:
            yield f"[web] old_secret_keys must be at least {_SHORTEST_KEY} characters each: links are proven by them"
        if key == web.secret_key:
            yield "[web] old_secret_keys holds secret_key itself; only the keys before it belong there"
    if web.operator_password and len(web.operator_password) < _SHORTEST_PASSWORD:
        yield f"[web] operator_password must be at least {_SHORTEST_PASSWORD} characters"


def _visitor_complaints(settings: Settings) -> Iterator[str]:
    web = settings.web
    for each in web.trusted_proxies:
        try:
            network = ipaddress.ip_network(each)
        except ValueError:
            yield f"[web] trusted_proxies must be addresses or networks such as 127.0.0.1 or 10.0.0.0/8, not {each!r}"
        else:
            if not network.prefixlen:
                yield f"[web] trusted_proxies {each!r} would believe anybody; name your proxy's address or network"
    if web.path_prefix and not _PATH.fullmatch(web.path_prefix):
        yield f'[web] path_prefix must be a path such as /papers, or "/" for none, not {web.path_prefix!r}'
    if web.signup == "domains" and not web.allowed_domains:
        yield '[web] signup = "domains" needs allowed_domains: the domains whose addresses may subscribe'
    if web.allowed_domains and web.signup != "domains":
        yield f'[web] allowed_domains needs signup = "domains"; with {web.signup!r} it would say nothing'
    for each in web.allowed_domains:
        try:
            mail_domain(each)
        except PaperroundError:
            yield f"[web] allowed_domains must be names of domains such as lab.example, not {each[:_LONGEST_DOMAIN]!r}"


def _operator_complaints(settings: Settings) -> Iterator[str]:
    operator = settings.operator
    try:
        if operator.email:
            address(operator.email)
    except PaperroundError as error:
        yield f"[operator] email: {error}"
    if not operator.ping_url:
        return
    try:
        parts = urlsplit(operator.ping_url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or parts.scheme not in {"http", "https"}:
        yield f"[operator] ping_url must be an https address, not {operator.ping_url[:200]!r}"
    if parts.scheme == "http" and host not in LOOPBACK:
        yield "[operator] ping_url must be https; http is for this machine alone"


def _model_complaints(settings: Settings) -> Iterator[str]:
    chosen = settings.topics
    if chosen.model_dir and chosen.model:
        yield "[topics] model_dir and model name two sentence models; keep one of them"
    for key, value in (("model_revision", chosen.model_revision), ("model_sha256", chosen.model_sha256)):
        if value and not (chosen.model_dir or chosen.model):
            yield f"[topics] {key} goes with model_dir or model: set that too"
    if chosen.model_sha256 and not _SHA256.fullmatch(chosen.model_sha256):
        yield f"[topics] model_sha256 must be 64 hexadecimal digits, not {chosen.model_sha256!r}"
    if chosen.model and not _HUB_NAME.fullmatch(chosen.model):
        yield f"[topics] model must be a name such as sentence-transformers/all-MiniLM-L6-v2, not {chosen.model!r}"


def _worker_complaints(settings: Settings) -> Iterator[str]:
    url = settings.database.url
    if settings.worker.engine == "procrastinate" and not url.startswith(("postgresql://", "postgres://")):
        yield '[worker] engine = "procrastinate" needs PostgreSQL: set [database] url, or engine = "embedded"'
