"""What a pass of deliver asks of the outbox costs the same after a million letters as after a hundred."""

import json
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy import event, text

from domain.deliveries import DeliveryState
from domain.issues import Content, Fragment, IssuePlan, LetterKind, Mailing, Role, Slot
from storage.issues import Issues
from storage.outbox import Outbox
from storage.tables import DELIVERY

LEASE = timedelta(minutes=15)
FEW, MANY, OPEN_ONES = 200, 20_000, 40
INDEX = "ix_delivery_open"


@pytest.fixture
def open_ones(database, reader, now):
    """Letters that are due, of one content."""
    content = Content(LetterKind.DIGEST, "Tides", (Fragment(Role.HEAD, b"Subject: Tides\r\n"),))
    plans = []
    for number in range(OPEN_ONES):
        mira = reader(f"reader{number}")
        mailing = Mailing(
            message_key=f"issue:{number}",
            subscriber_id=mira.public_id,
            recipient=mira.email,
            content=content,
            slots={"to": mira.email},
            message_id=f"<{number}@lab.example>",
            date=now,
            not_before=now,
            expires_at=now + timedelta(hours=36),
        )
        slot = Slot("2026-11-20", "UTC", date(2026, 11, 20))
        plans.append(IssuePlan(f"issue{number}", mira.id, slot, now, 0, (), mailing))
    assert set(Issues(database).run(now).freeze(plans, {}, [], now)) == {""}
    return Outbox(database)


@pytest.fixture
def finished(database):
    """Add letters that were accepted, as copies of the oldest one, numbered from `start` to before `end`."""

    def add(start, end):
        own = {
            "message_key": "'old:' || i",
            "message_id": "'<old.' || i || '@lab.example>'",
            "state": f"'{DeliveryState.ACCEPTED.value}'",
            "issue_id": "NULL",
        }
        names = [column.name for column in DELIVERY.columns if column.name != "id"]
        values = ", ".join(own.get(name, name) for name in names)
        statement = (
            f"INSERT INTO delivery ({', '.join(names)}) "  # noqa: S608 our names
            f"WITH RECURSIVE n(i) AS (SELECT {start} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end}) "
            f"SELECT {values} FROM n, delivery WHERE delivery.id = (SELECT min(id) FROM delivery)"
        )
        with database.writing() as connection:
            connection.execute(text(statement))
        with database.writing() as connection:
            connection.execute(text("ANALYZE"))

    return add


def a_pass(outbox, now):
    """Everything that deliver asks before a letter leaves."""
    assert outbox.expire(now) == 0
    assert outbox.recover(lambda _: True, now, resend=True) == 0
    assert outbox.is_due(now)
    assert len(outbox.lease("one", now, LEASE, 10)) == 10
    assert outbox.in_flight(now) == 0
    assert outbox.release("one") == 10


@contextmanager
def heard(database):
    """Give the statements on deliveries that are executed meanwhile, each once, with their values."""
    said = {}

    def hear(_, __, statement, values, ___, ____):
        if "delivery" in statement:
            said.setdefault(statement, values)

    event.listen(database._engine, "before_cursor_execute", hear)
    yield said
    event.remove(database._engine, "before_cursor_execute", hear)


@pytest.mark.engines("sqlite")
def test_on_sqlite_a_pass_takes_as_many_steps_after_twenty_thousand_letters_as_after_two_hundred(
    database, open_ones, finished, now
):
    def steps():
        counted = [0]

        def count():
            counted[0] += 1
            return 0

        with database.reading() as connection:
            raw = connection.connection.driver_connection
        raw.set_progress_handler(count, 10)
        try:
            a_pass(open_ones, now)
        finally:
            raw.set_progress_handler(None, 0)
        return counted[0]

    finished(0, FEW)
    a_pass(open_ones, now)
    before = steps()
    finished(FEW, MANY)
    a_pass(open_ones, now)
    assert before > 20  # it does count
    assert steps() <= before * 1.2


@pytest.mark.engines("sqlite")
def test_on_sqlite_no_statement_of_a_pass_looks_at_finished_letters(database, open_ones, finished, now):
    finished(0, FEW)
    with heard(database) as said:
        a_pass(open_ones, now)
    plans = {}
    with database.reading() as connection:
        for statement, values in said.items():
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            plans[statement] = [row[-1] for row in rows if "delivery" in row[-1].lower()]
    assert len(plans) >= 5
    wrong = {
        statement: lines
        for statement, lines in plans.items()
        if not all(INDEX in line or "INTEGER PRIMARY KEY" in line for line in lines)
    }
    assert wrong == {}
    assert any(INDEX in line for lines in plans.values() for line in lines)


@pytest.mark.engines("postgresql")
def test_on_postgresql_a_pass_reads_no_finished_letter(database, open_ones, finished, now):
    finished(0, MANY)
    with heard(database) as said:
        a_pass(open_ones, now)
    plans = {}
    with database.writing() as connection:
        for statement, values in said.items():
            if not statement.lstrip().upper().startswith(("SELECT", "UPDATE", "WITH")):
                continue
            (answer,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).first()
            found = answer if isinstance(answer, list) else json.loads(answer)
            plans[statement] = list(scans(found[0]["Plan"]))
    assert len(plans) >= 5
    allowed = {INDEX, "pk_delivery"}
    wrong = {statement: found for statement, found in plans.items() if not {index for _, index in found} <= allowed}
    assert wrong == {}
    assert any(index == INDEX for found in plans.values() for _, index in found)


def scans(plan):
    """Give (how, by which index) each part of a plan reads deliveries."""
    reads = plan.get("Relation Name") == "delivery" or "delivery" in plan.get("Index Name", "")
    if reads and plan["Node Type"] not in {"ModifyTable", "Bitmap Heap Scan"}:  # which do not find, but fetch
        yield plan["Node Type"], plan.get("Index Name", "")
    for part in plan.get("Plans", ()):
        yield from scans(part)
