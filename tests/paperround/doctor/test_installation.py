"""What is kept here: settings, database, clock, sources, templates, the site and what comes back."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from digests.mail.message import Letter
from digests.render import Frame, Renderer
from domain.errors import DatabaseMissing, DatabaseTooOld, DatabaseUnavailable
from domain.issues import LetterKind
from domain.papers import Fetched, FetchStatus
from paperround.doctor import archive, clock, deliveries, operations, setup, sources, templates
from paperround.doctor.finding import Verdict
from paperround.doctor.samples import sample_letters
from paperround.doctor.web import WebAnswer
from storage.database import Database
from storage.fetches import Fetches
from storage.installation import Installation

OK, WRONG, UNKNOWN = Verdict.OK, Verdict.WRONG, Verdict.UNKNOWN
SITE = {"base_url": "https://papers.lab.example", "secret_key": "k" * 40}
HEALTH = ("GET", "https://papers.lab.example/healthz")


def words(found):
    return " | ".join(f"{each.sentence} → {each.advice}" for each in found)


# -- settings ----------------------------------------------------------------------------------------------------------


def test_the_file_and_the_kind_of_installation_are_named(visit, tmp_path):
    file = tmp_path / "paperround.toml"
    file.touch(mode=0o600)
    personal = words(setup.check(visit(file=file)))
    opened = words(setup.check(visit({"web": SITE}, file=file)))

    assert f"the settings are those of {file}" in personal
    assert "is personal" in personal
    assert "is open" in opened


@pytest.mark.parametrize(
    ("settings", "verdict", "told"),
    [
        ({}, OK, "set [operator] email"),
        ({"mail": {"uncertain": "hold"}}, OK, 'uncertain = "hold"'),
        ({"mail": {"max_age_hours": 3}}, OK, "given up after 3 hours"),
        ({"mail": {"tls": "none"}}, WRONG, "travel to relay.lab.example unprotected"),
    ],
)
def test_what_is_legal_and_still_risky_is_named(visit, settings, verdict, told):
    found = [each for each in setup.check(visit(settings)) if told in f"{each.sentence} → {each.advice}"]

    assert [each.verdict for each in found] == [verdict]


@pytest.mark.parametrize(
    ("text", "has_secrets"),
    [
        ('[mail]\npassword = "p"', True),
        ('[bounces]\nmailgun_key = "k"', True),
        ('[bounces]\nimap_password = "k"', True),
        ('[database]\nurl = "postgresql://ann:pw@db.example/papers"', True),
        ('[database]\nurl = "postgresql://ann@db.example/papers"', False),
        ('[mail]\npassword_file = "other"', False),
        ("", False),
    ],
)
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o604])
def test_a_file_with_secrets_that_others_may_read_is_named(visit, tmp_path, text, has_secrets, mode):
    file = tmp_path / "paperround.toml"
    file.write_text(text)
    file.chmod(mode)

    assert (f"chmod 600 {file}" in words(setup.check(visit(file=file)))) is (has_secrets and mode != 0o600)


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o644, True)])
def test_a_key_or_a_password_in_a_file_of_its_own_is_looked_at_too(visit, tmp_path, mode, is_told):
    file, key, password = (tmp_path / name for name in ("paperround.toml", "dkim.pem", "imap.txt"))
    file.write_text('[bounces]\nimap_password_file = "imap.txt"')
    for each in (key, password):
        each.touch()
        each.chmod(mode)
    found = words(setup.check(visit({"mail": {"dkim_key_file": "dkim.pem"}}, file=file)))

    assert (f"chmod 600 {password} {key}" in found) is is_told


@pytest.mark.parametrize(
    ("site", "address", "verdicts"),
    [
        ("https://papers.lab.example", "", [WRONG]),
        ("https://papers.lab.example", "1 Lab Street", []),
        ("http://127.0.0.1:8000", "", []),
        ("", "", []),
    ],
)
def test_a_mail_server_of_our_own_writes_to_the_world_too_so_a_postal_address_is_asked_for(
    visit, site, address, verdicts
):
    web = {**SITE, "base_url": site} if site else {}
    made = visit({"mail": {"host": "localhost", "postal_address": address}, "web": web})

    assert [each.verdict for each in setup.check(made) if "postal address" in each.sentence] == verdicts


@pytest.mark.parametrize(
    ("sender", "host", "verdict"),
    [
        ("a@lab.example", "relay.lab.example", OK),
        ("a@gmail.com", "smtp.gmail.com", OK),
        ("a@googlemail.com", "smtp-relay.gmail.com", OK),
        ("a@gmx.de", "mail.gmx.net", OK),
        ("a@gmail.com", "relay.lab.example", WRONG),
        ("a@yahoo.com", "email-smtp.eu-west-1.amazonaws.com", WRONG),
        ("a@gmail.com", "notgmail.com", WRONG),
        ("a@hotmail.com", "localhost", WRONG),
    ],
)
def test_a_large_providers_address_leaves_by_its_own_relay_only(visit, sender, host, verdict):
    (found,) = setup.check_sender(visit({"mail": {"from": sender, "host": host}}))

    assert found.verdict is verdict
    assert ("take them for forged" in found.sentence) is (verdict is WRONG)


def test_a_sender_that_nobody_chose_is_wrong(visit):
    mail = {"from": "Paperround <paperround@localhost>", "host": "localhost"}
    (found,) = setup.check_sender(visit({"mail": mail}))

    assert found.verdict is WRONG


# -- the database ------------------------------------------------------------------------------------------------------


@pytest.fixture
def database(url):
    with Database(url) as opened:
        yield opened


def test_a_sound_database_is_named_and_nothing_holds_its_letters(visit, database):
    made = visit(database=database)
    found = [*archive.check(made), *deliveries.check(made)]

    assert {each.verdict for each in found} == {OK}
    assert "opens and is sound" in words(found)


def test_what_holds_the_letters_is_said_with_the_ways_out(visit, database, now):
    Installation(database).pause(now)
    (found,) = deliveries.check(visit(database=database))

    assert found.verdict is WRONG
    assert "the operator paused deliveries" in found.sentence
    assert "paperround deliveries resume" in found.advice


@pytest.mark.engines("sqlite")
def test_a_full_disk_is_named_before_it_is_full(visit, database):
    found = list(archive.check(visit(database=database, free_bytes=lambda _: 30 * 2**20)))

    assert found[-1].verdict is WRONG
    assert "30 MB are free" in found[-1].sentence


@pytest.mark.engines("sqlite")
def test_a_fault_is_told_as_archive_check_tells_it(visit, database, sqlite_url):
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as plain:
        plain.execute("DROP TABLE paper_fts")
        plain.commit()
    found = list(archive.check(visit(database=database)))

    assert found[0].verdict is WRONG
    assert "archive check --mend" in found[0].sentence


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (DatabaseMissing("there is no archive papers.db yet"), UNKNOWN),
        (DatabaseUnavailable("it is damaged"), WRONG),
    ],
)
def test_a_database_that_did_not_open(visit, error, verdict):
    made = visit(database=error)
    (found,) = archive.check(made)

    assert (found.verdict, found.sentence) == (verdict, str(error))
    assert [each.verdict for each in (*deliveries.check(made), *sources.check(made))] == [UNKNOWN, UNKNOWN]


def test_an_older_archive_is_wrong_only_where_somebody_must_say_when_it_is_migrated(visit):
    error = DatabaseTooOld("the database is of an earlier version")
    (file,) = archive.check(visit(database=error))
    (server,) = archive.check(visit({"database": {"url": "postgresql://ann@db.example/papers"}}, database=error))

    assert (file.verdict, server.verdict) == (UNKNOWN, WRONG)


def test_looking_makes_no_database(empty_url):
    for _ in range(2):
        with pytest.raises(DatabaseMissing):
            Database(empty_url, as_it_is=True)
    assert not Path(empty_url.removeprefix("sqlite:///")).exists()


@pytest.mark.engines("sqlite")
def test_looking_migrates_nothing(database, sqlite_url):
    from storage import migrate

    file = Path(sqlite_url.removeprefix("sqlite:///"))
    with database.writing() as connection:
        migrate.downgrade(connection, "0004")
    with pytest.raises(DatabaseTooOld):
        Database(sqlite_url, as_it_is=True)
    with closing(sqlite3.connect(file)) as plain:
        assert plain.execute("SELECT version_num FROM alembic_version").fetchall() == [("0004",)]
    assert [each.name for each in file.parent.iterdir() if "schema" in each.name] == []


# -- the clock ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "verdict", "told"),
    [
        (0, OK, ""),
        (60, OK, ""),
        (-60, OK, ""),
        (61, WRONG, "61 seconds ahead of"),
        (-3600, WRONG, "3,600 seconds behind"),
    ],
)
def test_a_minute_is_forgiven(now, seconds, verdict, told):
    found = clock.judged(now + timedelta(seconds=seconds), now, "the site")

    assert found.verdict is verdict
    assert told in found.sentence


def test_the_database_servers_clock_is_asked_first(visit, database, engine, now):
    (found,) = clock.check(visit(database=database))

    assert found.verdict is (UNKNOWN if engine == "sqlite" else WRONG)  # the clock of these tests stands still
    assert ("the database server" in found.sentence) is (engine == "postgresql")


def test_the_sites_clock_is_asked_and_then_the_first_sources(visit, web, now):
    late = now - timedelta(minutes=5)
    of_site = web({HEALTH: WebAnswer(200, late)})
    of_source = web({("HEAD", "http://127.0.0.1:9"): WebAnswer(405, now)})
    source = {"source": [{"name": "hf", "kind": "huggingface-daily", "url": "http://127.0.0.1:9/papers"}]}

    assert "ahead of that of the site" in words(clock.check(visit({"web": SITE}, web=of_site)))
    assert "agrees with that of http://127.0.0.1:9" in words(clock.check(visit(source, web=of_source)))
    assert [each.verdict for each in clock.check(visit(source, web=of_source, is_offline=True))] == [UNKNOWN]
    assert [each.verdict for each in clock.check(visit())] == [UNKNOWN]


# -- sources -----------------------------------------------------------------------------------------------------------


def fetched(at, status, error=""):
    return Fetched(
        source="hf", url="https://hf.example", day=date(2026, 11, 20), at=at, seconds=1.0, bytes=1, http=200,
        status=status, declared=None, read=1, rejected=0, new=1, etag="", last_modified="", error=error,
    )  # fmt: skip


@pytest.mark.engines("memory")
@pytest.mark.parametrize(
    ("answers", "verdict", "told"),
    [
        ([], UNKNOWN, "was not asked yet"),
        ([(1, FetchStatus.OK, "")], OK, "was last read on 2026-11-20 at 07:00 UTC"),
        ([(50, FetchStatus.OK, ""), (1, FetchStatus.FAILED, "no answer")], OK, "its last answer was failed"),
        ([(80, FetchStatus.OK, ""), (1, FetchStatus.BLOCKED, "a bot\x1b check")], WRONG, "since 2026-11-17"),
        ([(1, FetchStatus.LAYOUT_CHANGED, "")], WRONG, "was never read; its last answer was layout-changed"),
    ],
)
def test_when_a_source_was_last_read(visit, database, now, answers, verdict, told):
    for hours, status, error in answers:
        Fetches(database).record(fetched(now - timedelta(hours=hours), status, error))
    (found,) = sources.check(visit(database=database))

    assert found.verdict is verdict
    assert told in found.sentence
    assert found.sentence.isprintable()


def test_without_sources_no_papers_come_in(visit):
    (found,) = sources.check(visit(sources=()))

    assert found.verdict is WRONG


# -- templates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("linked", [True, False])
def test_every_kind_of_letter_is_made_and_reads_as_mail(visit, linked):
    (found,) = templates.check(visit(renderer=Renderer(Frame(linked=linked, postal_address="1 Lab Street"))))

    assert found.verdict is OK
    assert "digest" in found.sentence
    assert "confirm" in found.sentence


def test_the_samples_have_every_kind_that_the_renderer_makes():
    renderer = Renderer(Frame(linked=True))
    made = {each.kind for each in sample_letters(renderer)}

    assert made == set(LetterKind)


class Broken(Renderer):
    def linked(self, kind: LetterKind) -> Letter:  # noqa: ARG002 a template breaks whatever the kind
        raise ValueError("'foot' is undefined")


def test_a_template_that_is_broken_is_named(visit):
    (found,) = templates.check(visit(renderer=Broken(Frame())))

    assert found.verdict is WRONG
    assert "after digest" in found.sentence
    assert "'foot' is undefined" in found.sentence


HEAD = b"From: a@lab.example\r\nTo: b@lab.example\r\nSubject: x\r\nDate: Fri, 20 Nov 2026 08:00:00 +0000\r\n"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (HEAD + b"Message-ID: <1@lab.example>\r\n\r\nwell\r\n", ""),
        (HEAD + b"\r\nwell\r\n", "not exactly one of Message-ID"),
        (HEAD + b"From: c@lab.example\r\nMessage-ID: <1@lab.example>\r\n\r\nwell\r\n", "not exactly one of From"),
        (HEAD + b"Message-ID: <1@lab.example>\r\n\r\nfor \0q:unsubscribe\0\r\n", "a place was not filled in"),
        (HEAD + b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n--c\r\n', "StartBoundaryNotFoundDefect"),
    ],
)
def test_what_does_not_read_as_mail_is_named(data, told):
    found = templates.defects(data)

    assert told in found
    assert bool(found) is bool(told)


@pytest.mark.parametrize(
    ("web", "told", "advised"),
    [
        ({}, "without a site few would", False),
        (SITE, "[web] operator_password is not set", True),
        ({**SITE, "operator_password": "twelve words are enough"}, "/operations has a password", False),
    ],
)
def test_an_operators_page_without_a_password_is_a_note(visit, web, told, advised):
    (found,) = operations.check(visit({"web": web}))

    assert (found.verdict, bool(found.advice)) == (OK, advised)
    assert told in found.sentence
