"""Which papers of a digest stand in full, which as titles and which are only counted, so that no mailbox clips it.

Gmail cuts a letter at about 102 KB and hides the footer with its way out (mail.md item 42). A letter that is too large
gives way in a fixed order: the last papers become titles, then fewer titles are named, then the last sections are only
counted. `steps` says how many such steps there are, `plan` what the letter looks like after some of them.
"""

from dataclasses import dataclass

from domain.issues import Digest, Entry, Section
from domain.papers import Paper

LARGEST_HTML = 90_000  # encoded bytes of the HTML part (mail.md item 42)
MOST_TITLES = 20  # named under one topic


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


def steps(digest: Digest) -> int:
    """Return how many times a letter can give way."""
    return sum(len(section.entries) for section in digest.sections) + MOST_TITLES + len(digest.sections)


def plan(digest: Digest, step: int) -> Plan:
    """Return the letter after `step` steps, 0 being the letter as it was composed; a later step is never larger."""
    entries = sum(len(section.entries) for section in digest.sections)
    left = max(entries - step, 0)
    most = MOST_TITLES - min(max(step - entries, 0), MOST_TITLES)
    sections = len(digest.sections) - max(step - entries - MOST_TITLES, 0)
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
