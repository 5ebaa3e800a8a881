"""The topic language as values: what a reader asks, and why a paper answers it.

`normal_form` is the one text that all equal queries share: it can be parsed again and gives the same tree.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One word, lower case, NFKC; matches by stem."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """At least two words in this order, side by side; each matches by stem."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All parts match."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part matches."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not match; stands only inside an And that also wants something."""

    part: Node


Node = Word | Phrase | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """A topic's query, read."""

    text: str  #: as typed
    tree: Node
    normal_form: str  #: the same for every equal query
    terms: tuple[str, ...]  #: the wanted words and phrases, in order, without those excluded


@dataclass(frozen=True, slots=True)
class Topic:
    """A saved query; equal queries of many readers are one topic."""

    id: int
    query: Query


@dataclass(frozen=True, slots=True)
class WishedTopic:
    """A topic that a reader asks for."""

    name: str  #: what the reader calls it
    query: Query


@dataclass(frozen=True, slots=True)
class Match:
    """A paper that a topic selected."""

    topic_id: int
    paper_id: int
    score: float  #: higher is better; comparable only within one topic
    tier: int = 1  #: 1 all terms · 2 related · 3 like what you saved


@dataclass(frozen=True, slots=True)
class Why:
    """The reason a paper is in a letter, true of the stored text."""

    line: str  #: "both words, in title and abstract"
    marks: tuple[str, ...]  #: the stored text's own words to be highlighted, such as "sensitivities"
