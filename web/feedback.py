"""More like this, or less: where the two links under each paper of a letter lead.

    token → whose it is · more or less · key → the paper → a page with one button → POST → marked, and the way back

GET, HEAD and OPTIONS change nothing, because programs open every link of a mail before people do (mail.md finding 5);
nor do they tell whether the reader said something of the paper before, because a letter may be passed on. Who has the
link can mark papers of the archive and take it back, and nothing else: what was saved is seen on the reader's own page
alone. A press may come twice, and says the same both times. What is said is learned before the next letters
(worker/learn.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import Depends, FastAPI
from starlette.responses import Response

from digests import views, wording
from digests.links import Links, Purpose
from digests.pages import in_path
from domain.clock import Clock
from domain.errors import UnknownError, UsageError
from domain.learning import Liking, Saved
from domain.papers import Paper
from domain.subscriptions import REACHED, Subscriber, SubscriberState
from web.preferences.forms import Form, form_of, sentence
from web.rendering import Rendering
from web.words import NO_PAGE, NO_READER, UNREADABLE, Notice, veiled

PLACE = "/feedback"
_SAFE = ["GET", "HEAD"]
_PATH = "/feedback/{token}/{liking}/{key:path}"
_LONGEST = 1_000  # characters of a key
_SHARED = Notice(
    "Several people read this mailbox",
    ("So nobody can say here what it should have more of, or less. Nothing was changed.",),
)
_PENDING = Notice("Please confirm your address first", ("Our first letter has the link. Nothing was changed.",))
_GONE = Notice("No letters are sent to you", ("So there is nothing to have more of, or less. Nothing was changed.",))


@dataclass(frozen=True, slots=True)
class Words:
    """What the pages of one liking say."""

    label: str  #: of the button, as in the letter
    ask: str
    does: str  #: what the button will do
    done: str
    means: str  #: what it does from now on
    other: str  #: the button of the other liking, after this one


WORDS: Mapping[Liking, Words] = {
    Liking.MORE: Words(
        label="More like this",
        ask="Do you want more like this?",
        does="The button saves this paper; your letters then look for new papers with its words.",
        done="Saved",
        means="From your next letter on, new papers with its words may stand under “Like papers you saved”.",
        other="Less like this instead",
    ),
    Liking.LESS: Words(
        label="Less like this",
        ask="Do you want less like this?",
        does="With the button, papers like this one are set aside in your letters.",
        done="Less like this, from now on",
        means="Papers like it that answer your topics are named last and by title alone; others do not come.",
        other="More like this instead",
    ),
}


class Readers(Protocol):
    """Who a reader is."""

    def by_public_id(self, public_id: str) -> Subscriber | None:
        """Return a reader; None if there is none."""
        ...


class Papers(Protocol):
    """What the archive has."""

    def paper(self, key: str) -> Paper:
        """Return the paper of a key; raises UnknownError."""
        ...


class Likings(Protocol):
    """What readers said of papers; each method is one transaction and may raise StorageError."""

    def mark(self, public_id: str, key: str, liking: Liking, now: datetime, place: str) -> Saved:
        """Save a paper, or say that less like it is wanted; raises UsageError for one more than a reader may have."""
        ...

    def unmark(self, public_id: str, key: str) -> object:
        """Take back whatever the reader said of a paper."""
        ...


class FeedbackPages:
    """Serves the two links."""

    def __init__(
        self,
        *,
        readers: Readers,
        papers: Papers,
        likings: Likings,
        links: Links,
        clock: Clock,
        rendering: Rendering,
    ) -> None:
        self._readers = readers
        self._papers = papers
        self._likings = likings
        self._links = links
        self._clock = clock
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{root}{_PATH}", self.ask, methods=_SAFE)
        app.add_api_route(f"{root}{_PATH}", self.press, methods=["POST"])

    def ask(self, token: str, liking: str, key: str) -> Response:
        """Show one button; change nothing."""

        def asked(reader: Subscriber, meant: Liking, paper: Paper) -> Response:
            return self._rendering.page(
                "feedback.html",
                words=WORDS[meant],
                title=views.title(paper),
                authors=wording.authors(paper),
                address=veiled(reader.email),
            )

        return self._of(token, liking, key, asked)

    def press(self, token: str, liking: str, key: str, form: Annotated[Form | None, Depends(form_of)]) -> Response:
        """Mark the paper, or take back what was said of it."""

        def pressed(reader: Subscriber, meant: Liking, paper: Paper) -> Response:
            match form.text("action") if form is not None else "":
                case "mark":
                    return self._mark(token, reader, meant, paper)
                case "undo":
                    return self._undo(token, reader, meant, paper)
            return self._rendering.notice(UNREADABLE, 400)

        return self._of(token, liking, key, pressed)

    def _mark(self, token: str, reader: Subscriber, liking: Liking, paper: Paper) -> Response:
        try:
            self._likings.mark(reader.public_id, paper.key, liking, self._clock.now(), PLACE)
        except UsageError as error:
            lines = (sentence(str(error)), "Nothing was changed.")
            return self._rendering.notice(Notice("That cannot be done as things are now", lines), 409)
        return self._done(token, liking, paper, WORDS[liking].done, WORDS[liking].means)

    def _undo(self, token: str, reader: Subscriber, liking: Liking, paper: Paper) -> Response:
        self._likings.unmark(reader.public_id, paper.key)
        return self._done(token, liking, paper, "Taken back", "Nothing is learned from this paper.", taken_back=True)

    def _done(
        self, token: str, liking: Liking, paper: Paper, heading: str, says: str, *, taken_back: bool = False
    ) -> Response:
        other = Liking.LESS if liking is Liking.MORE else Liking.MORE
        way = f"{self._rendering.prefix}{PLACE}/{token}"
        return self._rendering.page(
            "feedback_done.html",
            heading=heading,
            says=says,
            title=views.title(paper),
            here=f"{way}/{liking}/{in_path(paper.key)}",
            there=f"{way}/{other}/{in_path(paper.key)}",
            taken_back=taken_back,
            again=WORDS[liking].label,
            other=WORDS[other].label if taken_back else WORDS[liking].other,
        )

    def _of(
        self, token: str, liking: str, key: str, answer: Callable[[Subscriber, Liking, Paper], Response]
    ) -> Response:
        """Answer for a reader and a paper, or say why there is nothing to be said of it."""
        reader = self._readers.by_public_id(self._links.read(Purpose.FEEDBACK, token, self._clock.now()))
        if reader is None:
            return self._rendering.notice(NO_READER, 410)
        if reader.state.is_gone:
            return self._rendering.notice(_GONE, 410)
        if reader.shared or reader.state not in REACHED:
            return self._rendering.notice(_PENDING if reader.state is SubscriberState.PENDING else _SHARED, 409)
        if liking not in {each.value for each in Liking} or len(key) > _LONGEST:
            return self._rendering.notice(NO_PAGE, 404)
        try:
            paper = self._papers.paper(key)
        except UnknownError:
            return self._rendering.notice(NO_PAGE, 404)
        return answer(reader, Liking(liking), paper)
