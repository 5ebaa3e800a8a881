"""The page that says what is kept: in plain words, with the days of the settings."""

import dataclasses

import pytest
from limits import parse_many

from web.limits import Measures
from web.operations.sign_in import MINUTES
from web.privacy import PrivacyPages, Promises
from web.rendering import Rendering, SiteFacts

pytestmark = pytest.mark.engines("sqlite")
KEPT = Promises(pending_days=7, issues_days=30, replies_days=20, bounces_days=10)


def page(promises, base_url="https://digests.example.org"):
    return PrivacyPages(promises, Rendering(SiteFacts(base_url=base_url))).show().body.decode()


def test_the_page_says_the_days_of_this_installation(site):
    answer = site.ask("GET", "/privacy")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "public, max-age=60"
    for days in ("14 days if you never confirm", "365 days", "90 days", "30 days", "3 days, unless they confirm"):
        assert days in answer.text


def test_every_page_leads_to_it(site, below):
    assert 'href="/privacy"' in site.ask("GET", "/").text
    assert 'href="/papers/privacy"' in below.ask("GET", "/papers/nothing").text
    assert below.ask("GET", "/papers/privacy").status == 200


def test_it_names_who_to_write_to_where_somebody_is():
    text = page(Promises(7, 30, 20, 10, write_to="people@lab.example", postal_address="1 Tide Street <Kiel>"))
    assert "write to people@lab.example" in text
    assert "1 Tide Street &lt;Kiel&gt;" in text
    assert "answer any letter" in page(KEPT)
    assert "Who runs this" not in page(KEPT)


@pytest.mark.parametrize("days", [1, 2])
def test_days_are_counted_in_english(days):
    said = "1 day" if days == 1 else "2 days"
    assert f"{said} if you never confirm" in page(Promises(days, days, days, days))


def test_letters_without_links_are_promised_none(personal, site):
    theirs, ours = personal.ask("GET", "/privacy").text, site.ask("GET", "/privacy").text
    assert "in any letter" not in theirs
    assert "from any letter" not in theirs
    assert "ask whoever runs this" in theirs
    assert "open the link to your topics in any letter" in ours
    assert "Letters from here carry no links" not in ours


def test_everything_that_is_counted_by_network_is_named_with_its_time():
    text = page(KEPT)
    for what in ("subscribe", "try a topic", "search", "use the API", "mistype the operator’s password"):
        assert what in text
    assert "a day after you subscribed, ten minutes after a wrong password and a minute after anything else" in text
    measures = Measures()
    longest = {limits: max(each.get_expiry() for each in parse_many(limits)) for limits in dataclasses.astuple(measures)
               if isinstance(limits, str)}  # fmt: skip
    assert longest[measures.sign_ups] == 24 * 3600
    assert longest[measures.previews] == longest[measures.searches] == 60
    assert MINUTES == 10
