"""From the settings' words to a source, or to one sentence that says what is wrong."""

import tomllib
from datetime import date, timedelta

import pytest

from domain.errors import SettingsError
from scrapers.registry import IMPORTED, KINDS, LATER, SourceConfig, build, intervals


def test_every_kind_builds_from_its_own_example() -> None:
    for row in KINDS.values():
        (written,) = tomllib.loads(row.example)["source"]
        source = build(SourceConfig(**written))
        assert (source.name, source.kind, source.every) == (written["name"], row.kind, row.every)
        assert source.label.startswith(row.label)
        assert all(request.url.startswith(row.url + "/") for request in source.requests(date(2026, 3, 4)))


def test_any_mirror_may_be_asked_and_the_slash_at_its_end_does_not_matter() -> None:
    config = SourceConfig("m", "huggingface-daily", url="http://127.0.0.1:8000/", every=timedelta(minutes=5))
    source = build(config)
    assert [request.url for request in source.requests(date(2026, 3, 4))] == [
        "http://127.0.0.1:8000/papers/date/2026-03-04"
    ]
    assert source.every == timedelta(minutes=5)


@pytest.mark.parametrize("kind", LATER)
def test_kinds_of_later_versions_are_refused_by_name(kind: str) -> None:
    with pytest.raises(SettingsError, match=f"{kind} is not supported by this version"):
        build(SourceConfig("x", kind))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (SourceConfig("x", "huggingface-dayly"), "kind must be one of huggingface-daily, huggingface-search"),
        (SourceConfig("x", "huggingface-search"), "query must be set"),
        (SourceConfig("x", "huggingface-search", query="  "), "query must be set"),
        (SourceConfig("x", "huggingface-search", query="q" * 251), "at most 250"),
        (SourceConfig("x", "huggingface-daily", query="q"), "takes no query"),
        (SourceConfig("x", "huggingface-daily", categories=("cs.CL",)), "takes no categories"),
        (SourceConfig("x", "huggingface-daily", every=timedelta()), "every must be"),
        (SourceConfig(" ", "huggingface-daily"), "name must be"),
        (SourceConfig("x\n", "huggingface-daily"), "name must be"),
        *(
            (SourceConfig("x", "huggingface-daily", url=url), "url must be")
            for url in (
                "file:///etc",
                "huggingface.co",
                "http://",
                "http://[",
                "http://a:99999",
                "http://u:p@host",
                "http://a?b=c",
                "http://a#b",
                "http://a b",
                "http://a/\tb",
                "http://é.example",
            )
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_source(config: SourceConfig, words: str) -> None:
    with pytest.raises(SettingsError, match="source ") as raised:
        build(config)
    assert words in str(raised.value)


def test_hosts_keep_the_pace_of_their_kind() -> None:
    configs = [
        SourceConfig("a", "huggingface-daily"),
        SourceConfig("b", "huggingface-search", query="x"),
        SourceConfig("c", "huggingface-daily", url="http://Mirror.example:81/hf"),
    ]
    assert intervals(configs) == {"huggingface.co": 3.0, "mirror.example": 3.0}


def test_every_kind_of_import_has_a_name_that_readers_understand() -> None:
    from scrapers.importing import KINDS as IMPORTS

    assert set(IMPORTS) <= set(IMPORTED)
