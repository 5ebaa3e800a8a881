"""What the buttons of a reader's page do: action → what to do → what the page says when it is done.

    the form, read strictly → one change, if the page showed the reader as they still are → a word of DONE

Each may raise WrongField (a sentence beside the field), BrokenForm, ChangedMeanwhile or another UsageError, and then
nothing was changed. To leave is not among them: that asks for no revision, and web/leaving.py does it.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from domain.errors import UnknownError
from domain.subscriptions import Act, Choices, Consent, Schedule, Subscriber, Subscription, zone_of
from domain.topics import WishedTopic
from storage.changing import MOST_TOPICS
from topics.query import parse
from web.preferences.forms import (
    Form,
    WrongField,
    choices_of,
    day_of,
    name_of,
    related_of,
    schedule_of,
    topic_of,
)
from web.words import WORDING

PLACE = "/preferences"
LONGEST_PAUSE = 365  # days

#: What the page says after a change.
DONE: Mapping[str, str] = {
    "added": "The topic was added; letters look for it from now on.",
    "held": "You have that topic already.",
    "amended": "The topic was changed.",
    "moved": "The order was changed.",
    "removed": "The topic was removed.",
    "shared": "The topic has a page now; its address stands below it.",
    "unshared": "The topic is shared no more; its page is gone within a minute.",
    "schedule": "The time of your letters was changed.",
    "choices": "What your letters hold was changed.",
    "paused": "Your letters are paused.",
    "resumed": "Your letters come again. The first one brings the best of what you missed.",
    "asked": "If a letter may go to this address, one with a link is on its way.",
}


class Changes(Protocol):
    """What changes of the records; each method is one transaction, and may raise ChangedMeanwhile."""

    def schedule(self, public_id: str, seen: int | None, schedule: Schedule) -> Subscriber:
        """Change when letters come."""
        ...

    def choose(self, public_id: str, seen: int | None, choices: Choices, *, text_only: bool) -> Subscriber:
        """Change what letters hold."""
        ...

    def add_topic(self, public_id: str, seen: int | None, wished: WishedTopic, now: datetime) -> Subscriber:
        """Add a topic."""
        ...

    def remove_topic(self, public_id: str, seen: int | None, topic_id: int) -> Subscriber:
        """Take a topic away."""
        ...

    def amend_topic(
        self, public_id: str, seen: int | None, topic_id: int, name: str, *, wished: WishedTopic
    ) -> Subscriber:
        """Call a topic by another name, and say whether related papers are wanted."""
        ...

    def order_topics(self, public_id: str, seen: int | None, topic_ids: Sequence[int]) -> Subscriber:
        """Put the topics into an order."""
        ...

    def pause(self, public_id: str, seen: int | None, until: date | None, consent: Consent) -> Subscriber:
        """Let no letter come up to a day."""
        ...

    def resume(self, public_id: str, seen: int | None, consent: Consent) -> Subscriber:
        """Let letters come again."""
        ...


class Page(Protocol):
    """The page of a shared topic."""

    @property
    def public_id(self) -> str:
        """The random part of its address."""
        ...

    @property
    def topic_id(self) -> int:
        """Whose page it is."""
        ...


class Shared(Protocol):
    """The pages of shared topics."""

    def of(self, subscriber_id: int) -> Sequence[Page]:
        """Return what a reader shares."""
        ...

    def share(self, subscriber_id: int, topic_id: int, fresh_id: str, now: datetime) -> Page:
        """Share one of a reader's topics."""
        ...

    def unshare(self, public_id: str, subscriber_id: int | None) -> bool:
        """Take a page away."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What the actions work with."""

    changes: Changes
    shared: Shared
    #: Queues the letter with a fresh link, where one is due.
    ask_fresh: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Press:
    """One button pressed on the page of one reader."""

    reader: Subscriber
    form: Form
    now: datetime

    @property
    def who(self) -> str:
        """The reader's public id."""
        return self.reader.public_id

    @property
    def seen(self) -> int:
        """The revision that the page showed; raises BrokenForm."""
        return self.form.hidden("seen")

    @property
    def topic(self) -> Subscription:
        """The reader's topic that the form names; raises BrokenForm, or UnknownError where it is not theirs."""
        number = self.form.hidden("topic")
        for each in self.reader.subscriptions:
            if each.topic_id == number:
                return each
        raise UnknownError("that topic is not among yours any more")

    def consent(self, action: Act) -> Consent:
        """Return what is to be recorded."""
        return Consent(action=action, wording=WORDING, at=self.now, place=PLACE)


def pause_days(reader: Subscriber, now: datetime) -> tuple[date, date]:
    """Return the first and the last day until which a reader may pause now."""
    today = now.astimezone(zone_of(reader.schedule.zone)).date()
    return today + timedelta(days=1), today + timedelta(days=LONGEST_PAUSE)


def _add(tools: Tools, press: Press) -> str:
    wished = topic_of(press.form)
    held = len(press.reader.subscriptions)
    if held >= MOST_TOPICS:
        raise WrongField("query", f"{MOST_TOPICS} topics are the most for one reader. Remove one first.")
    after = tools.changes.add_topic(press.who, press.seen, wished, press.now)
    return "added" if len(after.subscriptions) > held else "held"


def _amend(tools: Tools, press: Press) -> str:
    topic, name = press.topic, name_of(press.form.text("name"))
    query = parse(topic.query)
    wished = WishedTopic(name=name, query=query, related=related_of(press.form))
    shown = name or " ".join(topic.query.split())
    tools.changes.amend_topic(press.who, press.seen, topic.topic_id, shown, wished=wished)
    return "amended"


def _up(tools: Tools, press: Press) -> str:
    return _move(tools, press, -1)


def _down(tools: Tools, press: Press) -> str:
    return _move(tools, press, +1)


def _move(tools: Tools, press: Press, step: int) -> str:
    order = [each.topic_id for each in press.reader.subscriptions]
    at = order.index(press.topic.topic_id)
    to = min(max(at + step, 0), len(order) - 1)
    order[at], order[to] = order[to], order[at]
    tools.changes.order_topics(press.who, press.seen, order)
    return "moved"


def _remove(tools: Tools, press: Press) -> str:
    tools.changes.remove_topic(press.who, press.seen, press.topic.topic_id)
    return "removed"


def _share(tools: Tools, press: Press) -> str:
    tools.shared.share(press.reader.id, press.topic.topic_id, secrets.token_urlsafe(12), press.now)
    return "shared"


def _unshare(tools: Tools, press: Press) -> str:
    topic = press.topic
    for page in tools.shared.of(press.reader.id):
        if page.topic_id == topic.topic_id:
            tools.shared.unshare(page.public_id, press.reader.id)
    return "unshared"


def _schedule(tools: Tools, press: Press) -> str:
    tools.changes.schedule(press.who, press.seen, schedule_of(press.form))
    return "schedule"


def _choose(tools: Tools, press: Press) -> str:
    choices, text_only = choices_of(press.form)
    tools.changes.choose(press.who, press.seen, choices, text_only=text_only)
    return "choices"


def _pause(tools: Tools, press: Press) -> str:
    until = day_of(press.form, *pause_days(press.reader, press.now))
    tools.changes.pause(press.who, press.seen, until, press.consent(Act.PAUSED))
    return "paused"


def _resume(tools: Tools, press: Press) -> str:
    tools.changes.resume(press.who, press.seen, press.consent(Act.RESUMED))
    return "resumed"


def _fresh(tools: Tools, press: Press) -> str:
    tools.ask_fresh(press.who)
    return "asked"


#: The field `action` → what it does.
ACTIONS: Mapping[str, Callable[[Tools, Press], str]] = {
    "add": _add,
    "amend": _amend,
    "up": _up,
    "down": _down,
    "remove": _remove,
    "share": _share,
    "unshare": _unshare,
    "schedule": _schedule,
    "choose": _choose,
    "pause": _pause,
    "resume": _resume,
    "fresh": _fresh,
}


def act(tools: Tools, press: Press) -> str:
    """Do what the form asks; return the word of DONE for it. Raises BrokenForm where it asks for nothing we know."""
    return press.form.action(ACTIONS)(tools, press)
