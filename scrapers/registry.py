"""Every kind of source this version knows, in one table; and from a configured source to a Source.

Adding a kind is one module, one row here, its pages in the tests and a row in the documentation.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

from domain.errors import SettingsError
from scrapers.huggingface import DailySource, SearchSource
from scrapers.source import Source

_QUERY_LIMIT = 250  # what the search takes (sources.md 1.4)
HUGGINGFACE = "https://huggingface.co"
#: Kinds that the settings know and later versions bring.
LATER = (
    "huggingface-week",
    "huggingface-month",
    "huggingface-trending",
    "arxiv-listing",
    "arxiv-feed",
    "arxiv-api",
    "feed",
    "biorxiv",
    "medrxiv",
)


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """A [[source]] of the settings."""

    name: str
    kind: str
    url: str = ""  #: the site's root; "" for the kind's own
    query: str = ""
    categories: tuple[str, ...] = ()
    every: timedelta | None = None  #: None for the kind's own


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A row of the table."""

    kind: str
    label: str  #: what readers call it
    doc: str  #: one sentence
    build: Callable[
        [SourceConfig, timedelta], Source
    ]  #: from a checked config with its url, and how long an answer is fresh
    url: str  #: the root that is asked unless the settings name another
    needs: frozenset[str]  #: of "query" and "categories": those that must be set; the others must not
    every: timedelta  #: how long an answer is fresh unless the settings say otherwise
    pace_seconds: float  #: between the starts of two requests to the host
    example: str  #: TOML


KINDS: Mapping[str, SourceKind] = {
    row.kind: row
    for row in (
        SourceKind(
            kind="huggingface-daily",
            label="Hugging Face Daily Papers",
            doc="The papers that Hugging Face lists for one day; the list fills through the day.",
            build=lambda config, every: DailySource(config.name, config.url, every),
            url=HUGGINGFACE,
            needs=frozenset(),
            every=timedelta(hours=1),
            pace_seconds=3.0,  # 100 pages in five minutes (sources.md 1.4)
            example='[[source]]\nname = "huggingface-daily"\nkind = "huggingface-daily"\n',
        ),
        SourceKind(
            kind="huggingface-search",
            label="Hugging Face search",
            doc="What Hugging Face finds for a query, of any year; what the archive has not seen is new.",
            build=lambda config, every: SearchSource(config.name, config.url, config.query, every),
            url=HUGGINGFACE,
            needs=frozenset({"query"}),
            every=timedelta(hours=6),
            pace_seconds=3.0,
            example=(
                '[[source]]\nname = "huggingface-proteins"\nkind = "huggingface-search"\n'
                'query = "protein language model"\n'
            ),
        ),
    )
}


#: What readers call the sources that are no configured ones: imported files go by their kind.
IMPORTED: Mapping[str, str] = {
    **{row.kind: row.label for row in KINDS.values()},
    "huggingface-week": "Hugging Face, the week",
    "huggingface-month": "Hugging Face, the month",
    "huggingface-trending": "Hugging Face, trending",
    "huggingface-capture": "Hugging Face search",
    "keyword-capture": "imported listing",
    "records": "imported record",
}


def build(config: SourceConfig) -> Source:
    """Return the source that a [[source]] of the settings describes.

    Raises SettingsError that names the source, the setting and the legal values.
    """
    row = KINDS.get(config.kind)
    legal = ", ".join(KINDS)
    if config.kind in LATER:
        raise SettingsError(
            f"{_named(config)}: kind {config.kind} is not supported by this version; use one of {legal}"
        )
    if row is None:
        raise SettingsError(f"{_named(config)}: kind must be one of {legal}, not {config.kind!r}")
    if not config.name.strip() or len(config.name) > 80 or not config.name.isprintable():
        raise SettingsError(f"{_named(config)}: name must be 1 to 80 printable characters")
    for setting, value in (("query", config.query.strip()), ("categories", config.categories)):
        if setting in row.needs and not value:
            raise SettingsError(f"{_named(config)}: {setting} must be set for kind {row.kind}")
        if value and setting not in row.needs:
            raise SettingsError(f"{_named(config)}: kind {row.kind} takes no {setting}")
    if len(config.query) > _QUERY_LIMIT:
        raise SettingsError(f"{_named(config)}: query must be at most {_QUERY_LIMIT} characters")
    if config.every is not None and config.every <= timedelta():
        raise SettingsError(f"{_named(config)}: every must be longer than zero")
    return row.build(replace(config, url=_root(config, row)), config.every or row.every)


def intervals(configs: Iterable[SourceConfig]) -> dict[str, float]:
    """Return the seconds between two requests to each host that the sources ask, for `scrapers.pace.Pace`.

    Where sources of several kinds share a host, the longest interval holds. Raises SettingsError as `build` does.
    """
    longest: dict[str, float] = {}
    for config in configs:
        build(config)
        row = KINDS[config.kind]
        host = urlsplit(_root(config, row)).hostname or ""
        longest[host] = max(row.pace_seconds, longest.get(host, 0.0))
    return longest


def _root(config: SourceConfig, row: SourceKind) -> str:
    """Return the site's root without a slash at its end; raises SettingsError for what is not one."""
    url = (config.url or row.url).strip()
    refusal = SettingsError(f"{_named(config)}: url must be a site's http or https root, such as {row.url}")
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as error:
        raise refusal from error
    if not known or not url.isascii() or not url.isprintable() or " " in url:
        raise refusal
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise refusal
    return url.rstrip("/")


def _named(config: SourceConfig) -> str:
    return f"source {config.name[:80]!r}"
