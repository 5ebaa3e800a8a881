"""Writes docs/schema.md to stdout, from storage/tables.py and storage/views: a test compares the two.

python tests/house/schema_document.py > docs/schema.md
"""

import ast
import inspect
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from storage import tables
from storage.views.making import READER, grants, views
from storage.views.questions import QUESTIONS

TYPES = {
    JSON: "JSON",
    BigInteger: "integer",
    Boolean: "truth",
    Date: "day",
    DateTime: "instant",
    Float: "number",
    Integer: "integer",
    LargeBinary: "bytes",
}
BEGINNING = """\
# What an archive holds

For whoever wants to ask the archive something that no command answers. This page is made from the code
(`python tests/house/schema_document.py`), and a test compares the two.

Ask the [views](#the-views). They have human names, say the same on SQLite and PostgreSQL, and change less than the
[tables](#the-tables) behind them. They hold papers, sources and counts; no address, no reader's topic, no token, no
consent and no letter can be had from them.

## Ways to look

**On pages.** `paperround archive inspect` copies the views into a file of its own, which is gone when you press Ctrl-C,
and shows it on this machine with Datasette: full-text search, facets, the questions below, and any SQL. It needs
`pip install 'paperround[inspect]'`. What is shown is the copy: a later look needs a new one. Either database will do.

**As a file.** `paperround archive inspect --file papers.db` writes that copy for any client of SQLite, for a notebook,
or for a colleague. Its tables are named as the views; `papers_fts` finds papers by words:

```sql
SELECT title, url FROM papers WHERE id IN (SELECT rowid FROM papers_fts WHERE papers_fts MATCH 'tides NOT ocean');
```

The archive itself is not for giving away: `paperround.db` holds readers' addresses. Open it read-only, if at all.

**PostgreSQL, with any client.** The views are in the archive's own database. A group may read them and nothing else:

```sql
{role}
```

Then psql, DBeaver, Metabase or a notebook connect as `ada`. Migrations make the views anew and let the group named
`{reader}` read them again. Before PostgreSQL 15, also `REVOKE CREATE ON SCHEMA public FROM PUBLIC`. A view of
your own on top of ours keeps a migration from running, which says so: drop it, migrate, make it again.

## Questions

Each works as it stands, on either database and on a copy.
"""
VIEWS = """\
## The views

On SQLite days and instants are texts, `2026-11-20` and `2026-11-20 08:00:00` in UTC; on PostgreSQL they are dates and
timestamps with time zone. A listing day is a date in the source's own zone. A copy is as all was when it was made, also
where a view says “in the last 7 days”.
"""
TABLES = """\
## The tables

What Paperround itself works with; its migrations change them. `JSON` is a text on SQLite and `jsonb` on PostgreSQL; an
instant is in UTC; a truth is 0 or 1 on SQLite. Most tables hang on a paper, or on a reader, and go with it; those that
are not drawn stand alone.
"""


def document() -> Iterator[str]:
    names = ",\n  ".join(each.name for each in views("postgresql"))
    (granted,) = grants()
    assert granted == f"GRANT SELECT ON {' '.join(names.split())} TO {READER}"
    role = (
        f"CREATE ROLE {READER} NOLOGIN;\nGRANT SELECT ON\n  {names}\n  TO {READER};\n"
        f"CREATE ROLE ada LOGIN PASSWORD '…' IN ROLE {READER};"
    )
    yield BEGINNING.format(role=role, reader=READER)
    for question in QUESTIONS:
        yield f"### {question.asks}\n\n```sql\n{question.sql.strip()};\n```\n"
    yield VIEWS
    for view in views("sqlite"):
        yield f"### {view.name}\n\n{view.says}\n\n| column | what it is |\n|---|---|"
        yield "".join(f"| `{each.name}` | {each.says} |\n" for each in view.columns)
    yield TABLES
    yield from _drawings()
    for row in _rows():
        yield from _described(row)


def _rows() -> list[type[tables.Base]]:
    found = [each for each in vars(tables).values() if isinstance(each, type) and hasattr(each, "__table__")]
    assert {each.__table__ for each in found} == set(tables.Base.metadata.tables.values())
    return found


def _drawings() -> Iterator[str]:
    """Give two drawings, since one would be too wide to read: what hangs on papers alone, and the rest."""
    hung = [each.__table__ for each in _rows() if each.__table__.foreign_keys]
    alone = [each for each in hung if {key.column.table for key in each.foreign_keys} == {tables.PAPER}]
    for drawn in (alone, [each for each in hung if each not in alone]):
        yield "```mermaid\nerDiagram"
        for table in drawn:
            for column in table.columns:
                for key in column.foreign_keys:
                    one = "|o" if column.nullable else "||"
                    many = "o|" if [*table.primary_key.columns] == [column] else "o{"
                    yield f"    {key.column.table.name} {one}--{many} {table.name} : {column.name}"
        yield "```\n"


def _described(row: type[tables.Base]) -> Iterator[str]:
    table: Table = row.__table__
    said, shown = _comments(row), _shown(table.name)
    yield f"### {table.name}\n\n{' '.join(inspect.cleandoc(row.__doc__).split())}\n"
    yield "| column | type | what it is |\n|---|---|---|"
    for column in table.columns:
        words = [*_roles(column), *filter(None, [said.get(column.name)])] or [shown.get(column.name, "")]
        yield f"| `{column.name}` | {_type(column)} | {'; '.join(words)} |"
    unique = [f"`{', '.join(names)}` is unique" for names in _uniques(table)]
    indexes = sorted((each for each in table.indexes if not each.unique), key=lambda each: each.name)
    indexed = [f"`{', '.join(column.name for column in each.columns)}` is indexed" for each in indexes]
    yield f"\n{'; '.join([*unique, *indexed])}.\n" if unique or indexed else ""


def _type(column: Column[Any]) -> str:
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    name = next((TYPES[each] for each in TYPES if type(kind) is each), "text")
    return f"{name} or nothing" if column.nullable else name


def _roles(column: Column[Any]) -> Iterator[str]:
    if column.primary_key:
        yield "key" if len(column.table.primary_key.columns) == 1 else "part of the key"
    for key in column.foreign_keys:
        yield f"a row of `{key.column.table.name}`"


def _uniques(table: Table) -> list[tuple[str, ...]]:
    several = [each.columns.keys() for each in table.constraints if isinstance(each, UniqueConstraint)]
    return sorted({*map(tuple, several), *((column.name,) for column in table.columns if column.unique)})


def _shown(table: str) -> dict[str, str]:
    """Return what the views say of a table's columns that they show as they are; the first view counts."""
    found: dict[str, str] = {}
    for view in views("postgresql"):
        base = re.match(r'FROM "?(\w+)"? (\w+)', view.rows)
        if base and base[1] == table:
            as_they_are = {each.name: each.says for each in view.columns if each.value == f"{base[2]}.{each.name}"}
            found = as_they_are | found
    return found


def _comments(row: type[tables.Base]) -> dict[str, str]:
    """Return what is said of each field: beside it, or in the lines before it."""
    source = inspect.getsource(row)
    at = {
        token.start[0]: (token.string.lstrip("# "), token.line.lstrip().startswith("#"))
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found: dict[str, str] = {}
    for node in ast.parse(source).body[0].body:
        if isinstance(node, ast.AnnAssign):
            before = []
            line = node.lineno - 1
            while line in at and at[line][1]:
                before.insert(0, at[line][0])
                line -= 1
            beside = [at[line][0] for line in range(node.lineno, node.end_lineno + 1) if line in at]
            found[node.target.id] = " ".join([*before, *beside]).replace("|", "\\|")
    return found


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write("\n".join(document()).rstrip() + "\n")
