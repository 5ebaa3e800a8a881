"""Words to consider beside a topic's own: those that its papers have far more often than others.

    the papers found → their words → weighed against some papers of the whole archive, which tells what everyone writes
        → the few that stand out, weighed against the archive's census → the words as most papers write them

A word's weight is how unlikely it is that so many of the papers have it when they write as others do (the likelihood
ratio of Dunning, 1993, for rare events), and what chance alone might bring is passed over. Counting a common word in
the whole archive is what costs, so the census is asked for those alone that stand out.

Parts of longer words are no words: “fine” of “fine-tuning”, “frac” of TeX, “github” of a link.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from domain.papers import Paper
from domain.topics import Census, Node, Prefix, leaves, words_of
from topics.grammar import DASHES
from topics.ranking import FUNCTION_WORDS
from topics.stems import Stemmer

_LEAST = 2  # papers that must have a word
_SHARE = 0.05  # of the papers
_WEIGHED = 24  # stems that the archive is asked for
_TELLING = 10.83  # chance brings as much once in a thousand words (χ² with one degree of freedom)
_ROOT = 4  # letters: a stem of so many that begins another is of the same family
_DASHES = re.escape(DASHES)
_WORD = re.compile(rf"(?<![\w\\/.@{_DASHES}])[^\W\d_]{{3,}}(?![\w\\{_DASHES}]|[./:@]\w|://|['’]t\b)")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A word that papers of a topic have."""

    word: str  #: as it stands in most of them, lower case
    papers: int  #: how many have it or another form of its stem, not as a part of a longer word


@dataclass(frozen=True, slots=True)
class Usage:
    """What is written in some papers."""

    papers: int
    words: Mapping[str, Neighbour]  #: by stem


def usage(papers: Iterable[Paper]) -> Usage:
    """Return in how many papers each word of at least three letters stands, whatever its form."""
    written = [set(_words(paper)) for paper in papers]
    with Stemmer() as stemmer:
        stems = stemmer.stems(word for words in written for word in words)
    forms = Counter(word for words in written for word in words)
    having = Counter(stem for words in written for stem in {stems[word] for word in words if word in stems})
    best: dict[str, str] = {}
    for word, _ in sorted(forms.items(), key=lambda each: (-each[1], each[0])):
        if word in stems:
            best.setdefault(stems[word], word)
    return Usage(len(written), {stem: Neighbour(word, having[stem]) for stem, word in best.items()})


def neighbours(
    papers: Sequence[Paper],
    tree: Node,
    usual: Usage,
    census: Callable[[Collection[str]], Census],
    most: int,
) -> list[Neighbour]:
    """Return up to `most` words that papers of a topic share and its tree does not name, the most telling first.

    `usual` is the usage of papers drawn from the whole archive.
    """
    here = usage(papers)
    least = max(_LEAST, math.ceil(here.papers * _SHARE))
    is_named = _named(tree)
    weights = {
        stem: _weight(each.papers, here.papers, usual.words[stem].papers if stem in usual.words else 0, usual.papers)
        for stem, each in here.words.items()
        if each.papers >= least and each.word not in FUNCTION_WORDS and not is_named(stem, each.word)
    }
    outstanding = _heaviest(weights, _WEIGHED)
    if not outstanding:
        return []
    archive = census(outstanding)
    weights = {
        stem: _weight(here.words[stem].papers, here.papers, archive.having.get(stem, 0), archive.papers)
        for stem in outstanding
    }
    return [here.words[stem] for stem in _heaviest(weights, most)]


def _words(paper: Paper) -> Iterator[str]:
    for text in (paper.title, paper.abstract):
        yield from _WORD.findall(normalize("NFC", text).lower())


def _named(tree: Node) -> Callable[[str, str], bool]:
    """Return whether the tree names a stem or a word of its family, be it to exclude it."""
    asked = list(leaves(tree))
    with Stemmer() as stemmer:
        stems = set(stemmer.stems(word for leaf in asked for word in words_of(leaf)).values())
    beginnings = tuple(leaf.text for leaf in asked if isinstance(leaf, Prefix))

    def is_named(stem: str, word: str) -> bool:
        return stem in stems or word.startswith(beginnings) or any(_are_kin(stem, other) for other in stems)

    return is_named


def _are_kin(one: str, other: str) -> bool:
    return min(len(one), len(other)) >= _ROOT and (one.startswith(other) or other.startswith(one))


def _weight(having: int, papers: int, elsewhere: int, others: int) -> float:
    """Return the likelihood ratio of a word that papers have more often than others do; 0 where chance may bring it."""
    expected = papers * (elsewhere + 1) / (others + 1)
    weight = 2 * (having * math.log(having / expected) - (having - expected))
    return weight if having > expected and weight > _TELLING else 0.0


def _heaviest(weights: Mapping[str, float], most: int) -> list[str]:
    telling = (stem for stem, weight in weights.items() if weight > 0)
    return sorted(telling, key=lambda stem: (-weights[stem], stem))[:most]
