"""Whether an archive is sound: its pages, its schema, and what its tables say of one another.

Two kinds of faults are found. What can be worked out from the papers (the full-text index, the traits, indexes of the
database itself) can be made anew, and so can the ledger of what was sent, from the issues; `mend` does. Anything else
is damage that only a backup undoes. Each fault is one sentence that says what to do.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

from sqlalchemy import Connection, bindparam, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from domain.deliveries import DeliveryState
from domain.errors import DatabaseUnavailable
from storage import derived, migrate
from storage.beside import is_cut_short
from storage.database import Database
from storage.ledger import balances
from storage.reading import BLOCK
from storage.subscriptions import AT_ONCE
from storage.tables import CONTENT, DELIVERY, FRAGMENT, PAPER, PUBLISH_RUN, UtcDateTime
from storage.words.categories import CATEGORY, names

_TOLD = 20  # faults that SQLite is asked for at most
_MEND = "run: paperround archive check --mend"
_RESTORE = "stop what uses it, keep this file, and restore a backup"
# What SQLite says of an index that does not agree with its table, which stays whole.
_INDEX = ("missing from index", "wrong # of entries in index")

# What stood in a reader's letters and is not in the ledger.
_UNMARKED = (
    "SELECT issue.subscriber_id, issue_paper.paper_id FROM issue_paper JOIN issue ON issue.id = issue_paper.issue_id "
    "EXCEPT SELECT subscriber_id, paper_id FROM sent"
)
_UNLIKE_NEWEST = (
    "SELECT id FROM subscriber WHERE coalesce(last_issue_id, 0) <> "
    "coalesce((SELECT max(issue.id) FROM issue WHERE issue.subscriber_id = subscriber.id), 0)"
)
_NEWEST = (
    "UPDATE subscriber SET last_issue_id = (SELECT max(issue.id) FROM issue "
    "WHERE issue.subscriber_id = subscriber.id), next_look = :at_once"
)
# By kind of database: the tables of the full-text index, and where its papers are named.
_MADE = {
    "sqlite": ("paper_fts", "paper_fts_stem", "paper_forms", CATEGORY.name),
    "postgresql": ("paper_words", "paper_forms", "paper_stem", CATEGORY.name),
}
_HELD = {
    "sqlite": ("SELECT id FROM paper_fts_docsize", "SELECT id FROM paper_forms_docsize"),
    "postgresql": ("SELECT paper_id FROM paper_words", "SELECT paper_id FROM paper_forms"),
}
# PostgreSQL's count of the papers that have a stem, where it is not what the papers say; FTS5 keeps its own.
_MISCOUNTED = (
    "SELECT stem FROM (SELECT stem, count(*) AS papers FROM paper_words, unnest(tsvector_to_array(words)) AS stem "
    "GROUP BY stem) AS found FULL JOIN (SELECT stem, papers FROM paper_stem WHERE papers <> 0) AS kept USING (stem) "
    "WHERE found.papers IS DISTINCT FROM kept.papers"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it should be."""

    is_derived: bool  #: whether `mend` makes it anew
    sentence: str  #: what is wrong, where, and what to do


def faults(database: Database) -> tuple[Fault, ...]:
    """Look through the whole archive; nothing is changed. Return what is wrong, damage first, nothing if it is sound.

    Raises DatabaseBusy; a database that cannot be read at all is a fault.
    """
    found: list[Fault] = []
    if database.file is not None and is_cut_short(database.file):
        found.append(_damage(f"{database.place} is damaged: it is shorter than it says itself"))
    for look in (_pages, _schema, _index_inside, _papers, _letters):
        if any(not each.is_derived for each in found):
            break  # on damaged pages the other looks stumble, or tell what follows from the damage
        try:
            with database.writing() if look is _index_inside else database.reading() as connection:
                found += look(connection, database.place)
        except DatabaseUnavailable as error:
            found.append(_damage(str(error)))
    return tuple(sorted(dict.fromkeys(found), key=lambda each: each.is_derived))


def mend(database: Database) -> None:
    """Make anew what can be worked out, in one transaction; raises StorageError, and then nothing was changed."""
    with database.writing() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("REINDEX")  # first: the others read through these indexes
        derived.drop(connection)
        derived.make(connection)
        connection.execute(text(f"INSERT INTO sent (subscriber_id, paper_id) {_UNMARKED}"))
        connection.execute(text(_NEWEST).bindparams(bindparam("at_once", AT_ONCE, UtcDateTime())))


def _damage(what: str) -> Fault:
    return Fault(is_derived=False, sentence=f"{what}; {_RESTORE}")


def _off(what: str) -> Fault:
    return Fault(is_derived=True, sentence=f"{what}; {_MEND}")


def _pages(connection: Connection, place: str) -> Iterator[Fault]:
    if connection.dialect.name != "sqlite":
        return
    try:
        rows = connection.exec_driver_sql(f"PRAGMA integrity_check({_TOLD})").all()
    except DBAPIError as error:
        yield _damage(f"{place} is damaged: {error.orig}")
        return
    lines = [line for row in rows for line in str(row[0]).splitlines()]
    said = [each for each in lines if each != "ok" and not each.startswith("***")]
    indexes = [each for each in said if any(words in each for words in _INDEX)]
    torn = [each for each in said if each not in indexes]
    if torn:
        more = f" and {len(torn) - 1} more" if len(torn) > 1 else ""
        yield _damage(f"{place} is damaged: {torn[0]}{more}")
        return  # what else is found there is not to be trusted
    if indexes:
        yield _off(f"an index does not agree with its table: {indexes[0]}")
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if lost:
        yield _damage(f"rows that name another that is not there: {len(lost)}, the first in {lost[0][0]}")


def _schema(connection: Connection, place: str) -> Iterator[Fault]:
    for each in migrate.differences(connection):
        yield _damage(f"the schema of {place} is not that of this version: {each}")


def _index_inside(connection: Connection, place: str) -> Iterator[Fault]:  # noqa: ARG001 all looks are called alike
    if connection.dialect.name != "sqlite":
        return
    for table in ("paper_fts", "paper_forms"):
        if inspect(connection).has_table(table):
            try:
                connection.exec_driver_sql(f"INSERT INTO {table}({table}) VALUES ('integrity-check')")  # noqa: S608 ours
            except DBAPIError as error:
                yield _off(f"the full-text index is damaged ({error.orig})")


def _papers(connection: Connection, place: str) -> Iterator[Fault]:  # noqa: ARG001 all looks are called alike
    yield from _words(connection)
    unmarked = _count(connection, "SELECT id FROM paper EXCEPT SELECT paper_id FROM paper_trait")
    unknown = _count(connection, "SELECT paper_id FROM paper_trait EXCEPT SELECT id FROM paper")
    if unmarked or unknown:
        yield _off(
            f"papers without a trait to be recognised by: {unmarked}; that have some and are not there: {unknown}"
        )


def _words(connection: Connection) -> Iterator[Fault]:
    kind = connection.dialect.name
    if not all(inspect(connection).has_table(table) for table in _MADE[kind]):
        yield _off("the full-text index is not there")
        return
    for held in _HELD[kind]:
        unfound = _count(connection, f"SELECT id FROM paper EXCEPT {held}")  # noqa: S608 ours
        strange = _count(connection, f"{held} EXCEPT SELECT id FROM paper")  # noqa: S608 ours
        if unfound or strange:
            yield _off(f"papers that the full-text index lacks: {unfound}; that it holds and are not there: {strange}")
    if misfiled := _misfiled(connection):
        yield _off(f"papers that are not filed under the categories they have, or under others: {misfiled}")
    if kind == "postgresql" and (miscounted := _count(connection, _MISCOUNTED)):
        yield _off(f"words of which the papers are miscounted: {miscounted}")


def _misfiled(connection: Connection) -> int:
    """Return how many papers, there or not, are filed otherwise than they say; memory: eight bytes a paper."""
    papers = select(PAPER.c.id, PAPER.c.categories).execution_options(yield_per=BLOCK)
    filed = select(CATEGORY.c.paper_id, CATEGORY.c.category).execution_options(yield_per=BLOCK)
    # Of each paper the sum of what its names hash to: what should stand there less what does.
    odds = array("q", bytes(8 * ((connection.execute(select(func.max(PAPER.c.id))).scalar() or 0) + 1)))
    for number, categories in connection.execute(papers):
        odds[number] = sum(_hashed(name) for name in names(categories))
    strange = set()
    for number, name in connection.execute(filed):
        if 0 <= number < len(odds):
            odds[number] -= _hashed(name)
        else:
            strange.add(number)
    return sum(map(bool, odds)) + len(strange)


def _hashed(name: str) -> int:
    return crc32(name.encode()) + 1


def _letters(connection: Connection, place: str) -> Iterator[Fault]:  # noqa: ARG001 all looks are called alike
    if unmarked := _count(connection, _UNMARKED):
        yield _off(f"papers that stood in a letter and are not in the ledger of what was sent: {unmarked}")
    if lost := _count(connection, _UNLIKE_NEWEST):
        yield _off(f"readers whose newest issue is not known as such: {lost}")
    if unsent := _count(connection, "SELECT id FROM issue EXCEPT SELECT issue_id FROM delivery"):
        yield _damage(f"issues without a delivery: {unsent}")
    states = [each.value for each in DeliveryState]
    unknown = select(func.count()).select_from(DELIVERY).where(DELIVERY.c.state.not_in(states))
    if strange := int(connection.execute(unknown).scalar_one()):
        yield _damage(f"deliveries in a state that there is not: {strange}")
    if torn := _torn(connection):
        yield _damage(f"contents of letters that lack a piece: {torn}")
    counts = connection.execute(select(PUBLISH_RUN.c.due, PUBLISH_RUN.c.planned, PUBLISH_RUN.c.excluded))
    if wrong := sum(due != planned + sum(excluded.values()) for due, planned, excluded in counts):
        yield _damage(f"publishes whose counts do not add up: {wrong}")
    if unlike := [each.sentence for each in balances(connection) if each.sentence]:
        yield _damage(f"publishes of which letters are lost: {len(unlike)}, the first: {unlike[0]}")


def _torn(connection: Connection) -> int:
    """Return how many contents name a fragment that is not there; memory: one byte a fragment."""
    there = bytearray((connection.execute(select(func.max(FRAGMENT.c.id))).scalar() or 0) + 1)
    for number in connection.execute(select(FRAGMENT.c.id).execution_options(yield_per=BLOCK)).scalars():
        there[number] = 1
    return sum(
        any(number >= len(there) or not there[number] for _, number in fragments)
        for fragments in connection.execute(select(CONTENT.c.fragments).execution_options(yield_per=BLOCK)).scalars()
    )


def _count(connection: Connection, query: str) -> int:
    # EXCEPT, since NOT IN over a million rows is slow on one of the two databases, and NOT EXISTS on the other.
    return int(connection.execute(text(f"SELECT count(*) FROM ({query}) AS odd")).scalar_one())  # noqa: S608 ours
