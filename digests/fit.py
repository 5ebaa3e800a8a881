"""Which papers of a digest stand in full, which as titles, which are only counted: so that no mailbox clips it.

Gmail cuts a letter at about 102 KB and hides the footer with its way out (mail.md item 42). Every match is named, if
only by title, while there is room. A letter that is too large gives way in a fixed order: fewer titles are named, down
to a few under each topic; the last papers become titles; fewer titles still; the last sections are only counted.
`steps` says how many such steps there are, `plan` what the letter looks like after some of them.
"""

from dataclasses import dataclass

from domain.issues import Digest, Entry, Section
from domain.papers import Paper

LARGEST_HTML = 90_000  # encoded bytes of the HTML part (mail.md item 42)
FEW_TITLES = 20  # named under one topic before a paper gives up its place in full


@dataclass(frozen=True, slots=True)
class Block:
    """One section as it will stand in the letter."""

    section: Section
    full: tuple[Entry, ...]
    titles: tuple[Paper, ...]
    unnamed: int  #: matched here, but only counted

    @property
    def above(self) -> int:
        """How many of the topic's matches stand under an earlier topic."""
        return self.section.total - len(self.full) - len(self.titles) - self.unnamed


@dataclass(frozen=True, slots=True)
class Plan:
    """A letter's sections, and how much of it is only counted."""

    blocks: tuple[Block, ...]
    dropped_sections: int = 0
    dropped_papers: int = 0

    @property
    def full(self) -> int:
        """How many papers stand in full."""
        return sum(len(block.full) for block in self.blocks)

    @property
    def titles(self) -> int:
        """How many papers stand as titles."""
        return sum(len(block.titles) for block in self.blocks)

    @property
    def named(self) -> frozenset[int]:
        """The ids of the papers that the letter names, in full or as titles."""
        in_full = {entry.paper.id for block in self.blocks for entry in block.full}
        return frozenset(in_full | {paper.id for block in self.blocks for paper in block.titles})


def steps(digest: Digest) -> int:
    """Return how many times a letter can give way."""
    entries = sum(len(section.entries) for section in digest.sections)
    return _spare(digest) + entries + FEW_TITLES + len(digest.sections)


def _spare(digest: Digest) -> int:
    """Return how many titles the longest section can lose before any paper does."""
    return max([len(section.overflow) - FEW_TITLES for section in digest.sections] + [0])


def plan(digest: Digest, step: int) -> Plan:
    """Return the letter after `step` steps, 0 being the letter as it was composed; a later step is never larger."""
    entries = sum(len(section.entries) for section in digest.sections)
    spare = _spare(digest)
    titles = FEW_TITLES + max(spare - step, 0)
    step = max(step - spare, 0)
    left = max(entries - step, 0)
    most = max(titles - max(step - entries, 0), 0)
    sections = len(digest.sections) - max(step - entries - FEW_TITLES, 0)
    blocks = []
    for section in digest.sections[:sections]:
        full = section.entries[:left]
        left -= len(full)
        rest = tuple(entry.paper for entry in section.entries[len(full) :]) + section.overflow
        blocks.append(Block(section=section, full=full, titles=rest[:most], unnamed=len(rest[most:])))
    cut = digest.sections[sections:]
    return Plan(
        blocks=tuple(blocks),
        dropped_sections=len(cut),
        dropped_papers=sum(len(section.entries) + len(section.overflow) for section in cut),
    )
