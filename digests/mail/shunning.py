"""When refusals are about us and not about readers: a person has to look before more is sent. Pure.

    shunned   the same refusal of policy (5.7.x) in over 5 % of the last tries; or any other refusal for good, the same
              over and over, of different recipients, and no letter taken in between

The second is how a relay looks that is set up wrongly: relaying denied, a sender that it does not know, a daily limit.
Each try is remembered as one word: "+" taken, "." answered otherwise, else what the refusal has in common with its
like, with a mark of the recipient behind it unless it is of policy.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from digests.mail.verdicts import Note, Verdict
from domain.lanes import Lane

_LAST = 200  # tries that are looked at
_TOO_OFTEN = 10  # the same refusal more often than that
_POLICY = "5.7."
_TAKEN, _OTHERWISE, _OF = "+", ".", "@"
_ANSWERS = {Verdict.TAKEN, Verdict.ANSWERED, Verdict.KEEPER_SLOWER, Verdict.RELAY_SLOWER}


def shunned(tries: Lane, notes: Iterable[Note]) -> tuple[Lane, str]:
    """Return the record of the last tries with these, and the refusal that came too often; "" for none."""
    words = [*tries.reason.split(), *(_word(note) for note in notes if note.verdict in _ANSWERS)][-_LAST:]
    # What was refused before a letter was taken is forgotten, but for policy.
    last = _after(words)
    words[:last] = [word if word == _TAKEN or word.startswith(_POLICY) else _OTHERWISE for word in words[:last]]
    often = {refusal: _times(words, refusal) for refusal in dict.fromkeys(map(_refusal, words)) if refusal}
    worst = max(often, key=lambda refusal: often[refusal], default="")
    return replace(tries, reason=" ".join(words)), worst if often.get(worst, 0) > _TOO_OFTEN else ""


def shunned_sentence(worst: str, tries: Lane, notes: Sequence[Note] = ()) -> str:
    """Return what the operator is told of a refusal that came too often; it is quoted where `notes` have it."""
    words = tries.reason.split()
    look = "before more are sent (`paperround deliveries list --state rejected`)"
    if worst.startswith(_POLICY):
        many = f"{_times(words, worst)} of the last {len(words)}"
        return f"{many} letters were refused with {worst}, as spam or against a policy; find out why {look}"
    said = next((note.words for note in reversed(notes) if note.refusal == worst and note.words), "")
    return (
        f"{_times(words, worst)} letters in a row were refused with {said or worst.partition('-')[0]!r}, and none was "
        f"taken in between; that is hardly about their readers: look at the settings of [mail] and of the relay {look}"
    )


def _word(note: Note) -> str:
    if note.verdict is Verdict.TAKEN:
        return _TAKEN
    if not note.refusal:
        return _OTHERWISE
    return note.refusal if note.refusal.startswith(_POLICY) else f"{note.refusal}{_OF}{note.recipient}"


def _refusal(word: str) -> str:
    return "" if word in {_TAKEN, _OTHERWISE} else word.partition(_OF)[0]


def _times(words: Sequence[str], refusal: str) -> int:
    """Return how often it came; of one recipient that is known, once."""
    found = [word for word in words if _refusal(word) == refusal]
    known = {word for word in found if word.partition(_OF)[2]}
    return len(known) + sum(word not in known for word in found)


def _after(words: Sequence[str]) -> int:
    """Return where the tries begin that came after the last letter that was taken."""
    return max((place + 1 for place, word in enumerate(words) if word == _TAKEN), default=0)
