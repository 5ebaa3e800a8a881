"""Which papers may be one work: they never stand in one digest (relevance.md, "Identity of a paper", 5).

The archive keeps records that it could not tell apart or together as two papers, and links those that met. Most of them
share the key of their title; of such a crowd not all were compared, so papers of one title are looked at again when one
of them is about to stand in a letter.
"""

from collections.abc import Iterable, Sequence

from domain.identity import Fingerprint, Verdict, clashing, fingerprint_of, verdict
from domain.papers import Paper
from domain.titles import title_key

_CROWD = 20  # papers of one title, such as "Editorial", of which no two are compared by their words


class Kinship:
    """The kin among some papers; what was worked out once is kept.

    `linked` are the pairs of ids that the archive has linked.
    """

    def __init__(self, papers: Iterable[Paper], linked: Iterable[tuple[int, int]] = ()) -> None:
        self._linked: dict[int, set[int]] = {}
        for one, other in linked:
            self._linked.setdefault(one, set()).add(other)
            self._linked.setdefault(other, set()).add(one)
        by_title: dict[str, list[Paper]] = {}
        for paper in papers:
            by_title.setdefault(title_key(paper.title), []).append(paper)
        self._families: dict[int, Sequence[Paper]] = {
            paper.id: family for family in by_title.values() if len(family) > 1 for paper in family
        }
        self._prints: dict[int, Fingerprint] = {}
        self._kin: dict[int, frozenset[int]] = {}

    def of(self, paper: Paper) -> frozenset[int]:
        """Return the ids of the papers that may be the same work as this one."""
        family = self._families.get(paper.id, ())
        if not family and paper.id not in self._linked:
            return frozenset()
        known = self._kin.get(paper.id)
        if known is None:
            crowded = len(family) > _CROWD
            others = (each for each in family if each.id != paper.id)
            alike = {each.id for each in others if self._may_be_one(paper, each, crowded=crowded)}
            known = self._kin[paper.id] = frozenset(alike | self._linked.get(paper.id, set()))
        return known

    def _may_be_one(self, one: Paper, other: Paper, *, crowded: bool) -> bool:
        if crowded:
            return not clashing(one.ids, other.ids)
        return verdict(self._print(one), self._print(other)) is not Verdict.DIFFERENT

    def _print(self, paper: Paper) -> Fingerprint:
        known = self._prints.get(paper.id)
        if known is None:
            known = self._prints[paper.id] = fingerprint_of(paper)
        return known
