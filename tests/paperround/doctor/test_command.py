"""paperround doctor, as a person or a script runs it."""

import hashlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from paperround.doctor.checks import CHECKS, due

ROOT = Path(__file__).resolve().parents[3]
VERDICTS = {"ok", "wrong", "could not check"}
SECRETS = ("Sup3r-Relay-Pw", "Sup3r-Imap-Pw", "Sup3r-Db-Pw", "Sup3r-Key-" + "x" * 40)
SMTP = f"""
[mail]
transport = "smtp"
from = "Papers <papers@lab.example>"
host = "127.0.0.1"
port = 1
tls = "none"
user = "ann"
password = "{SECRETS[0]}"
bounce_domain = "bounce.lab.example"
[web]
base_url = "http://127.0.0.1:1"
secret_key = "{SECRETS[3]}"
[bounces]
imap_host = "127.0.0.1"
imap_port = 1
imap_user = "ann"
imap_password = "{SECRETS[1]}"
"""


def state(folder: Path) -> dict[str, str]:
    return {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.rglob("*")) if file.is_file()
    }


def test_in_an_empty_folder_it_looks_and_makes_nothing(paperround, folder):
    ran = paperround("doctor", "--offline", "--json")

    assert ran.code == 1  # without a source no papers come in
    assert list(folder.iterdir()) == []
    assert [each["subject"] for each in ran.json["findings"] if each["verdict"] == "wrong"] == ["sources"]


def test_the_json_has_what_scripts_need(paperround, folder):
    (folder / "paperround.toml").write_text(SMTP)
    ran = paperround("doctor", "--offline", "--json")
    result = ran.json

    assert set(result) == {"settings", "ok", "wrong", "could_not_check", "findings"}
    assert result["settings"] == str(folder / "paperround.toml")
    assert result["ok"] + result["wrong"] + result["could_not_check"] == len(result["findings"])
    for each in result["findings"]:
        assert set(each) == {"subject", "verdict", "sentence", "advice", "record"}
        assert each["verdict"] in VERDICTS
        assert each["sentence"]
        assert each["record"] is None or set(each["record"]) == {"name", "type", "value"}
    assert {each["subject"] for each in result["findings"]} == {each.subject for each in CHECKS}
    assert ran.err == ""


def test_a_configured_installation_that_can_be_looked_at_whole_is_well_and_unchanged(paperround, configured):
    assert paperround("collect", "--day", "2026-11-20").code == 0
    before = state(configured)
    ran = paperround("doctor", "--offline", "--json")

    assert (ran.code, ran.json["wrong"]) == (0, 0), ran.out
    assert state(configured) == before
    assert paperround("deliver", "--json").json["accepted"] == 0


def test_a_person_reads_three_words_and_what_to_do(paperround, folder):
    (folder / "paperround.toml").write_text(SMTP)
    ran = paperround("doctor", "--offline")
    lines = ran.out.splitlines()

    assert ran.code == 1
    assert all(re.match(r"(ok|wrong|could not check|) +(→ )?\S", line) for line in lines[:-1])
    assert re.fullmatch(r"\d+ ok, \d+ wrong, \d+ could not check", lines[-1])
    assert "→ Publish this TXT record at _dmarc.lab.example: v=DMARC1; p=none" in ran.out
    assert "\x1b" not in ran.out


def test_with_a_network_that_refuses_everything_it_ends_soon_and_shows_no_secret(paperround, folder):
    url = f"postgresql://ann:{SECRETS[2]}@127.0.0.1:1/papers"
    (folder / "paperround.toml").write_text(f'[database]\nurl = "{url}"\n{SMTP}')
    for options in (("--json",), ()):
        ran = paperround("doctor", *options)
        assert ran.code == 1
        assert not [each for each in SECRETS if each in ran.out + ran.err]
    assert "database" in ran.out
    assert "cannot be reached" in ran.out


def test_a_damaged_archive_is_wrong_and_left_as_it_is(paperround, configured):
    (configured / "paperround.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 8_000)
    before = state(configured)
    ran = paperround("doctor", "--offline", "--json")

    assert ran.code == 1
    assert "database" in {each["subject"] for each in ran.json["findings"] if each["verdict"] == "wrong"}
    assert state(configured) == before


def test_another_programs_database_is_wrong(paperround, configured):
    with closing(sqlite3.connect(configured / "paperround.db")) as other:
        other.execute("CREATE TABLE diary (day TEXT)")
    assert "another program's" in paperround("doctor", "--offline").out


def test_paused_deliveries_are_wrong(paperround, configured):
    paperround("deliveries", "pause")
    ran = paperround("doctor", "--offline", "--json")
    (found,) = [each for each in ran.json["findings"] if each["subject"] == "deliveries"]

    assert (ran.code, found["verdict"]) == (1, "wrong")
    assert "paperround deliveries resume" in found["advice"]


def test_settings_that_are_wrong_are_said_as_everywhere(paperround, folder):
    (folder / "paperround.toml").write_text('[mail]\nhots = "x"\n')
    ran = paperround("doctor")

    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert "did you mean 'host'" in ran.err
    assert paperround("--config", "missing.toml", "doctor").code == 2


def test_interrupted_it_says_one_sentence(folder):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (folder / "paperround.toml").write_text(
            f'[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = {silent.getsockname()[1]}\ntls = "none"\n'
        )
        command = [sys.executable, "-m", "paperround", "doctor"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            silent.settimeout(60)
            asked, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        asked.close()

    assert (process.returncode, out) == (130, b"")
    assert err == b"paperround: interrupted; what was done stays done\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--send-test", "nobody"), "is not an address"),
        (("--send-test", "ann@lab.example", "--offline"), "leave out --offline"),
    ],
)
def test_a_test_letter_that_cannot_be_is_wrong_usage(paperround, folder, options, told):
    (folder / "paperround.toml").write_text(SMTP)
    ran = paperround("doctor", *options)

    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err


def test_a_test_letter_needs_mail(paperround, configured):
    ran = paperround("doctor", "--send-test", "ann@lab.example")

    assert ran.code == 2
    assert 'transport = "smtp"' in ran.err


def test_the_test_letter_leaves_by_the_relay_of_the_settings(paperround, folder, relay):
    good = relay()
    settings = SMTP.replace("port = 1\n", f"port = {good.port}\n", 1).replace('user = "ann"\npassword', "# password", 1)
    (folder / "paperround.toml").write_text(settings)
    ran = paperround("doctor", "--send-test", "ann@lab.example", "--json")
    (found,) = [each for each in ran.json["findings"] if each["subject"] == "test letter"]

    assert found["verdict"] == "ok"
    assert "queued as 4F2" in found["sentence"]
    assert len(good.messages) == 1
    assert not (folder / "paperround.db").exists()


def test_checks_of_mail_are_left_out_where_no_mail_leaves(visit):
    subjects = {each.subject for each in due(visit({"mail": {"transport": "html"}}))}

    assert subjects == {each.subject for each in CHECKS if not each.of_mail}


def test_every_subject_has_a_row_in_the_document():
    text = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")

    rows = re.findall(r"^\| ([^|]+?) \|", text.split("\n## The checks\n")[1], flags=re.MULTILINE)
    assert rows[1:] == [each.subject for each in CHECKS]
