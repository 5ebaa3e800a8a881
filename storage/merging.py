"""Pure decisions about a listed paper and the archive: which known papers it is, and what they learn.

The archive hands in the known records that could be the same work; nothing here touches the database.
What sources say in words is decided in wording.py.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, count
from typing import Any

from domain.identity import Fingerprint, Verdict, clashing, contradicting, fingerprint_of, verdict
from domain.papers import Announcement, Identifiers, ListedPaper, Listing
from domain.titles import title_hash
from storage.lookup import Known
from storage.wording import Speaker, said_by_all

_FILLED = ("url", "pdf_url", "code_url", "project_url", "organization", "published")
_REPLACEMENTS = (Announcement.REPLACE, Announcement.REPLACE_CROSS)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the archive has of a listed paper."""

    same: tuple[Known, ...]  #: that are this work, the oldest first; several are to be joined
    kin: tuple[Known, ...]  #: that may be


def owners(listed: ListedPaper, found: Iterable[Known]) -> Verdicts:
    """Return which of the papers that share a strong id with a listed one are this work: that nothing contradicts.

    Several are, where nothing contradicts that they are one another; an arXiv id is believed before any other.
    """
    same: list[Known] = []
    kin: list[Known] = []
    arxiv = listed.ids.arxiv
    for known in sorted(
        {each.id: each for each in found}.values(), key=lambda each: (each.ids.arxiv != arxiv, each.id)
    ):
        if _may_be(listed, known) and not any(_excludes(known, each) for each in same):
            same.append(known)
        elif not clashing(listed.ids, known.ids):
            kin.append(known)
    return Verdicts(same=tuple(sorted(same, key=lambda known: known.id)), kin=tuple(kin))


def _excludes(one: Known, other: Known) -> bool:
    return clashing(one.ids, other.ids) or contradicting(one.fingerprint(), other.fingerprint())


def _may_be(listed: ListedPaper, known: Known) -> bool:
    if clashing(listed.ids, known.ids):
        return False
    by_arxiv = listed.ids.arxiv is not None and listed.ids.arxiv == known.ids.arxiv
    if by_arxiv or listed.title == known.columns["title"]:
        return True
    return not contradicting(fingerprint_of(listed), known.fingerprint())


def judged(listed: Fingerprint, named: Verdicts, alike: Sequence[Known]) -> Verdicts:
    """Return which of the papers alike a listed one is, beside those that its ids name.

    What the words find is joined with what the ids name only where the two agree with one another; where the words find
    papers that exclude one another, it is none of them.
    """
    told = {known.id: verdict(listed, known.fingerprint()) for known in alike}
    others = [known for known in alike if known not in named.same]
    found = [known for known in others if told[known.id] is Verdict.SAME]
    agreed = all(
        verdict(one.fingerprint(), other.fingerprint()) is Verdict.SAME
        for place, one in enumerate(found)
        for other in (*named.same, *found[:place])
    )
    same = [*named.same, *(found if agreed else ())]
    kin = [known for known in others if known not in same and told[known.id] is not Verdict.DIFFERENT]
    return Verdicts(same=tuple(sorted(same, key=lambda known: known.id)), kin=(*named.kin, *kin))


def may_be_kin(one: Known, other: Known) -> bool:
    """Whether two papers, as they are now, may still be one work."""
    return one.id != other.id and not clashing(one.ids, other.ids)


def keys_for(listed: ListedPaper, free: Identifiers, title: str) -> Iterator[str]:
    """Give the keys that a new paper may have, the best first: that of its strongest id, else of its title.

    `free` are its ids that no other paper has, `title` is its title key. Where another paper has the title's hash, what
    the record says beside it tells the two apart. A key that the record brings is believed where it is that of one of
    these ids, or a title's.
    """
    mine = {f"{scheme}:{value}" for scheme, value in free.pairs()}
    if listed.key in mine or (not mine and is_title_key(listed.key)):
        yield listed.key
    if free.strongest:
        yield free.strongest
    said = "\0".join((listed.title, *listed.authors, listed.abstract))
    for salt in chain(("", said), (f"{said}\0{number}" for number in count(1))):
        yield f"title:{title_hash(title, salt)}"


def is_title_key(key: str) -> bool:
    """Whether a key is that of a title: `title:` and 16 hexadecimal digits."""
    scheme, _, value = key.partition(":")
    return scheme == "title" and len(value) == 16 and set(value) <= set("0123456789abcdef")


def new_row(listing: Listing, paper: ListedPaper, now: datetime, speaker: Speaker) -> dict[str, Any]:
    """Return the columns of a paper never seen before, without its number and key."""
    return {
        "title": paper.title,
        "abstract": paper.abstract,
        "abstract_kind": paper.abstract_kind.value,
        "authors": list(paper.authors),
        "author_count": max(paper.author_count, len(paper.authors)),
        "published": paper.published,
        "first_seen": paper.first_seen or now,
        "first_listed": paper.first_listed or paper.day or listing.day,
        "listed": paper.day or listing.day,
        "url": paper.url,
        "pdf_url": paper.pdf_url,
        "code_url": paper.code_url,
        "project_url": paper.project_url,
        "organization": paper.organization,
        "categories": list(paper.categories),
        "sources": list(paper.sources or (listing.source,)),
        "upvotes": paper.upvotes,
        "comments": paper.comments,
        "backlog": listing.backlog,
        "withdrawn": paper.withdrawn,
        "version": paper.version,
        "said_by": said_by_all(speaker),
    }


def learned(known: Mapping[str, Any], listed: ListedPaper) -> dict[str, Any]:
    """Return the columns that change when a known paper is listed again, words, votes and days apart.

    What is there stays; what is missing is filled in. The version is the newest that any listing named.
    """
    changes: dict[str, Any] = {}
    for name in _FILLED:
        offered = getattr(listed, name)
        if offered and not known[name]:
            changes[name] = offered
    authors = max(listed.author_count, len(listed.authors))
    if authors > known["author_count"]:
        changes["author_count"] = authors
    categories = [*known["categories"], *(each for each in listed.categories if each not in known["categories"])]
    if categories != known["categories"]:
        changes["categories"] = categories
    if _newer(listed.version, known):
        changes["version"] = listed.version
    withdrawn = _is_withdrawn(known, listed.version, withdrawn=listed.withdrawn)
    if withdrawn != known["withdrawn"]:
        changes["withdrawn"] = withdrawn
    return changes


def seen_again(columns: Mapping[str, Any], listing: Listing, paper: ListedPaper) -> dict[str, Any]:
    """Return what another sighting alone changes: votes by the newest day, the days, the sources.

    Who only tells more of a paper does not make it listed anew: an old paper's new version is no paper of today.
    """
    if paper.only_if_known:
        return {}
    day = paper.day or listing.day
    changes: dict[str, Any] = {
        "listed": max(day, columns["listed"]),
        "first_listed": min(paper.first_listed or day, columns["first_listed"]),
    }
    if day >= columns["listed"]:
        votes = {"upvotes": paper.upvotes, "comments": paper.comments}
        changes |= {name: value for name, value in votes.items() if value is not None}
    changes["sources"] = list(dict.fromkeys([*columns["sources"], *(paper.sources or (listing.source,))]))
    return changes


def inherited(heir: Mapping[str, Any], gone: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that change when another record turns out to be the same paper, words apart."""
    changes: dict[str, Any] = {name: gone[name] for name in _FILLED if gone[name] and not heir[name]}
    both = {
        "author_count": max(heir["author_count"], gone["author_count"]),
        "first_seen": min(heir["first_seen"], gone["first_seen"]),
        "first_listed": min(heir["first_listed"], gone["first_listed"]),
        "listed": max(heir["listed"], gone["listed"]),
        "backlog": heir["backlog"] and gone["backlog"],
        "withdrawn": _is_withdrawn(heir, gone["version"], withdrawn=gone["withdrawn"]),
    }
    for name in ("categories", "sources"):
        both[name] = list(dict.fromkeys([*heir[name], *gone[name]]))
    newest, older = (gone, heir) if gone["listed"] > heir["listed"] else (heir, gone)
    for name in ("upvotes", "comments"):
        both[name] = older[name] if newest[name] is None else newest[name]
    versions = [each["version"] for each in (heir, gone) if each["version"] is not None]
    both["version"] = max(versions, default=None)
    changes |= {name: value for name, value in both.items() if value != heir[name]}
    return changes


def events_of(
    known: Mapping[str, Any], changes: Mapping[str, Any], announcement: Announcement | None, day: date
) -> list[tuple[str, str]]:
    """Return (kind, note) of what the changes mean: a new version, a withdrawal, that one was taken back, or code."""
    version = changes.get("version", known["version"])
    note = f"v{version}" if version else day.isoformat()
    told = []
    if "version" in changes and (known["version"] or announcement in _REPLACEMENTS):
        told.append(("version", note))
    if "withdrawn" in changes:
        told.append(("withdrawn" if changes["withdrawn"] else "returned", note))
    if "code_url" in changes:
        told.append(("code", changes["code_url"]))
    return told


def _newer(version: int | None, known: Mapping[str, Any]) -> bool:
    return version is not None and (known["version"] is None or version > known["version"])


def _is_withdrawn(known: Mapping[str, Any], version: int | None, *, withdrawn: bool) -> bool:
    """Whether a paper is withdrawn as its newest version says: a newer one that is not brings it back.

    Of one version a withdrawal stands, whoever tells it and in whatever order, and so it does where either side does
    not name its version. What is said of an older version says nothing.
    """
    versions = known["version"], version
    if None in versions or versions[0] == versions[1]:
        return withdrawn or bool(known["withdrawn"])
    return withdrawn if _newer(version, known) else bool(known["withdrawn"])


def ids_learned(known: Identifiers, listed: Identifiers) -> tuple[tuple[str, str], ...]:
    """Return the (scheme, value) pairs that a known paper does not show yet; a second DOI is one."""
    mine = set(known.pairs())
    return tuple(pair for pair in listed.pairs() if pair not in mine)


def seen_by_topics(before: Mapping[str, Any], changes: Mapping[str, Any]) -> list[str]:
    """Return by what a changed paper may answer other topics than before."""
    told = {
        "words": bool(changes.keys() & {"title", "abstract", "authors"}),
        "filed": any(changes.get(name, before[name]) != before[name] for name in ("categories", "sources")),
        "votes": changes.get("upvotes", before["upvotes"]) != before["upvotes"],
    }
    return [what for what, is_so in told.items() if is_so]
