"""Fields as they were sent, read strictly: each once, in UTF-8, of the form that a page of ours gives them.

    body → fields (None for what no form of ours sends) → a value, or a sentence beside its field

What cannot come from our page (no number where a hidden field holds one) is a broken form, and what a person mistypes
is a WrongField, which knows where to show its sentence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from starlette.requests import Request

from digests.readable import clean
from domain.errors import QueryError, UsageError
from domain.subscriptions import MOST_BESIDE, MOST_PAPERS, Cadence, Choices, Schedule, zone_of
from domain.topics import Query, WishedTopic
from topics.query import parse
from web.bodies import pairs
from web.zones import zone_typed

_Action = TypeVar("_Action")

LONGEST_NAME = 100  # characters of a topic's name
_MOST_FIELDS = 20
_NUMBER = re.compile(r"[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RELATED: Mapping[str, bool | None] = {"": None, "yes": True, "no": False}


class BrokenForm(UsageError):
    """What no page of ours sends."""


class WrongField(UsageError):
    """What a person typed cannot be taken; knows its field."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        #: The name of the field beside which the sentence stands.
        self.field = field


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of one form."""

    fields: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return a field without the blanks around it; "" where it was not sent."""
        return self.fields.get(name, "").strip()

    def action(self, actions: Mapping[str, _Action]) -> _Action:
        """Return what the pressed button stands for; raises BrokenForm where it is none of these."""
        if (doing := actions.get(self.text("action"))) is None:
            raise BrokenForm("the form names no action of the page")
        return doing

    def hidden(self, name: str) -> int:
        """Return a number that our page put into the form; raises BrokenForm."""
        if not _NUMBER.fullmatch(sent := self.fields.get(name, "")):
            raise BrokenForm(f"the field {name} is missing or no number")
        return int(sent)


async def form_of(request: Request) -> Form | None:
    """Return the form that was sent; None for anything that no form of ours is."""
    try:
        sent = pairs(await request.body(), _MOST_FIELDS, strict=True)
    except ValueError:
        return None
    return Form(dict(sent)) if len(dict(sent)) == len(sent) else None


def topic_of(form: Form) -> WishedTopic:
    """Return the topic that a form asks for, named as its query where no name was typed; raises WrongField."""
    query = query_of(form.text("query"))
    return WishedTopic(name=name_of(form.text("name")) or " ".join(query.text.split()), query=query)


def query_of(text: str) -> Query:
    """Return a query as typed; raises WrongField."""
    if not text:
        raise WrongField("query", "Please type what you want to read about, such as: diffusion -survey.")
    try:
        return parse(text)
    except QueryError as error:
        raise WrongField("query", sentence(str(error))) from error


def name_of(text: str) -> str:
    """Return a topic's name as typed; raises WrongField for one that is too long or holds what nobody sees."""
    if len(text) > LONGEST_NAME:
        raise WrongField("name", f"A name has {LONGEST_NAME} characters at most; this one has {len(text)}.")
    if clean(text) != " ".join(text.split()):
        raise WrongField("name", "The name holds characters that nobody can see. Please type it anew.")
    return clean(text)


def related_of(form: Form) -> bool | None:
    """Return whether related papers are wanted, None where the query decides; raises BrokenForm."""
    sent = form.text("related")
    if sent not in _RELATED:
        raise BrokenForm("related is not one of the choices")
    return _RELATED[sent]


def schedule_of(form: Form) -> Schedule:
    """Return when letters are to come; raises WrongField."""
    if form.text("every") not in {each.value for each in Cadence}:
        raise WrongField("every", "Please choose every day or once a week.")
    zone = zone_typed(form.text("zone"))
    try:
        zone_of(zone)
    except UsageError as error:
        raise WrongField("zone", "There is no such time zone. Use a name such as Europe/Berlin or UTC.") from error
    return Schedule(
        every=Cadence(form.text("every")),
        weekday=_within(form, "weekday", 0, 6, "Please choose a day of the week."),
        hour=_within(form, "hour", 0, 23, "The hour is one of 0 to 23."),
        zone=zone,
        ready=form.text("ready") == "yes",
    )


def choices_of(form: Form) -> tuple[Choices, bool]:
    """Return how many papers letters are to hold, and whether without HTML; raises WrongField."""
    choices = Choices(
        papers=_number(form, "papers", 1, MOST_PAPERS),
        per_topic=_number(form, "per_topic", 1, MOST_PAPERS),
        late_risers=_number(form, "late_risers", 0, MOST_BESIDE),
        trending=_number(form, "trending", 0, MOST_BESIDE),
        like_saved=_number(form, "like_saved", 0, MOST_BESIDE),
        sent_news=_number(form, "sent_news", 0, MOST_BESIDE),
    )
    return choices, form.text("text_only") == "yes"


def day_of(form: Form, earliest: date, latest: date) -> date | None:
    """Return the day on which letters are to begin again; None where none was typed. Raises WrongField."""
    sent = form.text("until")
    if not sent:
        return None
    try:
        day = date.fromisoformat(sent) if _DAY.fullmatch(sent) else None
    except ValueError:
        day = None
    if day is None:
        raise WrongField("until", f"Please write the day as year-month-day, such as {earliest.isoformat()}.")
    if not earliest <= day <= latest:
        raise WrongField("until", f"The day must be between {earliest.isoformat()} and {latest.isoformat()}.")
    return day


def sentence(text: str) -> str:
    """Return a reason of ours as a sentence, without what could deceive its reader."""
    text = clean(text)
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _number(form: Form, name: str, least: int, most: int) -> int | None:
    return (
        _within(form, name, least, most, f"Please write a number from {least} to {most}.") if form.text(name) else None
    )


def _within(form: Form, name: str, least: int, most: int, wrong: str) -> int:
    sent = form.text(name)
    number = int(sent) if _NUMBER.fullmatch(sent) else -1
    if not least <= number <= most:
        raise WrongField(name, wrong)
    return number
