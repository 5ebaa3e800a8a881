"""The settings as values: every section and key with its default and one sentence. Its words are in settings.py."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from domain.subscriptions import MOST_BESIDE, MOST_PAPERS

#: This machine, by every name that settings give it.
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SECRETS = ("password", "secret_key", "old_secret_keys", "operator_password", "imap_password", "mailgun_key")
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: object) -> object:
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    span = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < span <= timedelta(days=31):
        raise ValueError('a duration such as "30m", "1h" or "1d", at most 31 days')
    return span


Duration = Annotated[timedelta, BeforeValidator(_duration)]


class Section(BaseModel):
    """What every section is: frozen, strict about types, closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class DatabaseSettings(Section):
    """The section [database]."""

    #: Where the archive lives.
    url: str = Field(default="sqlite:///paperround.db", repr=False)


class MailSettings(Section):
    """The section [mail]."""

    #: How letters leave: files, pages, SMTP, or nowhere.
    transport: Literal["folder", "html", "smtp", "memory"] = "folder"
    #: Where folder and html write.
    dir: Path = Field(default=Path("outbox"), strict=False)
    #: The relay for smtp.
    host: str = "localhost"
    #: Default 587 for starttls, 465 for implicit, 25 for none.
    port: int | None = Field(default=None, ge=1, le=65535)
    #: How the conversation with the relay is protected; never weaker than said.
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    #: For the relay; leave out for one that asks nobody.
    user: str = ""
    #: Better password_file.
    password: str = Field(default="", repr=False)
    #: Connections to the relay at once.
    connections: int = Field(default=2, ge=1, le=64)
    #: At most so many messages a second; unlimited without.
    per_second: float | None = Field(default=None, gt=0, strict=False)
    #: At most so many messages an hour; unlimited without.
    per_hour: int | None = Field(default=None, ge=1)
    #: Who the letters come from.
    sender: str = Field(default="Paperround <paperround@localhost>", alias="from")
    #: Where answers go; the sender without.
    reply_to: str = ""
    #: Your postal address, which the law of many countries asks of a digest with subscribers.
    postal_address: str = ""
    #: The full name of this machine, as the relay knows it: what we greet the relay with; our address without.
    ehlo_name: str = ""
    #: A domain whose mail comes back to you: each letter gets an envelope sender of its own there; the sender without.
    bounce_domain: str = ""
    #: Letters are signed for this domain, which should be that of the sender; not at all without.
    dkim_domain: str = ""
    #: The name of the key in DNS: SELECTOR._domainkey.DOMAIN.
    dkim_selector: str = ""
    #: The private key in PEM form, RSA of 2048 bits or more; `paperround doctor` says what to publish.
    dkim_key_file: str = ""
    #: What to do with a message that may or may not have left.
    uncertain: Literal["resend", "hold"] = "resend"
    #: The first pause after a message that was put off.
    retry_seconds: int = Field(default=300, ge=0, le=86_400)
    #: How long a worker on another machine may hold a message before it is taken over.
    lease_seconds: int = Field(default=900, ge=1, le=86_400)
    #: A digest that could not leave for so long is worth nothing.
    max_age_hours: int = Field(default=36, ge=1, le=720)


class WebSettings(Section):
    """The section [web]."""

    #: Where readers reach the site; without it the installation is personal and letters carry no web links.
    base_url: str = ""
    #: Where the site listens.
    host: str = Field(default="127.0.0.1", min_length=1)
    #: 0 for any that is free.
    port: int = Field(default=8000, ge=0, le=65535)
    #: Signs the links in letters; better secret_key_file.
    secret_key: str = Field(default="", repr=False)
    #: Keys that signed the links of older letters: they work as long as it stands here; better old_secret_keys_file.
    old_secret_keys: tuple[str, ...] = Field(default=(), strict=False, repr=False)
    #: Opens the operations page, 12 characters or more; better operator_password_file. Without, there is no such page.
    operator_password: str = Field(default="", repr=False)
    #: Addresses or networks of proxies in front, whose X-Forwarded-For is believed, such as 127.0.0.1 or 10.0.0.0/8.
    trusted_proxies: tuple[str, ...] = Field(default=(), strict=False)
    #: The path under which requests come in, where a proxy takes that of base_url away or adds one; "/" for none.
    path_prefix: str = ""
    #: Who may subscribe on the site: anyone, only addresses of allowed_domains, or nobody.
    signup: Literal["open", "domains", "closed"] = "open"
    #: For signup = "domains"; a domain's subdomains are not meant.
    allowed_domains: tuple[str, ...] = Field(default=(), strict=False)
    #: Confirmation letters that leave for all sign-ups together in an hour, at most.
    signups_per_hour: int = Field(default=200, ge=1)
    #: What search engines may keep: the archive's pages, the front page alone, or nothing.
    indexing: Literal["archive", "front", "nothing"] = "archive"


class DigestSettings(Section):
    """The section [digest]."""

    #: Papers in full in one letter.
    papers: int = Field(default=10, ge=1, le=MOST_PAPERS)
    #: Papers in full under one topic.
    per_topic: int = Field(default=5, ge=1, le=MOST_PAPERS)
    #: Papers beside them that were not sent and have taken off since; 0 for none.
    late_risers: int = Field(default=3, ge=0, le=MOST_BESIDE)
    #: Papers beside them with the most upvotes for their age, whatever the topics; 0 for none.
    trending: int = Field(default=0, ge=0, le=MOST_BESIDE)
    #: Papers beside them that are like those a reader saved; 0 for none.
    like_saved: int = Field(default=3, ge=0, le=MOST_BESIDE)
    #: Papers sent before of which there is news: a new version, a withdrawal, a journal, code; 0 for none.
    sent_news: int = Field(default=5, ge=0, le=MOST_BESIDE)
    #: How much of an abstract a letter shows.
    abstract_chars: int = Field(default=420, ge=80, le=4000)
    #: How far a first letter looks back.
    welcome_days: int = Field(default=7, ge=0, le=90)
    #: Minutes over which the letters of one hour leave, each reader's always at the same one; 0 for at once.
    window_minutes: int = Field(default=0, ge=0, le=720)
    #: After so many days without a match a short note says that all is well; 0 for never.
    quiet_note_after_days: int = Field(default=3, ge=0, le=365)


class TopicsSettings(Section):
    """The section [topics]: the meaning behind the words, with paperround[semantic] installed."""

    #: A directory with a sentence model: an ONNX file and its tokenizer.json; without, words alone decide.
    model_dir: str = ""
    #: Instead of a directory: a model's name at its hub, fetched once, such as sentence-transformers/all-MiniLM-L6-v2.
    model: str = ""
    #: The hub's revision of that model, a commit.
    model_revision: str = ""
    #: What the model's files must be, as `paperround topics embed` tells it; without, as they were the first time.
    model_sha256: str = ""


class CollectSettings(Section):
    """The section [collect]."""

    #: Your mail or web address, told to the sites that are asked.
    contact: str = ""
    #: An http or https proxy for everything that is fetched.
    proxy: str = ""
    #: Whether a site on the open network may redirect to a private address.
    allow_private_hosts: bool = False


class KeepSettings(Section):
    """The section [keep]."""

    #: Raw pages kept of each source, read well and not, so that they can be read again.
    raw_pages: int = Field(default=10, ge=0, le=1000)
    #: Days that an issue and its letter are kept; 0 for ever. What a reader was sent is remembered in any case.
    issues_days: int = Field(default=365, ge=0, le=36_500)
    #: Days that what a relay said of a letter is kept; 0 for ever.
    replies_days: int = Field(default=90, ge=0, le=36_500)
    #: Days that bounces and complaints are kept as they came; 0 for ever.
    bounces_days: int = Field(default=30, ge=0, le=36_500)
    #: Days after which a reader who never confirmed is erased; 0 for never.
    pending_days: int = Field(default=14, ge=0, le=36_500)
    #: Days that runs and the answers of sources are kept, by which one sees what is unusual of a source.
    runs_days: int = Field(default=90, ge=70, le=36_500)


class BouncesSettings(Section):
    """The section [bounces]."""

    #: A mailbox that bounces come back to, read by IMAP over TLS; not read without.
    imap_host: str = ""
    #: Its port.
    imap_port: int = Field(default=993, ge=1, le=65535)
    #: Who logs in there.
    imap_user: str = ""
    #: Better imap_password_file.
    imap_password: str = Field(default="", repr=False)
    #: The folder that is read; what was read is marked as seen, nothing is deleted.
    imap_folder: str = Field(default="INBOX", min_length=1)
    #: How often the mailbox is read.
    imap_every: Duration = timedelta(minutes=15)
    #: For Amazon SES: the ARNs of the SNS topics whose messages /webhooks/ses takes.
    ses_topics: tuple[str, ...] = Field(default=(), strict=False)
    #: For Mailgun: the HTTP webhook signing key by which /webhooks/mailgun knows its messages; better mailgun_key_file.
    mailgun_key: str = Field(default="", repr=False)


class WorkerSettings(Section):
    """The section [worker]."""

    #: Who hands out the work: this process, or Procrastinate, to workers on many machines over one PostgreSQL.
    engine: Literal["embedded", "procrastinate"] = "embedded"
    #: Jobs that one worker process does side by side, with Procrastinate.
    concurrency: int = Field(default=4, ge=1, le=64)
    #: Passes of delivery that run side by side on all machines together, each with [mail] connections of its own.
    deliveries: int = Field(default=2, ge=1, le=256)


class OperatorSettings(Section):
    """The section [operator]."""

    #: Who is written to, once, when a source, planning or delivery stays broken for a day.
    email: str = ""
    #: An address that is fetched after each complete round; a monitor that hears nothing raises the alarm.
    ping_url: str = ""
    #: How events are written to standard error: a line of text each, or a JSON object.
    log: Literal["text", "json"] = "text"


class SourceSettings(Section):
    """One section [[source]]."""

    #: What you call it; unique.
    name: str = Field(min_length=1)
    #: What it is; `paperround sources example KIND` prints one.
    kind: str
    #: The site's root, any mirror works; for a feed its own address.
    url: str = ""
    #: For a search.
    query: str = ""
    #: For arXiv, bioRxiv and medRxiv.
    categories: tuple[str, ...] = Field(default=(), strict=False)
    #: For arXiv: which announcements bring papers; new and cross without.
    announce: tuple[str, ...] = Field(default=(), strict=False)
    #: For arxiv-listing: which of its pages, new without.
    list: str = ""
    #: How often to ask; by kind without.
    every: Duration | None = None


class Settings(Section):
    """Everything that can be set."""

    database: DatabaseSettings = DatabaseSettings()
    mail: MailSettings = MailSettings()
    web: WebSettings = WebSettings()
    digest: DigestSettings = DigestSettings()
    topics: TopicsSettings = TopicsSettings()
    collect: CollectSettings = CollectSettings()
    keep: KeepSettings = KeepSettings()
    bounces: BouncesSettings = BouncesSettings()
    worker: WorkerSettings = WorkerSettings()
    operator: OperatorSettings = OperatorSettings()
    sources: tuple[SourceSettings, ...] = Field(default=(), alias="source", strict=False)


SECTIONS: Mapping[str, type[Section]] = {
    "database": DatabaseSettings,
    "mail": MailSettings,
    "web": WebSettings,
    "digest": DigestSettings,
    "topics": TopicsSettings,
    "collect": CollectSettings,
    "keep": KeepSettings,
    "bounces": BouncesSettings,
    "worker": WorkerSettings,
    "operator": OperatorSettings,
}
