r"""arXiv's own alert mail, as saved by its reader: the body alone, or the whole message (sources.md 3.6).

Message → its plain text, decoded → the marks of quoting taken off → lines → entries → papers. An entry stands between
lines of two backslashes: first its fields, then the abstract. Rules of signs part the entries, and tell where the
cross-lists, the replacements (without abstracts) and the footer begin:

    ------------   between two entries
    %-%-%-%-%-%-   cross-lists follow
    %%--%%--%%--   replacements follow, and replaced cross-lists
    %%%---%%%---   the end
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from domain.errors import LayoutChanged, PermanentCollectError
from domain.identifiers import arxiv_id, doi
from domain.papers import AbstractKind, Announcement, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.arxiv import ANNOUNCED, ARXIV, LISTINGS, rejects_note
from scrapers.arxiv_authors import names_of
from scrapers.arxiv_withdrawal import is_withdrawn
from scrapers.saved_mail import looks_like_message, open_mail
from scrapers.text import collapse, day_of, plausible_day, repair_mojibake, shows_mojibake

SOURCE = "arxiv-mail"

_QUOTE = r"(?:[>|][ \t]?)*+"
_ENTRY = r"(?:arXiv:|Paper(?:[ \t]\(\*cross-listing\*\))?:)[ \t]?"
_OPENS = re.compile(rf"^{_QUOTE}\\\\[ \t]*+\r?\n{_QUOTE}{_ENTRY}\S", re.MULTILINE)
_RECEIVED = re.compile(
    r"received\s+from\s+[A-Z][a-z]{2}\s+[0-9]{1,2}\s+[A-Z][a-z]{2}\s+[0-9]{2,4}\s+[0-9:]{8}\s+[A-Z]{3}"
    r"\s+to\s+[A-Z][a-z]{2}\s+([0-9]{1,2})\s+([A-Z][a-z]{2})\s+([0-9]{2,4})\b"
)
_COUNTS = re.compile(r"\b([0-9]{1,5})\s+new(?:\s+\+\s+([0-9]{1,5})\s+cross(?:es)?)?\s+received\b")
_QUOTED = re.compile(rf"^{_QUOTE}", re.MULTILINE)
_LINE_END = re.compile(r"\r\n|\n|\r")

_HEAD = re.compile(rf"({_ENTRY})(\S{{1,80}})(.*)")
_CROSS = "(*cross-listing*)"
_SLASHES = re.compile(r"\\\\\s*(?:\(|$)")  # and not a line of TeX that begins with a line break
_NEXT = re.compile(r"-{12}")  # the rule between two entries
_CROSSES = re.compile(r"%-%-%-%-")
_REPLACEMENTS = re.compile(r"%%--%%--")
_END = re.compile(r"%%%---%%%")
_FIELD = re.compile(
    r"(title|authors?|categories|comments|journal-ref|doi|date(?:[ \t]\([^()]{1,20}\))?|report-no|acm-class|msc-class"
    r"|subj-class|proxy|license)[ \t]*:[ \t]*(.*)",
    re.IGNORECASE,
)
_REPLACED = re.compile(r"replaced with revised version|(?:figures|part) added", re.IGNORECASE)
_DAY = re.compile(r"\b([0-9]{1,2})[ \t]+([A-Z][a-z]{2})[ \t]+([0-9]{2,4})\b")
_CATEGORY = re.compile(r"[a-z]{2,10}(?:-[a-z]{2,4})?(?:\.[A-Za-z-]{2,12})?")
_TWO_DIGITS = 99
_FIRST_YEAR = 91  # of arXiv, as two digits


@dataclass(slots=True)
class _Entry:
    """One paper as the mail words it."""

    identifier: str
    crossed: bool
    replaced: bool
    fields: dict[str, list[str]] = field(default_factory=dict)  #: their lines, by name in lower case
    abstract: str = ""
    closed: bool = False  #: something follows it, so it is not cut

    def says(self, *names: str) -> str:
        """Return the first field there is of these names; "" if there is none."""
        return next((collapse(" ".join(self.fields[name])) for name in names if name in self.fields), "")


@dataclass(frozen=True, slots=True)
class _Mail:
    subjects: str
    body: str


def looks_like_arxiv_mail(text: str) -> bool:
    """Whether a text is the body of arXiv's alert mail, or a message that holds one; mailboxes and monsters are not."""
    try:
        return _opened(text) is not None
    except PermanentCollectError:
        return False


def read_arxiv_mail(
    text: str, *, source: str = SOURCE, day: date, announce: frozenset[Announcement] = ANNOUNCED
) -> Listing:
    """Read an alert mail that was saved on `day`.

    The listing's day is the working day after the last day of receipt, as on arXiv's list pages: what came in until
    Thursday 14:00 in New York is announced that evening and listed under Friday (sources.md 3.5). A mail that does
    not say has `day`. `Listing.declared` counts the new ones and the crosses, as the mail's subject does; replacements
    come beside them. What is announced as none of `announce` only tells more of known papers.

    Raises:
        LayoutChanged: it is no alert mail, or more than a few entries have no id or no title.
        PermanentCollectError: several mails stand in one file.
        RefusedAnswer: the message is built as no mail program builds one.

    """
    mail = _opened(text)
    if mail is None:
        raise LayoutChanged("there is no arXiv announcement in it: no entry, and no days of receipt")
    received = _RECEIVED.findall(mail.body)
    if len(received) > 1:
        raise PermanentCollectError(f"it holds {len(received)} arXiv mails; save each as a file of its own")
    entries = list(_entries(mail.body))
    papers: dict[str, ListedPaper] = {}
    rejected = 0
    for entry in entries:
        paper = _paper(entry, announce, visited=day, rank=len(papers) + 1)
        if paper is None:
            rejected += 1
        else:
            papers.setdefault(paper.ids.arxiv or "", paper)
    declared = _declared(mail)
    notes = list(_doubts(entries, rejected=rejected, declared=declared))
    return Listing(
        source=source,
        day=_listing_day(received[0], day) if received else day,
        papers=tuple(papers.values()),
        status=FetchStatus.PARTIAL if notes else FetchStatus.OK if papers else FetchStatus.OK_EMPTY,
        declared=declared,
        rejected=rejected,
        note="; ".join(notes),
    )


# -- the mail ----------------------------------------------------------------------------------------------------------


def _opened(text: str) -> _Mail | None:
    """Return the mail without its packing and its marks of quoting; None if no announcement is in it."""
    bodies, subjects = [text], ""
    if looks_like_message(text):
        saved = open_mail(text)
        bodies, subjects = [*saved.texts, text], saved.subjects
    for body in bodies:
        quoted = _OPENS.search(body)
        plain = _QUOTED.sub("", body) if quoted and quoted[0][0] in ">|" else body
        if quoted or _RECEIVED.search(plain):
            return _Mail(subjects=subjects, body=plain)
    return None


def _listing_day(received: tuple[str, str, str], visited: date) -> date:
    """Return the working day after the last day of receipt; `visited` if that is no day it can be."""
    number, month, year = received
    last = plausible_day(day_of(f"{month} {number}, {_year(year)}", visited), visited)
    following = (last + timedelta(days=n) for n in range(1, 4)) if last else ()
    listed = next((day for day in following if day.weekday() in LISTINGS.weekdays), None)
    # Friday's papers are mailed on Sunday evening, so a mail of Monday's listing that is saved earlier is none.
    return plausible_day(listed, visited) or visited


def _year(digits: str) -> str:
    """Return the year of "23", "99" or "2023" as four digits."""
    year = int(digits)
    return str(year if year > _TWO_DIGITS else year + (1900 if year >= _FIRST_YEAR else 2000))


def _declared(mail: _Mail) -> int | None:
    """Return how many new ones and crosses the subject announces; None if it does not (those of chosen subjects)."""
    first = _OPENS.search(mail.body)
    preface = mail.body[: first.start()] if first else mail.body
    found = _COUNTS.search(mail.subjects) or _COUNTS.search(preface)
    return int(found[1]) + int(found[2] or 0) if found else None


def _doubts(entries: list[_Entry], *, rejected: int, declared: int | None) -> Iterator[str]:
    """Yield what a reader of the listing has to know; raises LayoutChanged for what cannot be trusted."""
    left_out = rejects_note(rejected, len(entries))
    announced = sum(not entry.replaced for entry in entries)
    if declared and not announced:
        raise LayoutChanged(f"the mail announces {declared} papers and holds none of them")
    if left_out:
        yield left_out
    if declared is not None and announced < declared:
        yield f"the mail announces {declared} new papers and crosses, but {announced} are in it"
    if entries and not entries[-1].closed:
        yield f"the mail is cut in the entry of arXiv:{collapse(entries[-1].identifier)}"


# -- entries -----------------------------------------------------------------------------------------------------------


def _entries(body: str) -> Iterator[_Entry]:
    """Yield the entries up to the rule that ends the list."""
    damaged = shows_mojibake(body)
    lines = [repair_mojibake(line, damaged=damaged).rstrip() for line in _LINE_END.split(body)]
    heads = [at for at in range(1, len(lines)) if lines[at - 1] == r"\\" and _HEAD.match(lines[at])]
    crosses = replacements = False
    before = 0
    for at, following in pairwise([*heads, len(lines) + 1]):
        for line in lines[before:at]:
            crosses = crosses or _CROSSES.match(line) is not None
            replacements = replacements or _REPLACEMENTS.match(line) is not None
            if _END.match(line):
                return
        before = at
        entry = _entry(lines[at : following - 1], crosses=crosses, replacements=replacements)
        if following <= len(lines):
            entry.closed = True
        elif not entry.closed:
            if not entry.abstract:
                entry.fields.clear()  # cut among its fields, so who knows what of them
            entry.abstract = ""  # half an abstract would stand in the way of the whole one
        yield entry


def _entry(lines: list[str], *, crosses: bool, replacements: bool) -> _Entry:
    """Read an entry; `crosses` and `replacements` tell in which part of the mail it stands."""
    head = _HEAD.match(lines[0])
    label, identifier, mark = head.groups() if head else ("", "", "")
    replaced = replacements or any(_REPLACED.match(line) for line in lines[1:3])
    crossed = _CROSS in label + mark or (crosses and not replaced)
    entry = _Entry(identifier=identifier, crossed=crossed, replaced=replaced)
    name = ""
    for at, line in enumerate(lines[1:], start=1):
        if _closes(line):
            entry.closed = line != r"\\"
            if not entry.closed:
                entry.abstract, entry.closed = _abstract(lines[at + 1 :])
            return entry
        found = _FIELD.match(line)
        said = found[1].split()[0].lower() if found else name  # "date (revised v2)" is a date too
        if found and said not in entry.fields:
            name = said
            entry.fields[name] = [found[2]]
        elif name:
            entry.fields[name].append(line)
    return entry


def _abstract(lines: Iterable[str]) -> tuple[str, bool]:
    """Return the text up to the line that closes it, and whether there is one."""
    kept: list[str] = []
    for line in lines:
        if _closes(line):
            return collapse(" ".join(kept)), True
        kept.append(line)
    return collapse(" ".join(kept)), False


def _closes(line: str) -> bool:
    return any(sign.match(line) for sign in (_SLASHES, _NEXT, _CROSSES, _REPLACEMENTS, _END))


def _paper(entry: _Entry, announce: frozenset[Announcement], *, visited: date, rank: int) -> ListedPaper | None:
    identifier = arxiv_id(entry.identifier)
    title = entry.says("title")
    if identifier is None or not title:
        return None
    names, count = names_of(entry.says("authors", "author"))
    comment = entry.says("comments")
    announcement = _announcement(entry)
    return ListedPaper(
        title=title,
        rank=rank,
        ids=Identifiers(arxiv=identifier, doi=doi(entry.says("doi"))),
        abstract=entry.abstract,
        abstract_kind=AbstractKind.AUTHORS if entry.abstract else AbstractKind.NONE,
        authors=names,
        author_count=count,
        published=_published(entry, visited),
        url=f"{ARXIV}/abs/{identifier}",
        categories=tuple(dict.fromkeys(filter(_CATEGORY.fullmatch, entry.says("categories").split()))),
        withdrawn=is_withdrawn(comment=comment, abstract=entry.abstract),
        announcement=announcement,
        only_if_known=announcement not in announce,
        comment=comment,
        journal=entry.says("journal-ref"),
    )


def _announcement(entry: _Entry) -> Announcement:
    if entry.replaced:
        return Announcement.REPLACE_CROSS if entry.crossed else Announcement.REPLACE
    return Announcement.CROSS if entry.crossed else Announcement.NEW


def _published(entry: _Entry, visited: date) -> date | None:
    """Return the day of the first version, in UTC; a replacement's date is that of its revision."""
    found = None if entry.replaced else _DAY.search(entry.says("date"))
    return plausible_day(day_of(f"{found[2]} {found[1]}, {_year(found[3])}", visited), visited) if found else None
