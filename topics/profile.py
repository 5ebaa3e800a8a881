"""What papers that a reader likes have in common, as a weighted query of few words (Rocchio's way).

    each paper → its stems, weighed as BM25 weighs them → to unit length → the mean of all that are liked
    → less a part of the mean of the others → the heaviest stems → what the reader put in or left out

A paper weighs as much as any other, however long it is, and a paper of the one kind takes from the other kind's words.
What BM25 makes of a stem is in topics/ranking.py, how rare it is is the whole archive's to tell, and topics/tastes.py
scores papers by what is learned here. docs/learning.md has the figures by which the numbers were chosen.

Pure: the same papers, edits and census give the same tastes.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from domain.errors import UsageError
from domain.fts5 import tokens
from domain.learning import Edit, Edited, Taste, Term
from domain.topics import Census
from topics.matching import CensusOf
from topics.ranking import FUNCTION_WORDS, TITLE, norm, rarity
from topics.stems import Stemmer

TERMS = 200  #: of a taste
LONGEST_WORD = 60  #: characters of one that a reader types
OTHER = 0.15  #: how much the mean of the other kind takes away (Rocchio's γ)
MORE_APART, LESS_APART = 7.0, 10.0  #: standard deviations above the usual paper from which one is like them
_HALF = 0.5  # of what a paper scores that has every word once: never more is asked
_SIGNS = frozenset("-*:")  # NOT, any ending, a field
_SHORTEST = 2  # characters of a stem: a letter alone is a symbol


@dataclass(frozen=True, slots=True)
class Words:
    """A paper that is learned from."""

    number: int  #: the saved record's
    title: str
    abstract: str
    is_brought: bool = False  #: it came with a whole library, not by a press of its own


@dataclass(frozen=True, slots=True)
class _Read:
    """A paper as its stems."""

    number: int
    times: Mapping[str, int]  #: by stem; the title counts as ranking.py counts it
    length: int  #: words of title and abstract
    is_brought: bool


def learned(
    more: Sequence[Words], less: Sequence[Words], edits: Mapping[str, Edited], census_of: CensusOf
) -> tuple[Taste, Taste]:
    """Return what is wanted more of, and what less; `edits` are by stem and say nothing of what is wanted less.

    Of papers without words, and of none, nothing is learned.
    """
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    with Stemmer() as stemmer:
        liked = [_read(each, stemmer, forms) for each in more]
        disliked = [_read(each, stemmer, forms) for each in less]
    put_in = {stem: each.word for stem, each in edits.items() if each.edit is Edit.IN}
    left_out = {stem for stem, each in edits.items() if each.edit is Edit.OUT}
    census = census_of({stem for each in (*liked, *disliked) for stem in each.times} | put_in.keys())
    toward, away = _Mean(liked, census), _Mean(disliked, census)
    wanted = _typed(_heaviest(toward, away, left_out, forms), put_in)
    unwanted = _heaviest(away, toward, (), forms)
    return Taste(wanted), Taste(unwanted)


class _Mean:
    """The mean of papers of unit length; a library weighs as much as all that was said by hand, and no more."""

    def __init__(self, papers: Sequence[_Read], census: Census) -> None:
        self.weights: dict[str, float] = defaultdict(float)
        self._most: dict[str, tuple[float, int]] = {}
        sizes = Counter(paper.is_brought for paper in papers)
        for paper in papers:
            share = 1 / (len(sizes) * sizes[paper.is_brought])
            for stem, weight in _unit(paper, census).items():
                self.weights[stem] += weight * share
                # Of equals the one saved last, which is the one remembered best.
                self._most[stem] = max((weight, paper.number), self._most.get(stem, (0.0, 0)))

    def source(self, stem: str) -> int:
        """Return the number of the paper that gives most of a stem's weight."""
        return self._most[stem][1]


def typed_word(word: str) -> tuple[str, str]:
    """Return the stem of a word that a reader typed, and the word as those of a text are read, without what is around.

    Raises UsageError for what is no word, and for one that says nothing.
    """
    found = tokens(word)
    if len(found) != 1 or len(word) > LONGEST_WORD or not word.isprintable():
        shown = f"{word[:LONGEST_WORD]!r}{'…' if len(word) > LONGEST_WORD else ''}"
        raise UsageError(f"{shown} is not one word of at most {LONGEST_WORD} characters")
    if _SIGNS.intersection(word):
        raise UsageError(f"{word!r} has a sign that means something in a topic and nothing here: write the word alone")
    with Stemmer() as stemmer:
        stem = stemmer.stems(found).get(found[0], "")
    if len(stem) < _SHORTEST or not any(each.isalpha() for each in stem):
        raise UsageError(f"{word!r} is a number or a sign, and letters learn words alone")
    if found[0] in FUNCTION_WORDS:
        raise UsageError(f"{word!r} stands in every paper, and says nothing of one")
    return stem, found[0]


def _read(words: Words, stemmer: Stemmer, forms: Mapping[str, Counter[str]]) -> _Read:
    """Return a paper as its stems; which forms of each were written is counted in `forms`."""
    title, abstract = tokens(words.title), tokens(words.abstract)
    stems = stemmer.stems((*title, *abstract))
    times: Counter[str] = Counter()
    for text, weight in ((title, TITLE), (abstract, 1)):
        for word, written in Counter(text).items():
            stem = stems.get(word, "")
            if len(stem) >= _SHORTEST and word not in FUNCTION_WORDS and not stem.isdecimal():
                times[stem] += weight * written
                forms[stem][word] += weight * written
    length = len(title) + len(abstract)
    return _Read(number=words.number, times=times, length=length, is_brought=words.is_brought)


def _unit(paper: _Read, census: Census) -> dict[str, float]:
    """Return what BM25 makes of each stem, to unit length."""
    divisor = norm(paper.length, census)
    weights = {stem: rarity(stem, census) * times / (times + divisor) for stem, times in paper.times.items()}
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {stem: weight / length for stem, weight in weights.items()} if length else {}


def _heaviest(
    toward: _Mean, away: _Mean, left_out: Collection[str], forms: Mapping[str, Counter[str]]
) -> tuple[Term, ...]:
    """Return the heaviest terms, equals by stem, each in the form that was written most."""
    weights = (
        (weight - OTHER * away.weights.get(stem, 0.0), stem)
        for stem, weight in toward.weights.items()
        if stem not in left_out
    )
    best = sorted((-weight, stem) for weight, stem in weights if weight > 0)[:TERMS]
    return tuple(
        Term(stem=stem, word=_written(forms[stem]), weight=-below, saved=toward.source(stem)) for below, stem in best
    )


def _written(forms: Counter[str]) -> str:
    """Return the form that was written most, of equals the shorter, then by the alphabet."""
    return min(forms, key=lambda word: (-forms[word], len(word), word))


def _typed(terms: Sequence[Term], put_in: Mapping[str, str]) -> tuple[Term, ...]:
    """Return the terms with those that the reader typed, which are as heavy as the heaviest."""
    heaviest = terms[0].weight if terms else 1.0
    typed = [Term(stem=stem, word=word, weight=heaviest, saved=0) for stem, word in sorted(put_in.items())]
    return (*typed, *(each for each in terms if each.stem not in put_in))[: max(TERMS, len(typed))]


def least(taste: Taste, census: Census, apart: float) -> float:
    """Return the score that only a paper reaches which has far more of a taste's words than the usual one.

    `apart` is how far, in standard deviations, and `census` that of the archive as it is when papers are compared.
    How often a word stands in the archive's papers is known, so what a paper scores that has nothing to do with them
    is too: its words stand in it as often as in any, and apart from each other. In an archive of a few papers all words
    are frequent, so no more is asked than half of the words.
    """
    mean = variance = every = 0.0
    for term in taste.terms:
        share = min(1.0, census.having.get(term.stem, 0) / census.papers) if census.papers else 0.0
        score = term.weight * rarity(term.stem, census)
        every += score
        mean += share * score
        variance += share * (1 - share) * score * score
    return min(mean + apart * math.sqrt(variance), _HALF * every) if variance else _HALF * every
