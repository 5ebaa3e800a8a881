"""What a forwarded letter must not be able to do: another address, everything kept as JSON, and erasing.

    a fresh link, mailed to the reader's own address, good for two hours and until they move → one page, a form for each
    the letter to the new address → its link → one button → the letters move

GET changes nothing. Who asks for a new address hears the same whether or not anybody has it, and whatever is erased is
erased at once.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import Depends, FastAPI
from starlette.responses import Response

from digests.addresses import address
from digests.links import Links, Purpose
from digests.readable import clean
from domain.clock import Clock
from domain.errors import AddressError
from domain.subscriptions import REACHED, Act, Consent, Subscriber
from web.preferences.forms import Form, form_of
from web.rendering import Rendering
from web.words import (
    ADDRESS_ASKED,
    ADDRESS_MOVED,
    ADDRESS_NOT_OPEN,
    ERASED,
    FRESH_EXPIRED,
    NO_READER,
    UNREADABLE,
    WORDING,
    veiled,
)

_SAFE = ["GET", "HEAD"]
_WORD = "ERASE"
_LONGEST = 400  # characters of what was typed that are shown again
_EXPORT = {"Content-Disposition": 'attachment; filename="paperround-export.json"', "X-Robots-Tag": "noindex"}


class Readers(Protocol):
    """Who a reader is."""

    def by_public_id(self, public_id: str) -> Subscriber | None:
        """Return a reader; None if there is none."""
        ...

    def consents(self, subscriber_id: int) -> Sequence[Consent]:
        """Return what a reader agreed to, oldest first."""
        ...


class Desk(Protocol):
    """What is done for a reader who proved to hold the mailbox."""

    def ask_new_address(self, public_id: str, email: str) -> bool:
        """Queue the letter to a new address; return False where none goes there."""
        ...

    def everything(self, public_id: str) -> Mapping[str, Any]:
        """Return all that is kept of a reader, ready for JSON; raises UnknownError."""
        ...

    def erase(self, reader: Subscriber) -> bool:
        """Erase a reader and all that was theirs."""
        ...


class AddressChanges(Protocol):
    """The move to another address."""

    def asked(self, public_id: str, asked_at: datetime) -> str | None:
        """Return the new address that a link of that instant is to confirm; None where it is good for nothing."""
        ...

    def confirm(self, public_id: str, asked_at: datetime, consent: Consent) -> bool:
        """Move a reader's letters; return whether they were moved: the second time they were already."""
        ...


class AccountPages:
    """Serves the fresh link, and the link of the letter to a new address."""

    def __init__(
        self,
        *,
        readers: Readers,
        desk: Desk,
        moves: AddressChanges,
        links: Links,
        clock: Clock,
        rendering: Rendering,
    ) -> None:
        self._readers = readers
        self._desk = desk
        self._moves = moves
        self._links = links
        self._clock = clock
        self._rendering = rendering
        #: The field `action` → what it does.
        self._actions: Mapping[str, Callable[[Subscriber, Form], Response]] = {
            "address": self._address,
            "export": self._export,
            "erase": self._erase,
        }

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{root}/account/{{token}}", self.show, methods=_SAFE)
        app.add_api_route(f"{root}/account/{{token}}", self.act, methods=["POST"])
        app.add_api_route(f"{root}/address/{{token}}", self.ask_move, methods=_SAFE)
        app.add_api_route(f"{root}/address/{{token}}", self.move, methods=["POST"])

    def show(self, token: str) -> Response:
        """Show the three forms; change nothing."""
        return self._for_reader(token, self._page)

    def act(self, token: str, form: Annotated[Form | None, Depends(form_of)]) -> Response:
        """Do what a button of the page says."""

        def pressed(reader: Subscriber) -> Response:
            doing = self._actions.get(form.text("action")) if form is not None else None
            return doing(reader, form) if form is not None and doing is not None else self._unreadable()

        return self._for_reader(token, pressed)

    def ask_move(self, token: str) -> Response:
        """Show one button; change nothing."""

        def asked(public_id: str, asked_at: datetime) -> Response:
            email = self._moves.asked(public_id, asked_at)
            reader = self._readers.by_public_id(public_id)
            if reader is not None and email is not None and reader.state in REACHED:
                return self._rendering.page("address.html", old=veiled(reader.email), new=clean(email))
            return self._moved(reader, asked_at)

        return self._for_move(token, asked)

    def move(self, token: str) -> Response:
        """Move the letters to the new address; the same answer twice."""

        def pressed(public_id: str, asked_at: datetime) -> Response:
            consent = Consent(action=Act.MOVED, wording=WORDING, at=self._clock.now(), place="/address")
            if self._moves.confirm(public_id, asked_at, consent):
                return self._rendering.notice(ADDRESS_MOVED)
            return self._moved(self._readers.by_public_id(public_id), asked_at)

        return self._for_move(token, pressed)

    def _address(self, reader: Subscriber, form: Form) -> Response:
        try:
            email = address(form.text("email")).display
        except AddressError as error:
            sentence = "Please write an address such as name@example.org." if not form.text("email") else str(error)
            return self._page(reader, 422, email=form.text("email"), wrong=_sentence(sentence))
        self._desk.ask_new_address(reader.public_id, email)
        return self._rendering.notice(ADDRESS_ASKED)

    def _export(self, reader: Subscriber, form: Form) -> Response:  # noqa: ARG002 as each action
        body = json.dumps(self._desk.everything(reader.public_id), ensure_ascii=False, indent=2)
        return Response(body.encode("utf-8", "replace"), media_type="application/json", headers=_EXPORT)

    def _erase(self, reader: Subscriber, form: Form) -> Response:
        if form.text("word").upper() != _WORD:
            return self._page(
                reader, 422, not_erased=f"Nothing was erased. To erase, type {_WORD} and press the button."
            )
        self._desk.erase(reader)
        return self._rendering.notice(ERASED)

    def _page(
        self, reader: Subscriber, status: int = 200, *, email: str = "", wrong: str = "", not_erased: str = ""
    ) -> Response:
        return self._rendering.page(
            "account.html",
            status,
            address=veiled(reader.email),
            may_move=reader.state in REACHED and not reader.shared,
            email=clean(email)[:_LONGEST],
            wrong=wrong,
            not_erased=not_erased,
            word=_WORD,
        )

    def _for_reader(self, token: str, answer: Callable[[Subscriber], Response]) -> Response:
        public_id, made = self._links.read_dated(Purpose.FRESH, token, self._clock.now())
        reader = self._readers.by_public_id(public_id)
        if reader is None:
            return self._rendering.notice(NO_READER, 410)
        if self._moved_since(reader, made):  # it lies in a mailbox that the reader has left
            return self._rendering.notice(FRESH_EXPIRED, 410)
        return answer(reader)

    def _for_move(self, token: str, answer: Callable[[str, datetime], Response]) -> Response:
        public_id, asked_at = self._links.read_dated(Purpose.ADDRESS, token, self._clock.now())
        return answer(public_id, asked_at)

    def _moved(self, reader: Subscriber | None, asked_at: datetime) -> Response:
        """Answer a link that is good for nothing now, because it was used or for another reason."""
        if reader is not None and self._moved_since(reader, asked_at):
            return self._rendering.notice(ADDRESS_MOVED)
        return self._rendering.notice(ADDRESS_NOT_OPEN, 410)

    def _moved_since(self, reader: Subscriber, instant: datetime) -> bool:
        said = self._readers.consents(reader.id)
        return any(each.action is Act.MOVED and each.at >= instant for each in said)

    def _unreadable(self) -> Response:
        return self._rendering.notice(UNREADABLE, 400)


def _sentence(text: str) -> str:
    """Return a reason of ours as a sentence, without what could deceive its reader."""
    return f"{clean(text).rstrip('.')}."
