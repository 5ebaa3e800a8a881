"""Whether an archive may send: a copy of one that sends must not, before its operator says so (failure 21 of mail.md).

An archive remembers where it last sent from, and counts the beginnings and ends of deliveries. A note beside an SQLite
file remembers the count too: a file that was put back, even into its old place, has counted less than its note.
"""

from dataclasses import dataclass

MOVED = "this archive was copied, moved or restored since it last sent"
OLDER = "an older state of this archive was put back, or the note beside it that counts deliveries was taken away"
#: How the reason begins where readers complained of too many letters: then none are planned either.
COMPLAINED = "too many readers called letters spam"
STRANGE_NOTE = "the note beside the database is of another archive, or of a later state of this one"


@dataclass(frozen=True, slots=True)
class Residence:
    """What an archive remembers of where it lives."""

    archive: str  #: a random number that all copies of one archive share
    home: str  #: where it last sent from; "" before the first time
    passes: int  #: beginnings and ends of deliveries
    held: str  #: why nothing is sent; "" where nothing holds it


@dataclass(frozen=True, slots=True)
class Note:
    """What lies beside an SQLite file."""

    archive: str  #: whose note it is; "" where it cannot be read
    passes: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing is sent, and how many letters wait."""

    reason: str
    waiting: int

    @property
    def sentence(self) -> str:
        """Return what the operator is told, with the ways out."""
        command = "paperround deliveries resume"
        if self.waiting == 0:
            return (
                f"nothing is sent: {self.reason}; no letter waits. `{command}` lets letters leave, "
                f"`{command} --skip-waiting` counts what is due now as sent"
            )
        waits = "1 letter waits" if self.waiting == 1 else f"{self.waiting} letters wait"
        return (
            f"nothing is sent: {self.reason}; {waits}. `{command}` sends what waits, "
            f"`{command} --skip-waiting` counts it as sent"
        )


def reason_to_hold(kept: Residence, home: str, note: Note | None, *, noted: bool) -> str:
    """Return why an archive that is now at `home` must not send; "" if it may.

    `home` is "" in memory, which has no copies. `noted` says whether a note belongs beside it; `note` is None where
    there is none.
    """
    if kept.held or not home:
        return kept.held
    if not kept.home and not kept.passes:
        fits = note is None or (note.archive == kept.archive and note.passes <= kept.passes)
        return "" if fits else STRANGE_NOTE
    if kept.home != home:
        return MOVED
    if noted and (note is None or note.archive != kept.archive or note.passes > kept.passes):
        return OLDER
    return ""
