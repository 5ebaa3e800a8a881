"""Fit: what a letter gives up when it is too large, in which order, and that its figures stay true."""

import re
from collections.abc import Callable
from dataclasses import replace

from digests import fit, wording
from digests.fit import FEW_TITLES, LARGEST_HTML
from digests.render import Frame, Renderer
from domain.issues import AsideKind, Digest, Role
from domain.papers import Paper

MakePaper = Callable[..., Paper]


def standing(plan: fit.Plan) -> tuple[int, int, int, int]:
    """How many stand in asides, as related, as titles and in full."""
    return sum(len(aside.entries) for aside in plan.asides), plan.related, plan.titles, plan.full


def test_a_letter_gives_up_asides_then_related_papers_then_titles_then_matches(busy: Digest) -> None:
    plans = [fit.plan(busy, step) for step in range(fit.steps(busy) + 1)]
    assert [standing(plan) for plan in plans[:7]] == [
        (2, 3, 5, 5), (1, 3, 5, 5), (0, 3, 5, 5), (0, 2, 5, 5), (0, 1, 5, 5), (0, 0, 5, 5), (0, 0, 6, 4),
    ]  # fmt: skip
    assert plans[1].asides[0].kind is AsideKind.LATE_RISERS
    last = plans[-1]
    assert (last.blocks, last.dropped_sections, last.dropped_papers, last.named) == ((), 3, 702, frozenset())


def test_every_match_is_counted_once_whatever_is_given_up(busy: Digest, make_paper: MakePaper) -> None:
    longest = busy.sections[-1]
    titled = tuple(make_paper(number) for number in range(100, 100 + FEW_TITLES + 9))
    longest = replace(longest, overflow=titled, total=len(longest.matches) + len(titled) + longest.beyond)
    digest = replace(busy, sections=(*busy.sections[:-1], longest))
    for step in range(fit.steps(digest) + 1):
        plan = fit.plan(digest, step)
        for block in plan.blocks:
            counts = len(block.full) + len(block.titles) + block.unnamed + block.above
            assert counts == block.section.total
            assert block.above in {0, 1}
        assert len(plan.named) == sum(standing(plan))


def test_a_related_paper_that_finds_no_room_is_neither_a_title_nor_sent(busy: Digest) -> None:
    related = {entry.paper.id for section in busy.sections for entry in section.related}
    plan = fit.plan(busy, 5)
    assert len(related) == 3
    assert related.isdisjoint(plan.named)
    assert [block.section.name for block in plan.blocks] == ["neural sensitivity", "Robustness", busy.sections[-1].name]


def test_the_html_part_stays_small_with_asides_and_many_reasons(busy: Digest) -> None:
    long = "ℓ₁ network " * 400
    asides = tuple(
        replace(aside, entries=tuple(
            replace(entry, paper=replace(entry.paper, id=entry.paper.id + copy, abstract=long))
            for copy in range(0, 2000, 100) for entry in aside.entries
        ))
        for aside in busy.asides
    )  # fmt: skip
    letter = Renderer(Frame(abstract_chars=4000)).digest(replace(busy, asides=asides), shared=False)
    pages = [fragment for fragment in letter.fragments if fragment.role in {Role.HTML, Role.HTML_PERSONAL}]
    assert LARGEST_HTML * 0.6 < sum(len(fragment.body) for fragment in pages) <= LARGEST_HTML
    page = b"".join(fragment.body for fragment in pages)
    assert page.count(b"<h3") == len(letter.named) - 5  # five matches stand as titles
    told = re.sub(rb"=\r?\n", b"", page).decode()
    assert "5 in full, 5 by title, 692 only counted. Counted apart: 3 related, " in told


def test_only_the_topics_that_find_room_under_a_paper_are_named(busy: Digest) -> None:
    entry = busy.sections[0].entries[0]
    lines = wording.reasons(replace(entry, also=entry.also * 9))
    assert len(lines) == 7
    assert lines[0] == "Why: both words, in abstract and title"
    assert lines[-1] == "Also under 4 more topics"
