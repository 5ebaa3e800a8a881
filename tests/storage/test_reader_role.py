"""Those who may read the views of a PostgreSQL database, and nothing else of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.errors import DatabaseUnavailable
from storage import migrate
from storage.database import Database
from storage.tables import Base
from storage.views import making
from storage.views.questions import QUESTIONS


@pytest.fixture
def reading_alone(postgres_archive_url: str) -> Iterator[Any]:
    """A connection of one who may read the views; what it does is undone."""
    with Database(postgres_archive_url) as database, database._engine.connect() as connection:
        transaction = connection.begin()
        connection.execute(text(f"CREATE ROLE {making.READER} NOLOGIN"))
        making.drop(connection)  # as a migration does: the group may read what is made anew
        making.make(connection)
        connection.execute(text(f"SET LOCAL ROLE {making.READER}"))
        yield connection
        transaction.rollback()


def refused(connection: Any, statement: str) -> bool:
    """Whether a statement is more than this user may do; it leaves no trace where it is."""
    nested = connection.begin_nested()
    try:
        connection.exec_driver_sql(statement)
    except DBAPIError as error:
        nested.rollback()
        return error.orig.sqlstate == "42501"
    nested.commit()
    return False


def test_who_may_read_the_views_reads_them_all_and_no_table(reading_alone):
    for view in making.views("postgresql"):
        reading_alone.execute(text(f"TABLE {view.name}")).all()
    for question in QUESTIONS:
        reading_alone.execute(text(question.sql)).all()

    own = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'S') AND relnamespace = current_schema()::regnamespace"
    names = {*reading_alone.exec_driver_sql(own).scalars(), *Base.metadata.tables}
    assert {"alembic_version", "paper_words", "subscriber_id_seq"} <= names
    assert {name for name in names if not refused(reading_alone, f'TABLE "{name}"')} == set()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT query_to_xml('SELECT * FROM subscriber', true, true, '')",
        "SELECT table_to_xml('subscriber', true, true, '')",
        "SELECT email FROM subscriber, papers",
        "SELECT * FROM papers WHERE EXISTS (SELECT FROM consent)",
        "COPY subscriber TO STDOUT",
        "COPY (SELECT email FROM subscriber) TO STDOUT",
        "SELECT pg_read_file('PG_VERSION')",
        "UPDATE source_fetches SET status = 'ok'",
        "DELETE FROM paper_ids",
        "INSERT INTO paper_ids (paper_id, scheme, value) VALUES (1, 'arxiv', 'x')",
        "CREATE TABLE mine (a integer)",
        "CREATE FUNCTION mine() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "ALTER VIEW papers RENAME TO theirs",
        "DROP VIEW papers",
        "CREATE OR REPLACE VIEW papers AS SELECT 1",
        "GRANT SELECT ON subscriber TO PUBLIC",
        "SELECT setval('subscriber_id_seq', 1)",
    ],
)
def test_who_may_read_the_views_may_do_nothing_else(reading_alone, statement: str):
    assert refused(reading_alone, statement)


def test_a_view_of_the_operators_own_stops_a_migration_with_a_sentence(postgres_archive_url: str):
    with Database(postgres_archive_url) as database:
        with database.writing() as connection:
            connection.execute(text("CREATE VIEW mine AS SELECT title FROM papers"))
        with pytest.raises(DatabaseUnavailable, match="stands on its views"), database.writing() as connection:
            migrate.downgrade(connection, "0002")
        with database.reading() as connection:
            assert connection.execute(text("TABLE mine")).all() == []
        assert database.revision == migrate.HEAD


def test_statistics_tell_one_who_may_read_the_views_nothing_of_the_tables(reading_alone):
    told = "SELECT * FROM pg_stats WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    assert reading_alone.exec_driver_sql(told).all() == []
