"""What is answered before any page is asked, each a calm page made once."""

from dataclasses import dataclass
from typing import Self

from starlette.types import ASGIApp

from web.rendering import Rendering
from web.words import ANOTHER_SITE, BUSY, ELSEWHERE, NO_FORM, TOO_LARGE, TOO_LONG, TOO_SLOW, UNREADABLE

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
        return cls(
            unreadable=rendering.notice(UNREADABLE, 400, _CLOSE),
            another_site=rendering.notice(ANOTHER_SITE, 403, _CLOSE),
            too_slow=rendering.notice(TOO_SLOW, 408, _CLOSE),
            too_large=rendering.notice(TOO_LARGE, 413, _CLOSE),
            too_long=rendering.notice(TOO_LONG, 414, _CLOSE),
            too_many_headers=rendering.notice(TOO_LONG, 431, _CLOSE),
            no_form=rendering.notice(NO_FORM, 415, _CLOSE),
            elsewhere=rendering.notice(ELSEWHERE, 421, _CLOSE),
            busy=rendering.notice(BUSY, 503, _SOON),
        )
