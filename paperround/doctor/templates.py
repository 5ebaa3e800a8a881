"""The templates: every kind of letter is made from invented values and read again as a mailbox would read it."""

import email
import email.policy
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

from digests.mail.joining import join
from digests.mail.message import Identity, Letter, freeze, mailing_slots, message_id
from domain.issues import LetterKind
from paperround.doctor.finding import Finding, ok, shown, wrong
from paperround.doctor.samples import sample_letters
from paperround.doctor.visit import Visit

_SITE = "https://paperround.example"
_LINKS = {name: f"{_SITE}/{name}/token" for name in ("unsubscribe", "preferences", "feedback", "issue", "confirm")}


def check(visit: Visit) -> Iterator[Finding]:
    """Make every kind of letter, and look for what does not parse."""
    seen: list[LetterKind] = []
    letters = sample_letters(visit.renderer)
    while True:
        try:
            letter = next(letters, None)
            if letter is None:
                break
            at = datetime(2026, 11, 20, 8, tzinfo=UTC)
            forms = [
                written(letter, visit.identity, "reader@paperround.example", at, text_only=text_only)
                for text_only in (False, True)
            ]
        except Exception as error:  # noqa: BLE001 whatever a changed template raises is what is looked for here
            after = f" after {seen[-1]}" if seen else ""
            yield wrong(
                f"a kind of letter{after} cannot be made: {shown(f'{type(error).__name__}: {error}')}",
                "put back the templates of this version: the installed files of Paperround were changed",
            )
            return
        for found in filter(None, map(defects, forms)):
            yield wrong(f"a letter of the kind {letter.kind} does not read as mail: {shown(found)}")
        seen.append(letter.kind)
    kinds = list(dict.fromkeys(each.value for each in seen))
    yield ok(f"every kind of letter can be made: {', '.join(kinds)}")


def written(
    letter: Letter,
    identity: Identity,
    recipient: str,
    at: datetime,
    links: Mapping[str, str] | None = None,
    *,
    text_only: bool = False,
) -> bytes:
    """Return the whole message to one reader, with invented links; raises UsageError or AddressError."""
    slots = mailing_slots(
        recipient=recipient,
        message_id=message_id(f"doctor:{recipient}:{at.isoformat()}", identity),
        date=at,
        confirmed_on=date(2026, 10, 3),
        links=_LINKS if links is None else links,
    )
    return join(freeze(letter, identity, text_only=text_only).fragments, slots)


def defects(data: bytes) -> str:
    """Return the first thing that a strict reader of mail complains of; "" where there is none."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    for part in message.walk():
        if part.defects:
            return f"{part.get_content_type()}: {type(part.defects[0]).__name__}"
        if not part.is_multipart() and "\0" in part.get_content():
            return f"{part.get_content_type()}: a place was not filled in"
    missing = [name for name in ("From", "To", "Subject", "Date", "Message-ID") if len(message.get_all(name, [])) != 1]
    return f"not exactly one of {', '.join(missing)}" if missing else ""
