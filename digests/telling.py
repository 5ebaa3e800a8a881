"""What a letter says of itself: its first sentences, what stands beside a topic's name, its receipt. Pure words."""

from digests import absence, beside, fit, wording
from digests.readable import clean
from domain.issues import AsideKind, Digest
from domain.papers import Paper
from domain.topics import NEAR_IN_MEANING

_LONGEST_TOPIC = 120


def topic(name: str) -> str:
    """Return a topic's name for display."""
    return wording.cut(clean(name), _LONGEST_TOPIC) or "Untitled topic"


def intro(digest: Digest, plan: fit.Plan) -> str:
    """Return the first sentences of a letter."""
    return wording.intro(
        receipt=digest.receipt,
        first=digest.first,
        welcome_days=digest.welcome_days,
        topics=len(digest.topics),
        shown=plan.full,
        titles=plan.titles,
        related=plan.related,
        liked=plan.liked,
        near=any(e.why.line == NEAR_IN_MEANING for block in plan.blocks for e in block.related),
        away=absence.away(digest.away_since, digest.slot.day),
    )


def count(block: fit.Block) -> str:
    """Return what stands beside a topic's name."""
    return wording.section_count(
        total=block.section.total, shown=len(block.full), above=block.above, related=len(block.related)
    )


def unnamed(block: fit.Block) -> str:
    """Return "3 more papers" for what a section only counts, else ""."""
    return wording.counted(block.unnamed, "more paper") if block.unnamed else ""


def dropped(plan: fit.Plan) -> str:
    """Return the sentence for sections that had no room at all."""
    papers = wording.counted(plan.dropped_papers, "more paper")
    return f"And {papers} under {wording.counted(plan.dropped_sections, 'more topic')}."


def receipt(digest: Digest, plan: fit.Plan) -> tuple[str, ...]:
    """Return the sentences of the receipt."""
    since = wording.looked_back(first=digest.first, welcome_days=digest.welcome_days)
    sentences = [
        *wording.checked(digest.receipt, year=digest.slot.day.year, since=since),
        wording.matched(digest.receipt, shown=plan.full, titles=plan.titles),
        beside.set_aside(digest.set_aside),
        beside.apart(related=plan.related, asides=plan.asides),
    ]
    return tuple(sentence for sentence in sentences if sentence)


def watched(digest: Digest) -> str:
    """Return the topics of a letter that found nothing; else ""."""
    return "" if digest.sections else wording.watched(digest.topics)


def headline(digest: Digest) -> Paper | None:
    """Return the paper that the letter is named after: one that stands in full, if any does; None for none at all."""
    titles = [(paper, paper.id in section.set_aside) for section in digest.sections for paper in section.overflow]
    ranked = (
        *(entry.paper for section in digest.sections for entry in section.matches),
        *(paper for paper, is_unwanted in titles if not is_unwanted),
        *(entry.paper for section in digest.sections for entry in section.related),
        *(entry.paper for entry in digest.beside(AsideKind.LIKE_SAVED)),
        *(paper for paper, is_unwanted in titles if is_unwanted),
    )
    return next(iter(ranked), None)
