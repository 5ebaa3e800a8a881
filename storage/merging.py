"""Pure decisions about a listed paper and the archive: which known paper it is, and what that one learns.

The archive asks for the known records that could be the same work, by strong id and by title key, and hands them in;
nothing here touches the database.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.identity import Verdict, title_hash, title_key, verdict
from domain.papers import AbstractKind, Identifiers, ListedPaper


@dataclass(slots=True)
class Known:
    """A paper of the archive, as far as a decision needs it."""

    id: int
    key: str
    ids: Identifiers
    columns: dict[str, Any]  #: the row's values by column name


def find(listed: ListedPaper, by_id: Mapping[tuple[str, str], Known], by_title: Sequence[Known]) -> Known | None:
    """Return the known paper that a listed one is, by a shared strong id first, then by title; None for a new one."""
    for pair in listed.ids.pairs():
        if pair in by_id:
            return by_id[pair]
    # Of several that are the same by what they say, the one that an imported record calls by its key.
    for known in sorted(by_title, key=lambda each: each.key != listed.key):
        if _same_work(listed, known):
            return known
    return None


def _same_work(listed: ListedPaper, known: Known) -> bool:
    authors: list[str] = known.columns["authors"]
    if not listed.ids.pairs() and not known.ids.pairs() and _says_the_same(listed, known):
        return True
    return (
        verdict(
            listed.ids,
            known.ids,
            titles=(listed.title, known.columns["title"]),
            abstracts=(_own_abstract(listed.abstract, listed.abstract_kind), known.columns["abstract"]),
            first_authors=(listed.authors[0] if listed.authors else "", authors[0] if authors else ""),
        )
        is Verdict.SAME
    )


def _says_the_same(listed: ListedPaper, known: Known) -> bool:
    """Two records without an id that say the very same are one, however short their title."""
    said = (listed.title, listed.abstract, list(listed.authors))
    return said == (known.columns["title"], known.columns["abstract"], known.columns["authors"])


def _own_abstract(abstract: str, kind: AbstractKind) -> str:
    """A machine's summary says nothing about whether two abstracts agree."""
    return abstract if kind is AbstractKind.AUTHORS else ""


def key_for(listed: ListedPaper, is_taken: Callable[[str], bool]) -> str:
    """Return the paper key of a new paper: its own where it brings a free one, else its strongest id, else its title's.

    The last is a hash, salted while another paper has it.
    """
    if listed.key and not is_taken(listed.key):
        return listed.key
    strongest = listed.ids.strongest
    if strongest:
        return strongest
    names = title_key(listed.title)
    salt = 0
    while is_taken(key := f"title:{title_hash(names, f' {salt}' if salt else '')}"):
        salt += 1
    return key


def learned(known: Mapping[str, Any], listed: ListedPaper) -> dict[str, Any]:
    """Return the columns that change when a known paper is listed again, votes and days apart.

    A text that is there stays; what is missing is filled in, and the authors' own abstract replaces a summary. The
    version is the newest that any listing named.
    """
    changes: dict[str, Any] = {}
    for name in ("url", "pdf_url", "code_url", "project_url", "organization", "published"):
        offered = getattr(listed, name)
        if offered and not known[name]:
            changes[name] = offered
    better = listed.abstract_kind is AbstractKind.AUTHORS and known["abstract_kind"] != AbstractKind.AUTHORS
    if listed.abstract and (better or not known["abstract"]):
        changes["abstract"], changes["abstract_kind"] = listed.abstract, listed.abstract_kind.value
    if listed.authors and not known["authors"]:
        changes["authors"] = list(listed.authors)
    if listed.author_count > known["author_count"]:
        changes["author_count"] = listed.author_count
    categories = [*known["categories"], *(each for each in listed.categories if each not in known["categories"])]
    if categories != known["categories"]:
        changes["categories"] = categories
    if _newer(listed, known):
        changes["version"] = listed.version
    withdrawn = _is_withdrawn(known, listed)
    if withdrawn != known["withdrawn"]:
        changes["withdrawn"] = withdrawn
    return changes


def _newer(listed: ListedPaper, known: Mapping[str, Any]) -> bool:
    return listed.version is not None and (known["version"] is None or listed.version > known["version"])


def _is_withdrawn(known: Mapping[str, Any], listed: ListedPaper) -> bool:
    """Whether a paper is withdrawn as its newest version says: a newer one that is not brings it back.

    Of one version a withdrawal stands, whoever tells it and in whatever order, and so it does where either side does
    not name its version. What is said of an older version says nothing.
    """
    versions = known["version"], listed.version
    if None in versions or versions[0] == versions[1]:
        return listed.withdrawn or bool(known["withdrawn"])
    return listed.withdrawn if _newer(listed, known) else bool(known["withdrawn"])


def ids_learned(known: Identifiers, listed: Identifiers) -> tuple[tuple[str, str], ...]:
    """Return the (scheme, value) pairs that a known paper did not have."""
    schemes = dict(known.pairs())
    return tuple((scheme, value) for scheme, value in listed.pairs() if scheme not in schemes)
