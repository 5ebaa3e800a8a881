"""What to look for to find papers like one paper: the words that say most of what it is about.

    its words → their stems, weighed by how often it says them and how few papers of the archive do → the best few
        → one query with OR between them → of the papers found, those that share at least two of the words

A word that no other paper has leads nowhere, and one that very many have says little and takes long to look up; neither
is asked for.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from domain.fts5 import tokens
from domain.papers import Paper
from domain.topics import Census, Node, Or, Word
from topics.ranking import FUNCTION_WORDS, K1, rarity
from topics.stems import Stemmer

MOST = 8  #: words asked for
_LEAST = 2  # words that two papers must share to be alike
_SHORTEST = 3  # letters
_HAVING = 2  # papers: itself and another
_SHARE = 0.02  # of the archive that may have a word
_FEW = 50  # papers: in a small archive so many may have it, whatever their share
_TITLE = 2  # times that a word of the title counts
_ADDRESS = re.compile(r"https?://\S+|www\.\S+")
_LONGEST = 20_000  # characters of an abstract that are looked at


def telling(paper: Paper, census: Callable[[Collection[str]], Census]) -> tuple[str, ...]:
    """Return up to eight words of a paper, the most telling first; fewer than two where it has no such words."""
    times = Counter(_words(paper.title))
    times = Counter({word: _TITLE * number for word, number in times.items()})
    times.update(_words(paper.abstract[:_LONGEST]))
    with Stemmer() as stemmer:
        stems = stemmer.stems(times)
    said: Counter[str] = Counter()
    forms: dict[str, str] = {}
    for word, number in sorted(times.items(), key=lambda each: (-each[1], each[0])):
        if word in stems:
            said[stems[word]] += number
            forms.setdefault(stems[word], word)
    counts = census(list(said))
    most = max(_FEW, counts.papers * _SHARE)
    weights = {
        stem: rarity(stem, counts) * number / (number + K1)
        for stem, number in said.items()
        if _HAVING <= counts.having.get(stem, 0) <= most
    }
    best = sorted(weights, key=lambda stem: (-weights[stem], stem))[:MOST]
    return tuple(forms[stem] for stem in best)


def query_of(words: Collection[str]) -> Node | None:
    """Return the query for papers with any of these words; None where too few are known for two to be shared."""
    return Or(tuple(Word(word) for word in words)) if len(words) >= _LEAST else None


def alike(words: Collection[str], papers: Iterable[Paper]) -> Mapping[int, tuple[str, ...]]:
    """Return which of the words each paper shares, by its id; papers that share too few are missing."""
    texts = {paper.id: {*_words(paper.title), *_words(paper.abstract[:_LONGEST])} for paper in papers}
    with Stemmer() as stemmer:
        stems = stemmer.stems([*words, *(word for each in texts.values() for word in each)])
    having = {paper_id: {stems.get(word) for word in text} for paper_id, text in texts.items()}
    shared = {paper_id: tuple(word for word in words if stems[word] in there) for paper_id, there in having.items()}
    return {paper_id: there for paper_id, there in shared.items() if len(there) >= _LEAST}


def _words(text: str) -> Iterator[str]:
    for word in tokens(_ADDRESS.sub(" ", text)):
        if len(word) >= _SHORTEST and word not in FUNCTION_WORDS and any(sign.isalpha() for sign in word):
            yield word
