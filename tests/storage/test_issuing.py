"""A block of issues written at once: the same rows, and the same reasons why not, as written one by one."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.deliveries import DeliveryState
from domain.issues import Content, Fragment, IssuePaper, IssuePlan, LetterKind, Mailing, Role, Slot
from domain.mailboxes import keeper_of
from domain.papers import AbstractKind, FetchStatus, ListedPaper, Listing
from domain.subscriptions import SubscriberState
from storage.archive import Archive
from storage.database import Database
from storage.issues import Issues
from storage.tables import CONTENT, DELIVERY, FRAGMENT, ISSUE, ISSUE_PAPER, PAPER, SENT, SUBSCRIBER

PAPERS = (1, 2, 3, 99)  # the last of which is not there
READERS = {1: "confirmed", 2: "confirmed", 3: "unsubscribed", 4: "confirmed"}

one_plan = st.tuples(
    st.sampled_from(sorted(READERS)),
    st.integers(20, 22),  # the day of the slot
    st.lists(st.sampled_from(PAPERS), unique=True, max_size=3),
    st.sampled_from(["Low.", "High."]),
    st.sampled_from([False]),  # no message of its key is there: keys are random (the test below has one that is)
)
blocks = st.lists(st.lists(one_plan, max_size=6), min_size=1, max_size=3)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(drawn=blocks)
def test_a_block_leaves_what_its_plans_leave_one_by_one(now, drawn):
    with Database("sqlite://") as at_once, Database("sqlite://") as singly:
        assert_alike(at_once, singly, drawn, now)


def test_on_either_database_with_everything_that_may_stand_in_the_way(url, now):
    drawn = [
        [(1, 20, [1, 2], "Low.", False), (2, 20, [1, 3], "Low.", False), (3, 20, [1], "Low.", False)],
        [(1, 21, [2, 3], "High.", False), (1, 20, [3], "High.", False), (2, 21, [2], "High.", True)],
        [(4, 21, [99], "Low.", False), (4, 21, [], "High.", False), (4, 21, [1], "High.", False)],
    ]
    with Database(url) as at_once, Database("sqlite://") as singly:
        told = assert_alike(at_once, singly, drawn, now)
    left, changed, there = "left meanwhile", "its papers changed meanwhile", "has this issue already"
    assert told == [["", "", left], [changed, there, ""], [changed, "", there]]


def assert_alike(at_once, singly, drawn, now):
    """Freeze the same plans in both; return why each was not written."""
    told = []
    for database in (at_once, singly):
        _fill(database, now)
    for number, block in enumerate(drawn):
        plans = [_plan(f"{number}-{place}", now, *each) for place, each in enumerate(block)]
        told.append(Issues(at_once).run(now).freeze(plans, {}, [], now))
        with singly.writing() as connection:
            assert told[-1] == [one_by_one(connection, plan, now) for plan in plans]
    assert _kept(at_once) == _kept(singly)
    return told


def _fill(database, now):
    titles = [f"Tides of the {name} sea, and what they move" for name in ("northern", "southern", "inner")]
    listed = tuple(
        ListedPaper(title, rank, abstract=f"{title}: at length.", abstract_kind=AbstractKind.AUTHORS)
        for rank, title in enumerate(titles, 1)
    )
    Archive(database).add(Listing("hf", now.date(), listed, FetchStatus.OK), now)
    readers = [
        {
            "id": number, "public_id": f"r{number}", "email": f"r{number}@lab.example",
            "address_key": f"r{number}@lab.example", "state": state, "every": "day", "weekday": 0, "hour": 7,
            "zone": "UTC", "shared": False, "created_at": now, "joined_at": now, "away_since": now,
        }
        for number, state in READERS.items()
    ]  # fmt: skip
    with database.writing() as connection:
        connection.execute(insert(SUBSCRIBER), readers)


def _plan(name, now, reader, day, papers, text, is_queued):
    key = "issue:queued before" if is_queued else f"issue:{name}"
    slot = f"2026-11-{day}"
    fragments = (Fragment(Role.HEAD, b"Tides\r\n"), Fragment(Role.TEXT, text.encode()), Fragment(Role.TEXT, b"Both."))
    mailing = Mailing(
        message_key=key,
        subscriber_id=f"r{reader}",
        recipient=f"r{reader}@lab.example",
        content=Content(LetterKind.DIGEST, f"Tides, “{text}”", fragments),
        slots={"to": f"r{reader}@lab.example", "confirmed": "20 Nov – “ü”"},
        message_id=f"<{name}@lab.example>",
        date=now,
        not_before=now,
        expires_at=now + timedelta(hours=36),
    )
    return IssuePlan(
        public_id=name,
        subscriber_id=reader,
        slot=Slot(slot, "Europe/Berlin", now.date()),
        cutoff=now,
        upto_match=7,
        papers=tuple(IssuePaper(each, 1, place, f"why {each}") for place, each in enumerate(papers)),
        mailing=mailing,
    )


def _kept(database):
    """Return all that was written, fragments and contents by what they are."""
    leaves_out = {"run_id", "content_id", "issue_id"}
    with database.reading() as connection:
        issues = dict(connection.execute(select(ISSUE.c.id, ISSUE.c.public_id)).all())
        pieces = dict(connection.execute(select(FRAGMENT.c.id, FRAGMENT.c.body)).all())
        contents = {
            row.id: (row.content_key, row.kind, row.subject, row.size, [(r, pieces[n]) for r, n in row.fragments])
            for row in connection.execute(select(CONTENT))
        }
        # In no order: of a reader who comes twice in a block, the later issue is written after all others.
        rows = {
            table.name: sorted(
                [
                    {
                        "content": contents.get(row._mapping.get("content_id")),
                        "issue": issues.get(row._mapping.get("issue_id")),
                        **{name: value for name, value in row._mapping.items() if name not in {*leaves_out, "id"}},
                    }
                    for row in connection.execute(select(table))
                ],
                key=repr,
            )
            for table in (ISSUE, ISSUE_PAPER, SENT, DELIVERY)
        }
        newest = [
            (row.id, issues.get(row.last_issue_id), row.away_since)
            for row in connection.execute(select(SUBSCRIBER).order_by(SUBSCRIBER.c.id))
        ]
    return rows, newest, sorted(contents.values()), sorted(pieces.values())


# -- the same, one by one ----------------------------------------------------------------------------------------------


def one_by_one(connection, plan, now):
    state = connection.execute(select(SUBSCRIBER.c.state).where(SUBSCRIBER.c.id == plan.subscriber_id)).scalar()
    if state != SubscriberState.CONFIRMED.value:
        return "left meanwhile"
    ids = [each.paper_id for each in plan.papers]
    there = select(func.count()).select_from(PAPER).where(PAPER.c.id.in_(ids))
    had = select(func.count()).select_from(SENT)
    had = had.where(SENT.c.subscriber_id == plan.subscriber_id, SENT.c.paper_id.in_(ids))
    if connection.execute(there).scalar_one() != len(ids) or connection.execute(had).scalar_one():
        return "its papers changed meanwhile"
    issue = upsert(ISSUE).values(
        public_id=plan.public_id, subscriber_id=plan.subscriber_id, slot=plan.slot.label, zone=plan.slot.zone,
        cutoff=plan.cutoff, upto_match=plan.upto_match, created_at=now,
    )  # fmt: skip
    issue = issue.on_conflict_do_nothing(index_elements=["subscriber_id", "slot"]).returning(ISSUE.c.id)
    number = connection.execute(issue).scalar()
    if number is None:
        return "has this issue already"
    for each in plan.papers:
        values = {"paper_id": each.paper_id, "topic_id": each.topic_id, "position": each.position, "why": each.why}
        connection.execute(insert(ISSUE_PAPER).values(issue_id=number, **values))
        connection.execute(insert(SENT).values(subscriber_id=plan.subscriber_id, paper_id=each.paper_id))
    reader = update(SUBSCRIBER).where(SUBSCRIBER.c.id == plan.subscriber_id)
    connection.execute(reader.values(last_issue_id=number, away_since=None))
    mailing = plan.mailing
    letter = upsert(DELIVERY).values(
        message_key=mailing.message_key, issue_id=number, subscriber_id=plan.subscriber_id,
        content_id=_content(connection, mailing.content), recipient=mailing.recipient,
        keeper=keeper_of(mailing.recipient), slots=dict(mailing.slots), state=DeliveryState.PLANNED.value, attempts=0,
        resent=False, not_before=mailing.not_before, worker="", message_id=mailing.message_id, date=mailing.date,
        expires_at=mailing.expires_at, sha256="", signature="", enhanced="", reply_text="", reason="",
    )  # fmt: skip
    connection.execute(letter.on_conflict_do_nothing(index_elements=["message_key"]))
    return ""


def _content(connection, content):
    known = connection.execute(select(CONTENT.c.id).where(CONTENT.c.content_key == content.key)).scalar()
    if known is not None:
        return known
    for each in content.fragments:
        connection.execute(upsert(FRAGMENT).values(sha256=each.sha256, body=each.body).on_conflict_do_nothing())
    ids = dict(connection.execute(select(FRAGMENT.c.sha256, FRAGMENT.c.id)).all())
    made = insert(CONTENT).values(
        content_key=content.key, kind=content.kind.value, subject=content.subject,
        fragments=[[each.role.value, ids[each.sha256]] for each in content.fragments],
        size=sum(len(each.body) for each in content.fragments),
    )  # fmt: skip
    return connection.execute(made.returning(CONTENT.c.id)).scalar_one()
