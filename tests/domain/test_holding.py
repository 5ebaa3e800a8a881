"""When an archive must not send."""

import pytest

from domain.holding import MOVED, OLDER, STRANGE_NOTE, Hold, Note, Residence, reason_to_hold

HOME = "inode 7"


def kept(home: str = HOME, passes: int = 4, held: str = "") -> Residence:
    return Residence(archive="a", home=home, passes=passes, held=held)


@pytest.mark.parametrize(
    ("what", "residence", "home", "note", "reason"),
    [
        ("its first pass", kept("", 0), HOME, None, ""),
        ("its first pass again, after a crash before its commit", kept("", 0), HOME, Note("a", 0), ""),
        ("a new archive beside the note of another", kept("", 0), HOME, Note("b", 9), STRANGE_NOTE),
        ("a state of before its first pass, put back", kept("", 0), HOME, Note("a", 2), STRANGE_NOTE),
        ("at home", kept(), HOME, Note("a", 4), ""),
        ("a crash between a commit and its note", kept(passes=5), HOME, Note("a", 4), ""),
        ("a copy elsewhere, with its note", kept(), "inode 8", Note("a", 4), MOVED),
        ("a copy elsewhere, without", kept(), "inode 8", None, MOVED),
        ("an older state in its old place", kept(passes=3), HOME, Note("a", 4), OLDER),
        ("the file alone put back into an empty folder", kept(), HOME, None, OLDER),
        ("beside the note of another archive", kept(), HOME, Note("b", 1), OLDER),
        ("beside a note that cannot be understood", kept(), HOME, Note("", 0), OLDER),
        ("paused", kept(held="paused"), HOME, Note("a", 4), "paused"),
        ("in memory", kept("", 0), "", None, ""),
    ],
)
def test_it_is_held_where_it_may_be_a_copy(what, residence, home, note, reason):
    assert reason_to_hold(residence, home, note, noted=True) == reason


def test_a_server_has_no_note_and_needs_none():
    assert reason_to_hold(kept(), HOME, None, noted=False) == ""
    assert reason_to_hold(kept(), "server 2", None, noted=False) == MOVED


def test_the_sentence_names_both_ways_out_and_how_much_waits():
    for waiting, said in ((0, "no letter waits"), (1, "1 letter waits"), (3, "3 letters wait")):
        sentence = Hold("it was moved", waiting).sentence
        assert said in sentence
        assert "`paperround deliveries resume`" in sentence
        assert "`paperround deliveries resume --skip-waiting`" in sentence
