"""The topic language as values: what a reader asks, and why a paper answers it.

`normal_form` is the one text that all equal queries share: it can be parsed again and gives the same tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Field(StrEnum):
    """Where a word can be asked to stand."""

    TITLE = "title"
    ABSTRACT = "abstract"


@dataclass(frozen=True, slots=True)
class Word:
    """One word, lower case, NFKC; matches by stem."""

    text: str
    field: Field | None = None  #: None: title or abstract


@dataclass(frozen=True, slots=True)
class Phrase:
    """At least two words in this order, side by side; each matches by stem."""

    words: tuple[str, ...]
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """Every word that begins so, as it is written and not by its stem; lower case, NFKC."""

    text: str
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """An author's name as `domain.authors` compares names: lower case, without accents, family name last."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Category:
    """A category such as cs.lg, or with cs every one of it; lower case."""

    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """A source's configured name, or what it begins with up to a sign, such as huggingface; lower case."""

    name: str


@dataclass(frozen=True, slots=True)
class Votes:
    """At least so many upvotes, by the newest figure."""

    least: int


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


#: What is looked for in the words of title and abstract.
Worded = Word | Phrase | Prefix
#: What is known of a paper beside its words.
Fact = Author | Category | Source | Votes
Leaf = Worded | Fact
Node = Leaf | And | Or | Not


def leaves(tree: Node) -> Iterator[Leaf]:
    """Yield every leaf of a tree, those excluded too, each as often as it stands there."""
    match tree:
        case Not(part):
            yield from leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield tree


def wanted(tree: Node, *, is_wanted: bool = True) -> Iterator[Leaf]:
    """Yield the leaves under an even number of exclusions."""
    match tree:
        case Not(part):
            yield from wanted(part, is_wanted=not is_wanted)
        case And(parts) | Or(parts):
            for part in parts:
                yield from wanted(part, is_wanted=is_wanted)
        case _:
            if is_wanted:
                yield tree


def words_of(leaf: Leaf) -> tuple[str, ...]:
    """Return the words that a leaf looks for by their stems, in its order; a prefix and a fact have none."""
    match leaf:
        case Word(text):
            return (text,)
        case Phrase(words):
            return words
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class Query:
    """A topic's query, read."""

    text: str  #: as typed
    tree: Node
    normal_form: str  #: the same for every equal query
    terms: tuple[str, ...]  #: what is wanted, in order, without what is excluded

    @property
    def is_plain(self) -> bool:
        """Whether it is words wanted together and nothing else: then related papers answer where few have them all."""
        parts = self.tree.parts if isinstance(self.tree, And) else (self.tree,)
        return all(isinstance(part, Word) and part.field is None for part in parts)

    def wants_related(self, choice: bool | None) -> bool:
        """Whether related papers may fill a reader's section: as the reader chose, else where the query is plain."""
        return self.is_plain if choice is None else choice


@dataclass(frozen=True, slots=True)
class Topic:
    """A saved query; equal queries of many readers are one topic."""

    id: int
    query: Query
    related: bool = False  #: whether a reader wants related papers where few match exactly


@dataclass(frozen=True, slots=True)
class WishedTopic:
    """A topic that a reader asks for."""

    name: str  #: what the reader calls it
    query: Query
    related: bool | None = None  #: whether related papers are wanted; None: where the query is plain


class Tier(IntEnum):
    """Why a paper is among a topic's matches."""

    EXACT = 1  # it answers the query
    RELATED = 2  # it has part of what is wanted
    LIKE_SAVED = 3  # it is like what the reader saved


#: Papers that answer a topic exactly: where there are fewer, related ones fill its section up to so many.
FEW = 3


@dataclass(frozen=True, slots=True)
class Match:
    """A paper that a topic selected."""

    topic_id: int
    paper_id: int
    score: float  #: BM25 over the whole archive; higher is better; comparable only within one topic
    tier: Tier = Tier.EXACT


@dataclass(frozen=True, slots=True)
class Selection:
    """What one topic selected among some papers: the best, and how many more there were."""

    topic_id: int
    matches: tuple[Match, ...]  #: exact ones before related ones, each best first
    beyond: int = 0  #: exact matches that are not among them


@dataclass(frozen=True, slots=True)
class Census:
    """What a score asks of the archive as a whole (BM25's collection statistics)."""

    papers: int
    average: float  #: words of a paper's title and abstract, on average
    having: Mapping[str, int]  #: stem as FTS5 cuts it → how many papers have it; a stem that none has is missing


@dataclass(frozen=True, slots=True)
class Why:
    """The reason a paper is in a letter, true of the stored text."""

    line: str  #: "both words, in title and abstract"; "" where nothing can be claimed
    #: The stored title's own words to be highlighted, such as "Sensitivities", longest first.
    title: tuple[str, ...] = ()
    abstract: tuple[str, ...] = ()  #: the stored abstract's: a word asked of the title alone is not among them
    quote: str = ""  #: a passage of the stored abstract with words that stand neither in title nor in its beginning


#: The line of a paper that has none of a topic's words and is near in meaning to what it asks.
NEAR_IN_MEANING = "near in meaning"


def together(whys: Iterable[Why]) -> Why:
    """Return one reason for a paper that several topics found: the first's line, all marks, the first quote."""
    each = tuple(whys)
    return Why(
        line=each[0].line if each else "",
        title=longest_first(mark for why in each for mark in why.title),
        abstract=longest_first(mark for why in each for mark in why.abstract),
        quote=next((why.quote for why in each if why.quote), ""),
    )


def longest_first(marks: Iterable[str]) -> tuple[str, ...]:
    """Return words to be marked, each once, in the order in which `Why` keeps them."""
    return tuple(sorted(dict.fromkeys(marks), key=len, reverse=True))
