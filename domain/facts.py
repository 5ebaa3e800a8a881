"""What a topic may ask of a paper beside its words, decided by comparing names; authors are compared in authors.py."""

from domain.authors import likeness
from domain.papers import Paper
from domain.topics import Author, Category, Fact, Source, Votes


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


def has(paper: Paper, fact: Fact) -> bool:
    """Whether a topic's fact is true of a paper."""
    match fact:
        case Author(names):
            return any(likeness(names, listed) for listed in paper.authors)
        case Category(name):
            return any(is_in_category(name, category) for category in paper.categories)
        case Source(name):
            return any(is_source(name, source) for source in paper.sources)
        case Votes(least):
            return (paper.upvotes or 0) >= least
