"""Which papers of a digest stand in full, which as titles, which are only counted: so that no mailbox clips it.

Gmail cuts a letter at about 102 KB and hides the footer with its way out (mail.md item 42). Every match that was kept
is named, if only by title, while there is room. A letter that is too large gives way in a fixed order: the asides go,
then the related papers; fewer titles are named, down to a few under each topic; the last papers become titles; fewer
titles still; the last sections are only counted. `steps` says how many such steps there are, `plan` what the letter
looks like after some of them.
"""

from dataclasses import dataclass, replace

from domain.issues import Aside, AsideKind, Digest, Entry, Section
from domain.papers import Paper

LARGEST_HTML = 90_000  # encoded bytes of the HTML part (mail.md item 42)
FEW_TITLES = 20  # named under one topic before a paper gives up its place in full


@dataclass(frozen=True, slots=True)
class Block:
    """One section as it will stand in the letter."""

    section: Section
    full: tuple[Entry, ...]  #: matches
    related: tuple[Entry, ...]
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
    asides: tuple[Aside, ...] = ()
    dropped_sections: int = 0
    dropped_papers: int = 0

    @property
    def full(self) -> int:
        """How many matches stand in full."""
        return sum(len(block.full) for block in self.blocks)

    @property
    def titles(self) -> int:
        """How many matches stand as titles."""
        return sum(len(block.titles) for block in self.blocks)

    @property
    def related(self) -> int:
        """How many related papers stand in the letter."""
        return sum(len(block.related) for block in self.blocks)

    @property
    def liked(self) -> int:
        """How many papers like saved ones stand in the letter."""
        return sum(len(aside.entries) for aside in self.asides if aside.kind is AsideKind.LIKE_SAVED)

    @property
    def named(self) -> frozenset[int]:
        """The ids of the papers that the letter names, in full or as titles."""
        entries = [entry for block in self.blocks for entry in (*block.full, *block.related)]
        entries += [entry for aside in self.asides for entry in aside.entries]
        in_full = {entry.paper.id for entry in entries}
        return frozenset(in_full | {paper.id for block in self.blocks for paper in block.titles})


def steps(digest: Digest) -> int:
    """Return how many times a letter can give way."""
    return _extras(digest) + _spare(digest) + _matches(digest) + FEW_TITLES + len(digest.sections)


def _extras(digest: Digest) -> int:
    """Return how many papers stand in the letter that are no matches."""
    related = sum(len(section.related) for section in digest.sections)
    return related + sum(len(aside.entries) for aside in digest.asides)


def _spare(digest: Digest) -> int:
    """Return how many titles the longest section can lose before any match does."""
    return max([len(section.overflow) - FEW_TITLES for section in digest.sections] + [0])


def _matches(digest: Digest) -> int:
    """Return how many matches stand in full."""
    return sum(len(section.matches) for section in digest.sections)


def plan(digest: Digest, step: int) -> Plan:
    """Return the letter after `step` steps, 0 being the letter as it was composed; a later step is never larger."""
    extras, spare, matches = _extras(digest), _spare(digest), _matches(digest)
    extra = max(extras - step, 0)
    step = max(step - extras, 0)
    titles = FEW_TITLES + max(spare - step, 0)
    step = max(step - spare, 0)
    left = max(matches - step, 0)
    most = max(titles - max(step - matches, 0), 0)
    sections = len(digest.sections) - max(step - matches - FEW_TITLES, 0)
    blocks = []
    for section in digest.sections[:sections]:
        full, related = section.matches[:left], section.related[:extra]
        left -= len(full)
        extra -= len(related)
        rest = tuple(entry.paper for entry in section.matches[len(full) :]) + section.overflow
        if section.total or related:
            blocks.append(
                Block(
                    section=section,
                    full=full,
                    related=related,
                    titles=rest[:most],
                    unnamed=len(rest[most:]) + section.beyond,
                )
            )
    asides = []
    for aside in digest.asides:
        counted = aside.more + len(aside.entries[extra:]) if aside.kind is AsideKind.SENT_NEWS else 0
        asides.append(replace(aside, entries=aside.entries[:extra], more=counted))
        extra -= len(asides[-1].entries)
    cut = [section for section in digest.sections[sections:] if section.total]
    return Plan(
        blocks=tuple(blocks),
        asides=tuple(aside for aside in asides if aside.entries or aside.more),
        dropped_sections=len(cut),
        dropped_papers=sum(len(section.matches) + len(section.overflow) + section.beyond for section in cut),
    )
