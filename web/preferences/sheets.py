"""The forms of a reader's page filled in: what is so now, or what was typed where that was not taken. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from digests.readable import clean, readable
from domain.subscriptions import Subscriber, Subscription
from web.preferences.changes import Page
from web.rendering import SiteFacts

_LONGEST = 2000  # characters of what was typed that are shown again
_RELATED: Mapping[bool | None, tuple[str, str]] = {
    None: ("", ""),
    True: ("yes", "With related papers where few match"),
    False: ("no", "Exact matches only"),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A form that was not taken, or was only a preview."""

    fields: Mapping[str, str]
    field: str = ""  #: where it is wrong; "" where it is not
    sentence: str = ""  #: what is wrong

    def is_of(self, action: str, topic: str = "") -> bool:
        """Whether it is a draft of this form."""
        return self.fields.get("action", "").strip() == action and self.fields.get("topic", "").strip() == topic


@dataclass(frozen=True, slots=True)
class Sheet:
    """One form."""

    values: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)  #: field → sentence
    open: bool = False


@dataclass(frozen=True, slots=True)
class TopicLine:
    """One topic of the page."""

    id: int
    shown: str  #: its name, made readable
    query: str  #: "" where it is the name
    related: str  #: what was chosen of related papers; "" where nothing was
    preview: str  #: the path of its preview below the root
    page: str  #: the address of its page; "" where it has none
    first: bool
    last: bool
    sheet: Sheet


def sheets(reader: Subscriber, draft: Draft | None) -> Mapping[str, Sheet]:
    """Return the forms that stand once on the page, by their action."""
    schedule, choices = reader.schedule, reader.choices
    until = reader.paused_until
    values: Mapping[str, Mapping[str, str]] = {
        "add": {"query": "", "name": ""},
        "schedule": {
            "every": schedule.every.value,
            "weekday": str(schedule.weekday),
            "hour": str(schedule.hour),
            "zone": schedule.zone,
            "ready": "yes" if schedule.ready else "",
        },
        "choose": {
            "papers": _shown(choices.papers),
            "per_topic": _shown(choices.per_topic),
            "late_risers": _shown(choices.late_risers),
            "trending": _shown(choices.trending),
            "like_saved": _shown(choices.like_saved),
            "sent_news": _shown(choices.sent_news),
            "text_only": "yes" if reader.text_only else "",
        },
        "pause": {"until": until.isoformat() if until else ""},
    }
    return {action: _sheet(now, draft if draft and draft.is_of(action) else None) for action, now in values.items()}


def topics_of(reader: Subscriber, pages: Sequence[Page], site: SiteFacts, draft: Draft | None) -> Sequence[TopicLine]:
    """Return a reader's topics in their order; `pages` are those that they share."""
    shared = {each.topic_id: each.public_id for each in pages}
    last = len(reader.subscriptions) - 1
    lines = []
    for place, each in enumerate(reader.subscriptions):
        mine = draft if draft and draft.is_of("amend", str(each.topic_id)) else None
        public_id = shared.get(each.topic_id)
        name, query = clean(each.name), clean(each.query)
        now = {"name": name, "related": _RELATED[each.related][0]}
        lines.append(
            TopicLine(
                id=each.topic_id,
                shown=readable(each.name),
                query=query if query != name else "",
                related=_said(each),
                preview=f"/topics/preview?q={quote_plus(each.query)}",
                page=f"{site.base_url}/topics/{public_id}" if public_id else "",
                first=place == 0,
                last=place == last,
                sheet=_sheet(now, mine),
            )
        )
    return lines


def _sheet(now: Mapping[str, str], draft: Draft | None) -> Sheet:
    if draft is None:
        return Sheet(now)
    typed = {name: clean(draft.fields.get(name, ""))[:_LONGEST] for name in now}
    return Sheet(typed, {draft.field: draft.sentence} if draft.field else {}, open=True)


def _said(topic: Subscription) -> str:
    return _RELATED[topic.related][1]


def _shown(number: int | None) -> str:
    return "" if number is None else str(number)
