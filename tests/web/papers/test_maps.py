"""What crawlers are told, by the setting."""

import xml.etree.ElementTree as ET
from urllib.robotparser import RobotFileParser

import pytest

from storage.mapping import BLOCK

NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def places(answer):
    return [each.text for each in ET.fromstring(answer.text).iter(f"{NAMESPACE}loc")]  # noqa: S314 our own


def test_a_site_that_wants_to_be_found_shows_all_but_what_was_asked_or_sent(library):
    answer = library.get("/robots.txt")

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    for path in ("/papers?", "/days?", "/topics/preview", "/operations", "/api/"):
        assert f"\nDisallow: {path}\n" in answer.text
    assert "\nDisallow: /\n" not in answer.text
    assert "Sitemap: https://digests.example.org/sitemap.xml" in answer.text


@pytest.mark.parametrize(
    "path",
    ["/topics/Eels-1", "/topics/Eels-1.atom", "/issues/Issue-1", "/subscribe", "/confirm/x", "/preferences/x",
     "/account/x", "/address/x", "/unsubscribe/x"],
)  # fmt: skip
def test_what_is_not_to_be_found_may_be_fetched_so_that_it_can_say_so(library, path):
    rules = RobotFileParser()
    rules.parse(library.get("/robots.txt").text.splitlines())

    assert library.get(path).headers["x-robots-tag"] == "noindex"
    assert rules.can_fetch("crawler", f"https://digests.example.org{path}")
    assert not rules.can_fetch("crawler", "https://digests.example.org/topics/preview?q=a")


def test_the_maps_name_every_paper_and_day_with_the_day_of_its_last_change(library):
    pieces = places(library.get("/sitemap.xml"))
    assert pieces == [f"https://digests.example.org/sitemap-{name}.xml" for name in ("days", "papers-1")]

    papers = library.get("/sitemap-papers-1.xml")
    assert papers.headers["content-type"] == "application/xml; charset=utf-8"
    assert len(places(papers)) == 61
    assert "https://digests.example.org/papers/doi:10.1101/a%3Cb%3E%22%26c" in places(papers)
    assert papers.text.count("<lastmod>2026-11-20</lastmod>") == 3
    days = places(library.get("/sitemap-days.xml"))
    assert {f"https://digests.example.org{path}" for path in ("/", "/days/2026-11-20", "/weeks/2026-W47")} <= {*days}
    assert not [each for each in [*days, *places(papers)] if "/issues/" in each or "?" in each]
    for path in (
        "/sitemap-papers-2.xml",
        "/sitemap-papers-0.xml",
        "/sitemap-papers-x.xml",
        "/sitemap-papers-²0.xml".replace("²", "%C2%B2"),
    ):
        assert library.get(path).status == 404
    assert BLOCK <= 10_000


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ({"indexing": "front"}, ["Allow: /$", "Disallow: /"]),
        ({"indexing": "nothing"}, ["Disallow: /"]),
    ],
)
def test_a_site_that_wants_less_says_so_and_has_no_map(serving, web, said):
    library = serving(**web)
    lines = library.get("/robots.txt").text.splitlines()

    assert all(line in lines for line in said)
    assert not any(line.startswith("Sitemap") for line in lines)
    for path in ("/sitemap.xml", "/sitemap-days.xml", "/sitemap-papers-1.xml"):
        assert library.get(path).status == 404
    assert library.get("/papers/arxiv:2611.00001").headers["x-robots-tag"] == "noindex"
    assert ("x-robots-tag" in library.get("/").headers) is (web["indexing"] == "nothing")


@pytest.mark.parametrize("under", ["", "/reading"])
def test_the_first_page_is_hidden_only_where_nothing_is_to_be_found(serving, under):
    for indexing, hidden in (("archive", False), ("front", False), ("nothing", True)):
        library = serving(base_url=f"https://digests.example.org{under}", indexing=indexing)
        assert ("x-robots-tag" in library.get(f"{under}/").headers) is hidden, indexing
        assert ("x-robots-tag" in library.get(f"{under}/papers").headers) is (indexing != "archive"), indexing


def test_under_a_path_the_rules_are_at_the_root_of_the_host(serving):
    library = serving(base_url="https://lab.example/reading")

    assert "Disallow: /reading/papers?" in library.get("/robots.txt").text
    assert places(library.get("/reading/sitemap.xml"))[0] == "https://lab.example/reading/sitemap-days.xml"
    assert library.get("/reading/robots.txt").status == 404


@pytest.mark.engines("sqlite")
def test_a_personal_installation_has_no_map(personal):
    assert personal.ask("GET", "/sitemap.xml").status == 404
    assert "Sitemap" not in personal.ask("GET", "/robots.txt").text
