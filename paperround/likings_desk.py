"""What an operator does for a reader who asks: papers saved or taken back, words put in or left out, all of it undone.

as typed → looked up or cut to its stem, all of it before anything changes → changed → learned anew
"""

from collections.abc import Callable, Iterator, Sequence

from domain.clock import Clock
from domain.errors import UnknownError, UsageError
from domain.learning import NO_PROFILE, Edit, Edited, Liking, Profile, Saved
from domain.papers import Paper
from domain.subscriptions import Subscriber
from storage.archive import Archive
from storage.likings import Likings
from storage.profiles import Profiles
from storage.reading import in_blocks
from topics.profile import typed_word
from web.saved.showing import own_copy

PLACE = "command"
_BLOCK = 200  # papers read at once


class LikingsDesk:
    """Where a reader's papers and profile are changed by command."""

    def __init__(
        self,
        *,
        likings: Likings,
        profiles: Profiles,
        archive: Archive,
        learn: Callable[[int], object],
        clock: Clock,
    ) -> None:
        self._likings = likings
        self._profiles = profiles
        self._archive = archive
        self._learn = learn
        self._clock = clock

    def add(self, reader: Subscriber, keys: Sequence[str], liking: Liking) -> tuple[Saved, ...]:
        """Save papers, or say that less like them is wanted; raises UnknownError or UsageError.

        Where the archive has not all of them nothing is changed; at one more than a reader may have, those before stay.
        """
        copies = {each.key for each in self._likings.of(reader.id) if each.paper_id is None}
        found = [key if key in copies else self._archive.paper(key).key for key in keys]
        now = self._clock.now()
        try:
            return tuple([self._likings.mark(reader.public_id, key, liking, now, PLACE) for key in found])
        finally:
            self._learn(reader.id)

    def remove(self, reader: Subscriber, keys: Sequence[str]) -> tuple[Saved, ...]:
        """Take papers back, whichever was said of them; raises UnknownError for one of which nothing was said."""
        held = self._likings.of(reader.id)
        gone = {each.number: each for each in [self._held(held, key) for key in keys]}
        for number in gone:
            self._likings.forget(reader.public_id, number)
        self._learn(reader.id)
        return tuple(gone.values())

    def profile(self, reader: Subscriber) -> Profile:
        """Return what was learned of a reader."""
        return self._profiles.of([reader.id]).get(reader.id, NO_PROFILE)

    def edit(self, reader: Subscriber, into: Sequence[str], out: Sequence[str], back: Sequence[str]) -> Profile:
        """Put words in, leave words out, take such edits back; return the profile after it.

        Raises UsageError for what is no word and for a word that is said twice over, and then nothing was changed.
        """
        edits: dict[str, Edited | None] = {}
        kinds: dict[str, Edit | None] = {}
        asked = (
            [(word, None) for word in back] + [(word, Edit.IN) for word in into] + [(word, Edit.OUT) for word in out]
        )
        for typed, edit in asked:
            stem, word = typed_word(" ".join(typed.split()))
            if stem in kinds and kinds[stem] is not edit:
                raise UsageError(f"{typed!r} can be put in, left out or restored, but not two of these at once")
            kinds[stem] = edit
            edits[stem] = None if edit is None else Edited(word, edit)
        held = self.profile(reader).edits
        for stem, edited in edits.items():
            if edited is None and stem not in held:
                raise UsageError(f"no word like {stem!r} was put in or left out, so there is nothing to restore")
        self._profiles.edit(reader.public_id, edits)
        self._learn(reader.id)
        return self.profile(reader)

    def reset(self, reader: Subscriber) -> int:
        """Forget all that a reader said and what was learned of it; return how many papers it was."""
        gone = self._likings.reset(reader.public_id)
        self._learn(reader.id)
        return gone

    def saved(self, reader: Subscriber) -> Iterator[Paper]:
        """Give the papers that a reader saved, the newest first; of what the archive has not, their own copy."""
        saved = self._likings.of(reader.id, Liking.MORE)
        for block in in_blocks(saved, _BLOCK):
            known = {
                each.id: each for each in self._archive.papers(s.paper_id for s in block if s.paper_id is not None)
            }
            for each in block:
                yield known.get(each.paper_id or 0) or own_copy(each)

    def _held(self, held: Sequence[Saved], key: str) -> Saved:
        """Return what was said of a paper; raises UnknownError."""
        for each in held:
            if each.key == key:
                return each
        number = self._archive.paper(key).id
        for each in held:
            if each.paper_id == number:
                return each
        raise UnknownError(f"the reader said nothing of {key!r}")
