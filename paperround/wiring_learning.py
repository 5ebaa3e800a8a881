"""What learns of what readers saved; letters are written with it."""

from functools import cached_property

from paperround.likings_desk import LikingsDesk
from paperround.wiring_ground import Ground
from storage.likings import Likings
from storage.news import Newsroom
from storage.profiles import Profiles
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
    def likings_desk(self) -> LikingsDesk:
        """Where an operator changes both for a reader."""
        return LikingsDesk(
            likings=self.likings,
            profiles=self.profiles,
            archive=self.archive,
            learn=self.learner.learn_for,
            clock=self.clock,
        )
