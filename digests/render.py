r"""From a digest to a letter: words and links into encoded pieces, each paper once for all who get it.

    plan (fit.py)  →  text pieces and HTML pieces, one a paper  →  encoded, remembered  →  small enough?  →  the letter

What is one reader's own stands in pieces of their own (Role.TEXT_PERSONAL, Role.HTML_PERSONAL) and only as slots, so
readers with the same papers share the letter and a public page can leave those pieces out. All text from outside is
hostile: it passes `readable` and Jinja's escaping, and loses NUL, so nothing in it can pose as a slot.
"""

import bisect
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from digests import absence, fit, wording
from digests.forms import SLOTS, Form, Part, environment, parts_of
from digests.mail.message import Letter
from digests.mail.quoted import encode
from digests.pages import SitePages
from digests.readable import clean, shorten
from digests.short_letters import ShortLetters
from digests.views import Link, PaperView, title, view
from domain.issues import AsideKind, Digest, Entry, Fragment, LetterKind, QuietNote, Role
from domain.papers import Paper
from domain.troubles import Trouble

_LONGEST_TOPIC = 120
_SUBJECT_TITLE = 90


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same in every letter of an installation."""

    title: str = "Paperround"
    linked: bool = False  #: whether there is a site: letters then carry each reader's own links
    pages: SitePages | None = None  #: its pages that are the same for everyone; None: letters name none
    postal_address: str = ""
    abstract_chars: int = 420
    labels: Mapping[str, str] = field(default_factory=dict)  #: configured source name → what readers call it


class Renderer:
    """Renders the letters of one installation; remembers the pieces of papers that many readers share."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        made = environment()
        self._text, self._page = parts_of(made, "digest")
        self._subject = Form(made, "digest/subject.txt")
        self._privacy = frame.pages.privacy() if frame.pages else ""
        self._short = ShortLetters(
            made,
            name=frame.title,
            postal_address=frame.postal_address,
            linked=frame.linked,
            privacy=self._privacy,
        )
        self._paper = lru_cache(maxsize=4096)(self._render_paper)
        self._title = lru_cache(maxsize=4096)(self._render_title)
        self._encoded = lru_cache(maxsize=512)(encode)

    @property
    def renders(self) -> int:
        """How many pieces of papers were rendered (text and HTML apart); not how often they were used."""
        return self._paper.cache_info().misses + self._title.cache_info().misses

    def digest(self, digest: Digest, *, shared: bool) -> Letter:
        """Return a reader's digest; `shared` mailboxes get no link by which one person could act for all."""

        def fits(step: int) -> bool:
            pieces = self._pieces(self._page, digest, fit.plan(digest, step), shared=shared)
            return sum(len(piece.body) for piece in pieces) <= fit.LARGEST_HTML

        # Nearly every letter fits at once; only a flood is searched for the first step that does.
        last = fit.steps(digest)
        step = 0 if fits(0) else min(bisect.bisect_left(range(last + 1), 1, key=fits), last)
        plan = fit.plan(digest, step)
        return Letter(
            kind=LetterKind.DIGEST,
            subject=self._subject_of(digest),
            fragments=(
                *self._pieces(self._text, digest, plan, shared=shared),
                *self._pieces(self._page, digest, plan, shared=shared),
            ),
            listed=self._frame.linked and not shared,
            named=plan.named,
        )

    def quiet(self, note: QuietNote, *, shared: bool) -> Letter:
        """Return the note that tells a reader why no letter came."""
        return self._short.quiet(note, shared=shared)

    def linked(self, kind: LetterKind) -> Letter:
        """Return a letter whose only purpose is its link (confirm, preferences, address): without a word anyone typed.

        It is the same for everyone.
        """
        return self._short.linked(kind)

    def goodbye(self, *, fresh: bool) -> Letter:
        """Return the last letter; `fresh`: it has a link by which the reader may come back, where there is a page."""
        return self._short.goodbye(fresh=fresh)

    def alert(self, troubles: Sequence[Trouble], now: datetime) -> Letter:
        """Return the letter that tells the operator what stays broken at `now` (aware)."""
        return self._short.alert(troubles, now)

    def _pieces(self, part: Part, digest: Digest, plan: fit.Plan, *, shared: bool) -> list[Fragment]:
        """Return the pieces of one part; both parts come from here, so they hold the same papers and links."""
        form, frame = part.form, self._frame
        is_text = part is self._text
        day, numbers = digest.slot.day, itertools.count(1)
        top = form("top", self._subject_of(digest), clean(frame.title), wording.weekday_date(day), _intro(digest, plan))
        out = [self._piece(part.shared, top)]
        if is_text and frame.linked and not shared:
            out.append(self._piece(part.personal, form("leave", SLOTS)))
        for block in plan.blocks:
            out += self._block(part, block, numbers, day.year)
        if plan.dropped_sections:
            out.append(self._piece(part.shared, form("dropped", _dropped(plan))))
        for aside in plan.asides:
            heading, told = wording.aside(aside.kind)
            out.append(self._piece(part.shared, form("aside", heading, told)))
            out += self._papers(part, aside.entries, numbers, day.year, aside.kind)
        more = self._on_the_web(plan)
        out.append(self._piece(part.shared, form("receipt", _receipt(digest, plan), _watched(digest), more)))
        if frame.linked:
            confirmed = digest.confirmed_at is not None and not shared
            out.append(self._piece(part.personal, form("links", SLOTS, not shared, confirmed)))
        postal = clean(frame.postal_address)
        last = wording.foot(clean(frame.title), linked=frame.linked, shared=shared, postal_address=postal)
        out.append(self._piece(part.shared, form("foot", last, self._privacy)))
        return out

    def _block(self, part: Part, block: fit.Block, numbers: Iterator[int], year: int) -> Iterator[Fragment]:
        """Yield the pieces of one topic."""
        form, name, count = part.form, _topic(block.section.name), _count(block)
        if block.above == block.section.total and not block.related:
            yield self._piece(part.shared, form("elsewhere", name, count))
            return
        every = self._see_all(block)
        yield self._piece(part.shared, form("section", name, count, every))
        yield from self._papers(part, block.full, numbers, year)
        if block.titles or block.unnamed:
            yield self._piece(part.shared, form("also", bool(block.titles)))
            yield from (self._title(part, paper) for paper in block.titles)
            yield self._piece(part.shared, form("also_end", _unnamed(block), every))
        if block.related:
            yield self._piece(part.shared, form("related", not (block.full or block.titles or block.unnamed)))
            yield from self._papers(part, block.related, numbers, year)

    def _papers(
        self,
        part: Part,
        entries: Iterable[Entry],
        numbers: Iterator[int],
        year: int,
        kind: AsideKind | None = None,
    ) -> Iterator[Fragment]:
        """Yield the pieces of papers in full; in the text part they are numbered through the whole letter."""
        for entry in entries:
            if part is self._text:
                yield self._piece(part.shared, part.form("number", next(numbers)))
            yield self._paper(part, entry, year, kind)

    def _piece(self, role: Role, text: str) -> Fragment:
        """Return one encoded piece."""
        return Fragment(role, self._encoded(text))

    def _render_paper(self, part: Part, entry: Entry, year: int, kind: AsideKind | None) -> Fragment:
        """Return a paper's piece, freshly rendered."""
        frame = self._frame
        shown = view(entry, year=year, abstract_chars=frame.abstract_chars, labels=frame.labels, kind=kind)
        return Fragment(part.shared, encode(part.form("paper", shown, self._under(part, entry.paper, shown))))

    def _under(self, part: Part, paper: Paper, shown: PaperView) -> tuple[Link, ...]:
        """Return the links under a paper; in the text part, where each takes a line, no more than three."""
        pages = self._frame.pages
        if pages is None:
            return shown.links
        bib = Link("BibTeX", pages.bib(paper.key))
        if part is self._text:
            return (*(link for link in shown.links if link.label != "PDF"), bib)
        return (*shown.links, bib, Link("More like this", pages.similar(paper.key)))

    def _see_all(self, block: fit.Block) -> str:
        """Return the address of all that answers a topic, where not all of it stands in full; else ""."""
        pages, section = self._frame.pages, block.section
        return pages.search(section.query, section.since) if pages and (block.titles or block.unnamed) else ""

    def _on_the_web(self, plan: fit.Plan) -> tuple[str, str]:
        """Return the words and the address that lead to what a letter only counts; "" for what there is not."""
        counting = [block for block in plan.blocks if block.unnamed and self._see_all(block)]
        if len(counting) == 1:
            return absence.on_the_web(counting[0].unnamed), self._see_all(counting[0])
        return ("What is only counted is on the web, by “see all” at each topic." if counting else "", "")

    def _render_title(self, part: Part, paper: Paper) -> Fragment:
        """Return a paper's piece as a mere title, freshly rendered."""
        return Fragment(part.shared, encode(part.form("title", title(paper), wording.web_address(paper.url))))

    def _subject_of(self, digest: Digest) -> str:
        """Return the subject: the first paper's title, how many more, and the day, which makes it unique.

        Where papers that are only counted may have been counted twice, it speaks of those alone that are named.
        """
        matched = digest.receipt.matched
        if digest.receipt.at_most:
            matched -= sum(section.beyond for section in digest.sections)
        counted = matched or sum(len(section.related) for section in digest.sections)
        best = shorten(title(digest.papers[0]), _SUBJECT_TITLE) if counted else ""
        day = wording.subject_date(digest.slot.day)
        more = max(counted - 1, 0)
        return self._subject("subject", best, more, day, clean(self._frame.title), digest.first).strip()


def _topic(name: str) -> str:
    """Return a topic's name for display."""
    return wording.cut(clean(name), _LONGEST_TOPIC) or "Untitled topic"


def _intro(digest: Digest, plan: fit.Plan) -> str:
    """Return the first sentences of a letter."""
    return wording.intro(
        receipt=digest.receipt,
        first=digest.first,
        welcome_days=digest.welcome_days,
        topics=len(digest.topics),
        shown=plan.full,
        titles=plan.titles,
        related=plan.related,
        away=absence.away(digest.away_since, digest.slot.day),
    )


def _count(block: fit.Block) -> str:
    """Return what stands beside a topic's name."""
    return wording.section_count(
        total=block.section.total, shown=len(block.full), above=block.above, related=len(block.related)
    )


def _unnamed(block: fit.Block) -> str:
    """Return "3 more papers" for what a section only counts, else ""."""
    return wording.counted(block.unnamed, "more paper") if block.unnamed else ""


def _dropped(plan: fit.Plan) -> str:
    """Return the sentence for sections that had no room at all."""
    papers = wording.counted(plan.dropped_papers, "more paper")
    return f"And {papers} under {wording.counted(plan.dropped_sections, 'more topic')}."


def _receipt(digest: Digest, plan: fit.Plan) -> list[str]:
    """Return the sentences of the receipt."""
    since = wording.looked_back(first=digest.first, welcome_days=digest.welcome_days)
    sentences = [
        *wording.checked(digest.receipt, year=digest.slot.day.year, since=since),
        wording.matched(digest.receipt, shown=plan.full, titles=plan.titles),
        wording.apart(related=plan.related, asides=plan.asides),
    ]
    return [sentence for sentence in sentences if sentence]


def _watched(digest: Digest) -> str:
    """Return the topics of a letter that found nothing; else ""."""
    return "" if digest.sections else wording.watched(digest.topics)
