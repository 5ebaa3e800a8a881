"""A reader's saved papers, by the link to their topics: the lists, what was learned, and all of it taken away.

    token → whose it is → GET: the page
                        → POST: the form → (changes.py) → the page, which says what was done; twice is the same
    a file of a library → what is in it is saved → the page
    /saved.bib → the same as BibTeX      /saved/reset → a page with one button → everything of it is forgotten

Files come in under /library, where larger bodies are taken than anywhere else. The link of the two buttons of a letter
opens nothing here (web/feedback.py).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from digests.citations.bibtex import bibtex
from digests.links import Links, Purpose
from digests.readable import clean
from domain.clock import Clock
from domain.errors import StorageError, UsageError
from domain.learning import NO_PROFILE, Liking, Saved
from domain.papers import Paper
from domain.subscriptions import REACHED, Subscriber
from web.costly import Lanes
from web.feedback import Readers
from web.preferences.forms import BrokenForm, Form, WrongField, form_of, sentence
from web.rendering import Rendering
from web.saved.changes import Press, Tools, act, liking_of
from web.saved.showing import Row, learned, own_copy, row
from web.uploads import Upload, upload_of
from web.words import NO_LINK, UNREADABLE

LIBRARY = "/library/"
LARGEST_LIBRARY = 4 * 1024 * 1024  # octets of a file
LARGEST_UPLOAD = LARGEST_LIBRARY + 4_096  # with what a form is around it
_SAFE = ["GET", "HEAD"]
_PAGE = 50
_LONGEST = 400  # characters of what was typed that are shown again
_BIB = {
    "Content-Disposition": 'attachment; filename="saved-papers.bib"',
    "X-Robots-Tag": "noindex",
}

#: Saves what is in a file of a library, for a reader; returns what to say of it, sentence by sentence. Raises
#: UsageError for a file that is none.
Take = Callable[[str, bytes, Liking, datetime], Sequence[str]]


class SavedPages:
    """Serves them; `learn` makes a profile anew after a press, which may take seconds, so that presses take turns.

    Without `take` no page has the form for a file.
    """

    def __init__(
        self,
        *,
        readers: Readers,
        tools: Tools,
        take: Take | None,
        learn: Callable[[int], object],
        lanes: Lanes,
        links: Links,
        clock: Clock,
        rendering: Rendering,
    ) -> None:
        self._readers = readers
        self._tools = tools
        self._take = take
        self._learn = learn
        self._lanes = lanes
        self._links = links
        self._clock = clock
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        page = f"{root}/preferences/{{token}}/saved"
        app.add_api_route(page, self.show, methods=_SAFE)
        app.add_api_route(page, self.change, methods=["POST"])
        app.add_api_route(f"{page}.bib", self.cite, methods=_SAFE)
        app.add_api_route(f"{page}/reset", self.ask_reset, methods=_SAFE)
        app.add_api_route(f"{page}/reset", self.reset, methods=["POST"])
        app.add_api_route(f"{root}{LIBRARY}{{token}}", self.bring, methods=["POST"])

    def show(self, token: str, request: Request) -> Response:
        """Show what a reader saved; change nothing."""
        after = {each: _number(request.query_params.get(each.value, "")) for each in Liking}
        return self._of(token, lambda reader: self._page(token, reader, after=after))

    async def change(self, token: str, form: Annotated[Form | None, Depends(form_of)]) -> Response:
        """Do what a button of the page says, in its turn: it is learned from at once."""
        return await self._lanes.run(partial(self._changed, token, form))

    def _changed(self, token: str, form: Form | None) -> Response:
        def pressed(reader: Subscriber) -> Response:
            if form is None:
                raise BrokenForm("no form of the page")
            return self._did(token, reader, [act(self._tools, Press(reader, form, self._clock.now()))])

        return self._change(token, pressed, {} if form is None else form.fields)

    async def bring(self, token: str, sent: Annotated[Upload | None, Depends(upload_of)]) -> Response:
        """Save what is in a file of a library, in its turn."""
        return await self._lanes.run(partial(self._brought, token, sent))

    def _brought(self, token: str, sent: Upload | None) -> Response:
        def brought(reader: Subscriber) -> Response:
            if sent is None:
                raise BrokenForm("no form of the page")
            liking = liking_of(sent.fields.get("liking", ""))
            if not sent.file:
                raise WrongField("file", "Please choose a file first.")
            if self._take is None:
                raise BrokenForm("no page asks for a file here")
            try:
                told = self._take(reader.public_id, sent.file, liking, self._clock.now())
            except UsageError as error:
                raise WrongField("file", sentence(str(error))) from error
            return self._did(token, reader, told)

        return self._change(token, brought, {})

    def cite(self, token: str) -> Response:
        """Give what was saved as BibTeX."""

        def cited(reader: Subscriber) -> Response:
            saved = self._tools.likings.of(reader.id, Liking.MORE)
            papers = self._papers(saved)
            journals = self._tools.papers.journals(list(papers))
            found = [papers.get(each.paper_id or 0) or own_copy(each) for each in saved]
            text = "".join(bibtex(paper, journals.get(paper.id, "")) for paper in found)
            return Response(text.encode("utf-8", "replace"), media_type="application/x-bibtex", headers=_BIB)

        return self._of(token, cited)

    def ask_reset(self, token: str) -> Response:
        """Show one button; change nothing."""
        return self._of(token, lambda reader: self._reset_page(token, reader))

    def reset(self, token: str, form: Annotated[Form | None, Depends(form_of)]) -> Response:
        """Forget all that a reader said of papers, and what was learned."""

        def pressed(reader: Subscriber) -> Response:
            if form is None or form.text("action") != "reset":
                raise BrokenForm("no form of the page")
            self._tools.likings.reset(reader.public_id)
            return self._did(token, reader, ["Everything was forgotten; nothing is learned of you now."])

        return self._change(token, pressed, {})

    def _reset_page(self, token: str, reader: Subscriber) -> Response:
        counts = self._tools.likings.counts(reader.id)
        return self._rendering.page("saved_reset.html", token=token, papers=sum(counts.values()))

    def _did(self, token: str, reader: Subscriber, told: Sequence[str]) -> Response:
        """Learn at once where that can be done, and show the page; what was said is kept, and else learned later."""
        with suppress(StorageError):
            self._learn(reader.id)
        return self._page(token, reader, done=told)

    def _change(self, token: str, pressed: Callable[[Subscriber], Response], typed: Mapping[str, str]) -> Response:
        """Answer a press, or say on the page why nothing was changed."""

        def tried(reader: Subscriber) -> Response:
            if not _may_change(reader):
                return self._page(token, reader, 409, problem="Nothing was changed.")
            try:
                return pressed(reader)
            except WrongField as error:
                return self._page(token, reader, 422, typed=typed, wrong={error.field: str(error)})
            except BrokenForm:
                return self._rendering.notice(UNREADABLE, 400)
            except UsageError as error:
                return self._page(token, reader, 409, problem=f"{sentence(str(error))} Nothing was changed.")

        return self._of(token, tried)

    def _page(
        self,
        token: str,
        reader: Subscriber,
        status: int = 200,
        *,
        after: Mapping[Liking, int | None] | None = None,
        done: Sequence[str] = (),
        problem: str = "",
        typed: Mapping[str, str] | None = None,
        wrong: Mapping[str, str] | None = None,
    ) -> Response:
        counts = self._tools.likings.counts(reader.id)
        lists = {each.value: self._rows(reader, each, (after or {}).get(each)) for each in Liking}
        profile = self._tools.profiles.of([reader.id]).get(reader.id, NO_PROFILE)
        return self._rendering.page(
            "saved.html",
            status,
            token=token,
            may_change=_may_change(reader),
            takes_files=self._take is not None,
            lists=lists,
            counts={each.value: counts.get(each, 0) for each in Liking},
            learned=learned(profile),
            most_megabytes=LARGEST_LIBRARY // 1024**2,
            done=done,
            problem=problem,
            typed={name: clean((typed or {}).get(name, ""))[:_LONGEST] for name in ("paper", "word")},
            wrong=wrong or {},
        )

    def _rows(self, reader: Subscriber, liking: Liking, after: int | None) -> tuple[Sequence[Row], int]:
        """Return one page of a list, and the number after which the next begins; 0 for the last."""
        found = self._tools.likings.of(reader.id, liking, after, _PAGE + 1)
        shown = found[:_PAGE]
        papers = self._papers(shown)
        rows = [row(each, papers.get(each.paper_id or 0)) for each in shown]
        return rows, shown[-1].number if len(found) > _PAGE else 0

    def _papers(self, saved: Sequence[Saved]) -> dict[int, Paper]:
        ids = [each.paper_id for each in saved if each.paper_id is not None]
        return {paper.id: paper for paper in self._tools.papers.papers(ids)}

    def _of(self, token: str, answer: Callable[[Subscriber], Response]) -> Response:
        reader = self._readers.by_public_id(self._links.read(Purpose.PREFERENCES, token, self._clock.now()))
        return self._rendering.notice(NO_LINK, 404) if reader is None else answer(reader)


def _may_change(reader: Subscriber) -> bool:
    return reader.state in REACHED and not reader.shared


def _number(sent: str) -> int | None:
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) <= 18 else None
