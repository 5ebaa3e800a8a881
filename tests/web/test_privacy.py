"""The page that says what is kept: in plain words, with the days of the settings."""

import pytest
from starlette.requests import Request

from web.privacy import PrivacyPages, Promises
from web.rendering import Rendering, SiteFacts

pytestmark = pytest.mark.engines("sqlite")
KEPT = Promises(pending_days=7, issues_days=30, replies_days=20, bounces_days=10)


def page(promises):
    request = Request({"type": "http", "method": "GET", "path": "/privacy", "headers": []})
    return PrivacyPages(promises, Rendering(SiteFacts())).show(request).body.decode()


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
