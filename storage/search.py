"""The archive's full-text index: written beside each paper, asked with the topic language.

The index is SQLite's FTS5 without content of its own: it holds the words as domain/fts5.py cuts them, so a search and
a topic find the same papers. A row is therefore taken out by saying again what was put in.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select, text

from domain.fts5 import match_expression
from domain.papers import Paper
from domain.topics import Query
from storage.database import Database
from storage.reading import BLOCK, papers_where
from storage.tables import PAPER

_FIND = text(
    "SELECT rowid FROM paper_fts WHERE paper_fts MATCH :wanted "
    "ORDER BY bm25(paper_fts, 2.0, 1.0, 1.0, 1.0) LIMIT :limit"
)
_SCORES = text(
    "SELECT rowid, bm25(paper_fts, 2.0, 1.0, 0.0, 0.0) AS score FROM paper_fts "
    "WHERE paper_fts MATCH :wanted AND rowid BETWEEN :low AND :high"
)
_NEXT = text(
    "SELECT rowid FROM paper_fts WHERE paper_fts MATCH :wanted AND rowid > :last AND rowid <= :newest "
    "ORDER BY rowid LIMIT :limit"
)
_COUNT = text("SELECT count(*) FROM paper_fts WHERE paper_fts MATCH :wanted")


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    total: int  #: of all that match, whatever the limit
    papers: tuple[Paper, ...]  #: best first


class Search:
    """The full-text search of one archive."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, query: Query, limit: int) -> Found:
        """Return the best `limit` papers whose title, abstract or authors match, by BM25 with titles counted twice."""
        wanted = match_expression(query.tree)
        with self._database.reading() as connection:
            total = connection.execute(_COUNT, {"wanted": wanted}).scalar_one()
            ids = list(connection.execute(_FIND, {"wanted": wanted, "limit": limit}).scalars())
            papers: dict[int, Paper] = {}
            for start in range(0, len(ids), BLOCK):
                block = papers_where(connection, PAPER.c.id.in_(ids[start : start + BLOCK]))
                papers.update((paper.id, paper) for paper in block)
        return Found(total=int(total), papers=tuple(papers[each] for each in ids))

    def every(self, query: Query) -> Iterator[Paper]:
        """Give every paper that matches and is there now, in order of storing; each block is a transaction."""
        with self._database.reading() as connection:
            newest = connection.execute(select(func.max(PAPER.c.id))).scalar() or 0
        wanted = {"wanted": match_expression(query.tree), "last": 0, "newest": newest, "limit": BLOCK}
        while True:
            with self._database.reading() as connection:
                ids = list(connection.execute(_NEXT, wanted).scalars())
                block = tuple(papers_where(connection, PAPER.c.id.in_(ids)))
            if not ids:
                return
            yield from block
            wanted["last"] = ids[-1]

    def scores(self, query: Query, paper_ids: Collection[int]) -> dict[int, float]:
        """Return BM25 of these papers for a query, higher is better, titles counted twice.

        How rare a word is, is judged over the whole archive (relevance.md, "Recommended design" 5), so that papers of
        different days compare. Papers that do not match are missing.
        """
        if not paper_ids:
            return {}
        wanted = {
            "wanted": f"{{title abstract}} : ({match_expression(query.tree)})",
            "low": min(paper_ids),
            "high": max(paper_ids),
        }
        with self._database.reading() as connection:
            found = connection.execute(_SCORES, wanted)
            return {row.rowid: -row.score for row in found if row.rowid in paper_ids}
