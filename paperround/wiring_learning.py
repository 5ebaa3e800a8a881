"""What learns of what readers saved; letters are written with it."""

from datetime import datetime
from functools import cached_property

from domain.learning import BROUGHT, Liking
from paperround.libraries import LibraryDesk
from paperround.likings_desk import LikingsDesk
from paperround.wiring_ground import Ground
from storage.likings import Likings
from storage.news import Newsroom
from storage.profiles import Profiles
from storage.taking_in import Libraries
from worker.learn import Learner
from worker.planning import Policy
from worker.tastes import Taster


class LearningSide(Ground):
    """The learning half of the side of post."""

    @cached_property
    def likings(self) -> Likings:
        """What readers said of papers."""
        return Likings(self.database)

    @cached_property
    def profiles(self) -> Profiles:
        """What was learned of it."""
        return Profiles(self.database)

    @cached_property
    def learner(self) -> Learner:
        """What readers saved → what is learned of them."""
        return Learner(likings=self.likings, profiles=self.profiles, census=self.census.of, clock=self.clock)

    def taster(self, newsroom: Newsroom, policy: Policy) -> Taster:
        """What compares new papers with what was learned, for one publish."""
        return Taster(
            archive=self.archive,
            newsroom=newsroom,
            likings=self.likings,
            learner=self.learner,
            census=self.census.of,
            policy=policy,
        )

    @cached_property
    def library_desk(self) -> LibraryDesk:
        """Where a reader's own library is taken in."""
        return LibraryDesk(Libraries(self.database), self.clock)

    def take_library(self, public_id: str, data: bytes, liking: Liking, now: datetime) -> list[str]:  # noqa: ARG002 the desk has the clock
        """Save what is in a file of a reader's library; return what to say of it. Raises UsageError for none."""
        return self.library_desk.take(public_id, data, liking, BROUGHT).sentences

    @cached_property
    def likings_desk(self) -> LikingsDesk:
        """Where an operator changes both for a reader."""
        return LikingsDesk(
            likings=self.likings,
            profiles=self.profiles,
            archive=self.archive,
            learn=self.learner.learn_for,
            clock=self.clock,
        )
