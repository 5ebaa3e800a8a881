"""The commands before the body: in one group where the relay offers PIPELINING (RFC 2920), else one after the other.

    exchange   commands → what was answered, as far as it went
    refusal    answers → the first no
    remains    answers with a no in them → how the conversation becomes clean again: reset, a lone dot, or not at all

One group saves two round trips a letter. Every answer of a group is heard before anything else is said, so none of them
can be taken for an answer to the next letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from digests.mail.wire import Reply, Wire
from domain.deliveries import LOG_IN_CODES

PHASES = ("MAIL", "RCPT", "DATA")


class Remains(Enum):
    """What a refused letter leaves behind at the relay."""

    NOTHING = "nothing"
    SENDER = "a sender: RSET takes it back"
    DATA = "it waits for a letter to nobody: the dot alone ends that (RFC 2920 section 3.1)"
    DOUBT = "nobody knows: the connection must go"


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered to MAIL, RCPT and DATA, in this order."""

    replies: tuple[Reply, ...]
    broken: OSError | None = None  #: what ended the conversation before the last answer

    @property
    def phase(self) -> str:
        """Which command has no answer."""
        return PHASES[len(self.replies)]


def exchange(wire: Wire, commands: Sequence[bytes], *, grouped: bool) -> Answers:
    """Say MAIL, RCPT and DATA, each with its line end, and return the answers; never raises OSError.

    A group is heard to its end whatever the answers are; without one nothing is said after a no. After an answer that
    ends the conversation nothing is said or heard in either way.
    """
    replies: list[Reply] = []
    try:
        if grouped:
            wire.pour(b"".join(commands))
        for phase, command in zip(PHASES, commands, strict=True):
            reply = wire.hear() if grouped else wire.ask(command)
            replies.append(reply)
            if is_last(reply, phase) or not (grouped or _agrees(reply, phase)):
                break
    except OSError as error:
        return Answers(tuple(replies), error)
    return Answers(tuple(replies))


def refusal(answers: Answers) -> tuple[str, Reply] | None:
    """Return the phase and the answer of the first no; None if there is none so far."""
    for phase, reply in zip(PHASES, answers.replies, strict=False):
        if not _agrees(reply, phase):
            return phase, reply
    return None


def remains(answers: Answers) -> Remains:
    """Return what a letter that was refused leaves behind.

    A relay that refuses the sender, takes a recipient all the same and then waits for the letter would send an empty
    one: it gets no dot.
    """
    said = list(zip(PHASES, answers.replies, strict=False))
    if answers.broken or any(is_last(reply, phase) for phase, reply in said):
        return Remains.DOUBT
    agreed = {phase for phase, reply in said if _agrees(reply, phase)}
    if "DATA" in agreed:
        return Remains.DOUBT if "RCPT" in agreed else Remains.DATA
    return Remains.SENDER if agreed else Remains.NOTHING


def is_last(reply: Reply, phase: str = "the dot") -> bool:
    """Whether an answer ends the conversation: 421, a no to us rather than to the letter, or what makes no sense."""
    if reply.code == 421 or reply.code in LOG_IN_CODES:
        return True
    return reply.kind not in {4, 5} and not _agrees(reply, phase)


def _agrees(reply: Reply, phase: str) -> bool:
    return reply.code == 354 if phase == "DATA" else reply.kind == 2
