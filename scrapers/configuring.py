"""From a [[source]] of the settings to a checked configuration: one sentence for whatever is wrong.

What a kind needs and takes is said in its row of registry.py; nothing here knows a kind by name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

from domain.errors import SettingsError
from domain.papers import Announcement
from scrapers.source import Source

_QUERY_LIMIT = 250  # what Hugging Face's search takes (sources.md 1.4); nobody needs more of arXiv's
_CATEGORY = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,60}")
_CATEGORIES_AT_MOST = 40
#: The settings of a source besides name, kind, url and every.
CHOICES = ("query", "categories", "announce", "list")
LISTS = ("new", "recent", "pastweek")


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """A [[source]] of the settings."""

    name: str
    kind: str
    url: str = ""  #: the site's root, or a feed's own address; "" for the kind's own
    query: str = ""
    categories: tuple[str, ...] = ()
    announce: tuple[str, ...] = ()  #: which of arXiv's announcements bring papers; empty for the kind's own choice
    list: str = ""  #: which of arXiv's list pages; "" for new
    every: timedelta | None = None  #: None for the kind's own

    @property
    def announced(self) -> frozenset[Announcement]:
        """What `announce` says, once it was checked."""
        return frozenset(map(Announcement, self.announce))


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A row of the table of kinds."""

    kind: str
    label: str  #: what readers call it
    doc: str  #: one sentence
    build: Callable[[SourceConfig, timedelta], Source]  #: from a checked config and how long an answer is fresh
    url: str  #: the root that is asked unless the settings name another; an example where each source has its own
    every: timedelta  #: how long an answer is fresh unless the settings say otherwise
    pace: str  #: how often the site is asked at most, in words
    example: str  #: TOML
    needs: frozenset[str] = frozenset()  #: of CHOICES and "url": those that must be set
    takes: frozenset[str] = frozenset()  #: of CHOICES: those that may be set besides
    any_of: frozenset[str] = frozenset()  #: of CHOICES: at least one of them must be set
    check: Callable[[SourceConfig], str] = lambda _: ""  #: returns what else is wrong, "" for nothing


def checked(config: SourceConfig, row: SourceKind) -> SourceConfig:
    """Return the config with its address and choices as the source takes them.

    Raises SettingsError that names the source, the setting and the legal values.
    """
    if not config.name.strip() or len(config.name) > 80 or not config.name.isprintable():
        raise refused(config, "name must be 1 to 80 printable characters")
    given = {name for name in CHOICES if _given(config, name)}
    for name in sorted(row.needs - {"url"} - given):
        raise refused(config, f"{name} must be set for kind {row.kind}")
    for name in sorted(given - row.needs - row.takes - row.any_of):
        raise refused(config, f"kind {row.kind} takes no {name}")
    if row.any_of and not given & row.any_of:
        raise refused(config, f"{' or '.join(sorted(row.any_of))} must be set for kind {row.kind}")
    if len(config.query) > _QUERY_LIMIT or not config.query.isprintable():
        raise refused(config, f"query must be at most {_QUERY_LIMIT} printable characters")
    _check_lists(config)
    if config.every is not None and config.every <= timedelta():
        raise refused(config, "every must be longer than zero")
    if wrong := row.check(config):
        raise refused(config, wrong)
    return replace(config, query=config.query.strip(), url=_address(config, row))


def refused(config: SourceConfig, reason: str) -> SettingsError:
    """Return the error of a source's settings."""
    return SettingsError(f"source {config.name[:80]!r}: {reason}")


def _given(config: SourceConfig, name: str) -> bool:
    value = getattr(config, name)
    return bool(value.strip() if isinstance(value, str) else value)


def _check_lists(config: SourceConfig) -> None:
    for category in config.categories:
        if not _CATEGORY.fullmatch(category):
            raise refused(config, f"categories: {category[:60]!r} is not a category, such as cs.CL")
    if len(config.categories) > _CATEGORIES_AT_MOST:
        raise refused(config, f"categories: at most {_CATEGORIES_AT_MOST}; make several sources of them")
    legal = [each.value for each in Announcement]
    for each in config.announce:
        if each not in legal:
            raise refused(config, f"announce must be of {', '.join(legal)}, not {each[:40]!r}")
    if config.list and config.list not in LISTS:
        raise refused(config, f"list must be one of {', '.join(LISTS)}, not {config.list[:40]!r}")


def _address(config: SourceConfig, row: SourceKind) -> str:
    """Return a site's root without a slash at its end, or a feed's address as it is."""
    own = "url" in row.needs
    url = config.url.strip()
    if own and not url:
        raise refused(config, f"url must be set for kind {row.kind}, such as {row.url}")
    url = url or row.url
    what = "an http or https address" if own else "a site's http or https root"
    wrong = refused(config, f"url must be {what}, such as {row.url}")
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as error:
        raise wrong from error
    if not known or not url.isascii() or not url.isprintable() or " " in url or parts.fragment or "@" in parts.netloc:
        raise wrong
    if own:
        return url
    if parts.query:
        raise wrong
    return url.rstrip("/")
