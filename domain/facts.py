"""What is known of a paper beside its words, as a topic asks for it: categories and sources.

Both are compared without regard to capitals. The archive files papers by the same rules (storage/words/categories.py).
"""

import re
from collections.abc import Iterable

from domain.authors import likeness
from domain.papers import Paper
from domain.topics import Author, Category, Fact, Source, Votes

_OF_AN_ARCHIVE = re.compile(r"([a-z]+(?:-[a-z]+)*)\.[a-z]+(?:-[a-z]+)*")


def filed_under(category: str) -> frozenset[str]:
    """Return the names that a category is found by: its own, and of one like cs.LG also its archive's, cs."""
    name = category.casefold()
    archive = _OF_AN_ARCHIVE.fullmatch(name)
    return frozenset({name, archive[1]} if archive else {name})


def is_source(asked: str, configured: str) -> bool:
    """Whether a source is meant by its name, or by what that begins with up to a sign: huggingface, arxiv."""
    name = configured.casefold()
    return name == asked or (name.startswith(asked) and not name[len(asked)].isalnum())


def has(paper: Paper, fact: Fact) -> bool:
    """Whether a topic's fact is true of a paper."""
    match fact:
        case Author(names):
            return any(likeness(names, listed) for listed in paper.authors)
        case Category(name):
            return _is_filed(name, paper.categories)
        case Source(name):
            return any(is_source(name, configured) for configured in paper.sources)
        case Votes(least):
            return (paper.upvotes or 0) >= least


def _is_filed(name: str, categories: Iterable[str]) -> bool:
    return any(name in filed_under(each) for each in categories)
