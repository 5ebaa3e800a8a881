"""Two schedulers at once, a publish killed in its middle, and what planning costs where there are many readers."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select

from storage.database import Database
from storage.issues import Issues
from storage.looking import rows_due
from storage.tables import ISSUE, SUBSCRIBER, SUBSCRIPTION, TOPIC

DAY = timedelta(days=1)


def many(desk, number):
    """Add readers like one, who is there."""
    with desk.database.writing() as connection:
        (row,) = connection.execute(select(SUBSCRIBER)).mappings().all()
        topic = connection.execute(select(TOPIC.c.id)).scalar_one()
        rows = [
            {**{name: row[name] for name in row if name != "id"}, "public_id": name, "email": f"{name}@lab.example",
             "address_key": f"{name}@lab.example"}
            for name in (f"r{each}" for each in range(1, number))
        ]  # fmt: skip
        connection.execute(insert(SUBSCRIBER), rows)
        others = connection.execute(select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.id != row["id"])).scalars().all()
        held = [
            {"subscriber_id": each, "topic_id": topic, "name": "tides", "query": "tides", "position": 0}
            for each in others
        ]
        connection.execute(insert(SUBSCRIPTION), held)


def issues_each(database):
    with database.reading() as connection:
        return Counter(connection.execute(select(ISSUE.c.subscriber_id)).scalars())


def test_two_schedulers_at_once_serve_each_slot_once(desk_on, url, clock, daily):
    with Database(url) as one, Database(url) as other:
        desks = [desk_on(one, clock), desk_on(other, clock)]
        desks[0].reader("mira", daily(7))
        many(desks[0], 200)
        for day in range(2):
            now = clock.now() + day * DAY
            together = threading.Barrier(2)
            counts = []

            def run(desk, now=now, together=together, counts=counts):
                publisher = desk.publisher()
                together.wait()
                counts.append(publisher.publish(now).issues)

            threads = [threading.Thread(target=run, args=(desk,)) for desk in desks]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            assert sum(counts) == 200
        assert set(issues_each(one).values()) == {2}
        assert len(issues_each(one)) == 200


def test_a_publish_that_was_killed_between_two_blocks_is_gone_on_with(desk, daily):
    desk.reader("mira", daily(7))
    many(desk, 1_200)
    now = desk.clock.now()

    class Killed(BaseException):
        pass

    def die(_):
        raise Killed

    with pytest.raises(Killed):
        desk.publisher().publish(now, progress=die)
    assert len(issues_each(desk.database)) == 500
    asked = []
    counts = desk.publisher().publish(now, progress=asked.append)
    assert (counts.issues, asked) == (700, [500, 200])  # nobody is looked at again
    assert set(issues_each(desk.database).values()) == {1}
    assert not desk.publisher().is_due(now)


@pytest.mark.engines("sqlite")
def test_planning_asks_the_database_by_the_block_and_not_by_the_reader(desk_on, fresh, daily, clock):
    def statements(number):
        with fresh() as database:
            desk = desk_on(database, clock, finds=lambda _: False)
            desk.reader("mira", daily(7))
            many(desk, number)
            with database.writing() as connection:  # all had a first letter, and a clock that was ahead cut another
                ids = connection.execute(select(SUBSCRIBER.c.id)).scalars().all()
                for cut in (clock.now() - DAY, clock.now() + DAY):
                    connection.execute(insert(ISSUE), [issue(each, cut) for each in ids])
                newest = select(ISSUE.c.id).where(
                    ISSUE.c.subscriber_id == SUBSCRIBER.c.id, ISSUE.c.cutoff > clock.now()
                )
                connection.execute(SUBSCRIBER.update().values(last_issue_id=newest.scalar_subquery()))
            told = []
            event.listen(database._engine, "before_cursor_execute", lambda *args: told.append(args[2]))
            counts = desk.publisher().publish(clock.now())
            assert counts.due == number
            return len(told)

    few, more, most = statements(100), statements(500), statements(1_500)
    assert few == more
    assert most < 3 * more


def issue(reader, cut):
    return {
        "public_id": f"{reader} {cut}", "subscriber_id": reader, "slot": f"{cut.date()}", "zone": "UTC", "cutoff": cut,
        "upto_match": 0, "created_at": cut,
    }  # fmt: skip


@pytest.mark.engines("sqlite")
def test_whom_to_look_at_is_found_by_an_index(desk, daily):
    desk.reader("mira", daily(7))
    told = []
    event.listen(desk.database._engine, "before_cursor_execute", lambda *args: told.append((args[2], args[3])))
    with desk.database.reading() as connection:
        rows_due(connection, desk.clock.now(), (desk.clock.now(), 1), 500)
        statement, values = next(each for each in told if "next_look" in each[0])
        planned = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert any("SEARCH" in row[3] and "ix_subscriber_state_next_look_id" in row[3] for row in planned)
    assert not any("TEMP B-TREE" in row[3] for row in planned)


def test_blocks_go_on_after_a_look_and_a_number(desk, daily):
    desk.reader("mira", daily(7))
    many(desk, 1_001)  # all of them have the same look
    blocks = [[each.subscriber.id for each in block] for block in Issues(desk.database).due(desk.clock.now())]
    assert [len(block) for block in blocks] == [500, 500, 1]
    ids = [each for block in blocks for each in block]
    assert ids == sorted(set(ids))
