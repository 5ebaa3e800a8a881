"""Letting go of what is old: issues and letters, what relays said, who never confirmed, runs and fetches.

A sweep goes step by step: a look in a reading transaction, then one short writing transaction over at most BLOCK rows,
which looks again. Killed anywhere, it goes on the next time; writers wait for one step at most.

What others stand on stays, however old: a delivery that is not at its end, and its issue; each reader's newest issue,
from which the next one counts, and a quiet note after it; confirmations, which are counted against floods; of each job
the newest run, and of each source the newest answer, the newest good one and the newest that brought something, with
their pages. The sent ledger is no part of a sweep: no paper goes to one reader twice.
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, case, delete, exists, func, or_, select, update

from domain.deliveries import DeliveryState
from domain.issues import LetterKind
from domain.papers import FetchStatus
from domain.subscriptions import Act, SubscriberState
from storage.database import Database
from storage.erasing import UNSWEPT, erase_readers, let_go
from storage.ledger import count_gone
from storage.stepping import Steps, deleting
from storage.tables import (
    ADDRESS_CHANGE,
    CONSENT,
    CONTENT,
    DELIVERY,
    FETCH,
    FRAGMENT,
    INSTALLATION,
    ISSUE,
    LETTER_EVENT,
    MARKER,
    PUBLISH_RUN,
    RUN,
    SILENCE,
    SUBSCRIBER,
    TALLY,
)

S = DeliveryState
_FINISHED = [each.value for each in (S.ACCEPTED, S.REJECTED, S.SKIPPED, S.EXPIRED)]
_WORTH = 0.05  # of the contents: looking through 150,000 of them for the pieces of 1,000 took 12 s
_GOOD = [each.value for each in FetchStatus if each.is_good]


@dataclass(frozen=True, slots=True)
class Ages:
    """How long things are kept; None for ever."""

    issues: timedelta | None
    replies: timedelta | None
    pending: timedelta | None
    runs: timedelta | None
    bounces: timedelta | None = None
    addresses: timedelta | None = None  #: new ones that nobody has confirmed


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rows a sweep let go."""

    pending: int = 0  #: readers who never confirmed
    issues: int = 0  #: with their papers and deliveries
    letters: int = 0  #: of no issue: notes, links, farewells, alerts
    contents: int = 0
    fragments: int = 0
    replies: int = 0  #: deliveries of which what the relay said was forgotten
    silences: int = 0  #: why there was no letter, of slots in a row
    runs: int = 0  #: of jobs, and the counts of publishing and matching
    fetches: int = 0
    bounces: int = 0  #: bounces and complaints of which only what counts is left
    addresses: int = 0  #: that letters were to go to, and whose owners said nothing

    @property
    def rows(self) -> int:
        """All of them together."""
        return sum(astuple(self))


class Keeping:
    """The past of one database."""

    def __init__(self, database: Database, *, by_hand: str = "") -> None:
        """Slots that begin with `by_hand` are of runs that say nothing of how a source is today."""
        self._database = database
        self._by_hand = by_hand

    def sweep(self, ages: Ages, now: datetime, *, is_stopped: Callable[[], bool] = lambda: False) -> Swept:
        """Let go of what is older than these ages at `now`, aware; a stop is obeyed after the step under way."""
        steps = Steps(self._database, is_stopped)
        issues, contents = self._issues(steps, now - ages.issues) if ages.issues else (0, 0)
        return Swept(
            pending=self._pending(steps, now - ages.pending) if ages.pending else 0,
            issues=issues,
            contents=contents,
            replies=self._replies(steps, now - ages.replies) if ages.replies else 0,
            silences=self._silences(steps, now - ages.replies) if ages.replies else 0,
            runs=self._runs(steps, now - ages.runs) if ages.runs else 0,
            fetches=self._fetches(steps, now - ages.runs) if ages.runs else 0,
            bounces=self._bounces(steps, now - ages.bounces) if ages.bounces else 0,
            addresses=self._addresses(steps, now - ages.addresses) if ages.addresses else 0,
            letters=self._letters(steps, now - ages.issues) if ages.issues else 0,
            fragments=self.sweep_fragments(is_stopped=is_stopped, worth=_WORTH),
        )

    def _pending(self, steps: Steps, before: datetime) -> int:
        """Erase those who asked before an instant and never said yes; who was a reader once is none of them."""
        asked = (
            CONSENT.c.action == Act.ASKED.value,
            CONSENT.c.at >= before,
        )  # a letter left for it: there are three at most
        asked_since = exists().where(CONSENT.c.subscriber_id == SUBSCRIBER.c.id, *asked)
        waits = and_(
            SUBSCRIBER.c.state == SubscriberState.PENDING.value,
            SUBSCRIBER.c.joined_at.is_(None),
            SUBSCRIBER.c.created_at < before,
            ~asked_since,
        )

        def erase(connection: Connection, ids: list[int]) -> int:
            still = connection.execute(select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.id.in_(ids), waits)).scalars()
            return erase_readers(connection, list(still))

        return sum(steps.over(SUBSCRIBER.c.id, waits, erase))

    def _issues(self, steps: Steps, before: datetime) -> tuple[int, int]:
        is_open = exists().where(DELIVERY.c.issue_id == ISSUE.c.id, DELIVERY.c.state.not_in(_FINISHED))
        is_newest = exists().where(SUBSCRIBER.c.id == ISSUE.c.subscriber_id, SUBSCRIBER.c.last_issue_id == ISSUE.c.id)
        old = and_(ISSUE.c.created_at < before, ~is_open, ~is_newest)
        contents = 0

        def drop(connection: Connection, ids: list[int]) -> int:
            nonlocal contents
            theirs = select(DELIVERY.c.content_id).where(DELIVERY.c.issue_id.in_(ids)).distinct()
            held = list(connection.execute(theirs).scalars())
            count_gone(connection, and_(ISSUE.c.id.in_(ids), old))
            gone = connection.execute(delete(ISSUE).where(ISSUE.c.id.in_(ids), old)).rowcount
            contents += let_go(connection, held)
            return gone

        return sum(steps.over(ISSUE.c.id, old, drop)), contents

    def _letters(self, steps: Steps, before: datetime) -> int:
        """Let go of finished letters of no issue, but confirmations, and notes that no issue has followed yet."""
        kind = select(CONTENT.c.kind).where(CONTENT.c.id == DELIVERY.c.content_id).scalar_subquery()
        followed = exists().where(
            SUBSCRIBER.c.id == DELIVERY.c.subscriber_id,
            SUBSCRIBER.c.last_issue_id == ISSUE.c.id,
            ISSUE.c.created_at > DELIVERY.c.date,
        )
        old = and_(
            DELIVERY.c.issue_id.is_(None),
            DELIVERY.c.date < before,
            DELIVERY.c.state.in_(_FINISHED),
            kind != LetterKind.CONFIRM.value,
            or_(kind != LetterKind.QUIET.value, followed),
        )

        def drop(connection: Connection, ids: list[int]) -> int:
            mine = and_(DELIVERY.c.id.in_(ids), old)
            held = set(connection.execute(select(DELIVERY.c.content_id).where(mine)).scalars())
            gone = connection.execute(delete(DELIVERY).where(mine)).rowcount
            let_go(connection, held)
            return gone

        return sum(steps.over(DELIVERY.c.id, old, drop))

    def _replies(self, steps: Steps, before: datetime) -> int:
        """Forget what relays said of letters that are at their end; the state stays, and our own words for a skip."""
        skipped = DELIVERY.c.state == S.SKIPPED.value
        told = or_(
            DELIVERY.c.reply_text != "",
            DELIVERY.c.reply_code.is_not(None),
            DELIVERY.c.enhanced != "",
            and_(DELIVERY.c.reason != "", ~skipped),
        )
        old = and_(DELIVERY.c.date < before, DELIVERY.c.state.in_(_FINISHED), told)
        silent = {
            "reply_text": "",
            "reply_code": None,
            "enhanced": "",
            "reason": case((skipped, DELIVERY.c.reason), else_=""),
        }

        def blank(connection: Connection, ids: list[int]) -> int:
            return connection.execute(update(DELIVERY).where(DELIVERY.c.id.in_(ids), old).values(silent)).rowcount

        return sum(steps.over(DELIVERY.c.id, old, blank))

    def _bounces(self, steps: Steps, before: datetime) -> int:
        """Forget how bounces and complaints came, and their words; what happened, and its points, stay."""
        told = or_(LETTER_EVENT.c.raw.is_not(None), LETTER_EVENT.c.detail != "")
        old = and_(LETTER_EVENT.c.received_at < before, told)

        def blank(connection: Connection, ids: list[int]) -> int:
            mine = update(LETTER_EVENT).where(LETTER_EVENT.c.id.in_(ids), old)
            return connection.execute(mine.values(raw=None, detail="")).rowcount

        return sum(steps.over(LETTER_EVENT.c.id, old, blank))

    def _addresses(self, steps: Steps, before: datetime) -> int:
        """Forget new addresses that nobody confirmed, whose link is good for nothing by then, in their letters too.

        The letters stay without them: their number is what makes the key of the next one its own.
        """
        old, number = ADDRESS_CHANGE.c.asked_at < before, ADDRESS_CHANGE.c.subscriber_id
        kind = select(CONTENT.c.kind).where(CONTENT.c.id == DELIVERY.c.content_id).scalar_subquery()
        is_theirs = exists().where(
            SUBSCRIBER.c.id == DELIVERY.c.subscriber_id, SUBSCRIBER.c.email == DELIVERY.c.recipient
        )
        told = and_(
            DELIVERY.c.date < before,
            DELIVERY.c.state.in_(_FINISHED),
            DELIVERY.c.recipient != "",
            kind == LetterKind.ADDRESS.value,
            ~is_theirs,
        )

        def blank(connection: Connection, ids: list[int]) -> int:
            mine = update(DELIVERY).where(DELIVERY.c.id.in_(ids), told)
            return connection.execute(mine.values(recipient="", keeper="", slots={})).rowcount

        return sum(steps.over(number, old, deleting(number, old))) + sum(steps.over(DELIVERY.c.id, told, blank))

    def _silences(self, steps: Steps, before: datetime) -> int:
        """Forget why there was no letter; a silence that lasts is as young as its last slot."""
        old = SILENCE.c.until < before
        return sum(steps.over(SILENCE.c.id, old, deleting(SILENCE.c.id, old)))

    def _runs(self, steps: Steps, before: datetime) -> int:
        newest = select(func.max(RUN.c.id)).where(RUN.c.finished_at.is_not(None)).group_by(RUN.c.job).correlate(None)
        stays = newest.union(newest.where(RUN.c.slot.not_like(f"{self._by_hand}%"))) if self._by_hand else newest
        old = and_(func.coalesce(RUN.c.finished_at, RUN.c.lease_until) < before, RUN.c.id.not_in(stays))
        found = sum(steps.over(RUN.c.id, old, deleting(RUN.c.id, old)))
        # The newest publish stays, else SQLite would give its number again, and issues that name it would be another's.
        newest_publish = select(func.max(PUBLISH_RUN.c.id)).correlate(None).scalar_subquery()
        published = and_(PUBLISH_RUN.c.at < before, PUBLISH_RUN.c.id < newest_publish)
        for counts, counted in ((PUBLISH_RUN, published), (TALLY, TALLY.c.at < before)):
            found += sum(steps.over(counts.c.id, counted, deleting(counts.c.id, counted)))
        return found

    def _fetches(self, steps: Steps, before: datetime) -> int:
        newest = select(func.max(FETCH.c.id)).group_by(FETCH.c.source).correlate(None)
        stays = newest.union(newest.where(FETCH.c.status.in_(_GOOD)), newest.where(FETCH.c.new > 0))
        old = and_(FETCH.c.at < before, FETCH.c.id.not_in(stays))
        return sum(steps.over(FETCH.c.id, old, deleting(FETCH.c.id, old)))

    def sweep_fragments(self, *, is_stopped: Callable[[], bool] = lambda: False, worth: float = 0) -> int:
        """Delete the fragments that no content has; return how many.

        All contents are looked through for that, so it is done once contents were let go since the last time: more
        than none, and at least the share `worth` of those there are.
        Which are in use is found outside of any writing transaction; contents that were written since are looked at
        with each step, so that no letter loses a piece. Memory: one byte a fragment.
        """
        with self._database.reading() as connection:
            let_go_before = connection.execute(select(MARKER.c.value).where(MARKER.c.name == UNSWEPT)).scalar()
            held_before = connection.execute(select(INSTALLATION.c.held_at)).scalar()
            contents, newest = connection.execute(
                select(func.count(), func.coalesce(func.max(CONTENT.c.id), 0)).select_from(CONTENT)
            ).one()
            used = bytearray((connection.execute(select(func.max(FRAGMENT.c.id))).scalar() or 0) + 1)
        if let_go_before is None or let_go_before < contents * worth:
            return 0
        steps = Steps(self._database, is_stopped)
        for row in steps.rows(select(CONTENT.c.id, CONTENT.c.fragments), CONTENT.c.id, CONTENT.c.id <= newest):
            for _, fragment_id in row.fragments:
                used[fragment_id] = 1

        def drop(connection: Connection, ids: list[int]) -> int:
            if connection.execute(select(INSTALLATION.c.held_at)).scalar() != held_before:
                return 0  # another state of the archive was put in its place: what is in use there was not looked at
            since = connection.execute(select(CONTENT.c.fragments).where(CONTENT.c.id > newest)).scalars()
            young = {fragment_id for fragments in since for _, fragment_id in fragments}
            # The newest stays: SQLite would give its number again, and shelf.py may still hold the piece that had it.
            newest_piece = connection.execute(select(func.max(FRAGMENT.c.id))).scalar()
            dead = [each for each in ids if not used[each] and each not in young and each != newest_piece]
            return connection.execute(delete(FRAGMENT).where(FRAGMENT.c.id.in_(dead))).rowcount if dead else 0

        gone = sum(steps.over(FRAGMENT.c.id, FRAGMENT.c.id < len(used), drop, worth=lambda each: not used[each]))
        if not is_stopped():
            with self._database.writing() as connection:
                done = delete(MARKER).where(MARKER.c.name == UNSWEPT, MARKER.c.value == let_go_before)
                connection.execute(done)
        return gone
