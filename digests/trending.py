"""How hot a paper is: many upvotes for its age.

The formula is not fitted to anything (relevance.md, "Recommended design", 9): it doubles no reader's clicks, it only
lets votes count less each time they double and a paper cool by half every two days. So it orders equals and a small
section of its own, and never decides whether a paper answers a topic.
"""

import math
from datetime import date, timedelta

from domain.papers import Paper

HALF_LIFE = timedelta(hours=48)


def hotness(upvotes: int, age: timedelta) -> float:
    """Return log2(1 + upvotes) · 0.5^(age / 48 h); 0 without votes, and an age below zero is none."""
    return math.log2(1 + max(upvotes, 0)) * math.exp2(-max(age, timedelta()) / HALF_LIFE)


def heat(paper: Paper, today: date) -> float:
    """Return how hot a paper is on a day: its age is counted from the day it was published, else first listed."""
    return hotness(paper.upvotes or 0, today - (paper.published or paper.first_listed))
