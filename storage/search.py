"""The search of the archive: the topic language, filters, orders, pages; the same on either database.

One statement finds a page. With words it begins at the full-text index (words/selecting.py), which also scores; the
filters are conditions on the papers' ids (filters.py); any other order than by relevance is walked along its own index
where many papers match, and sorted where few do. Then the papers of the page are loaded.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, desc, func, or_, select, true

from domain.papers import Paper
from domain.topics import Node, Phrase, Query, Word, wanted
from storage.database import Database
from storage.facets import FacetCounts, counted
from storage.filters import Filters, Narrowing, knows_category, knows_source
from storage.paging import Cursor, Order, Value, within
from storage.reading import in_blocks, papers_where
from storage.tables import PAPER
from storage.words.asking import asking_of
from storage.words.facts import sources
from storage.words.selecting import Asking, Those, Where

_NO_FILTERS = Filters()
_IDS = 10_000  # gathered at once
_COLUMNS: dict[Order, Column[Any]] = {
    Order.FIRST_SEEN: PAPER.c.first_seen,
    Order.PUBLISHED: PAPER.c.published,
    Order.UPVOTES: PAPER.c.upvotes,
}


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what a search found."""

    total: int  #: of all that match, whatever the page
    papers: tuple[Paper, ...]  #: in the order asked for
    next: Cursor | None = None  #: where the next page goes on; None after the last


def order_of(query: Query | None, order: Order | None) -> Order:
    """Return the order that a search is in: without a query nothing is more relevant than anything else."""
    if query is None and order in {None, Order.RELEVANCE}:
        return Order.FIRST_SEEN
    return order or Order.RELEVANCE


class Search:
    """The search of one archive; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = asking_of(database.dialect)

    def search(
        self,
        query: Query | None,
        limit: int,
        *,
        filters: Filters = _NO_FILTERS,
        order: Order | None = None,
        after: Cursor | None = None,
        skip: int = 0,
    ) -> Found:
        """Return up to `limit` papers that match the query, or any without one, and pass the filters.

        Words without a field are looked for in title, abstract, authors and categories, the beginnings of words in
        title and abstract; relevance is the BM25 of words and phrases with titles counted twice.
        Without an order, or by relevance to nothing, it is `order_of`'s. `after` is the `next` of the page before, in
        the same order. `skip` passes over so many, for who asks for a page by its number.
        """
        with self._database.reading() as connection:
            asked = _Asked(connection, self._asking, query, filters)
            order_asked = order_of(query, order)
            total, rows = asked.page(order_asked, skip + limit + 1, after and within(after))
            rows = rows[skip:]
            ids = [paper_id for paper_id, _ in rows[:limit]]
            papers: dict[int, Paper] = {}
            for some in in_blocks(ids):
                block = papers_where(connection, PAPER.c.id.in_(some))
                papers.update((paper.id, paper) for paper in block)
        further = Cursor(rows[limit - 1][1], rows[limit - 1][0]) if len(rows) > limit else None
        return Found(total=total, papers=tuple(papers[each] for each in ids), next=further)

    def ids(self, query: Query | None, after: int, limit: int, filters: Filters = _NO_FILTERS) -> list[int]:
        """Return up to `limit` ids of papers that match and pass, rising from the first one beyond `after`."""
        with self._database.reading() as connection:
            return _Asked(connection, self._asking, query, filters).ids(after, limit)

    def every(self, query: Query | None, filters: Filters = _NO_FILTERS) -> Iterator[Paper]:
        """Give every paper that matches, passes and is there now, in order of storing; each block is a transaction.

        So memory stays flat, and nobody waits for who reads on.
        """
        with self._database.reading() as connection:
            newest = connection.execute(select(func.max(PAPER.c.id))).scalar() or 0
        last = 0
        while ids := self.ids(query, last, _IDS, filters):
            last = ids[-1]
            for some in in_blocks(ids):
                with self._database.reading() as connection:
                    block = list(papers_where(connection, PAPER.c.id.in_(some)))
                yield from (paper for paper in block if paper.id <= newest)
            if last >= newest:
                return

    def facets(self, query: Query | None, filters: Filters = _NO_FILTERS) -> FacetCounts:
        """Return what would narrow a search; the work grows with what it finds, so ask where that is not too much."""
        with self._database.reading() as connection:
            asked = _Asked(connection, self._asking, query, filters)
            return counted(connection, asked.those(), filters)

    def sources(self) -> tuple[str, ...]:
        """Return the name of every source that ever listed a paper, by which a search can be narrowed."""
        with self._database.reading() as connection:
            return tuple(sources(connection))

    def unknown(self, filters: Filters) -> tuple[str, ...]:
        """Return which of "source" and "category" name something that no paper in the archive has."""
        with self._database.reading() as connection:
            found = {
                "source": filters.source is None or knows_source(connection, filters.source),
                "category": filters.category is None or knows_category(connection, filters.category),
            }
        return tuple(name for name, is_known in found.items() if not is_known)

    def selected(self, tree: Node, since: date) -> list[int]:
        """Return the ids of the papers that a topic selects and that were listed on or after a day, rising.

        A topic looks at titles and abstracts alone.
        """
        with self._database.reading() as connection:
            # Sorted here: asked for the order, SQLite walks the papers by their ids and not by the day.
            return sorted(connection.execute(self._of_topic(connection, PAPER.c.id, tree, since)).scalars())

    def per_day(self, tree: Node, since: date) -> dict[date, int]:
        """Return how many of those papers each listing day has, the oldest first; a day that has none is missing."""
        with self._database.reading() as connection:
            days = self._of_topic(connection, PAPER.c.listed, tree, since).add_columns(func.count().label("papers"))
            rows = connection.execute(days.group_by(PAPER.c.listed).order_by(PAPER.c.listed))
            return {row.listed: row.papers for row in rows}

    def best(self, tree: Node, since: date, limit: int, *, apart_from: Collection[date] = ()) -> list[int]:
        """Return the ids of up to `limit` of those papers, of the days that are not in `apart_from`, best first.

        Best by the BM25 of words and phrases, titles counted twice. Where the topic wants neither, the newest.
        """
        days = PAPER.c.listed.not_in(sorted(apart_from)) if apart_from else true()
        with self._database.reading() as connection:
            if not any(isinstance(leaf, Word | Phrase) for leaf in wanted(tree)):
                newest = self._of_topic(connection, PAPER.c.id, tree, since).where(days)
                return list(
                    connection.execute(newest.order_by(PAPER.c.listed.desc(), PAPER.c.id).limit(limit)).scalars()
                )
            ranked = self._asking.ask(connection, tree, Where.SAID).ranked()
            recent = select(PAPER.c.id).where(PAPER.c.listed >= since, days)
            best = ranked.where([ranked.id.in_(recent)]).select.order_by(desc("score"), desc("id"))
            return [row.id for row in connection.execute(best.limit(limit))]

    def listed(self, since: date, limit: int, *, apart_from: Collection[date] = ()) -> list[int]:
        """Return the ids of up to `limit` papers listed since a day, on none of `apart_from`, the newest first."""
        days = PAPER.c.listed.not_in(sorted(apart_from)) if apart_from else true()
        found = select(PAPER.c.id).where(PAPER.c.listed >= since, days)
        with self._database.reading() as connection:
            return list(
                connection.execute(found.order_by(PAPER.c.listed.desc(), PAPER.c.id.desc()).limit(limit)).scalars()
            )

    def _of_topic(self, connection: Connection, column: Column[Any], tree: Node, since: date) -> Select[Any]:
        those = self._asking.ask(connection, tree, Where.SAID).matching().select
        return select(column).where(PAPER.c.listed >= since, self._asking.aside(PAPER.c.id).in_(those))


class _Asked:
    """One search within one transaction."""

    def __init__(self, connection: Connection, asking: Asking, query: Query | None, filters: Filters) -> None:
        self._connection = connection
        self._asking = asking
        self._question = asking.ask(connection, query.tree) if query else None
        self._matching = self._question.matching() if self._question else None
        self._narrowing = Narrowing(connection, filters)
        self._few = (
            bool(self._narrowing) and self._matching is not None and asking.are_few(connection, self._matching.select)
        )

    def ids(self, after: int, limit: int) -> list[int]:
        """Return the next ids, rising."""
        those = self.those()
        wanted = those.where(those.selected_columns.id > after).order_by("id").limit(limit)
        return list(self._connection.execute(wanted).scalars())

    def page(self, order: Order, limit: int, after: Cursor | None) -> tuple[int, list[tuple[int, Value]]]:
        """Return how many match in all, and (id, value) of up to `limit` papers in that order."""
        if self._question is not None and order is Order.RELEVANCE:
            return self._by_relevance(self._question.ranked(), limit, after)
        return self._by_column(_COLUMNS[order], limit, after)

    def those(self) -> Select[Any]:
        """Return a statement for the `id` of each paper that matches and passes."""
        if self._matching is None:
            return select(PAPER.c.id.label("id")).where(*self._narrowing.conditions(PAPER.c.id))
        return self._matching.where(self._conditions(self._matching.id)).select

    def _conditions(self, column: ColumnElement[int]) -> list[ColumnElement[bool]]:
        return self._narrowing.conditions(column, one_by_one=self._few)

    def _total(self) -> int:
        number = self.those().with_only_columns(func.count(), maintain_column_froms=True)
        return int(self._connection.execute(number).scalar_one())

    def _by_relevance(self, those: Those, limit: int, after: Cursor | None) -> tuple[int, list[tuple[int, Value]]]:
        ranked = those.where(self._conditions(those.id)).select
        wanted = self._counted(ranked) if self._asking.counts_along else ranked
        if after is not None:
            scored = wanted.subquery()
            wanted = select(scored).where(_beyond(scored.c.score, scored.c.id, self._now(ranked, after)))
        rows = self._connection.execute(wanted.order_by(desc("score"), desc("id")).limit(limit)).all()
        total = rows[0].total if rows and self._asking.counts_along else self._total()
        return total, [(row.id, row.score) for row in rows]

    def _counted(self, ranked: Select[Any]) -> Select[Any]:
        """Return the statement with a third column, how many there are; what it finds is gathered once for both."""
        scored = ranked.cte().prefix_with("MATERIALIZED")
        total = select(func.count()).select_from(scored).scalar_subquery()
        return select(scored.c.id, scored.c.score, total.label("total"))

    def _now(self, ranked: Select[Any], after: Cursor) -> Cursor:
        """Return where the last page's end is now: papers that came in since have changed all scores a little."""
        row = self._connection.execute(ranked.where(ranked.selected_columns.id == after.paper_id)).first()
        return after if row is None else replace(after, value=row.score)

    def _by_column(self, column: Column[Any], limit: int, after: Cursor | None) -> tuple[int, list[tuple[int, Value]]]:
        total = self._total()
        if not total:
            return 0, []
        # Walking along the order meets a match every papers/total steps; looking all matches up takes total steps.
        papers = self._connection.execute(select(func.max(PAPER.c.id))).scalar_one()
        paper = self._asking.aside(PAPER.c.id) if total * total > limit * papers else PAPER.c.id
        wanted = select(PAPER.c.id, column.label("value")).where(*self._conditions(paper))
        if self._matching is not None:
            wanted = wanted.where(paper.in_(self._matching.select))
        rows: list[tuple[int, Value]] = []
        if after is None or after.value is not None:
            valued = wanted.where(column.is_not(None)).order_by(column.desc(), PAPER.c.id.desc())
            valued = valued if after is None else valued.where(_beyond(column, PAPER.c.id, after))
            rows += [(row.id, row.value) for row in self._connection.execute(valued.limit(limit))]
            after = None
        if len(rows) < limit and column.nullable:
            bare = wanted.where(column.is_(None)).order_by(PAPER.c.id.desc())
            bare = bare if after is None else bare.where(PAPER.c.id < after.paper_id)
            rows += [(row.id, row.value) for row in self._connection.execute(bare.limit(limit - len(rows)))]
        return total, rows


def _beyond(column: ColumnElement[Any], paper: ColumnElement[int], after: Cursor) -> ColumnElement[bool]:
    return and_(column <= after.value, or_(column < after.value, paper < after.paper_id))
