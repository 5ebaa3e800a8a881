"""The words of short pages: what happened, and what to do next. No markup, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass

from digests.links import CONFIRM_HOURS, FRESH_HOURS
from digests.readable import clean
from digests.wording import counted
from domain.subscriptions import Cadence, Schedule, SubscriberState

#: The version of the words beside the buttons, kept with what a reader agreed to; it changes with them
#: (tests/web/test_wording.py).
WORDING = "web 3"

DAYS_OF_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

STATES: Mapping[SubscriberState, str] = {
    SubscriberState.PENDING: "not confirmed yet; no letters come until you press Confirm on the page in our first mail",
    SubscriberState.CONFIRMED: "confirmed",
    SubscriberState.PAUSED: "paused; no letters come for now",
    SubscriberState.UNSUBSCRIBED: "unsubscribed; no letters come",
    SubscriberState.SUPPRESSED: "no letters go to this address",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A page of a heading and a few sentences."""

    title: str
    lines: tuple[str, ...]


NO_PAGE = Notice("There is no page here", ("The address may have been cut in two or mistyped. Nothing was changed.",))
NO_LINK = Notice(
    "This link does not work",
    (
        "It may have been cut in two on its way. Open it from the letter again, or copy it whole. Nothing was changed.",
        "If it still does not work, write to whoever sends you the letter.",
    ),
)
NO_ISSUE = Notice("There is no such letter", ("The address may have been cut in two or mistyped.",))
NO_TOPIC = Notice(
    "There is no such topic here",
    ("The address may have been cut in two or mistyped, or its owner may have stopped sharing it.",),
)
NOT_SO = Notice("That cannot be done here", ("Please open the link from your letter again. Nothing was changed.",))
UNREADABLE = Notice(
    "We could not read that", ("Please open the page again and press its button. Nothing was changed.",)
)
TOO_LARGE = Notice(
    "That was too much",
    (
        "A form here is short, and the file of a library has 4 MB at most. Nothing was changed.",
        "Bring a larger library in parts, or ask whoever runs this site to take it in.",
    ),
)
TOO_LONG = Notice("That was too long", ("The address has more in it than any page here reads. Nothing was changed.",))
TOO_SLOW = Notice("That took too long", ("The form did not arrive whole. Nothing was changed; please send it again.",))
NO_FORM = Notice("We could not read that", ("This site takes forms of its own pages alone. Nothing was changed.",))
ANOTHER_SITE = Notice(
    "That came from another page",
    ("Only a page of this site may do this. Please open it here and press its button. Nothing was changed.",),
)
ELSEWHERE = Notice(
    "This is not that site",
    ("The address names a site that is not served here. Please check it, or ask whoever gave it to you.",),
)
BUSY = Notice("Please try again in a moment", ("Many are asking at once. Nothing was changed.",))
LATER = Notice(
    "Please try again in a minute",
    ("The site cannot reach its records just now. Nothing was changed, and your link stays good.",),
)
FAULT = Notice(
    "Something went wrong on our side", ("Please try again in a minute. If it stays so, write to whoever runs this.",)
)
CONFIRMED = Notice(
    "Your address is confirmed",
    (
        "Thank you. Your first letter is on its way within minutes, and looks back a few days.",
        "Each letter carries the links to your topics and to unsubscribe.",
    ),
)
#: The same to who presses again, or comes back later.
STILL_CONFIRMED = Notice(CONFIRMED.title, CONFIRMED.lines[1:])
ASKED = Notice(
    "Look into your mailbox",
    (
        "A letter with a link comes within minutes. The page behind the link has one button to press: one more click.",
        "If none comes, look where your mailbox puts spam. We write once a day at most, so ask again tomorrow.",
        "An address that has letters already gets the link to its own page instead; nothing of it is changed.",
    ),
)
NOT_A_FORM = Notice(
    "We could not read that", ("Please send the form of the page “Subscribe”, urlencoded. Nothing was changed.",)
)
SEARCHES_BUSY = Notice("Please try again in a few seconds", ("Many are searching just now.",))
PREVIEWS_BUSY = Notice("Many topics are being tried just now", ("Please try again in a few seconds.",))
FRESH_EXPIRED = Notice(
    "This link is too old",
    (
        f"A link to change the address, to export or to erase is good for {FRESH_HOURS} hours. Nothing was changed.",
        "Open “Your topics” from any letter and ask for a new one there.",
    ),
)
NO_READER = Notice(
    "There is nothing here any more", ("What was kept of this address has been erased. Nothing more can be done here.",)
)
ADDRESS_ASKED = Notice(
    "A letter is on its way to the new address",
    (
        "If it can be used, a letter with a link went there. Press the button on its page, and your letters move.",
        "Until then they come to the old address, as before. The link is good for three days.",
    ),
)
ADDRESS_MOVED = Notice(
    "Your letters have moved",
    ("From now on they go to the address that was confirmed, and none to the one before.",),
)
ADDRESS_NOT_OPEN = Notice(
    "This link is no longer good",
    (
        f"A link to confirm a new address is good for {CONFIRM_HOURS} hours, once, and only the one asked for last.",
        "Nothing was changed. To ask again, open “Your topics” from any letter.",
    ),
)
ERASED = Notice(
    "Everything of yours was erased",
    (
        "Your address, topics and letters and what you agreed to are gone. No letter is sent to you any more.",
        "What remains is a random number that says that somebody was erased, so that no backup brings you back.",
        "If mail to it came back or was reported as spam, a keyed hash of your address remains, and none goes there.",
    ),
)


def not_open(*, takes_signups: bool) -> Notice:
    """Return what a link to confirm says to who has left since."""
    return Notice(
        "There is nothing to confirm",
        (
            "This address has left the letter since. Nothing was changed.",
            _back("If you want it again", "a new link comes by mail", takes_signups=takes_signups),
        ),
    )


def goodbye(*, takes_signups: bool) -> Notice:
    """Return what who leaves hears, and who has left."""
    return Notice(
        "You are unsubscribed",
        (
            "No more letters are sent to you. One that had already left may still arrive.",
            _back("If you ever want them back", takes_signups=takes_signups),
        ),
    )


def too_late(*, takes_signups: bool) -> Notice:
    """Return what the buttons of a goodbye say when its time is over."""
    return Notice(
        "That is not possible here any more",
        (
            "No letters are sent to you, and this page can bring them back only shortly after it stopped them.",
            _back("If you want them again", "a letter asks you to confirm", takes_signups=takes_signups),
        ),
    )


def _back(wish: str, then: str = "", *, takes_signups: bool) -> str:
    """Return the way back: the form, or where it is closed whoever runs the site."""
    if not takes_signups:
        return f"{wish}, write to whoever sent them."
    return f"{wish}, subscribe again{f': {then}' if then else ''}."


def closed(contact: str) -> Notice:
    """Return what the page of the form says where nobody can sign up by it."""
    whom = clean(contact) or "whoever runs this site"
    return Notice(
        "New readers are added by hand here",
        (
            f"To have letters, write to {whom}: name your topics, and the hour at which letters should come.",
            "The papers and a preview of any topic are open to everyone.",
        ),
    )


def too_many(seconds: int) -> Notice:
    """Return what a network hears that signs up too often."""
    return Notice(
        "That was often enough for now",
        (f"Too many sign-ups came from your network. Please try again in {_span(seconds)}. Nothing was changed.",),
    )


def too_many_previews(seconds: int) -> Notice:
    """Return what a network hears that tries topics too often."""
    return Notice("A moment, please", (f"Many topics were tried from your network. Try again in {_span(seconds)}.",))


def too_many_searches(seconds: int) -> Notice:
    """Return what a network hears that searches too often."""
    return Notice("A moment, please", (f"Many searches came from your network. Try again in {_span(seconds)}.",))


def _span(seconds: int) -> str:
    """Return "40 seconds", "12 minutes" or "3 hours", never too few."""
    for size, noun in ((3600, "hour"), (60, "minute")):
        if seconds > size:
            return counted(-(-seconds // size), noun)
    return counted(seconds, "second")


def veiled(email: str) -> str:
    """Return an address that its owner recognises and a stranger cannot use: "m…@lab.example"."""
    local, _, domain = clean(email).rpartition("@")
    return f"{local[:1]}…@{domain}"


def rhythm(schedule: Schedule) -> str:
    """Return "every Monday at 07:00, Europe/Berlin", or for whom the letter leaves sooner, what it waits for."""
    day = "day" if schedule.every is Cadence.DAY else DAYS_OF_WEEK[schedule.weekday]
    hour = f"at {schedule.hour:02}:00"
    if schedule.ready:
        hour = f"as soon as your sources have closed their day, {hour} at the latest"
    return f"every {day} {hour}, {schedule.zone}"
