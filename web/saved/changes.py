"""What the buttons of the page do: action → the change → what the page says.

Each may come twice and is the same then, so no page asks whether it was changed in another window meanwhile. Each may
raise WrongField (a sentence beside the field), BrokenForm or another UsageError, and then nothing was changed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import unquote

from digests.readable import clean
from domain.errors import UnknownError, UsageError
from domain.learning import Edit, Edited, Liking, Profile, Saved
from domain.papers import Paper
from domain.subscriptions import Subscriber
from web.preferences.forms import BrokenForm, Form, WrongField, sentence

PLACE = "/preferences"
_LONGEST = 1_000  # characters of a link or an id
_HERE = "/papers/"
_NO_PAPER = "The archive has no such paper. A file of your library may hold papers that it has not."


class Likings(Protocol):
    """What readers said of papers; each method is one transaction and may raise StorageError."""

    def mark(self, public_id: str, key: str, liking: Liking, now: datetime, place: str) -> Saved:
        """Save a paper, or say that less like it is wanted; raises UsageError for one more than a reader may have."""
        ...

    def forget(self, public_id: str, number: int) -> bool:
        """Take one back; return whether it was there."""
        ...

    def of(
        self, subscriber_id: int, liking: Liking | None = None, after: int | None = None, limit: int | None = None
    ) -> Sequence[Saved]:
        """Return what a reader said, the newest first, those after a number."""
        ...

    def counts(self, subscriber_id: int) -> Mapping[Liking, int]:
        """Return how many papers a reader said what of."""
        ...

    def reset(self, public_id: str) -> int:
        """Forget all that a reader said, and what was learned from it; return how many papers it was."""
        ...


class Profiles(Protocol):
    """What was learned of readers."""

    def of(self, ids: Collection[int]) -> Mapping[int, Profile]:
        """Return the profiles of readers, by their number."""
        ...

    def edit(self, public_id: str, edits: Mapping[str, Edited | None]) -> object:
        """Put words in or leave them out, by stem; None undoes that."""
        ...


class Papers(Protocol):
    """What the archive has."""

    def paper(self, key: str) -> Paper:
        """Return the paper of a key, an id or a link; raises UnknownError."""
        ...

    def papers(self, ids: Iterable[int]) -> Sequence[Paper]:
        """Return the papers of these numbers."""
        ...

    def journals(self, ids: Collection[int]) -> Mapping[int, str]:
        """Return the journals in which papers appeared, where one is known."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What the actions work with."""

    likings: Likings
    profiles: Profiles
    papers: Papers
    #: Returns the stem of what a reader typed, and the word; raises UsageError for what is no word, or says nothing.
    word: Callable[[str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Press:
    """One button pressed on the page of one reader."""

    reader: Subscriber
    form: Form
    now: datetime


def liking_of(sent: str) -> Liking:
    """Return which liking a button names; raises BrokenForm."""
    if sent not in {each.value for each in Liking}:
        raise BrokenForm("liking is not one of the choices")
    return Liking(sent)


def named(papers: Papers, typed: str) -> Paper:
    """Return the paper that a link or an id names; raises WrongField."""
    if not typed:
        raise WrongField("paper", "Please give a link or an id, such as arXiv:2401.01234 or 10.1000/182.")
    if len(typed) > _LONGEST:
        raise WrongField("paper", f"A link or an id has {_LONGEST:,} characters at most.")
    before, here, key = typed.partition(_HERE)
    own = unquote(key.partition("?")[0].partition("#")[0]) if here and "://" in before else ""
    for each in dict.fromkeys((typed, own, own.removesuffix(".bib"))):
        try:
            return papers.paper(each)
        except UnknownError:
            continue
    raise WrongField("paper", _NO_PAPER)


def _save(tools: Tools, press: Press) -> str:
    liking = liking_of(press.form.text("liking"))
    paper = named(tools.papers, press.form.text("paper"))
    tools.likings.mark(press.reader.public_id, paper.key, liking, press.now, PLACE)
    return "The paper is among those you saved." if liking is Liking.MORE else "Papers like it are set aside."


def _remove(tools: Tools, press: Press) -> str:
    if not tools.likings.forget(press.reader.public_id, press.form.hidden("number")):
        return "That paper is not in your lists any more, so there was nothing to remove."
    return "The paper was removed; nothing is learned from it any more."


def _leave_out(tools: Tools, press: Press) -> str:
    stem, profile = press.form.text("stem"), _profile(tools, press)
    word = next((each.word for each in profile.more.terms if each.stem == stem), None)
    if word is not None:
        tools.profiles.edit(press.reader.public_id, {stem: Edited(word, Edit.OUT)})
    elif stem not in profile.edits:
        return "That word is not among those learned any more, so there was nothing to leave out."
    return "The word is left out, whatever you save."


def _undo(tools: Tools, press: Press) -> str:
    stem = press.form.text("stem")
    if stem in _profile(tools, press).edits:
        tools.profiles.edit(press.reader.public_id, {stem: None})
    return "The word counts again as what you saved says."


def _put_in(tools: Tools, press: Press) -> str:
    typed = clean(press.form.text("word"))
    try:
        stem, word = tools.word(typed)
    except UsageError as error:
        raise WrongField("word", sentence(str(error))) from error
    tools.profiles.edit(press.reader.public_id, {stem: Edited(word, Edit.IN)})
    return "Your letters look for that word too."


def _profile(tools: Tools, press: Press) -> Profile:
    return tools.profiles.of([press.reader.id]).get(press.reader.id, Profile())


_ACTIONS: Mapping[str, Callable[[Tools, Press], str]] = {
    "save": _save,
    "remove": _remove,
    "out": _leave_out,
    "undo": _undo,
    "in": _put_in,
}


def act(tools: Tools, press: Press) -> str:
    """Do what a button says; return what to say of it. Raises UsageError where that cannot be."""
    return press.form.action(_ACTIONS)(tools, press)
