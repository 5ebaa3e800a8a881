"""What readers saved → what is learned of them (topics/profile.py).

    whose profile is stale → the newest papers of each liking → two tastes → written, if nothing was said meanwhile

Each reader is a transaction of their own, so a run that ends anywhere has lost nothing: whoever was not learned of is
stale still, and is learned of the next time.
"""

import logging
from collections.abc import Collection
from datetime import datetime

from domain.clock import Clock
from domain.errors import StorageError
from domain.learning import BROUGHT, NO_PROFILE, Liking, Profile, Saved
from storage.likings import Likings
from storage.profiles import Profiles, Stale
from topics.matching import CensusOf
from topics.profile import Words, learned

log = logging.getLogger("paperround.worker")

NEWEST = 1_000  #: papers of a liking that are learned from
_BLOCK = 500  # readers looked up at once


class Learner:
    """Learns what readers want more of, and less."""

    def __init__(self, *, likings: Likings, profiles: Profiles, census: CensusOf, clock: Clock) -> None:
        self._likings = likings
        self._profiles = profiles
        self._census = census
        self._clock = clock

    def is_due(self) -> bool:
        """Whether anybody said something that was not learned from; cheap."""
        return self._profiles.is_stale()

    def learn(self, now: datetime, among: Collection[int] | None = None, *, limit: int | None = None) -> int:
        """Learn of everyone whose profile is stale, of `among` where they are given; return of how many it was.

        Who says something meanwhile is stale still. With `limit` no more than so many are tried.
        """
        if not self.is_due():
            return 0
        tried: set[int] = set()
        done = 0
        while limit is None or len(tried) < limit:
            stale = self._profiles.stale(_BLOCK + len(tried), among)
            fresh = [each for each in stale if each.subscriber_id not in tried]
            if not fresh:
                break
            for each in fresh[: None if limit is None else limit - len(tried)]:
                tried.add(each.subscriber_id)
                done += self._learn(each, now)
        return done

    def learn_for(self, subscriber_id: int) -> Profile:
        """Learn of one reader if there is something to learn, and return their profile."""
        self.learn(self._clock.now(), [subscriber_id])
        return self._profiles.of([subscriber_id]).get(subscriber_id, NO_PROFILE)

    def profiles(self, subscriber_ids: Collection[int]) -> dict[int, Profile]:
        """Return the profiles of these readers as they would be if all were learned now; nothing is written."""
        found = dict(self._profiles.of(subscriber_ids))
        behind = [number for number, profile in found.items() if profile.is_stale]
        for each in self._profiles.stale(len(behind), behind) if behind else ():
            try:
                found[each.subscriber_id] = self._of(each)
            except StorageError:
                raise
            except Exception:  # whatever is wrong with one reader's papers, what was learned before holds
                log.exception("nothing could be learned of reader %d", each.subscriber_id)
        return found

    def _learn(self, stale: Stale, now: datetime) -> bool:
        try:
            profile = self._of(stale)
        except StorageError:
            raise
        except Exception:  # whatever is wrong with one reader's papers, the others are learned of
            log.exception("nothing could be learned of reader %d", stale.subscriber_id)
            self._profiles.passed_over(stale.subscriber_id, stale.revision)
            return False
        return self._profiles.learned(stale.subscriber_id, stale.revision, profile, now)

    def _of(self, stale: Stale) -> Profile:
        saved = self._likings.texts(stale.subscriber_id, Liking.MORE, NEWEST)
        disliked = self._likings.texts(stale.subscriber_id, Liking.LESS, NEWEST)
        more, less = learned(_words(saved), _words(disliked), stale.edits, self._census)
        return Profile(more=more, less=less, edits=stale.edits, saved=len(saved), disliked=len(disliked))


def _words(saved: Collection[Saved]) -> list[Words]:
    return [Words(each.number, each.title, each.abstract, each.place == BROUGHT) for each in saved]
