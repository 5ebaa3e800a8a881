"""Feedback: what is learned from a few saved papers, on labelled tasks, beside a linear SVM on TF-IDF.

k of a task's relevant papers are drawn and saved, all others of the task are ranked, and nDCG@10 (relevant or not) is
told: the mean over draws and tasks, of each folder's set and of all sets. Ours is what the product does
(topics/profile.py, topics/tastes.py), with the census of the set. The reference is that of arxiv-sanity-lite: TF-IDF of
words and pairs (sublinear, 20,000 features, English stop words) and scikit-learn's LinearSVC (C = 0.01, balanced
classes), the saved papers against all others. What it costs is CPU time for one profile and the papers of a set,
without what is done once for the set (the index and its words, the TF-IDF): ours is learned when something is saved, so
that is told apart below, while the machine is trained anew whenever there are other papers.

With `--model DIR` a mix is told too: half ours and half the mean cosine to the saved papers, each from least to most,
over the papers that have a word of the profile; `--cache DIR` keeps what the model makes of the papers. Letters do not
use it.

Then 10,000 profiles × 2,000 papers: profiles learned of five real records (benchmarks/corpus.py), so many different
ones as are told, used again until they are 10,000. The loop beside it looks up each word of a profile in each paper, is
measured on a few profiles, and multiplied.

Options: `--data DIR` (the shared collections), see screening.py; `--draws N` (2), `--tasks N` (20) at most of a set,
drawn too; `--profiles N` (1,000 different ones); `--model DIR`.
"""

from __future__ import annotations

import math
import random
import time
from argparse import ArgumentParser
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from benchmarks.corpus import records
from benchmarks.figures import Figure, cpu_seconds
from benchmarks.meaning import Reading, reading_of, vectors_of
from benchmarks.relevance import DATA, measures, paper
from benchmarks.screening import Tasks, tasks
from domain.learning import Taste
from domain.topics import Census
from topics.matching import Batch, CensusOf
from topics.mixing import mixed
from topics.profile import MORE_APART, Words, learned, least
from topics.ranking import Scores
from topics.tastes import Likeness

SAVED = (1, 5, 10)
OURS, SVM, MIX = "ours", "svm", "mix"
_NAMES = {SVM: "linear SVM on TF-IDF", OURS: "without embeddings"}
_LEAST = max(SAVED) + 5  # relevant papers of a task
_READERS, _PAPERS, _OF_EACH = 10_000, 2_000, 5
_LOOPED = 20  # profiles on which the loop is run

#: Places of saved papers → the score of each paper of the set, and the CPU seconds that it took.
Ranker = Callable[[Sequence[int]], tuple[Sequence[float], float]]


@dataclass(frozen=True, slots=True)
class Measured(Figure):
    """A measure of one set, or of the mean of all."""

    collection: str = ""
    measure: str = ""
    ranker: str = ""
    beside: str = ""  #: the ranker that is the reference


@dataclass
class _Tally:
    """What a ranker reached, and took."""

    reached: dict[int, list[float]]
    seconds: float = 0.0
    thousands: float = 0.0  #: of papers that were ranked, for each profile


def run(options: list[str]) -> list[Figure]:
    """Measure what the options name. Raises UsageError where it is not there."""
    arguments = ArgumentParser(prog="feedback", description=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA, help="a folder of collections, or of files of records")
    arguments.add_argument("--draws", type=int, default=2, help="times that papers are drawn for each task and k")
    arguments.add_argument("--tasks", type=int, default=20, help="tasks of a set")
    arguments.add_argument("--profiles", type=int, default=1000, help="different profiles of the 10,000")
    arguments.add_argument("--model", type=Path, help="a folder with a sentence model")
    arguments.add_argument("--cache", type=Path, help="a folder for what the model makes of the papers")
    given = arguments.parse_args(options)
    reading = reading_of(given.model) if given.model else None
    found: dict[str, dict[str, _Tally]] = {}
    with Progress(console=Console(stderr=True)) as progress:
        for each in tasks(given.data, _LEAST):
            vectors = None if reading is None else _read(each, reading, given.cache, progress)
            mixing = None if reading is None or vectors is None else _Mixing(vectors, reading.cosines)
            found[each.name] = _measured(each, max(1, given.draws), max(1, given.tasks), progress, mixing)
    return [*_figures(found), *_scale(max(1, min(given.profiles, _READERS)))]


def as_json(figures: Sequence[Figure]) -> dict[str, object]:
    """Return the same figures by set, ranker and measure."""
    sets: dict[str, dict[str, dict[str, float]]] = {}
    for each in figures:
        if isinstance(each, Measured):
            sets.setdefault(each.collection, {}).setdefault(each.ranker, {})[each.measure] = each.value
            if each.reference is not None:
                sets[each.collection].setdefault(each.beside, {})[each.measure] = each.reference
    return {"feedback_sets": sets}


def _read(of: Tasks, reading: Reading, cache: Path | None, progress: Progress) -> list[bytes]:
    bar = progress.add_task(f"{of.name}, meaning", total=len(of.papers))
    texts = [reading.text_of(*words) for words in of.papers]
    return vectors_of(of.name, texts, reading, cache, lambda done: progress.advance(bar, done))[0]


def _measured(of: Tasks, draws: int, most: int, progress: Progress, mixing: _Mixing | None) -> dict[str, _Tally]:
    """Return what each ranker makes of the tasks of one set; the mix where it was read for its meaning."""
    chance = random.Random(of.name)  # noqa: S311 the same draws at every run
    asked = sorted(chance.sample(sorted(of.relevant), min(most, len(of.relevant))))
    bar = progress.add_task(of.name, total=len(asked) * len(SAVED) * draws)
    tallies: dict[str, _Tally] = {}
    papers = [paper(place, title, abstract) for place, (title, abstract) in enumerate(of.papers)]
    with Batch(papers) as batch:
        rankers = {OURS: _ours(of, batch), SVM: _svm(of)}
        if mixing is not None:
            rankers[MIX] = mixing.over(rankers[OURS])
        for task in asked:
            for saved in SAVED:
                for _ in range(draws):
                    drawn = sorted(chance.sample(of.relevant[task], saved))
                    wanted = set(of.relevant[task]).difference(drawn)
                    for name, ranker in rankers.items():
                        tally = tallies.setdefault(name, _Tally({each: [] for each in SAVED}))
                        scores, seconds = ranker(drawn)
                        tally.seconds += seconds
                        tally.thousands += len(papers) / 1000
                        tally.reached[saved].append(ndcg(scores, drawn, wanted))
                    progress.advance(bar)
    return tallies


def ndcg(scores: Sequence[float], saved: Collection[int], wanted: Collection[int]) -> float:
    """Return nDCG@10 of the papers by score, equals by place, without those that were saved."""
    apart = set(saved)
    order = sorted((-score, place) for place, score in enumerate(scores) if place not in apart)[:10]
    reached, _, _ = measures([str(place) for _, place in order], {str(place): 1.0 for place in wanted})
    return reached


def _ours(of: Tasks, batch: Batch) -> Ranker:
    census_of = _census_of(batch)
    likeness = Likeness(batch, census_of)

    def rank(saved: Sequence[int]) -> tuple[Sequence[float], float]:
        more, _ = learned([Words(place, *of.papers[place]) for place in saved], [], {}, census_of)
        likeness.ready([more])
        enough = _enough(more, census_of)
        seconds = cpu_seconds(lambda: likeness.like(more, enough), repeat=1)
        scores = [0.0] * len(of.papers)
        for score, place in likeness.like(more, 0.0):
            scores[place] = score
        return scores, seconds

    return rank


@dataclass(frozen=True, slots=True)
class _Mixing:
    """The mix with the meaning of what was saved."""

    vectors: Sequence[bytes]  #: of each paper of the set
    cosines: Callable[[bytes, Sequence[bytes]], Sequence[float]]

    def over(self, ours: Ranker) -> Ranker:
        """Return what ranks by half ours and half the mean cosine to what was saved, of papers that ours finds."""

        def rank(saved: Sequence[int]) -> tuple[Sequence[float], float]:
            scores, seconds = ours(saved)
            began = time.process_time()
            found = [(place, score) for place, score in enumerate(scores) if score > 0]
            near = [self.cosines(self.vectors[each], [self.vectors[place] for place, _ in found]) for each in saved]
            means = {place: sum(each[at] for each in near) / len(near) for at, (place, _) in enumerate(found)}
            told = [0.0] * len(scores)
            for rank, (place, _) in enumerate(mixed(found, means)):
                told[place] = float(len(found) - rank)
            return told, seconds + time.process_time() - began

        return rank


def _svm(of: Tasks) -> Ranker:
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, ngram_range=(1, 2), max_features=20_000, stop_words="english", strip_accents="unicode"
    )
    matrix = vectorizer.fit_transform(f"{title} {abstract}" for title, abstract in of.papers)

    def rank(saved: Sequence[int]) -> tuple[Sequence[float], float]:
        labels = [0] * len(of.papers)
        for place in saved:
            labels[place] = 1
        began = time.process_time()
        machine = LinearSVC(class_weight="balanced", max_iter=10_000, tol=1e-6, C=0.01)
        scores = list(machine.fit(matrix, labels).decision_function(matrix))
        return scores, time.process_time() - began

    return rank


def _census_of(batch: Batch) -> CensusOf:
    """Return what an archive of these papers would say of stems."""
    read, lengths = batch.postings(), batch.lengths()
    known: dict[str, int] = {}

    def census(stems: Collection[str]) -> Census:
        known.update({stem: len(read(stem)) for stem in stems if stem not in known})
        having = {stem: known[stem] for stem in stems if known[stem]}
        return Census(len(lengths), sum(lengths) / max(1, len(lengths)), having)

    return census


def _figures(found: Mapping[str, Mapping[str, _Tally]]) -> Iterator[Figure]:
    means = {
        name: {
            ranker: {f"ndcg@10 k={saved}": _mean(values) for saved, values in tally.reached.items()}
            | {"ms": tally.seconds / tally.thousands * 1000}
            for ranker, tally in tallies.items()
        }
        for name, tallies in found.items()
    }
    first = next(iter(means.values()))
    means["mean"] = {
        ranker: {measure: _mean([each[ranker][measure] for each in means.values()]) for measure in of}
        for ranker, of in first.items()
    }
    for name, by_ranker in means.items():
        for ranker, beside in ((OURS, SVM), (MIX, OURS)):
            for measure, value in by_ranker.get(ranker, {}).items():
                what = f"{name}: {measure}" if measure != "ms" else f"{name}: 1,000 papers × profile"
                unit = "" if measure != "ms" else "ms"
                reference = by_ranker[beside][measure]
                yield Measured(what, value, unit, reference, _NAMES[beside], name, measure, ranker, beside)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _scale(different: int) -> Iterator[Figure]:
    """Yield what 10,000 profiles × 2,000 papers cost."""
    texts = [(each["title"], each["abstract"]) for each in records()]
    chance = random.Random(2026)  # noqa: S311 the same profiles at every run
    chance.shuffle(texts)
    old = texts[_PAPERS:]
    papers = [paper(place, title, abstract) for place, (title, abstract) in enumerate(texts)]
    with Batch(papers) as archive, Batch(papers[:_PAPERS]) as batch:
        census_of = _census_of(archive)
        drawn = [chance.sample(old, _OF_EACH) for _ in range(different)]
        began = time.process_time()
        profiles = [
            learned([Words(n, *words) for n, words in enumerate(saved)], [], {}, census_of)[0] for saved in drawn
        ]
        learning = (time.process_time() - began) / different * 1000
        once = cpu_seconds(lambda: Likeness(batch, census_of).ready(profiles), repeat=1)
        likeness = Likeness(batch, census_of)
        likeness.ready(profiles)
        measured = [(taste, _enough(taste, census_of)) for taste in profiles]
        asked = [measured[place % different] for place in range(_READERS)]
        scoring = cpu_seconds(lambda: [likeness.like(*each) for each in asked], repeat=1)
        stems = {term.stem for taste in profiles[:_LOOPED] for term in taste.terms}
        scores = Scores(batch.postings(), batch.lengths(), census_of(stems))
        looped = measured[:_LOOPED]
        assert [_loop(scores, *each, _PAPERS) for each in looped] == [
            [place for _, place in likeness.like(*each)] for each in looped
        ], "the loop finds others"
        loop = cpu_seconds(lambda: [_loop(scores, *each, _PAPERS) for each in looped], repeat=1)
    what = f"{_READERS:,} profiles × {_PAPERS:,} papers, {different:,} different ones"
    name = f"a loop over profiles, papers and words, measured on {len(looped)} and multiplied"
    yield Figure(what, once + scoring, "s", loop / len(looped) * _READERS, name)
    yield Figure(f"learning a profile of {_OF_EACH} papers", learning, "ms")


def _enough(taste: Taste, census_of: CensusOf) -> float:
    """Return the score from which a paper is like a taste."""
    return least(taste, census_of({term.stem for term in taste.terms}), MORE_APART)


def _loop(scores: Scores, taste: Taste, enough: float, papers: int) -> list[int]:
    """Return the places of the papers with at least a score, best first."""
    found = []
    for place in range(papers):
        score = 0.0
        for term in taste.terms:
            score += term.weight * scores.of(term.stem).get(place, 0.0)
        if score >= enough:
            found.append((-score, place))
    return [place for _, place in sorted(found)]
