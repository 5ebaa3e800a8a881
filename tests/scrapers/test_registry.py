"""From the settings' words to a source, or to one sentence that says what is wrong."""

import tomllib
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import SettingsError
from domain.papers import Announcement
from scrapers.arxiv_feed import FeedSource as ArxivFeedSource
from scrapers.arxiv_listing import ListingSource
from scrapers.configuring import CHOICES, LISTS
from scrapers.importing import KINDS as IMPORTS
from scrapers.registry import IMPORTED, KINDS, SourceConfig, build
from scrapers.source import Source, Visit

DAY = date(2026, 3, 4)
VISIT = Visit(day=DAY, newest=DAY, since=DAY)


def example(kind: str) -> SourceConfig:
    """Return the source of a kind's example, as the settings would."""
    (written,) = tomllib.loads(KINDS[kind].example)["source"]
    return SourceConfig(**{key: tuple(value) if isinstance(value, list) else value for key, value in written.items()})


def urls(source: Source) -> list[str]:
    return [request.url for request in source.requests(VISIT)]


def refusal(config: SourceConfig) -> str:
    with pytest.raises(SettingsError) as raised:
        build(config)
    sentence = str(raised.value)
    prefix = f"source {config.name!r}: "
    assert sentence.startswith(prefix)
    assert "\n" not in sentence
    assert not sentence.endswith(".")
    return sentence.removeprefix(prefix)


# -- what is built -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_builds_from_its_own_example(kind: str) -> None:
    row, config = KINDS[kind], example(kind)
    source = build(config)
    assert (source.name, source.kind, source.every) == (config.name, kind, row.every)
    assert config.kind == kind
    assert urls(source)
    assert all(url.startswith(row.url) for url in urls(source))


@pytest.mark.parametrize("kind", KINDS)
def test_the_settings_of_a_row_are_settings_that_there_are(kind: str) -> None:
    row = KINDS[kind]
    sets = (row.needs - {"url"}, row.takes, row.any_of)
    assert frozenset().union(*sets) <= set(CHOICES)
    assert sum(map(len, sets)) == len(frozenset().union(*sets)), "a setting is needed or taken, not both"


@pytest.mark.parametrize("kind", KINDS)
def test_any_mirror_may_be_asked_and_the_slash_at_its_end_does_not_matter(kind: str) -> None:
    source = build(replace(example(kind), url=" http://127.0.0.1:8000/ ", every=timedelta(minutes=5)))
    assert source.every == timedelta(minutes=5)
    assert all(url.startswith("http://127.0.0.1:8000/") for url in urls(source))
    assert not any("8000//" in url for url in urls(source))


def test_a_site_may_stand_in_a_folder_and_a_feed_may_have_a_query() -> None:
    assert urls(build(SourceConfig("m", "huggingface-daily", url="https://Mirror.example:81/hf"))) == [
        "https://Mirror.example:81/hf/papers/date/2026-03-04"
    ]
    feed = "https://pubmed.ncbi.nlm.nih.gov/rss/search/1x/?limit=15&utm_campaign=pubmed-2"
    assert urls(build(SourceConfig("m", "feed", url=feed))) == [feed]


def test_what_is_set_reaches_the_source() -> None:
    search = build(SourceConfig("s", "huggingface-search", query="  protein folding "))
    assert urls(search) == ["https://huggingface.co/papers?q=protein+folding"]
    listing = build(
        SourceConfig("s", "arxiv-listing", categories=("cs.CL", "math"), announce=("new", "replace"), list="pastweek")
    )
    assert isinstance(listing, ListingSource)
    assert listing.announce == {Announcement.NEW, Announcement.REPLACE}
    assert urls(listing) == [f"https://arxiv.org/list/{category}/pastweek" for category in ("cs.CL", "math")]
    feed = build(SourceConfig("s", "arxiv-feed", categories=("cs.CL",), announce=("new",)))
    assert isinstance(feed, ArxivFeedSource)
    assert feed.announce == {Announcement.NEW}
    assert build(SourceConfig("s", "arxiv-api", query="ti:tides")).label == "arXiv search: ti:tides"
    assert build(SourceConfig("s", "arxiv-api", categories=("cs.CL",))).label == "arXiv search: cs.CL"
    assert urls(build(SourceConfig("s", "medrxiv", categories=("Cell Biology",)))) == [
        "https://api.biorxiv.org/details/medrxiv/2026-03-04/2026-03-04/0/json?category=cell_biology"
    ]


def test_what_is_not_set_is_the_kinds_own_choice() -> None:
    listing = build(SourceConfig("s", "arxiv-listing", categories=("cs.CL",)))
    assert isinstance(listing, ListingSource)
    assert (listing.announce, listing.pages) == ({Announcement.NEW, Announcement.CROSS}, "new")


# -- what readers call it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "row", "source"),
    [
        ("huggingface-daily", "Hugging Face Daily Papers", "Hugging Face Daily Papers"),
        ("huggingface-week", "Hugging Face papers of the week", "Hugging Face papers of the week"),
        ("huggingface-month", "Hugging Face papers of the month", "Hugging Face papers of the month"),
        ("huggingface-trending", "Hugging Face trending papers", "Hugging Face trending papers"),
        ("huggingface-search", "Hugging Face search", "Hugging Face search: protein language model"),
        ("arxiv-listing", "arXiv", "arXiv cs.CL"),
        ("arxiv-feed", "arXiv", "arXiv cs.AI, cs.LG"),
        ("arxiv-api", "arXiv search", 'arXiv search: abs:"tidal disruption" in astro-ph.HE'),
        ("feed", "feed", "Nature"),
        ("biorxiv", "bioRxiv", "bioRxiv: neuroscience"),
        ("medrxiv", "medRxiv", "medRxiv: epidemiology"),
    ],
)
def test_a_kind_and_a_source_of_it_have_names_for_readers(kind: str, row: str, source: str) -> None:
    assert (KINDS[kind].label, build(example(kind)).label) == (row, source)


def test_every_kind_has_been_asked_its_name() -> None:
    (cases,) = (mark.args[1] for mark in test_a_kind_and_a_source_of_it_have_names_for_readers.pytestmark)
    assert [kind for kind, _, _ in cases] == list(KINDS)


def test_every_kind_of_import_has_a_name_that_readers_understand() -> None:
    assert set(IMPORTS) <= set(IMPORTED)
    assert not {label for label in IMPORTED.values() if label in {*KINDS, *IMPORTS}}, "a label is no kind's name"


# -- what is refused ---------------------------------------------------------------------------------------------------

LISTING: dict[str, Any] = {"kind": "arxiv-listing", "categories": ("cs.CL",)}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"kind": "huggingface-dayly"}, f"kind must be one of {', '.join(KINDS)}, not 'huggingface-dayly'"),
        ({"kind": ""}, f"kind must be one of {', '.join(KINDS)}, not ''"),
        ({"kind": "huggingface-search"}, "query must be set for kind huggingface-search"),
        ({"kind": "huggingface-search", "query": " \t"}, "query must be set for kind huggingface-search"),
        ({"kind": "arxiv-listing"}, "categories must be set for kind arxiv-listing"),
        ({"kind": "arxiv-feed"}, "categories must be set for kind arxiv-feed"),
        ({"kind": "arxiv-api"}, "categories or query must be set for kind arxiv-api"),
        ({"kind": "feed"}, "url must be set for kind feed, such as https://www.nature.com/nature.rss"),
        ({"kind": "feed", "url": "  "}, "url must be set for kind feed, such as https://www.nature.com/nature.rss"),
        ({"kind": "huggingface-daily", "query": "q"}, "kind huggingface-daily takes no query"),
        ({"kind": "huggingface-week", "categories": ("cs.CL",)}, "kind huggingface-week takes no categories"),
        ({"kind": "huggingface-month", "announce": ("new",)}, "kind huggingface-month takes no announce"),
        ({"kind": "huggingface-trending", "list": "new"}, "kind huggingface-trending takes no list"),
        ({"kind": "arxiv-feed", "categories": ("cs.CL",), "list": "new"}, "kind arxiv-feed takes no list"),
        ({"kind": "arxiv-api", "query": "x", "announce": ("new",)}, "kind arxiv-api takes no announce"),
        ({"kind": "biorxiv", "query": "x"}, "kind biorxiv takes no query"),
        ({"kind": "feed", "url": "https://a.example/", "query": "x"}, "kind feed takes no query"),
        ({**LISTING, "query": "x"}, "kind arxiv-listing takes no query"),
        (
            {"kind": "huggingface-search", "query": "q" * 251},
            "query must be at most 250 printable characters",
        ),
        ({"kind": "huggingface-search", "query": "a\nb"}, "query must be at most 250 printable characters"),
        ({**LISTING, "categories": ("cs.CL", "cs/CL")}, "categories: 'cs/CL' is not a category, such as cs.CL"),
        ({**LISTING, "categories": ("../cs",)}, "categories: '../cs' is not a category, such as cs.CL"),
        ({**LISTING, "categories": ("",)}, "categories: '' is not a category, such as cs.CL"),
        ({**LISTING, "categories": ("cs\n",)}, "categories: 'cs\\n' is not a category, such as cs.CL"),
        ({**LISTING, "categories": ("cs",) * 41}, "categories: at most 40; make several sources of them"),
        (
            {**LISTING, "announce": ("new", "replaced")},
            "announce must be of new, cross, replace, replace-cross, not 'replaced'",
        ),
        ({**LISTING, "list": "old"}, f"list must be one of {', '.join(LISTS)}, not 'old'"),
        ({"kind": "huggingface-daily", "every": timedelta()}, "every must be longer than zero"),
        ({"kind": "huggingface-daily", "every": timedelta(hours=-1)}, "every must be longer than zero"),
    ],
)
def test_a_wrong_setting_is_named_with_its_source(said: dict[str, Any], sentence: str) -> None:
    assert refusal(SourceConfig("x", **said)) == sentence


@pytest.mark.parametrize("query", ["title:tides", "ti:tides AND author:moss", "http://arxiv.org/abs/1", "x:y"])
def test_a_field_that_arxiv_does_not_have_is_named(query: str) -> None:
    sentence = refusal(SourceConfig("x", "arxiv-api", query=query))
    assert sentence.startswith("the query names the field ")
    assert "ti, au, abs, co, jr, cat, rn, id, all" in sentence


@pytest.mark.parametrize("query", ['"open', "a AND", "(a", "a)", "ti:x NOT y", "and or", "()"])
def test_a_query_that_arxiv_would_refuse_or_quietly_change_is_refused_here(query: str) -> None:
    assert refusal(SourceConfig("x", "arxiv-api", query=query)).startswith("the query ")


@pytest.mark.parametrize("name", [" ", "", "x\n", "x" * 81, "\u202ex"])
def test_a_source_without_a_name_to_print_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="name must be 1 to 80 printable characters"):
        build(SourceConfig(name, "huggingface-daily"))


NO_ADDRESS = (
    *("file:///etc", "huggingface.co", "http://", "http://[", "http://a:99999", "http://a:0", "http://u:p@host"),
    *(
        "http://a#b",
        "http://a b",
        "http://a/\tb",
        "http://é.example",
        "ftp://a.example/",
        "javascript:x",
        "//a.example",
    ),
)


@pytest.mark.parametrize("url", [*NO_ADDRESS, "http://a?b=c", "https://huggingface.co/papers?q=x"])
def test_a_root_that_is_no_address_is_refused_with_one_that_is(url: str) -> None:
    sentence = refusal(SourceConfig("x", "huggingface-daily", url=url))
    assert sentence == "url must be a site's http or https root, such as https://huggingface.co"


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_a_feed_that_is_no_address_is_refused_with_one_that_is(url: str) -> None:
    sentence = refusal(SourceConfig("x", "feed", url=url))
    assert sentence == "url must be an http or https address, such as https://www.nature.com/nature.rss"


TEXTS = st.text(max_size=30)


@given(
    st.builds(
        SourceConfig,
        name=TEXTS,
        kind=st.sampled_from(sorted(KINDS)) | TEXTS,
        url=TEXTS | st.sampled_from(["", "https://a.example/b?c=d", "http://[::1]:80/"]),
        query=TEXTS | st.just(""),
        categories=st.lists(TEXTS | st.just("cs.CL"), max_size=2).map(tuple),
        announce=st.lists(TEXTS | st.just("new"), max_size=2).map(tuple),
        list=TEXTS | st.sampled_from(["", "new"]),
        every=st.none() | st.timedeltas(),
    )
)
def test_any_settings_make_a_source_or_one_sentence(config: SourceConfig) -> None:
    try:
        source = build(config)
    except SettingsError as error:
        sentence = str(error)
    else:
        sentence = f"source {source.name!r}"
        assert all(url.isascii() and url.startswith("http") and " " not in url for url in urls(source))
    assert sentence.startswith(f"source {config.name!r}")
    assert "\n" not in sentence
