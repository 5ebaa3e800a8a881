"""Every kind of source this version knows, in one table; and from a configured source to a Source.

Adding a kind is one module, one row here, its pages in the tests and a row in docs/sources.md.
"""

from collections.abc import Mapping
from datetime import timedelta

from scrapers.arxiv import ANNOUNCED, API, ARXIV, RSS
from scrapers.arxiv_api import ApiSource, query_error
from scrapers.arxiv_feed import FeedSource as ArxivFeedSource
from scrapers.arxiv_listing import ListingSource
from scrapers.biorxiv import API as BIORXIV
from scrapers.biorxiv import BiorxivSource
from scrapers.configuring import SourceConfig, SourceKind, checked, refused
from scrapers.feeds import FeedSource
from scrapers.huggingface import DailySource, PeriodSource, SearchSource, TrendingSource
from scrapers.source import Source

HUGGINGFACE = "https://huggingface.co"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_HF_PACE = "a page every 3 s; its RateLimit headers are obeyed"
_FEED_PACE = "a request every 3 s, one connection"

KINDS: Mapping[str, SourceKind] = {
    row.kind: row
    for row in (
        SourceKind(
            kind="huggingface-daily",
            label="Hugging Face Daily Papers",
            doc="The papers that Hugging Face lists for one day; the list fills through the day.",
            build=lambda config, every: DailySource(config.name, config.url, every),
            url=HUGGINGFACE,
            every=_HOUR,
            pace=_HF_PACE,
            example='[[source]]\nname = "huggingface-daily"\nkind = "huggingface-daily"\n',
        ),
        SourceKind(
            kind="huggingface-week",
            label="Hugging Face papers of the week",
            doc="The papers that stood out in one week, at most 105.",
            build=lambda config, every: PeriodSource(config.name, config.url, every, "huggingface-week"),
            url=HUGGINGFACE,
            every=6 * _HOUR,
            pace=_HF_PACE,
            example='[[source]]\nname = "huggingface-week"\nkind = "huggingface-week"\n',
        ),
        SourceKind(
            kind="huggingface-month",
            label="Hugging Face papers of the month",
            doc="The papers that stood out in one month, at most 105.",
            build=lambda config, every: PeriodSource(config.name, config.url, every, "huggingface-month"),
            url=HUGGINGFACE,
            every=12 * _HOUR,
            pace=_HF_PACE,
            example='[[source]]\nname = "huggingface-month"\nkind = "huggingface-month"\n',
        ),
        SourceKind(
            kind="huggingface-trending",
            label="Hugging Face trending papers",
            doc="The 50 papers that are talked about now, of any age.",
            build=lambda config, every: TrendingSource(config.name, config.url, every),
            url=HUGGINGFACE,
            every=6 * _HOUR,
            pace=_HF_PACE,
            example='[[source]]\nname = "huggingface-trending"\nkind = "huggingface-trending"\n',
        ),
        SourceKind(
            kind="huggingface-search",
            label="Hugging Face search",
            doc="What Hugging Face finds for a query, of any year, up to 120; what the archive has not seen is new.",
            build=lambda config, every: SearchSource(config.name, config.url, config.query, every),
            url=HUGGINGFACE,
            every=6 * _HOUR,
            pace=_HF_PACE,
            needs=frozenset({"query"}),
            example=(
                '[[source]]\nname = "huggingface-proteins"\nkind = "huggingface-search"\n'
                'query = "protein language model"\n'
            ),
        ),
        SourceKind(
            kind="arxiv-listing",
            label="arXiv",
            doc="arXiv's daily list of a category, with abstracts; missed days are refilled up to 90 days back.",
            build=lambda config, every: ListingSource(
                config.name,
                config.url,
                config.categories,
                every,
                config.announced or ANNOUNCED,
                config.list or "new",
            ),
            url=ARXIV,
            every=12 * _HOUR,
            pace="a page every 15 s, one connection",
            needs=frozenset({"categories"}),
            takes=frozenset({"announce", "list"}),
            example='[[source]]\nname = "arxiv-cl"\nkind = "arxiv-listing"\ncategories = ["cs.CL"]\n',
        ),
        SourceKind(
            kind="arxiv-feed",
            label="arXiv",
            doc="arXiv's feed of the newest announcement of categories; missed days are refilled from its list pages.",
            build=lambda config, every: ArxivFeedSource(
                config.name, config.url, config.categories, every, config.announced or ANNOUNCED
            ),
            url=RSS,
            every=12 * _HOUR,
            pace=_FEED_PACE,
            needs=frozenset({"categories"}),
            takes=frozenset({"announce"}),
            example='[[source]]\nname = "arxiv-ai"\nkind = "arxiv-feed"\ncategories = ["cs.AI", "cs.LG"]\n',
        ),
        SourceKind(
            kind="arxiv-api",
            label="arXiv search",
            doc="What arXiv's search finds for a query or categories, newest first.",
            build=lambda config, every: ApiSource(config.name, config.url, config.query, config.categories, every),
            url=API,
            every=12 * _HOUR,
            pace=_FEED_PACE,
            any_of=frozenset({"query", "categories"}),
            check=lambda config: query_error(config.query) if config.query else "",
            example=(
                '[[source]]\nname = "arxiv-tides"\nkind = "arxiv-api"\n'
                'query = "abs:\\"tidal disruption\\""\ncategories = ["astro-ph.HE"]\n'
            ),
        ),
        SourceKind(
            kind="feed",
            label="feed",
            doc="Any RSS, Atom, RDF or JSON Feed by its address: a journal, a PubMed search, a blog.",
            build=lambda config, every: FeedSource(config.name, config.url, every),
            url="https://www.nature.com/nature.rss",
            every=6 * _HOUR,
            pace="a request a second",
            needs=frozenset({"url"}),
            example='[[source]]\nname = "Nature"\nkind = "feed"\nurl = "https://www.nature.com/nature.rss"\n',
        ),
        SourceKind(
            kind="biorxiv",
            label="bioRxiv",
            doc="The preprints that bioRxiv posted on one day, with their versions.",
            build=lambda config, every: BiorxivSource(config.name, config.url, "biorxiv", config.categories, every),
            url=BIORXIV,
            every=6 * _HOUR,
            pace="a request a second",
            takes=frozenset({"categories"}),
            example='[[source]]\nname = "biorxiv"\nkind = "biorxiv"\ncategories = ["neuroscience"]\n',
        ),
        SourceKind(
            kind="medrxiv",
            label="medRxiv",
            doc="The preprints that medRxiv posted on one day, with their versions.",
            build=lambda config, every: BiorxivSource(config.name, config.url, "medrxiv", config.categories, every),
            url=BIORXIV,
            every=6 * _HOUR,
            pace="a request a second",
            takes=frozenset({"categories"}),
            example='[[source]]\nname = "medrxiv"\nkind = "medrxiv"\ncategories = ["epidemiology"]\n',
        ),
    )
}

#: What readers call the sources that are no configured ones: imported files go by their kind.
IMPORTED: Mapping[str, str] = {
    **{row.kind: row.label for row in KINDS.values()},
    "huggingface-capture": "Hugging Face search",
    "huggingface-paper": "Hugging Face",
    "huggingface-api": "Hugging Face",
    "arxiv-abstract": "arXiv",
    "arxiv-mail": "arXiv",
    "keyword-capture": "imported listing",
    "feed": "imported feed",
    "records": "imported record",
}


def build(config: SourceConfig) -> Source:
    """Return the source that a [[source]] of the settings describes.

    Raises SettingsError that names the source, the setting and the legal values.
    """
    row = KINDS.get(config.kind)
    if row is None:
        raise refused(config, f"kind must be one of {', '.join(KINDS)}, not {config.kind[:40]!r}")
    return row.build(checked(config, row), config.every or row.every)
