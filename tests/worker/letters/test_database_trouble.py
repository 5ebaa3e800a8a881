"""A database that fails in the middle of an issue: what the relay took is known or in doubt, and nobody is lost."""

import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from domain.errors import StorageError

NAMES = ("ann", "ben", "cat", "dan")


@pytest.fixture
def issue(lab, papers):
    """Four readers have a letter each that is due."""
    for name in NAMES:
        lab.reader(name, "tides")
    lab.listed(*papers(2))
    assert lab.publish() == len(NAMES)
    return lab


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Let no file of this process grow beyond what the archive's own files have."""
    largest = max(file.stat().st_size for file in folder.glob("archive.db-wal"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def everybody_has_their_letter(lab, doubled: int) -> None:
    """Check that nobody is lost, and that copies are the same letter, at most one a failure of the database."""
    copies = Counter(message.recipient.partition("@")[0] for message in lab.relay.taken)
    assert set(copies) == set(NAMES)
    assert copies.total() <= len(NAMES) + doubled
    assert len({(message.message_id, message.data) for message in lab.relay.taken}) == len(NAMES)
    assert set(lab.states().values()) == {"accepted"}


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_disk_that_is_full_in_the_middle_of_an_issue_loses_nobody(issue, tmp_path, moment):
    relay, filled = issue.relay, []

    def fill(message):
        if message.recipient == "ben@lab.example" and not filled:
            filled.append(full_disk(tmp_path))
            filled[0].__enter__()

    setattr(relay, moment, fill)
    try:
        with pytest.raises(StorageError, match="no room to store"):
            issue.house.deliverer.deliver()
        before = [message.recipient for message in relay.taken]
        with pytest.raises(StorageError, match="no room to store"):
            issue.house.deliverer.deliver()
        # As long as it cannot be marked, nothing leaves.
        assert [message.recipient for message in relay.taken] == before
    finally:
        filled[0].__exit__(None, None, None)
    assert before == ["ann@lab.example"] + ["ben@lab.example"] * (moment == "after")
    issue.house.deliverer.deliver()
    issue.house.deliverer.deliver()
    everybody_has_their_letter(issue, doubled=1)


@pytest.mark.engines("postgresql")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_database_that_is_restarted_in_the_middle_of_an_issue_loses_nobody(issue, postgres, url, moment):
    cut = []

    def restart(message):
        # What a client sees of a server that is restarted: every connection ends with 57P01.
        if message.recipient == "ben@lab.example" and not cut:
            cut.extend(
                postgres.do(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    urlsplit(url).path.removeprefix("/"),
                )
            )

    setattr(issue.relay, moment, restart)
    with suppress(StorageError):
        issue.house.deliverer.deliver()
    assert cut
    issue.house.deliverer.deliver()
    issue.house.deliverer.deliver()
    everybody_has_their_letter(issue, doubled=1)
