"""What a topic may ask of a paper beside its words, decided by comparing names; authors are compared in authors.py."""

from dataclasses import dataclass

from domain.authors import Likeness, likeness
from domain.papers import Paper
from domain.topics import Author, Category, Fact, Source, Votes


@dataclass(frozen=True, slots=True)
class Proof:
    """What of a paper makes a fact true."""

    text: str  #: as stored: the author, category or source; the number of votes
    likeness: Likeness = Likeness.SURE  #: of an author, how far the names agree; never NONE


def is_in_category(asked: str, category: str) -> bool:
    """Whether a paper's category is the one asked for (lower case), or one inside it, as cs.CL is inside cs."""
    category = category.lower()
    return category == asked or category.startswith(f"{asked}.")


def is_source(asked: str, source: str) -> bool:
    """Whether a configured source's name is the one asked for (lower case), or begins so up to a sign.

    `huggingface` is huggingface-daily, and `arxiv` is arxiv:cs.CL; `hugging` is neither.
    """
    source = source.lower()
    return source == asked or (source.startswith(asked) and not source[len(asked)].isalnum())


def proof(paper: Paper, fact: Fact) -> Proof | None:
    """Return what of a paper makes a topic's fact true, of authors the one most alike; None where it is not true."""
    match fact:
        case Author(names):
            return _author(paper, names)
        case Category(name):
            found = (category for category in paper.categories if is_in_category(name, category))
        case Source(name):
            found = (source for source in paper.sources if is_source(name, source))
        case Votes(least):  # where no source counts votes, a paper has not even none
            found = (str(votes) for votes in (paper.upvotes,) if votes is not None and votes >= least)
    text = next(found, None)
    return None if text is None else Proof(text)


def has(paper: Paper, fact: Fact) -> bool:
    """Whether a topic's fact is true of a paper."""
    return proof(paper, fact) is not None


def _author(paper: Paper, names: tuple[str, ...]) -> Proof | None:
    most, author = Likeness.NONE, ""
    for listed in paper.authors:
        alike = likeness(names, listed)
        if alike > most:
            most, author = alike, listed
    return Proof(author, most) if most else None
