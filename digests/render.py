r"""From a digest to a letter: words and links into encoded pieces, each paper once for all who get it.

    plan (fit.py)  →  text pieces and HTML pieces, one a paper  →  encoded, remembered  →  small enough?  →  the letter

Every piece is rendered and encoded once for all letters that say the same there, not only a paper's: so a letter that
nobody else gets costs little more than finding its pieces. What is remembered is bounded.

What is one reader's own stands in pieces of their own (Role.TEXT_PERSONAL, Role.HTML_PERSONAL) and only as slots, so
readers with the same papers share the letter and a public page can leave those pieces out. All text from outside is
hostile: it passes `readable` and Jinja's escaping, and loses NUL, so nothing in it can pose as a slot.
"""

import bisect
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from digests import absence, beside, fit, telling, wording
from digests.forms import SLOTS, Form, Part, environment, parts_of
from digests.mail.message import Letter
from digests.mail.quoted import encode
from digests.pages import SitePages, in_path
from digests.readable import clean, shorten
from digests.short_letters import ShortLetters
from digests.views import Link, PaperView, dressed, marks_of, title
from domain.issues import AsideKind, Digest, Entry, Fragment, LetterKind, QuietNote
from domain.papers import Paper
from domain.topics import NEAR_IN_MEANING, Why
from domain.troubles import Trouble

_SUBJECT_TITLE = 90
_REMEMBERED = 8192  # pieces of no paper: tops, heads of topics, receipts; of at most some 4 KB


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
        self._name, self._postal = clean(frame.title), clean(frame.postal_address)
        self._short = ShortLetters(
            made,
            name=frame.title,
            postal_address=frame.postal_address,
            linked=frame.linked,
            privacy=self._privacy,
        )
        self._paper = lru_cache(maxsize=8192)(self._render_paper)
        self._dressed = lru_cache(maxsize=4096)(self._dress)
        self._title = lru_cache(maxsize=8192)(self._render_title)
        self._shared = lru_cache(maxsize=_REMEMBERED)(self._render_shared)
        self._personal = lru_cache(maxsize=16)(self._render_personal)
        self._feedback = lru_cache(maxsize=8192)(self._render_feedback)
        self._headline = lru_cache(maxsize=4096)(_headline)
        self._search = lru_cache(maxsize=4096)(frame.pages.search) if frame.pages else None

    @property
    def renders(self) -> int:
        """How many pieces of papers were rendered (text and HTML apart); not how often they were used."""
        return self._paper.cache_info().misses + self._title.cache_info().misses

    def digest(self, digest: Digest, *, shared: bool) -> Letter:
        """Return a reader's digest; `shared` mailboxes get no link by which one person could act for all."""
        subject = self._subject_of(digest)

        def page(plan: fit.Plan) -> list[Fragment]:
            return self._pieces(self._page, digest, plan, subject, shared=shared)

        plan = fit.plan(digest, 0)
        pieces = page(plan)
        if not _fits(pieces):
            # Nearly every letter fits at once; only a flood is searched for the first step that does.
            last = fit.steps(digest)
            fits = bisect.bisect_left(range(last + 1), 1, key=lambda step: _fits(page(fit.plan(digest, step))))
            plan = fit.plan(digest, min(fits, last))
            pieces = page(plan)
        return Letter(
            kind=LetterKind.DIGEST,
            subject=subject,
            fragments=(*self._pieces(self._text, digest, plan, subject, shared=shared), *pieces),
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

    def _pieces(self, part: Part, digest: Digest, plan: fit.Plan, subject: str, *, shared: bool) -> list[Fragment]:
        """Return the pieces of one part; both parts come from here, so they hold the same papers and links."""
        frame, piece = self._frame, self._shared
        is_text = part is self._text
        day, numbers = digest.slot.day, itertools.count(1)
        out = [] if is_text else [piece(part, "titled", subject)]
        out.append(piece(part, "top", self._name, wording.weekday_date(day), telling.intro(digest, plan)))
        if is_text and frame.linked and not shared:
            out.append(self._personal(part, "leave"))
        for block in plan.blocks:
            out += self._block(part, block, numbers, day.year, shared=shared)
        if plan.dropped_sections:
            out.append(piece(part, "dropped", telling.dropped(plan)))
        for aside in plan.asides:
            out.append(piece(part, "aside", *beside.heading(aside.kind)))
            if aside.kind is AsideKind.SENT_NEWS:
                out += [piece(part, "happened", *self._happened(entry)) for entry in aside.entries]
                out += [piece(part, "untold", beside.untold(aside.more))] if aside.more else []
            else:
                out += self._papers(part, aside.entries, numbers, day.year, shared=shared, kind=aside.kind)
        more = self._on_the_web(plan)
        out.append(piece(part, "receipt", telling.receipt(digest, plan), telling.watched(digest), more))
        if frame.linked:
            confirmed = digest.confirmed_at is not None and not shared
            out.append(self._personal(part, "links", not shared, confirmed))
        last = wording.foot(self._name, linked=frame.linked, shared=shared, postal_address=self._postal)
        out.append(piece(part, "foot", tuple(last), self._privacy))
        return out

    def _block(
        self, part: Part, block: fit.Block, numbers: Iterator[int], year: int, *, shared: bool
    ) -> Iterator[Fragment]:
        """Yield the pieces of one topic."""
        piece, name, count = self._shared, telling.topic(block.section.name), telling.count(block)
        if block.above == block.section.total and not block.related:
            yield piece(part, "elsewhere", name, count)
            return
        every = self._see_all(block)
        yield piece(part, "section", name, count, every)
        yield from self._papers(part, block.full, numbers, year, shared=shared)
        yield from self._titles(part, block, every)
        if block.related:
            near = any(entry.why.line == NEAR_IN_MEANING for entry in block.related)
            yield piece(part, "related", not (block.full or block.titles or block.unnamed), near)
            yield from self._papers(part, block.related, numbers, year, shared=shared)

    def _titles(self, part: Part, block: fit.Block, every: str) -> Iterator[Fragment]:
        """Yield what of a topic is named by title or only counted; what the reader wants less of comes last."""
        aside = [paper for paper in block.titles if paper.id in block.section.set_aside]
        others = [paper for paper in block.titles if paper.id not in block.section.set_aside]
        groups = [(beside.ALSO, others), (beside.UNWANTED, aside)]
        told = [group for group in groups if group[1]] or ([("", [])] if block.unnamed else [])
        for place, (heading, papers) in enumerate(told, start=1):
            is_last = place == len(told)
            yield self._shared(part, "also", heading)
            yield from (self._title(part, paper) for paper in papers)
            yield self._shared(part, "also_end", telling.unnamed(block) if is_last else "", every if is_last else "")

    def _papers(
        self,
        part: Part,
        entries: Iterable[Entry],
        numbers: Iterator[int],
        year: int,
        *,
        shared: bool,
        kind: AsideKind | None = None,
    ) -> Iterator[Fragment]:
        """Yield the pieces of papers in full; in the text part they are numbered through the whole letter.

        Under each stand the reader's own links by which they ask for more like it, or less.
        """
        asks = self._frame.linked and not shared
        for entry in entries:
            if part is self._text:
                yield self._shared(part, "number", next(numbers))
            yield self._paper(part, entry, year, kind)
            if asks:
                yield self._feedback(part, entry.paper.key)

    def _render_shared(self, part: Part, name: str, *values: object) -> Fragment:
        """Return a piece that all who are told these values share, freshly rendered."""
        return Fragment(part.shared, encode(part.form(name, *values)))

    def _render_personal(self, part: Part, name: str, *values: object) -> Fragment:
        """Return a piece that is each reader's own by its slots, freshly rendered."""
        return Fragment(part.personal, encode(part.form(name, SLOTS, *values)))

    def _render_feedback(self, part: Part, key: str) -> Fragment:
        """Return the links that ask for more like a paper, or less: one piece for all, by a slot each reader's own."""
        return Fragment(part.personal, encode(part.form("feedback", SLOTS, in_path(key))))

    def _happened(self, entry: Entry) -> tuple[str, str, str]:
        """Return what is told of a paper that was sent before: its title, where it leads, what became of it."""
        paper, pages = entry.paper, self._frame.pages
        url = pages.paper(paper.key) if pages else wording.web_address(paper.url)
        return title(paper), url, clean(entry.happened)

    def _render_paper(self, part: Part, entry: Entry, year: int, kind: AsideKind | None) -> Fragment:
        """Return a paper's piece, freshly rendered."""
        shown = replace(self._dressed(entry.paper, marks_of(entry), year, kind), reasons=tuple(wording.reasons(entry)))
        return Fragment(part.shared, encode(part.form("paper", shown, self._under(part, entry.paper, shown))))

    def _dress(self, paper: Paper, why: Why, year: int, kind: AsideKind | None) -> PaperView:
        """Return what is shown of a paper, whichever reasons stand under it."""
        frame = self._frame
        return dressed(paper, why, year=year, abstract_chars=frame.abstract_chars, labels=frame.labels, kind=kind)

    def _under(self, part: Part, paper: Paper, shown: PaperView) -> tuple[Link, ...]:
        """Return the links under a paper; in the text part, where each takes a line, no more than three."""
        pages = self._frame.pages
        if pages is None:
            return shown.links
        bib = Link("BibTeX", pages.bib(paper.key))
        if part is self._text:
            return (*(link for link in shown.links if link.label != "PDF"), bib)
        return (*shown.links, bib, Link("Similar", pages.similar(paper.key)))

    def _see_all(self, block: fit.Block) -> str:
        """Return the address of all that answers a topic, where not all of it stands in full; else ""."""
        section = block.section
        return self._search(section.query, section.since) if self._search and (block.titles or block.unnamed) else ""

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
        wanted = matched - digest.set_aside or sum(len(section.related) for section in digest.sections)
        counted = wanted or len(digest.beside(AsideKind.LIKE_SAVED)) or matched
        paper = telling.headline(digest) if counted else None
        best = self._headline(paper) if paper is not None else ""
        day = wording.subject_date(digest.slot.day)
        more = max(counted - 1, 0)
        return self._subject("subject", best, more, day, self._name, digest.first).strip()


def _fits(page: Iterable[Fragment]) -> bool:
    """Whether no mailbox clips it."""
    return sum(len(piece.body) for piece in page) <= fit.LARGEST_HTML


def _headline(paper: Paper) -> str:
    """Return a paper's title as a subject has it."""
    return shorten(title(paper), _SUBJECT_TITLE)
