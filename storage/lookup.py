"""Which papers of the archive a listed one may be: looked up by strong id and by trait, each loaded once.

A trait that many papers have tells nothing ("Editorial"): only so many are kept of each, so the comparisons that a
listed paper costs do not grow with the archive.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from domain.identity import Fingerprint, fingerprint
from domain.papers import AbstractKind, Identifiers
from storage.reading import BLOCK, identifiers_of, in_blocks
from storage.tables import IDENTIFIER, PAPER, TRAIT, WORDING

#: Papers that are kept, and compared, by one trait.
CROWD = 20

Pair = tuple[str, str]  #: (scheme, value) of a strong id


@dataclass(slots=True)
class Known:
    """A paper of the archive, or of this listing before it is written, as far as a decision needs it."""

    id: int
    key: str
    ids: Identifiers
    columns: dict[str, Any]  #: the row's values by column name
    wordings: dict[tuple[str, str], str] = field(default_factory=dict)  #: (field, source) → what it says otherwise
    _print: Fingerprint | None = field(default=None, repr=False)

    def fingerprint(self) -> Fingerprint:
        """Return what tells this work from others, worked out once for these columns."""
        if self._print is None:
            said = self.columns["abstract"] if self.columns["abstract_kind"] == AbstractKind.AUTHORS else ""
            self._print = fingerprint(self.ids, self.columns["title"], said, self.columns["authors"])
        return self._print

    def change(self, changes: Mapping[str, Any], ids: Identifiers | None = None) -> None:
        """Take on changed columns and ids."""
        self.columns = {**self.columns, **changes}
        self.ids = ids or self.ids
        self._print = None


class Shelf:
    """The known papers that one block of a listing may mean; grows as they are asked for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._papers: dict[int, Known] = {}
        self._owners: dict[Pair, int] = {}
        self._crowds: dict[int, list[int]] = {}

    def owner(self, pair: Pair) -> Known | None:
        """Return the paper that has a strong id that was fetched; None if nobody has it."""
        paper_id = self._owners.get(pair)
        return None if paper_id is None else self._papers[paper_id]

    def holds(self, known: Known) -> bool:
        """Whether a paper is still one of its own: it was not joined with another."""
        return known.id in self._papers

    def alike(self, traits: Iterable[int]) -> list[Known]:
        """Return the papers that share one of these traits, which were fetched, in order of storing."""
        found = {paper_id for trait in traits for paper_id in self._crowds.get(trait, ())}
        return [self._papers[each] for each in sorted(found) if each in self._papers]

    def fetch_owners(self, pairs: Collection[Pair]) -> None:
        """Fetch the papers that have these strong ids."""
        by_scheme: dict[str, list[str]] = {}
        for scheme, value in pairs:
            by_scheme.setdefault(scheme, []).append(value)
        if not by_scheme:
            return
        wanted = or_(*(and_(IDENTIFIER.c.scheme == s, IDENTIFIER.c.value.in_(v)) for s, v in by_scheme.items()))
        for row in self._connection.execute(select(IDENTIFIER).where(wanted)):
            self._owners[row.scheme, row.value] = row.paper_id
        self._load(self._owners.values())

    def fetch_alike(self, traits: Collection[int]) -> None:
        """Fetch the papers that share these traits."""
        wanted = sorted(set(traits).difference(self._crowds))
        for block in in_blocks(wanted, 4 * BLOCK):
            self._crowds.update((trait, []) for trait in block)
            query = select(TRAIT.c.trait, TRAIT.c.paper_id).where(TRAIT.c.trait.in_(block))
            for trait, paper_id in self._connection.execute(query.order_by(TRAIT.c.trait, TRAIT.c.paper_id)):
                self._crowds[trait].append(paper_id)
        self._load({paper_id for trait in wanted for paper_id in self._crowds[trait]})

    def add(self, known: Known, traits: Iterable[int]) -> list[int]:
        """Take in a new paper; return those of its traits that are to be stored."""
        self._papers[known.id] = known
        for pair in known.ids.pairs():
            self._owners.setdefault(pair, known.id)
        return self.mark(known, traits)

    def mark(self, known: Known, traits: Iterable[int]) -> list[int]:
        """Let a paper be found by more traits, which were fetched; return those that are to be stored."""
        fresh = []
        for trait in traits:
            crowd = self._crowds.setdefault(trait, [])
            if known.id not in crowd and len(crowd) < CROWD:
                crowd.append(known.id)
                fresh.append(trait)
        return fresh

    def own(self, known: Known, pairs: Iterable[Pair]) -> None:
        """Let a paper be found by more strong ids."""
        for pair in pairs:
            self._owners.setdefault(pair, known.id)

    def forget(self, gone: Known, heir: Known) -> None:
        """Let everything that led to one paper lead to another."""
        for pair, paper_id in self._owners.items():
            if paper_id == gone.id:
                self._owners[pair] = heir.id
        for crowd in self._crowds.values():
            if gone.id in crowd:
                crowd.remove(gone.id)
                if heir.id not in crowd:
                    crowd.append(heir.id)
        self._papers.pop(gone.id, None)

    def _load(self, paper_ids: Iterable[int]) -> None:
        wanted = sorted(set(paper_ids).difference(self._papers))
        ids = identifiers_of(self._connection, wanted)
        for row in _rows(self._connection, wanted):
            known = ids.get(row["id"], Identifiers())
            self._papers[row["id"]] = Known(id=row["id"], key=row["key"], ids=known, columns=row)
        for block in in_blocks(wanted):
            names = (WORDING.c.paper_id, WORDING.c.field, WORDING.c.source, WORDING.c.text)
            query = select(*names).where(WORDING.c.paper_id.in_(block))
            for paper_id, name, source, words in self._connection.execute(query):
                self._papers[paper_id].wordings[name, source] = words


def _rows(connection: Connection, paper_ids: Sequence[int]) -> Iterable[dict[str, Any]]:
    for block in in_blocks(paper_ids):
        wanted = PAPER.c.id.in_(block)
        for row in connection.execute(select(PAPER).where(wanted).order_by(PAPER.c.id)):
            yield row._asdict()
