"""Whether readers got today's letters, and if not, why: in the first sentence, and what follows from it."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import insert

from domain.deliveries import DeliveryState
from domain.holding import COMPLAINED, MOVED
from storage.tables import FETCH, SILENCE

S = DeliveryState
HOUR = timedelta(hours=1)
ADDRESS = re.compile(r"mira\.okafor\d+@|[\w.]+\d@lab\.example")


# -- the first sentence ------------------------------------------------------------------------------------------------


def test_all_is_well(lab, now):
    for _ in range(3):
        lab.letter()

    page = lab.page()

    assert page.first == "All 3 readers who were due in the last 24 hours got their letter."
    assert "What keeps them back" not in page.text
    assert 'class="answer"' in page.text


def test_one_reader_is_one(lab):
    lab.letter()
    assert lab.page().first == "The one reader who was due in the last 24 hours got the letter."


def test_a_note_that_nothing_matched_is_told_from_a_letter(lab):
    lab.letter(content_id=lab.note())
    assert lab.page().first == (
        "The one reader who was due in the last 24 hours got the letter, a note that nothing matched."
    )

    lab.letter()
    lab.later(HOUR / 60)
    assert lab.page().first == (
        "All 2 readers who were due in the last 24 hours got their letter, 1 of them a note that nothing matched."
    )


def test_the_relay_is_down(lab, now):
    lab.letter()
    lab.letter(S.DEFERRED)
    lab.shut("the relay refuses the log-in: 535 5.7.8 mira@lab.example no", now + 160 * timedelta(minutes=1))

    page = lab.page()

    assert page.first == (
        "1 of 2 readers who were due in the last 24 hours got their letter; 1 waits "
        "(relay shut until 10:40 UTC: the relay refuses the log-in: 535 5.7.8 … no)."
    )
    assert "The relay is shut." in page.words
    assert 'value="resume"' in page.text


def test_letters_are_held(lab, now):
    lab.letter(S.PLANNED)
    lab.house.installation.pause(now)

    page = lab.page()

    assert page.first == (
        "0 of 1 reader who was due in the last 24 hours got their letter; "
        "1 waits (held: the operator paused deliveries)."
    )
    assert "press “Resume”" in page.words
    assert 'value="pause"' not in page.text


def test_a_copy_is_told_to_choose_and_has_no_button(lab, now):
    lab.letter(S.PLANNED)
    lab.house.installation.pause(now, MOVED)

    page = lab.page()

    assert "paperround deliveries resume --skip-waiting" in page.words
    assert 'value="resume"' not in page.text
    assert lab.press("resume").status == 409
    assert lab.house.installation.hold() is not None


def test_too_many_complaints_stop_planning(lab, now):
    lab.reader()
    lab.house.installation.pause(now, f"{COMPLAINED}: 9 of 100")

    page = lab.page()

    assert "1 has no letter yet (nothing is planned: too many complaints)" in page.first


def test_a_mailbox_is_full(lab):
    lab.letter()
    lab.letter(S.REJECTED, enhanced="5.2.2", reply_code=552, reply_text="552 5.2.2 mira.okafor2@lab.example is full")

    page = lab.page()

    assert page.first == (
        "1 of 2 readers who were due in the last 24 hours got their letter; 1 was refused (mailbox full)."
    )
    assert "letter 2 to m…@lab.example was rejected (mailbox full). 552 5.2.2 … is full" in page.words


def test_a_source_is_broken_and_letters_came_all_the_same(lab, now):
    lab.letter()
    lab.house.troubles.failed("source:hf", "hf is layout-changed: no list of papers", now - 30 * HOUR)

    page = lab.page()

    assert page.first.startswith("The one reader")
    assert "The source hf. hf is layout-changed: no list of papers." in page.words
    assert "paperround sources check hf" in page.words


def test_planning_is_broken(lab, now):
    lab.reader()
    lab.house.troubles.failed("publish", "no such template", now)

    page = lab.page()

    assert page.first == (
        "0 of 1 reader who was due in the last 24 hours got their letter; 1 has no letter yet (planning is broken)."
    )
    assert "Planning of letters. No such template." in page.words


def test_no_worker_runs(lab, now):
    lab.later(26 * HOUR)
    lab.reader()

    page = lab.page()

    assert "1 has no letter yet (no worker is running)" in page.first
    assert "start paperround run" in page.words


def test_nobody_is_due(lab):
    assert lab.page().first == "No letter was due: there is no confirmed reader yet."
    lab.reader("pending")
    assert lab.page().first == "No letter was due: there is no confirmed reader yet."
    lab.reader(topics=False)
    lab.later(timedelta(seconds=10))
    assert lab.page().first == "No letter was due in the last 24 hours."


def test_nothing_matched_is_no_fault(lab, now):
    number = lab.reader()
    lab.letter(reader=number, at=now - 26 * HOUR)
    with lab.house.database.writing() as connection:
        connection.exec_driver_sql("UPDATE subscriber SET looked_at = '2026-11-20 07:00:05.000000'")

    page = lab.page()

    assert page.first == ("No letter was due in the last 24 hours. For 1 reader nothing matched, which is no fault.")


def test_a_letter_that_could_not_be_made_is_told(lab, now):
    number = lab.reader()
    row = {"first_slot": "s", "last_slot": "s", "slots": 1, "since": now, "until": now}
    with lab.house.database.writing() as connection:
        connection.execute(SILENCE.insert().values(subscriber_id=number, reason="could not be composed", **row))

    page = lab.page()

    assert "1 has no letter yet (could not be composed: 1)" in page.first
    assert "Some letters were not made." in page.words
    assert 'class="answer wrong"' in page.text


def test_letters_on_their_way_are_no_fault(lab):
    lab.letter()
    lab.letter(S.PLANNED)

    page = lab.page()

    assert page.first == "1 of 2 readers who were due in the last 24 hours got their letter; 1 waits (on the way)."
    assert 'class="answer"' in page.text


# -- buttons -----------------------------------------------------------------------------------------------------------


def test_collect_now_is_a_wish_that_any_worker_sees(lab, now):
    answer = lab.press("collect")

    assert answer.status == 303
    assert answer.headers["location"].startswith("/operations?done=collect&")
    assert lab.house.states.wished() == now
    assert "Collecting was asked for." in lab.page(answer.headers["location"]).words


def test_a_deed_is_told_right_after_it_and_no_link_makes_the_page_tell_one(lab):
    where = lab.press("pause").headers["location"]
    told = "Nothing is sent from now on."

    assert told in lab.page(where).words
    assert told not in lab.page("/operations?done=pause").words
    assert told not in lab.page("/operations?done=pause&stamp=" + lab.page().stamp).words
    assert "Letters leave again" not in lab.page(where.replace("done=pause", "done=resume")).words
    lab.later(timedelta(minutes=2))
    assert told not in lab.page(where).words


def test_pause_holds_letters_with_the_reason_that_was_typed(lab, now):
    lab.letter(S.PLANNED)

    assert lab.press("pause", reason=" the relay\n moves <b>on</b> Monday ").status == 303

    hold = lab.house.installation.hold()
    assert hold is not None
    assert hold.reason == "the operator paused deliveries: the relay moves <b>on</b> Monday"
    assert "&lt;b&gt;on&lt;/b&gt;" in lab.page().text


def test_a_look_is_kept_for_ten_seconds_and_not_over_a_button(lab):
    lab.letter()
    assert lab.page().first.startswith("The one reader")
    lab.letter()
    assert lab.page().first.startswith("The one reader")
    lab.later(timedelta(seconds=10))
    assert lab.page().first.startswith("All 2 readers")
    lab.letter()
    assert lab.press("collect").status == 303
    assert lab.page().first.startswith("All 3 readers")


def test_pause_needs_no_reason_and_resume_ends_it(lab):
    lab.press("pause")
    assert lab.house.installation.hold().reason == "the operator paused deliveries"

    assert lab.press("resume").headers["location"].startswith("/operations?done=resume&")

    assert lab.house.installation.hold() is None


@pytest.mark.parametrize(("action", "state"), [("sent", S.ACCEPTED), ("resend", S.UNCERTAIN)])
def test_an_uncertain_letter_is_resolved(lab, now, action, state):
    number = lab.letter(S.UNCERTAIN, reason="its worker died while sending: it may have left")
    page = lab.page()
    assert "1 has perhaps arrived and waits for your word" in page.first
    assert f"Letter {number} to m…@lab.example" in page.words

    assert lab.press(action, delivery=str(number)).status == 303

    (row,) = lab.house.outbox.records()
    assert row.state == state
    assert lab.house.outbox.undecided() == 0
    again = lab.press("sent", delivery=str(number))
    assert again.status == (409 if action == "sent" else 303)


@pytest.mark.parametrize("delivery", ["", "0", "-1", "9" * 40, "1; DROP", "٣", "1.5"])
def test_a_letter_that_is_not_there_changes_nothing(lab, delivery):
    lab.letter(S.UNCERTAIN)
    answer = lab.press("sent", delivery=delivery)
    assert answer.status == 409
    assert lab.house.outbox.undecided() == 1


@pytest.mark.parametrize("body", [b"", b"action=pause", b"action=pause&stamp=", b"action=pause&stamp=%ff" + b"0" * 64])
def test_a_form_without_the_stamp_changes_nothing(lab, basic_of, password, body):
    answer = lab.ask("POST", body=body, Authorization=basic_of(password))
    assert answer.status == 400
    assert lab.house.installation.hold() is None


def test_a_stamp_is_good_until_the_day_after(lab, now, basic_of, password):
    stamp = lab.page().stamp
    body = f"action=pause&stamp={stamp}".encode()
    lab.later(timedelta(days=2))
    assert lab.ask("POST", body=body, Authorization=basic_of(password)).status == 400
    lab.later(timedelta(days=-1))
    assert lab.ask("POST", body=body, Authorization=basic_of(password)).status == 303


def test_a_button_that_is_not_there_changes_nothing(lab):
    assert lab.press("erase").status == 400
    assert lab.press("collect\0").status == 400
    many = {f"f{number}": "x" for number in range(50)}
    assert lab.press("pause", **many).status == 400
    assert lab.house.installation.hold() is None


# -- what the page never does ------------------------------------------------------------------------------------------


def test_no_readers_address_stands_on_the_page(lab, now, basic_of, password):
    for state in S:
        lab.letter(state, reply_text="550 mira.okafor9@lab.example unknown", reason="to mira.okafor9@lab.example")
    lab.house.troubles.failed("deliver", "mira.okafor3@lab.example was refused", now)
    lab.visit("failed", at=now + timedelta(minutes=20), error="asked by mira.okafor4@lab.example")
    lab.house.installation.pause(now, "mira.okafor5@lab.example asked")
    lab.later(timedelta(minutes=30))

    page = lab.page()

    assert ADDRESS.findall(page.text) == []
    assert "m…@lab.example" in page.text
    metrics = lab.ask(path="/metrics", Authorization=basic_of(password))
    assert ADDRESS.findall(metrics.text) == []


def test_the_page_is_nobodys_to_keep(lab):
    page = lab.page()
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex"
    assert "set-cookie" not in page.headers
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]


def test_looking_changes_nothing(lab, basic_of, password):
    lab.letter(S.UNCERTAIN)

    def tables():
        return [repr(row) for row in lab.house.outbox.records()]

    before = tables()
    for method in ("GET", "HEAD", "OPTIONS"):
        for path in ("/operations?action=pause", "/operations?done=pause&action=collect", "/metrics"):
            assert lab.ask(method, path, Authorization=basic_of(password)).status < 400
    assert tables() == before
    assert lab.house.installation.hold() is None
    assert lab.house.states.wished() is None


def test_an_empty_installation_has_its_page(operated):
    empty = operated(sources=[])
    page = empty.page()
    assert page.first == "No letter was due: there is no confirmed reader yet."
    assert "No source is configured." in page.words
    assert "<svg" in page.text


@pytest.mark.parametrize("done", ["", "nothing", "<script>", "%00", "pause&done=x"])
def test_a_made_up_deed_says_nothing(lab, done):
    assert "<script>" not in lab.page(f"/operations?done={done}").text


def test_hostile_names_are_text(operated, now):
    lab = operated(sources=[{"name": "<script>x</script>", "kind": "huggingface-daily", "url": "http://127.0.0.1:9"}])
    lab.house.troubles.failed("source:<script>x</script>", "<img src=x>", now)
    page = lab.page()
    assert "<script>" not in page.text
    assert "<img" not in page.text


def test_a_sources_figures_stand_beside_the_day_that_they_are_of(lab, now):
    answer = {
        "source": "hf", "url": "http://127.0.0.1:9", "day": date(2026, 11, 19), "at": now - 22 * HOUR, "seconds": 0.1,
        "bytes": 1, "http": 200, "status": "ok", "read": 2, "rejected": 0, "new": 2, "etag": "", "last_modified": "",
        "error": "",
    }  # fmt: skip
    with lab.house.database.writing() as connection:
        connection.execute(insert(FETCH).values(**answer))
    lab.visit("not-modified", at=now + HOUR)

    assert re.search(r"Last visit.* not-modified .*2026-11-19: 2 listed, 2 new", lab.page().words)
