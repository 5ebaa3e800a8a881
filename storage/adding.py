"""The transaction inside `Archive.add`: one listing becomes papers, sightings and validators.

    a block of listed papers ──► whose strong ids are known? ──► what of the rest is alike? ──► paper by paper:
        nobody's    a new paper, with its ids, traits and words
        one's       it learns: ids, better words, what was missing; its versions and withdrawals are events
        several's   they are one paper: the oldest inherits, then learns
        perhaps     the two are linked as kin

Decisions are merging.py's and wording.py's. New papers and sightings are written in bulk, what a known paper learns
alone. A record that only tells more of a known paper (`only_if_known`) is left out where nobody knows the paper.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, exists, insert, or_, select, update

from domain.identity import Fingerprint, fingerprint_of, traits
from domain.papers import Identifiers, ListedPaper, Listing, Paper, Validators
from storage.embeddings import forget_words
from storage.happening import happened
from storage.joining import join, link, remember_key
from storage.lookup import Known, Shelf
from storage.merging import (
    Verdicts,
    events_of,
    ids_learned,
    inherited,
    judged,
    keys_for,
    learned,
    may_be_kin,
    new_row,
    owners,
    seen_again,
    seen_by_topics,
)
from storage.reading import in_blocks, paper_of
from storage.rising import PAPERS
from storage.sightings import Stood, first_journal
from storage.sources import remember
from storage.tables import IDENTIFIER, PAPER, REMATCH, TRAIT
from storage.wording import Speaker, Wording, held_by, offers_of, reworded
from storage.wordings import keep_wordings
from storage.words.index import INDEXED, index_of


def add_listing(
    connection: Connection,
    listing: Listing,
    now: datetime,
    validators: Sequence[Validators],
    *,
    sight: bool = True,
    apart_from: int = sys.maxsize,
) -> tuple[list[Paper], int]:
    """Store a listing; return the papers never seen before, and how many known ones learned something."""
    new: list[Paper] = []
    updated = 0
    for some in in_blocks(listing.papers):
        block = _Block(connection, listing, now, apart_from)
        block.take(some)
        block.write(sight=sight)
        new = [paper for paper in new if paper.id not in block.gone]
        new += [paper_of(known.columns, known.ids) for known in block.new.values()]
        updated += len(block.told)
    if listing.status.moves_cursor:
        remember(connection, listing, validators)
    return new, updated


@dataclass(slots=True)
class _Lists:
    """Rows to be written in bulk."""

    identifiers: list[dict[str, Any]] = field(default_factory=list)
    traits: list[dict[str, Any]] = field(default_factory=list)
    kin: set[tuple[int, int]] = field(default_factory=set)


class _Block:
    """Some papers of a listing on their way into the archive."""

    def __init__(self, connection: Connection, listing: Listing, now: datetime, apart_from: int) -> None:
        self._connection = connection
        self._listing = listing
        self._now = now
        self._apart_from = apart_from
        self._shelf = Shelf(connection)
        self._stood = Stood(listing.source)
        self._lists = _Lists()
        self._first_new = self._next = PAPERS.following(connection)
        self.new: dict[int, Known] = {}
        self._unwritten: dict[int, Known] = {}
        self._taken: set[str] = set()  # the keys of the new papers
        self.told: set[int] = set()  #: known papers that learned more than votes and days
        self.gone: set[int] = set()  #: papers that turned out to be others

    def take(self, papers: Sequence[ListedPaper]) -> None:
        """Decide what each paper is, and write what known ones learn."""
        self._shelf.fetch_owners({pair for paper in papers for pair in paper.ids.pairs()})
        seen = {place: fingerprint_of(paper) for place, paper in enumerate(papers) if self._must_be_read(paper)}
        self._shelf.fetch_alike({trait for found in seen.values() for trait in traits(found)})
        for place, paper in enumerate(papers):
            known = self._known(paper, seen.get(place))
            if known is None:
                continue
            for pair in paper.ids.pairs():
                self._shelf.own(known, [pair])
            self._stood.add(known.id, paper.day or self._listing.day, paper)

    def write(self, *, sight: bool) -> None:
        """Write what was gathered."""
        self._flush()
        if sight:
            self._stood.write(self._connection, self._now, unseen_from=self._first_new)

    # -- one paper -----------------------------------------------------------------------------------------------------

    def _must_be_read(self, paper: ListedPaper) -> bool:
        """Whether its ids do not tell what a paper is, or its title is not the one we know it by."""
        named = self._named(paper).same
        return not named or (not paper.key and paper.title != named[0].columns["title"])

    def _named(self, paper: ListedPaper) -> Verdicts:
        found = (self._shelf.owner(pair) for pair in paper.ids.pairs())
        return owners(paper, (known for known in found if known is not None))

    def _known(self, paper: ListedPaper, seen: Fingerprint | None) -> Known | None:
        """Return the paper that a listed one is, new or not; None where it is to be left out."""
        found = self._named(paper)
        if seen is None and not found.same:  # an earlier line of this listing changed what its ids name
            seen = fingerprint_of(paper)
            self._shelf.fetch_alike(traits(seen))
        if seen is not None:
            alike = self._alike(paper, seen)
            itself = tuple(each for each in alike if each.key == paper.key)
            found = Verdicts(same=itself, kin=()) if itself else judged(seen, found, alike)
        kin = list(found.kin)
        if found.same:
            known = self._joined(found.same)
            if self._learn(known, paper):
                known, more = self._reunited(known)
                kin += more
        elif paper.only_if_known or seen is None:
            return None
        else:
            known = self._added(paper, seen)
        links = {(known.id, each.id) for each in kin if self._shelf.holds(each) and may_be_kin(known, each)}
        self._lists.kin |= links
        return known

    def _alike(self, paper: ListedPaper, seen: Fingerprint) -> list[Known]:
        alike = self._shelf.alike(traits(seen))
        return [each for each in alike if not paper.key or each.id <= self._apart_from]

    def _added(self, paper: ListedPaper, seen: Fingerprint) -> Known:
        free = Identifiers(**{s: v for s, v in paper.ids.pairs() if self._shelf.owner((s, v)) is None})
        key = next(key for key in keys_for(paper, free, seen.key) if self._is_free(key))
        self._taken.add(key)
        columns = new_row(self._listing, paper, self._now, self._speaker(paper))
        columns |= {"id": self._next, "key": key}
        known = Known(id=self._next, key=key, ids=free, columns=columns)
        self._next += 1
        self.new[known.id] = self._unwritten[known.id] = known
        named = ({"scheme": s, "value": v, "paper_id": known.id, "place": 0} for s, v in free.pairs())
        self._lists.identifiers += named
        marks = self._shelf.add(known, traits(seen))
        self._lists.traits += [{"trait": each, "paper_id": known.id} for each in marks]
        return known

    def _is_free(self, key: str) -> bool:
        scheme, _, value = key.partition(":")
        if scheme != "title":
            return True  # its id is free
        if key in self._taken:
            return False
        former = exists().where(IDENTIFIER.c.scheme == scheme, IDENTIFIER.c.value == value)
        query = select(or_(exists().where(PAPER.c.key == key), former))
        return not self._connection.execute(query).scalar()

    def _joined(self, same: Sequence[Known]) -> Known:
        """Return the oldest of several records of one paper, after it inherited from the others."""
        heir, *others = same
        if others:
            self._flush()
        for gone in others:
            day = self._listing.day
            join(self._connection, heir, gone, source=self._listing.source, day=day, now=self._now)
            changes, beside = reworded(heir.columns, held_by(gone.columns))
            changes |= inherited(heir.columns, gone.columns)
            ids = Identifiers(**{**dict(gone.ids.pairs()), **dict(heir.ids.pairs())})
            self._shelf.forget(gone, heir)
            self._stood.hand_over(gone.id, heir.id)
            self.new.pop(gone.id, None)
            self.told.discard(gone.id)
            events = events_of(heir.columns, {k: v for k, v in changes.items() if k == "withdrawn"}, None, day)
            self._change(heir, changes, ids)
            heir.wordings = {**gone.wordings, **heir.wordings}
            self._keep(heir, beside)
            for kind, note in events:
                self._happened(heir, kind, note, day)
            self.told.add(heir.id)
            self.gone.add(gone.id)
        return heir

    def _reunited(self, known: Known) -> tuple[Known, list[Known]]:
        """Return the paper that a reworded one is now, and what may be the same: its new words may be another's."""
        seen = known.fingerprint()
        found = judged(seen, Verdicts(same=(known,), kin=()), self._shelf.alike(traits(seen)))
        return self._joined(found.same), list(found.kin)

    def _learn(self, known: Known, paper: ListedPaper) -> bool:
        """Let a known paper learn what a listing says of it; return whether its words are others now."""
        words, beside = reworded(known.columns, offers_of(paper, self._speaker(paper)))
        changes = learned(known.columns, paper) | words
        fresh = [pair for pair in ids_learned(known.ids, paper.ids) if self._shelf.owner(pair) is None]
        tells = bool(changes.keys() - {"said_by"} or fresh)
        day = paper.day or self._listing.day
        events = events_of(known.columns, changes, paper.announcement, day)
        if known.id < self._first_new:
            events += [("named", f"{scheme}:{value}") for scheme, value in fresh]
            events += first_journal(self._connection, known.id, paper.journal)
        else:  # what a listing says twice of a new paper is no news of it
            events = [(kind, note) for kind, note in events if kind != "code"]
        changes |= seen_again(known.columns, self._listing, paper)
        changes = {name: value for name, value in changes.items() if known.columns[name] != value}
        self._change(known, changes, self._with_ids(known, fresh))
        self._keep(known, beside)
        for kind, note in events:
            self._happened(known, kind, note, day)
        if tells and known.id not in self.new:
            self.told.add(known.id)
        return bool(changes.keys() & {"title", "abstract", "authors"})

    def _with_ids(self, known: Known, fresh: Sequence[tuple[str, str]]) -> Identifiers:
        """Return the ids of a paper with those it learns; a second one of a scheme is kept, and the first is shown."""
        ids = dict(known.ids.pairs())
        for scheme, value in fresh:
            place = 1 if scheme in ids else 0
            ids.setdefault(scheme, value)
            self._lists.identifiers.append({"scheme": scheme, "value": value, "paper_id": known.id, "place": place})
        return Identifiers(**ids)

    def _change(self, known: Known, changes: Mapping[str, Any], ids: Identifiers) -> None:
        """Change a paper's row, and all that hangs on its words."""
        if ids.strongest and known.key.startswith("title:"):
            self._flush()
            remember_key(self._connection, known.id, known.key)
            changes = {**changes, "key": ids.strongest}
            known.key = ids.strongest
        before = known.columns
        known.change(changes, ids)
        if not changes or known.id in self._unwritten:
            return
        connection = self._connection
        connection.execute(update(PAPER).where(PAPER.c.id == known.id).values(**changes))
        if changes.keys() & set(INDEXED):
            index = index_of(connection)
            index.take(connection, [before])
            index.put(connection, [known.columns])
        if seen := seen_by_topics(before, changes):
            connection.execute(insert(REMATCH), [{"paper_id": known.id, "what": what} for what in seen])
        if changes.keys() & {"title", "abstract"}:
            forget_words(connection, known.id)
        if changes.keys() & {"title", "abstract", "authors"}:
            marks = traits(known.fingerprint())
            self._shelf.fetch_alike(marks)
            self._lists.traits += [{"trait": each, "paper_id": known.id} for each in self._shelf.mark(known, marks)]

    def _keep(self, known: Known, beside: Sequence[Wording]) -> None:
        if said := [each for each in beside if known.wordings.get((each.field, each.speaker.source)) != each.text]:
            self._flush()
            keep_wordings(self._connection, known, said)

    def _happened(self, known: Known, kind: str, note: str, day: date) -> None:
        self._flush()
        event = {"paper_id": known.id, "kind": kind, "note": note, "source": self._listing.source}
        happened(self._connection, {**event, "day": day, "at": self._now})

    def _speaker(self, paper: ListedPaper) -> Speaker:
        listing = self._listing
        return Speaker(listing.source, listing.standing, paper.version, paper.day or listing.day)

    def _flush(self) -> None:
        """Write the new papers and what hangs on them, so that later statements find them."""
        rows = [known.columns for known in self._unwritten.values()]
        self._unwritten.clear()
        lists, self._lists = self._lists, _Lists()
        if rows:
            self._connection.execute(insert(PAPER), rows)
            index_of(self._connection).put(self._connection, rows)
        if lists.identifiers:
            self._connection.execute(insert(IDENTIFIER), lists.identifiers)
        if lists.traits:
            self._connection.execute(insert(TRAIT), lists.traits)
        link(self._connection, lists.kin)
