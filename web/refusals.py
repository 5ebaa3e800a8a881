"""What is answered before any page is asked, each made once: a calm page, or under /api/ a problem in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from web.api.problems import problem
from web.rendering import Rendering
from web.words import ANOTHER_SITE, BUSY, ELSEWHERE, NO_FORM, TOO_LARGE, TOO_LONG, TOO_SLOW, UNREADABLE, Notice

_CLOSE = {"Connection": "close"}  # what was not read must not be taken for the next request
_SOON = {"Retry-After": "5"}  # seconds


@dataclass(frozen=True, slots=True)
class Refusals:
    """One answer for each reason."""

    unreadable: ASGIApp  #: no Host, or more than one
    another_site: ASGIApp  #: a form that another site's page sent
    too_slow: ASGIApp
    too_large: ASGIApp
    too_long: ASGIApp  #: the address
    too_many_headers: ASGIApp
    no_form: ASGIApp  #: a POST of a type that no page of ours sends
    elsewhere: ASGIApp  #: a Host that is not ours
    busy: ASGIApp

    @classmethod
    def of(cls, rendering: Rendering) -> Self:
        """Return those of one site."""
        api = f"{unquote(rendering.prefix)}/api/"

        def refusal(notice: Notice, status: int, headers: Mapping[str, str]) -> ASGIApp:
            page = rendering.notice(notice, status, headers)
            told = problem(status, " ".join((f"{notice.title}.", *notice.lines)), headers=headers)

            async def answer(scope: Scope, receive: Receive, send: Send) -> None:
                await (told if scope["path"].startswith(api) else page)(scope, receive, send)

            return answer

        return cls(
            unreadable=refusal(UNREADABLE, 400, _CLOSE),
            another_site=refusal(ANOTHER_SITE, 403, _CLOSE),
            too_slow=refusal(TOO_SLOW, 408, _CLOSE),
            too_large=refusal(TOO_LARGE, 413, _CLOSE),
            too_long=refusal(TOO_LONG, 414, _CLOSE),
            too_many_headers=refusal(TOO_LONG, 431, _CLOSE),
            no_form=refusal(NO_FORM, 415, _CLOSE),
            elsewhere=refusal(ELSEWHERE, 421, _CLOSE),
            busy=refusal(BUSY, 503, _SOON),
        )
