"""The words of short pages: what happened, and what to do next. No markup, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass

from digests.links import CONFIRM_HOURS
from digests.readable import clean
from domain.subscriptions import Cadence, Schedule, SubscriberState

#: The version of the words beside the buttons, kept with what a reader agreed to. Change it when they change.
WORDING = "web 1"

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

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
NOT_SO = Notice("That cannot be done here", ("Please open the link from your letter again. Nothing was changed.",))
UNREADABLE = Notice(
    "We could not read that", ("Please open the page again and press its button. Nothing was changed.",)
)
TOO_LARGE = Notice("That was too much", ("This site takes only short forms. Nothing was changed.",))
TOO_LONG = Notice("That was too long", ("The address has more in it than any page here reads. Nothing was changed.",))
TOO_SLOW = Notice("That took too long", ("The form did not arrive whole. Nothing was changed; please send it again.",))
NO_FORM = Notice("We could not read that", ("This site takes forms of its own pages alone. Nothing was changed.",))
ANOTHER_SITE = Notice(
    "That came from another page",
    ("Only a page of this site may do this. Please open it here and press its button. Nothing was changed.",),
)
ELSEWHERE = Notice(
    "This is not that site",
    ("The request named a site that is not served here. Please open the link from your letter again.",),
)
BUSY = Notice("Please try again in a moment", ("Many are asking at once. Nothing was changed.",))
LATER = Notice(
    "Please try again in a minute",
    ("The site cannot reach its records just now. Nothing was changed, and your link stays good.",),
)
FAULT = Notice(
    "Something went wrong on our side", ("Please try again in a minute. If it stays so, write to whoever runs this.",)
)
EXPIRED = Notice(
    "This link is too old",
    (
        f"A link to confirm an address is good for {CONFIRM_HOURS} hours. Nothing was changed.",
        "If letters come already, all is well. If not, please subscribe again: a new link comes by mail.",
    ),
)
CONFIRMED = Notice(
    "Your address is confirmed",
    (
        "Thank you. Your first letter is on its way within minutes, and looks back a few days.",
        "Each letter carries the links to your topics and to unsubscribe.",
    ),
)
NOT_OPEN = Notice(
    "There is nothing to confirm",
    (
        "This address has left the letter since. Nothing was changed.",
        "If you want it again, please subscribe again: a new link comes by mail.",
    ),
)
GOODBYE = Notice(
    "You are unsubscribed",
    (
        "No more letters are sent to you. One that had already left may still arrive.",
        "If you ever want them back, subscribe again.",
    ),
)


def veiled(email: str) -> str:
    """Return an address that its owner recognises and a stranger cannot use: "m…@lab.example"."""
    local, _, domain = clean(email).rpartition("@")
    return f"{local[:1]}…@{domain}"


def rhythm(schedule: Schedule) -> str:
    """Return "every Monday at 07:00, Europe/Berlin"."""
    day = "day" if schedule.every is Cadence.DAY else _DAYS[schedule.weekday]
    return f"every {day} at {schedule.hour:02}:00, {schedule.zone}"
