"""What a reader's likings and profile look like on their page. Values in, values out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digests import views, wording
from digests.readable import clean, readable, shorten
from domain.learning import Edit, Profile, Saved, Term
from domain.papers import AbstractKind, Identifiers, Paper
from web.addresses import paper_path

WORDS_SHOWN = 25
_LONGEST_TITLE = 300
_LONGEST_WORD = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One paper that was saved, or that less like it is wanted."""

    number: int
    title: str
    path: str  #: of its page, below the site's root; "" where the archive has no such paper
    small: str


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a profile."""

    stem: str
    word: str


@dataclass(frozen=True, slots=True)
class Learned:
    """A profile in plain words."""

    more: Sequence[Word]  #: the heaviest first, as many as are seen at once
    rest: Sequence[Word]
    less: str  #: what is avoided, as one line
    put_in: Sequence[Word]
    left_out: Sequence[Word]
    told: str  #: from how many papers, and whether it is as new as what was said


def row(saved: Saved, paper: Paper | None) -> Row:
    """Return a line of the list."""
    day = wording.full_date(saved.at.date())
    if paper is not None:
        small = _joined([wording.authors(paper), day])
        return Row(saved.number, views.title(paper), paper_path(paper.key), small)
    small = _joined(["your own copy", wording.authors(own_copy(saved)), day])
    return Row(saved.number, shorten(readable(saved.title), _LONGEST_TITLE) or "Untitled", "", small)


def learned(profile: Profile) -> Learned:
    """Return what was learned, in words."""
    words = [_word(each) for each in profile.more.terms]
    both = {each.stem for each in profile.more.terms}
    unwanted = [each for each in profile.less.terms if each.stem not in both]
    return Learned(
        more=words[:WORDS_SHOWN],
        rest=words[WORDS_SHOWN:],
        less=", ".join(_word(each).word for each in unwanted[:WORDS_SHOWN]),
        put_in=_edited(profile, Edit.IN),
        left_out=_edited(profile, Edit.OUT),
        told=_told(profile),
    )


def own_copy(saved: Saved) -> Paper:
    """Return a reader's own copy as a paper, for a citation."""
    scheme, _, value = saved.key.partition(":")
    ids = {name: value if name == scheme else None for name in ("arxiv", "doi", "openreview")}
    links = {"arxiv": f"https://arxiv.org/abs/{value}", "doi": f"https://doi.org/{value}"}
    return Paper(
        id=0,
        key=saved.key,
        ids=Identifiers(**ids),
        title=saved.title,
        abstract=saved.abstract,
        abstract_kind=AbstractKind.AUTHORS,
        authors=saved.authors,
        author_count=len(saved.authors),
        published=saved.published,
        first_seen=saved.at,
        listed=saved.at.date(),
        first_listed=saved.at.date(),
        url=links.get(scheme, ""),
    )


def _told(profile: Profile) -> str:
    learned_from: Mapping[str, int] = {"you saved": profile.saved, "you want less of": profile.disliked}
    parts = [f"{wording.counted(papers, 'paper')} that {said}" for said, papers in learned_from.items() if papers]
    told = [f"Learned from {' and '.join(parts)}." if parts else "Nothing was learned yet."]
    told += ["What you changed last is not in it yet; it will be before your next letter."] if profile.is_stale else []
    return " ".join(told)


def _word(term: Term) -> Word:
    return Word(term.stem, wording.cut(clean(term.word), _LONGEST_WORD))


def _edited(profile: Profile, edit: Edit) -> Sequence[Word]:
    found = [
        Word(stem, wording.cut(clean(each.word), _LONGEST_WORD))
        for stem, each in profile.edits.items()
        if each.edit is edit
    ]
    return sorted(found, key=lambda each: each.word.casefold())


def _joined(parts: Sequence[str]) -> str:
    return " · ".join(part for part in parts if part)
