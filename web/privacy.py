"""What is kept of a reader, why, and how long: the page that form and letters lead to.

The words are for readers and the days are those of the settings, so that the page promises what the sweeps keep
(storage/keeping.py). For those who run the site docs/privacy.md says it by table and column.
"""

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.responses import Response

from digests.links import CONFIRM_HOURS
from web.rendering import Rendering


@dataclass(frozen=True, slots=True)
class Promises:
    """How long things are kept, in days, 0 for as long as nothing is erased; and who answers for it."""

    pending_days: int
    issues_days: int
    replies_days: int
    bounces_days: int
    write_to: str = ""  #: an address for questions; "" where none is set
    postal_address: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of thing that is kept."""

    what: str
    why: str
    how_long: str


class PrivacyPages:
    """Serves the page."""

    def __init__(self, promises: Promises, rendering: Rendering) -> None:
        self._promises = promises
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the route to an application."""
        app.add_api_route(f"{root}/privacy", self.show, methods=["GET", "HEAD"])

    def show(self) -> Response:
        """Show what is kept."""
        return self._rendering.public(
            "privacy.html",
            "/privacy",
            rows=rows(self._promises),
            write_to=self._promises.write_to,
            postal_address=self._promises.postal_address,
        )


def rows(promises: Promises) -> tuple[Row, ...]:
    """Return what is kept, in the order in which a reader comes by it."""
    pending = f"{_days(promises.pending_days)} if you never confirm" if promises.pending_days else ""
    until_erased = "until you erase everything"
    return (
        Row("Your address", "Letters go to it.", "; ".join(filter(None, [until_erased, pending]))),
        Row(
            "Your topics, day, hour, time zone and the other choices of your page",
            "They say which papers come, and when.",
            until_erased,
        ),
        Row(
            "What you agreed to: when, on which page, and the version of its words",
            "The law asks us to be able to show that you asked for the letter.",
            until_erased,
        ),
        Row(
            "Another address that you asked us to write to",
            "Its owner is asked first.",
            f"{CONFIRM_HOURS // 24} days, unless they confirm",
        ),
        Row(
            "Your letters: their papers, when they left, and to which address",
            "You can open them again, and we can say why one did not come.",
            _or_reader(promises.issues_days),
        ),
        Row(
            "The papers you saved or wanted less of, and the words learned from them",
            "Letters look for more like the ones, and for less like the others.",
            f"until you take them back, or {until_erased}",
        ),
        Row("Which papers you were sent, without the letters", "No paper comes twice.", until_erased),
        Row(
            "What mail servers said of a letter: taken, put off or refused",
            "So we find out why a letter did not arrive.",
            _or_reader(promises.replies_days),
        ),
        Row(
            "Letters that came back, and complaints, as they came",
            "So we stop writing to a mailbox that is gone or does not want us.",
            f"{_or_reader(promises.bounces_days)}; that it happened, as long as the letter itself",
        ),
    )


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _or_reader(number: int) -> str:
    """Return a time that zero lifts; whatever it is, it ends when all is erased."""
    return f"{_days(number)}, or until you erase everything" if number else "until you erase everything"
