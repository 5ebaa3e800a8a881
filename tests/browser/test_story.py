"""A reader's whole story, by hand: from the first page to the goodbye, on a phone without scripts and on a desktop.

Every letter leaves over SMTP and is read from a real mailbox; every link is opened as it stands in its letter.
"""

import json
from pathlib import Path

import pytest

from domain.subscriptions import SubscriberState

MIRA, HOME = "mira@lab.example", "mira@home.example"
TOPIC, MORE = "weather OR climate", "protein design"


@pytest.fixture(params=[("phone", False), ("desktop", True)], ids=["phone-without-scripts", "desktop-with-scripts"])
def window(request, open_window):
    width, scripts = request.param
    window = open_window(width, scripts=scripts)
    window.scripts = scripts
    window.width = width
    return window


def test_a_reader_comes_chooses_reads_and_leaves(town, window, keep):
    page, readers = window.page, town.house.subscribers

    def seen(step: str) -> None:
        keep(page, f"story-{window.width}-{step}")

    # They try a topic before anybody asks who they are.
    window.open(f"{town.url}/")
    page.get_by_label("Your topic").fill(TOPIC)
    if window.scripts:
        page.locator("[data-preview] article").first.wait_for()
        seen("01-front")
        page.get_by_role("link", name="Have these by mail").click()
        page.wait_for_url("**/subscribe?*")
        assert page.get_by_label("Time zone").input_value() == "Europe/Berlin"  # guessed by the script
    else:
        seen("01-front")
        window.press("See what it brings")
        page.get_by_role("heading", name="Have these by mail").wait_for()
        page.get_by_label("Time zone").fill("Europe/Berlin")
    seen("02-sign-up")
    window.clicks.clear()

    # Two clicks and the letters come.
    town.later(seconds=20)  # to type takes its time, and who takes none is a program
    page.get_by_label("Your address").fill(MIRA)
    window.press("Ask for a link")
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    seen("03-asked")
    (asking,) = town.letters(MIRA)
    window.open(town.link(asking, "confirm"))
    seen("04-confirm")
    assert readers.by_address(MIRA).state is SubscriberState.PENDING
    window.press("Confirm")
    page.get_by_role("heading", name="Your address is confirmed").wait_for()
    seen("05-confirmed")
    assert window.clicks == ["Ask for a link", "Confirm"]
    assert readers.by_address(MIRA).state is SubscriberState.CONFIRMED

    town.later(minutes=5)
    town.publish()
    digest = town.letters(MIRA)[-1]
    assert digest["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    window.open(town.link(digest, "issues"))
    assert page.locator("h1").count() == 1
    seen("06-letter")

    # They choose what comes, and when.
    preferences = town.link(digest, "preferences")
    window.open(preferences)
    page.get_by_label("What do you want to read about?").fill(MORE)
    window.press("See first what it brings")
    window.says("in the last 14 days")
    window.press("Add the topic")
    window.says("The topic was added; letters look for it from now on.")
    page.get_by_text("Change when they come").click()
    page.get_by_label("Hour", exact=True).select_option("9")
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    page.locator("form", has=page.get_by_label("Time zone")).get_by_role("button", name="Save").click()
    window.says("every day at 09:00, Asia/Tokyo")
    page.get_by_text("Pause them").click()
    page.get_by_label("Letters begin again on").fill("2026-12-24")
    window.press("Pause")
    window.says("paused until")
    seen("07-paused")
    window.press("Let letters come again")
    window.says("Your letters come again.")
    seen("08-preferences")
    mira = readers.by_address(MIRA)
    assert (mira.schedule.hour, mira.schedule.zone, mira.state) == (9, "Asia/Tokyo", SubscriberState.CONFIRMED)
    assert len(mira.subscriptions) == 2

    # What a passed-on letter must not allow needs a link of its own.
    window.press("Send me the link")
    window.says("one with a link is on its way")
    fresh = town.letters(MIRA)[-1]
    account = town.link(fresh, "account")
    window.open(account)
    seen("09-account")
    with page.expect_download() as export:
        window.press("Export everything")
    assert MIRA in json.dumps(json.loads(Path(export.value.path()).read_text("utf-8")))
    page.get_by_label("New address").fill(HOME)
    window.press("Send the letter")
    page.get_by_role("heading", name="A letter is on its way to the new address").wait_for()
    (moving,) = town.letters(HOME)
    window.open(town.link(moving, "address"))
    seen("10-address")
    window.press("Move the letters here")
    page.get_by_role("heading", name="Your letters have moved").wait_for()
    assert readers.by_address(MIRA) is None
    assert readers.by_address(HOME).public_id == mira.public_id

    # One click and they stop.
    window.open(town.link(digest, "unsubscribe"))
    seen("11-unsubscribe")
    window.clicks.clear()
    window.press("Unsubscribe")
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    seen("12-goodbye")
    assert window.clicks == ["Unsubscribe"]
    assert readers.by_address(HOME).state is SubscriberState.UNSUBSCRIBED
    goodbye = town.letters(HOME)[-1]
    assert "last one" in goodbye.get_body(("plain",)).get_content()

    # What they might have pressed instead, without a word of regret from us.
    window.press("Weekly instead")
    page.get_by_role("heading", name="One letter a week").wait_for()
    assert readers.by_address(HOME).state is SubscriberState.CONFIRMED

    assert window.complaints == []
    assert [each for each in window.asked if not each.startswith(f"{town.url}/")] == []


def test_two_windows_do_not_undo_each_other(town, open_window):
    reader = town.reader("mira", TOPIC)
    link = town.house.links.preferences(town.id_of(reader))
    first, second = open_window(), open_window("desktop")
    for window in (first, second):
        window.open(link)
        window.page.get_by_label("What do you want to read about?").fill(MORE)
    first.press("Add the topic")
    first.says("The topic was added; letters look for it from now on.")

    second.press("Add the topic")

    second.page.get_by_role("alert").wait_for()
    assert len(town.house.desk.find(reader).subscriptions) == 2
    assert second.page.get_by_label("What do you want to read about?").input_value() == MORE
