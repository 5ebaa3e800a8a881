"""bounces read and suppressions: what a mail server pipes in, what a mailbox holds, and what follows."""

import subprocess
import sys
from email import message_from_bytes
from pathlib import Path

import pytest

from domain.seals import unsealed
from paperround.mail_files import messages_in
from paperround.settings import load
from paperround.wiring import House

REPORTS = Path(__file__).parents[1] / "digests" / "reports"
MIRA = "mira@lab.example"
NOBODYS = "it names a letter that is not known here, or no more, or that anybody could name"


@pytest.fixture
def delivered(paperround, configured: Path) -> Path:
    """An installation with return paths, of which one letter to each of two readers was delivered."""
    file = configured / "paperround.toml"
    file.write_text(file.read_text().replace("[mail]\n", '[mail]\nbounce_domain = "bounces.lab.example"\n'))
    paperround("collect", "--day", "2026-11-20")
    for name in ("mira", "jun"):
        paperround("subscribe", f"{name}@lab.example", "--topic", "speech")
    paperround("publish")
    assert paperround("deliver", "--json").json["accepted"] == 2
    return configured


@pytest.fixture
def report(delivered: Path):
    """Write a report on the letter to a reader to a file, and name the file."""

    def make(name: str, reader: str = MIRA, *, sender: str = "", letter: str = "") -> str:
        with House(load(None, {}, delivered)) as house:
            (record,) = (each for each in house.outbox.records() if each.recipient == reader)
            address = house.envelope_sender(record.id)
        said = {"VERP": sender or address, "READER": reader, "LETTER": letter or record.message_id[1:33]}
        text = (REPORTS / f"{name}.eml").read_text(encoding="utf-8")
        for key, value in said.items():
            text = text.replace(f"@{key}@", value)
        file = delivered / f"{name}-{reader}.eml"
        file.write_text(text, encoding="utf-8")
        return str(file)

    return make


def state(paperround, email: str = MIRA) -> str:
    return paperround("subscribers", "show", email, "--json").json["state"]


def test_a_bounce_is_taken_in_once_and_its_reader_is_suppressed(paperround, report):
    file = report("postfix")
    first = paperround("bounces", "read", file, "--json")
    assert first.code == 0
    (message,) = first.json["messages"]
    assert (first.json["new"], message["message"], message["ignored"]) == (1, file, "")
    heard = {"source": "dsn", "kind": "bounce", "delivery": message["heard"][0]["delivery"], "status": "5.1.1"}
    assert message["heard"] == [heard]
    again = paperround("bounces", "read", file)
    assert (again.code, "counted before" in again.out) == (0, True)
    assert (state(paperround), state(paperround, "jun@lab.example")) == ("suppressed", "confirmed")


def test_a_complaint_with_a_redacted_recipient_finds_its_reader_by_our_own_header(paperround, report):
    ran = paperround("bounces", "read", report("complaint-fastmail"))
    assert (ran.code, "complaint of delivery" in ran.out) == (0, True)
    (found,) = paperround("suppressions", "list", "--json").json["suppressions"]
    assert (found["email"], found["reason"]) == (MIRA, "complaint")


def test_who_knows_the_public_page_of_an_issue_cannot_complain_for_its_reader(paperround, report, delivered):
    with House(load(None, {}, delivered)) as house:
        (public_id,) = (each.issue for each in house.outbox.records() if each.recipient == MIRA)
    forged = report("complaint-fastmail", letter=unsealed(f"issue:{public_id}"))
    ran = paperround("bounces", "read", forged, "--json")
    assert ran.json["messages"][0]["ignored"] == NOBODYS
    assert state(paperround) == "confirmed"


@pytest.mark.parametrize("name", ["vacation-gmail", "vacation-microsoft"])
def test_what_is_no_bounce_is_told_in_a_sentence_and_changes_nothing(paperround, report, name):
    ran = paperround("bounces", "read", report(name))
    assert (ran.code, ran.out.partition(": ")[2]) == (0, "it is an automatic answer, such as a vacation note\n")
    assert state(paperround) == "confirmed"


def test_a_forged_return_path_changes_nothing_and_is_no_error(paperround, report):
    file = report("delayed", sender="b+1.0123456789abcdef0123456789abcdef@bounces.lab.example")
    ran = paperround("bounces", "read", file, "--json")
    assert (ran.code, ran.json["new"]) == (0, 0)
    assert ran.json["messages"][0]["ignored"] == "it names no letter of ours that can be proved"


def test_a_letter_of_another_installation_changes_nothing(paperround, report):
    file = Path(report("ses"))
    text = file.read_text(encoding="utf-8")
    letter = message_from_bytes(text.encode()).get_payload(2).get_payload(0)["X-Paperround-Letter"]
    file.write_text(text.replace(letter, "0" * 32), encoding="utf-8")
    ran = paperround("bounces", "read", str(file), "--json")
    assert ran.json["messages"][0]["ignored"] == NOBODYS


def test_a_pipe_is_read_and_garbage_in_it_is_no_error(report, delivered):
    def piped(raw: bytes) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "paperround", "bounces", "read", "-"]
        return subprocess.run(command, input=raw, capture_output=True, cwd=delivered, timeout=60, check=False)

    envelope = b"From MAILER-DAEMON Fri Nov 20 07:00:03 2026\n"
    good = piped(envelope + Path(report("exim")).read_bytes())
    assert (good.returncode, good.stdout.partition(b": ")[2][:27]) == (0, b"bounce 5.2.2 of delivery 1\n")
    bad = piped(bytes(range(256)) * 100)
    assert (bad.returncode, bad.stdout.count(b"\n"), b"Traceback" in bad.stderr) == (0, 1, False)
    assert piped(b"").returncode == 0


def test_an_mbox_and_a_maildir_are_read_message_by_message(paperround, report, delivered):
    mira, jun = report("postfix"), report("gmail", "jun@lab.example")
    note = b"From: a@b.example\n\nFrom here on:\n\nFrom all of us, Friday 20 Nov: good bye.\n\n"
    line = b"From MAILER-DAEMON Fri Nov 20 07:00:03 2026\n"
    mbox = delivered / "mbox"
    mbox.write_bytes(b"".join(line + each for each in (Path(mira).read_bytes() + b"\n", note, Path(jun).read_bytes())))
    ran = paperround("bounces", "read", str(mbox), "--json").json
    assert [each["new"] for each in ran["messages"]] == [1, 0, 1]
    assert [each["message"] for each in ran["messages"]] == [str(mbox), f"{mbox}, message 2", f"{mbox}, message 3"]
    for place in ("new", "cur", "tmp"):
        (delivered / "Maildir" / place).mkdir(parents=True)
    (delivered / "Maildir" / "new" / "1").write_bytes(Path(mira).read_bytes())
    (delivered / "Maildir" / "cur" / "2:2,S").write_bytes(note)
    (delivered / "Maildir" / "tmp" / "3").write_bytes(note)
    again = paperround("bounces", "read", str(delivered / "Maildir"), "--json").json
    assert (len(again["messages"]), again["new"]) == (2, 0)
    assert (delivered / "Maildir" / "new" / "1").exists()


def test_what_cannot_be_read_is_named_and_the_rest_is_read(paperround, report, delivered):
    assert paperround("bounces", "read", "nothing.eml").code == 3
    ran = paperround("bounces", "read", str(delivered))
    assert (ran.code, "no Maildir" in ran.err) == (2, True)
    part = paperround("bounces", "read", "nothing.eml", report("postfix"), "--json")
    assert (part.code, part.json["new"], part.json["unread"]) == (1, 1, ["nothing.eml: No such file or directory"])


def test_of_a_message_without_end_no_more_is_held_than_a_report_may_have(tmp_path):
    for begin in (b"", b"From a Fri Nov 20 07:00:03 2026\n"):
        (tmp_path / "long").write_bytes(begin + b"X: 1\n" * 3_000_000)
        ((_, raw),) = messages_in(tmp_path / "long")
        assert 10_000_000 < len(raw) < 11_000_001


# -- suppressions ------------------------------------------------------------------------------------------------------


def test_suppressions_are_added_listed_and_removed(paperround, delivered):
    assert paperround("suppressions", "list").out == "No address is suppressed.\n"
    assert paperround("suppressions", "add", "Mira@LAB.example").out == "Mira@LAB.example will not be mailed\n"
    assert paperround("suppressions", "add", MIRA, "--json").json == {"email": MIRA, "suppressed": True, "new": False}
    (found,) = paperround("suppressions", "list", "--json").json["suppressions"]
    assert (found["email"], found["reason"], found["detail"]) == (MIRA, "operator", "added by the operator")
    paperround("subscribers", "erase", MIRA, "--yes")
    assert f"(erased) {found['hash'][:12]} " in paperround("suppressions", "list").out
    assert paperround("subscribe", MIRA, "--topic", "speech", "--json").json["state"] == "suppressed"
    ran = paperround("suppressions", "remove", MIRA, "--json")
    assert ran.json == {"email": MIRA, "suppressed": False, "state": "confirmed"}
    assert state(paperround) == "confirmed"


@pytest.mark.parametrize("arguments", [("add", "no address"), ("remove", MIRA), ("remove", "no address")])
def test_what_is_no_address_or_not_suppressed_is_refused(paperround, delivered, arguments):
    ran = paperround("suppressions", *arguments)
    assert (ran.code, ran.err.count("\n")) == (2, 1)


def test_a_list_of_readers_brings_nobody_back(paperround, delivered):
    paperround("suppressions", "add", MIRA)
    (delivered / "readers.csv").write_text(f"email,topic,state\n{MIRA},speech,confirmed\n")
    paperround("subscribers", "import", str(delivered / "readers.csv"))
    assert state(paperround) == "suppressed"
