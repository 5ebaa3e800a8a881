"""A paper as its block on a page: what a letter shows of it, and the address of its page here."""

from collections.abc import Mapping
from dataclasses import dataclass

from digests.views import PaperView, view
from domain.issues import Entry
from domain.papers import Paper
from domain.topics import Why
from web.addresses import paper_path


@dataclass(frozen=True, slots=True)
class Block:
    """What the macro `block` of paper.html takes."""

    paper: PaperView
    address: str


class Blocks:
    """Makes them for one site; `labels` is source name → what readers call it."""

    def __init__(self, labels: Mapping[str, str], abstract_chars: int, prefix: str) -> None:
        self._labels = labels
        self._abstract_chars = abstract_chars
        self._prefix = prefix

    def block(self, paper: Paper, year: int, why: Why | None = None) -> Block:
        """Return a paper's block; `year` is the one that dates leave out."""
        entry = Entry(paper, 0, why or Why(line=""))
        shown = view(entry, year=year, abstract_chars=self._abstract_chars, labels=self._labels)
        return Block(shown, f"{self._prefix}{paper_path(paper.key)}")
