"""deliveries retry and resolve: what a person may say of a letter, and what is refused in one sentence."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from domain.deliveries import DeliveryState, Outcome
from domain.letter_events import LetterEvent, LetterEventKind
from domain.papers import FetchStatus, Identifiers, ListedPaper, Listing
from paperround.settings import load
from paperround.wiring import House
from storage.sending import Ask, Settlement
from storage.tables import DELIVERY

S = DeliveryState


@pytest.fixture
def delivery(paperround, folder):
    """Give what lets the one letter there is be in a state, and returns its number."""
    (folder / "paperround.toml").write_text('[mail]\nfrom = "P <p@lab.example>"\n')
    now = datetime.now(UTC)
    with House(load(folder / "paperround.toml", {}, folder)) as house:
        house.desk.subscribe("ann@lab.example", ["tides"], None, vouched=True, shared=False)
        paper = ListedPaper("Tides of Mud", 1, Identifiers(arxiv="2611.90001"))
        house.archive.add(Listing("other", now.date(), (paper,), FetchStatus.OK), now)
        house.matcher.match(now)
        assert house.publisher.publish(now).issues == 1

    def make(state):
        now = datetime.now(UTC)
        with House(load(folder / "paperround.toml", {}, folder)) as house:
            outbox, lease = house.outbox, timedelta(minutes=15)
            if state is S.EXPIRED:
                assert outbox.expire(now + timedelta(days=30)) == 1
            if state in {S.PLANNED, S.EXPIRED}:
                return house.outbox.records()[0].id
            (leased,) = outbox.lease("one", now, lease, 1)
            if state in {S.LEASED, S.SENDING}:
                asked = [Ask(leased.id, leased.kind, "ann@lab.example", "5a", "")] if state is S.SENDING else []
                outbox.commit("one", [], asked, now, lease)
                return leased.id
            held = {S.DEFERRED: now + timedelta(hours=4)}.get(state)
            said = Outcome(state=state, not_before=held, reply="as the relay said", reason="as the relay said")
            assert outbox.commit("one", [Settlement(leased.id, said, now)], [], now, lease).settled == (True,)
            return leased.id

    return make


def state_of(paperround):
    (record,) = paperround("deliveries", "list", "--json").json["deliveries"]
    return record["state"]


@pytest.mark.parametrize("state", [S.DEFERRED, S.REJECTED, S.EXPIRED, S.UNCERTAIN])
def test_a_letter_that_did_not_arrive_leaves_again_when_the_operator_says_so(paperround, delivery, folder, state):
    number = delivery(state)
    said = paperround("deliveries", "retry", str(number))
    assert said.code == 0
    assert said.out == f"Delivery {number} was {state}; it leaves at the next pass, as the same message.\n"
    assert paperround("deliver", "--json").json["accepted"] == 1
    assert len(list((folder / "outbox").glob("*.eml"))) == 1
    (record,) = paperround("deliveries", "list", "--json").json["deliveries"]
    assert record["state"] == "accepted"


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (S.PLANNED, "it waits for its turn already"),
        (S.LEASED, "it is about to be sent"),
        (S.SENDING, "it is being sent at this moment"),
        (S.ACCEPTED, "nobody gets a letter twice"),
        (S.SKIPPED, "it is not wanted any more (as the relay said)"),
    ],
)
def test_any_other_is_refused_with_the_reason_and_nothing_changes(paperround, delivery, state, why):
    number = delivery(state)
    said = paperround("deliveries", "retry", str(number))
    assert (said.code, said.out) == (2, "")
    assert f"delivery {number} is {state}: " in said.err
    assert why in said.err
    assert state_of(paperround) == state
    said = paperround("deliveries", "resolve", str(number), "--as", "sent")
    assert said.code == 2
    assert f"delivery {number} is {state}, not uncertain" in said.err
    assert state_of(paperround) == state


@pytest.mark.parametrize(("verdict", "end"), [("sent", "counts as accepted"), ("resend", "leaves once more")])
def test_an_uncertain_letter_is_what_the_operator_says(paperround, delivery, folder, verdict, end):
    number = delivery(S.UNCERTAIN)
    assert paperround("deliver", "--json").json["accepted"] == 0  # it is held
    said = paperround("deliveries", "resolve", str(number), "--as", verdict)
    assert said.code == 0
    assert end in said.out
    sent = paperround("deliver", "--json").json["accepted"]
    assert sent == len(list((folder / "outbox").glob("*.eml"))) == (verdict == "resend")
    assert state_of(paperround) == "accepted"
    assert paperround("deliveries", "resolve", str(number), "--as", verdict).code == 2


def test_both_report_as_json(paperround, delivery):
    number = delivery(S.UNCERTAIN)
    assert paperround("deliveries", "retry", str(number), "--json").json == {"id": number, "was": "uncertain"}
    said = paperround("deliveries", "resolve", str(number), "--as", "sent", "--json")
    assert said.json == {"id": number, "as": "sent"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("retry", "7"),
        ("resolve", "7", "--as", "sent"),
        ("retry", "0"),
        ("retry", "x"),
        ("retry", str(2**31)),
        ("resolve", "7"),
        ("resolve", "7", "--as", "lost"),
    ],
)
def test_what_is_not_there_or_not_meant_is_told_in_one_sentence(paperround, configured, arguments):
    said = paperround("deliveries", *arguments)
    assert said.code in {2, 3}
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1


def test_a_letter_to_who_may_not_be_mailed_is_not_tried_again(paperround, delivery):
    number = delivery(S.REJECTED)
    assert paperround("suppressions", "add", "ann@lab.example").code == 0
    said = paperround("deliveries", "retry", str(number))
    assert (said.code, said.err) == (
        2,
        f"paperround: delivery {number} is not sent again: its reader is suppressed\n",
    )
    assert state_of(paperround) == "rejected"


def test_resuming_tries_at_once_what_never_reached_the_relay_and_leaves_the_others_their_time(
    paperround, delivery, folder
):
    delivery(S.DEFERRED)
    assert paperround("deliver").out.splitlines()[-1] == "1 letter waits; `paperround deliveries list`"
    paperround("deliveries", "resume")
    assert paperround("deliver", "--json").json["accepted"] == 0  # its mailbox said "later"
    with House(load(folder / "paperround.toml", {}, folder)) as house, house.database.writing() as connection:
        connection.execute(update(DELIVERY).values(attempts=0))
    assert "1 letter waits to be sent." in paperround("deliveries", "resume").out
    assert paperround("deliver", "--json").json["accepted"] == 1


def test_a_letter_that_came_back_is_no_yes(paperround, delivery, folder):
    number = delivery(S.ACCEPTED)
    with House(load(folder / "paperround.toml", {}, folder)) as house:
        event = LetterEvent(
            "dsn", "1", number, LetterEventKind.BOUNCE, datetime.now(UTC), "5.2.2", "the mailbox is full"
        )
        assert house.letter_events.record([event], datetime.now(UTC)) == 1
    shown = paperround("subscribers", "show", "ann@lab.example", "--json").json["answer"]
    assert "but then this was heard of it: bounce 5.2.2 the mailbox is full." in shown
