"""The letters that are no digest: whoever gets one, it is short, and says what happened and what to do.

    kind → its three templates → shared pieces, and the reader's own links as slots in pieces of their own → the letter

Nothing that anyone typed stands in a letter that may reach a stranger (confirm, preferences, address, goodbye). Topics
in a quiet note and the words of a trouble come from outside: cleaned, cut, and counted where they are many.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from jinja2 import Environment

from digests import remedies, wording
from digests.forms import SLOTS, Form, Part, parts_of
from digests.mail.message import Letter
from digests.mail.quoted import encode
from digests.readable import clean
from domain.clock import utc
from domain.issues import Fragment, LetterKind, QuietNote, Receipt, Role
from domain.troubles import Trouble

_MOST_TROUBLES = 20  # told one by one in an alert


class ShortLetters:
    """Renders them for one installation: `linked` says whether it has a site, and letters its links.

    `privacy` is the address of the page on what is kept of readers; "" where letters name none.
    """

    def __init__(self, environment: Environment, *, name: str, postal_address: str, linked: bool, privacy: str) -> None:
        self._name = clean(name)
        self._postal = clean(postal_address)
        self._linked = linked
        self._privacy = privacy
        # Each kind is compiled when it is first wanted: most processes never send more than one.
        self._parts = lru_cache(maxsize=None)(partial(parts_of, environment))
        self._subject_form = lru_cache(maxsize=None)(lambda kind: Form(environment, f"{kind}/subject.txt"))

    def linked(self, kind: LetterKind) -> Letter:
        """Return a letter whose only purpose is its link: confirm, preferences, address."""
        return self._of_three(kind, linked=True)

    def goodbye(self, *, fresh: bool) -> Letter:
        """Return the last letter; `fresh`: with a link to the page by which one comes back."""
        return self._of_three(LetterKind.GOODBYE, linked=fresh)

    def _of_three(self, kind: LetterKind, *, linked: bool) -> Letter:
        """Return a letter of a top, a way to go on, and a foot."""
        subject = self._subject(kind, self._name)
        fragments: list[Fragment] = []
        for part in self._parts(kind):
            way = _piece(part.personal, part.form("links", SLOTS)) if linked else _piece(part.shared, part.form("ask"))
            fragments += [
                _piece(part.shared, part.form("top", self._name, subject)),
                way,
                _piece(part.shared, part.form("foot", self._postal)),
            ]
        return Letter(kind=kind, subject=subject, fragments=tuple(fragments))

    def quiet(self, note: QuietNote, *, shared: bool) -> Letter:
        """Return the note that nothing matched since a day, what was checked, and how to hear more or leave."""
        kind, day = LetterKind.QUIET, note.slot.day
        since = wording.long_date(note.since, year=day.year)
        subject = self._subject(kind, self._name, since, wording.subject_date(day))
        intro = _quiet(note.receipt, since)
        told = [*wording.checked(note.receipt, year=day.year, since=f"since {since}"), "None matched."]
        personal = self._linked and not shared
        fragments: list[Fragment] = []
        for part in self._parts(kind):
            form = part.form
            top = form("top", subject, self._name, wording.weekday_date(day), intro)
            fragments.append(_piece(part.shared, top))
            if personal and part.shared is Role.TEXT:
                fragments.append(_piece(part.personal, form("leave", SLOTS)))
            advice = _advice(linked=self._linked, shared=shared)
            fragments.append(_piece(part.shared, form("middle", wording.watched(note.topics), told, advice)))
            if personal:
                fragments.append(_piece(part.personal, form("links", SLOTS, _confirmed_on(note))))
            last = wording.foot(self._name, linked=self._linked, shared=shared, postal_address=self._postal)
            fragments.append(_piece(part.shared, form("foot", last, self._privacy)))
        return Letter(kind=kind, subject=subject, fragments=tuple(fragments), listed=personal)

    def alert(self, troubles: Sequence[Trouble], now: datetime) -> Letter:
        """Return what stays broken at `now` (aware), the longest first; raises ValueError where nothing is."""
        if not troubles:
            raise ValueError("an alert needs a trouble to tell of")
        kind, day = LetterKind.ALERT, utc(now).date()
        told = [remedies.told(trouble, now) for trouble in sorted(troubles, key=lambda each: (each.since, each.name))]
        subject = self._subject(kind, self._name, remedies.headline(told), wording.subject_date(day))
        more = len(told) - _MOST_TROUBLES
        rest = wording.counted(more, "more thing is", "more things are") if more > 0 else ""
        fragments: list[Fragment] = []
        for part in self._parts(kind):
            top = part.form("top", subject, self._name, wording.weekday_date(day), remedies.intro(told))
            fragments.append(_piece(part.shared, top))
            fragments += [_trouble(part, each) for each in told[:_MOST_TROUBLES]]
            fragments.append(_piece(part.shared, part.form("foot", rest)))
        return Letter(kind=kind, subject=subject, fragments=tuple(fragments))

    def _subject(self, kind: LetterKind, *values: str) -> str:
        return self._subject_form(kind)("subject", *values).strip()


def _piece(role: Role, text: str) -> Fragment:
    return Fragment(role, encode(text))


def _trouble(part: Part, told: remedies.Told) -> Fragment:
    return _piece(part.shared, part.form("trouble", told))


def _confirmed_on(note: QuietNote) -> str:
    """Return the day on which the reader confirmed, in their zone; "" where nobody did."""
    if note.confirmed_at is None:
        return ""
    return wording.full_date(note.confirmed_at.astimezone(ZoneInfo(note.slot.zone)).date())


def _quiet(receipt: Receipt, since: str) -> str:
    """Return a quiet note's first sentences; `since` is "17 November"."""
    if receipt.new == 1:
        told = f"One new paper has come since {since} and does not match your topics, so no letter came."
    elif receipt.new:
        told = (
            f"{receipt.new:,} new papers have come since {since}; none of them matched your topics, so no letter came."
        )
    else:
        told = f"No new paper has come since {since}, so no letter came."
    return f"{told} The next one comes when a paper matches."


def _advice(*, linked: bool, shared: bool) -> str:
    """Return how to hear more or to leave, by whoever can do it."""
    more = "To hear more, ask for less: a topic of fewer words, or of words joined by OR, matches more papers."
    if shared:
        return f"{more} Ask whoever operates this to change a topic, or to stop the letters."
    if linked:
        return f"{more} To leave, open the Unsubscribe link below."
    return (
        f"{more} `paperround topics preview QUERY` says what one would have brought, `paperround subscribers topics "
        "EMAIL` changes yours, and `paperround subscribers unsubscribe EMAIL` ends the letters."
    )
