"""What a search's address asks: text that anybody may type → values, or one sentence that says what to do."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date

from domain.errors import UsageError
from storage.filters import Filters
from storage.paging import Order

PAGE = 25  #: papers
PAGES = 40  #: that can be leafed through; more than a thousand papers want a narrower search
ORDERS: Mapping[str, tuple[Order, str]] = {
    "relevance": (Order.RELEVANCE, "best match"),
    "newest": (Order.FIRST_SEEN, "newest here"),
    "published": (Order.PUBLISHED, "newest published"),
    "votes": (Order.UPVOTES, "most votes"),
}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_YES, _NO = {"1", "on", "true", "yes"}, {"", "0", "off", "false", "no"}
_LONGEST = 200  # characters of a source or a category


@dataclass(frozen=True, slots=True)
class Form:
    """The fields as they were typed; "" for what was left out. Its names are those of the address."""

    q: str = ""
    source: str = ""
    category: str = ""
    since: str = ""
    until: str = ""
    code: str = ""
    sort: str = ""

    def values(self, **changed: str) -> dict[str, str]:
        """Return the fields by name, some of them changed."""
        return asdict(replace(self, **changed))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return not any(asdict(self).values())

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the words is asked for."""
        return any(value for name, value in asdict(self).items() if name != "q")


@dataclass(frozen=True, slots=True)
class Asked:
    """A search, understood but for its words."""

    filters: Filters
    order: Order | None
    page: int  #: from 1


def form_of(params: Mapping[str, str]) -> Form:
    """Return what was typed, without blanks around it."""
    return Form(**{name: params.get(name, "").strip() for name in asdict(Form())})


def asked_of(form: Form, page: str) -> Asked:
    """Return what is asked for; raises UsageError with a sentence for readers."""
    since, until = _day(form.since, "From"), _day(form.until, "To")
    if since and until and since > until:
        raise UsageError("The first day comes after the last. Exchange the two, or leave one out.")
    if form.code.lower() not in _YES | _NO:
        raise UsageError("“code” is 1 for papers with code; leave it out for all.")
    if form.sort and form.sort not in ORDERS:
        raise UsageError(f"There is no such order. Papers are sorted by {', '.join(ORDERS)}.")
    for name, value in (("source", form.source), ("category", form.category)):
        if len(value) > _LONGEST:
            raise UsageError(f"No {name} has so long a name. Shorten it, or leave it out.")
    filters = Filters(
        source=form.source or None,
        category=form.category or None,
        since=since,
        until=until,
        code=form.code.lower() in _YES,
    )
    return Asked(filters=filters, order=ORDERS[form.sort][0] if form.sort else None, page=_page(page))


def _day(said: str, field: str) -> date | None:
    if not said:
        return None
    try:
        return date.fromisoformat(said if _DAY.fullmatch(said) else "")
    except ValueError:
        raise UsageError(
            f"“{field}” is no day of the calendar. Write one such as 2026-11-20, or leave it out."
        ) from None


def _page(said: str) -> int:
    if not said:
        return 1
    if not _NUMBER.fullmatch(said) or int(said) == 0:
        if said.isascii() and said.isdigit() and len(said) > 9:
            return 10**9
        raise UsageError("A page has a number, from 1 on.")
    return int(said)
