"""A collection read for its meaning, for `relevance --model`: vectors of its documents, kept in a file if one is named.

    documents as the product reads papers → one vector each → cosines with a query's words → the mix (topics/mixing.py)

The file's name holds a hash of the model and of every text, so it is read again only for the same of both.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.labelled import Collection
from domain.topics import Match, Query, Tier
from topics.meaning.embedder import text_of
from topics.meaning.onnx_model import load
from topics.meaning.vectors import cosines
from topics.mixing import asked, mixed

_AT_ONCE = 64  # documents

MIXED, MIXED_IN_TIERS = "mixed", "mixed_in_tiers"


@dataclass(frozen=True, slots=True)
class Reading:
    """A model as the bench needs it; vectors are as the product keeps them."""

    identity: str
    embed: Callable[[Sequence[str]], list[bytes]]
    text_of: Callable[[str, str], str]  #: of a title and an abstract
    cosines: Callable[[bytes, Sequence[bytes]], Sequence[float]]


def vectors_of(
    name: str, texts: Sequence[str], reading: Reading, cache: Path | None, step: Callable[[int], None] = lambda _: None
) -> tuple[list[bytes], float]:
    """Return a vector for each text, and the CPU seconds that it took; 0 where they came from the cache.

    `step` is told how many are done.
    """
    known = hashlib.sha256("\0".join([reading.identity, *texts]).encode()).hexdigest()[:32]
    file = cache / f"{name}-{known}.vectors" if cache else None
    if file and file.is_file():
        kept = file.read_bytes()
        size = len(kept) // len(texts)
        step(len(texts))
        return [kept[start : start + size] for start in range(0, len(kept), size)], 0.0
    vectors = [b""] * len(texts)
    begun = time.process_time()
    # Texts of like length together, so that little is padded.
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    for start in range(0, len(order), _AT_ONCE):
        block = order[start : start + _AT_ONCE]
        for number, vector in zip(block, reading.embed([texts[each] for each in block]), strict=True):
            vectors[number] = vector
        step(len(block))
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"".join(vectors))
    return vectors, time.process_time() - begun


class Meanings:
    """The vectors of one collection."""

    def __init__(
        self, collection: Collection, reading: Reading, cache: Path | None, step: Callable[[int], None]
    ) -> None:
        """Read what is not in the cache; `step` is told how many documents are done."""
        self._reading = reading
        self.query_seconds = 0.0
        texts = [reading.text_of(title, text) for _, title, text in collection.read()]
        #: CPU of reading documents; 0 where they came from the cache.
        self._vectors, self.seconds = vectors_of(collection.name, texts, reading, cache, step)

    def orders(self, query: Query, best: Sequence[Match]) -> Mapping[str, list[int]]:
        """Return what is best by words, ordered by the mix: all as one, and exact before part matches as letters do."""
        begun = time.process_time()
        (own,) = self._reading.embed([asked(query)])
        numbers = [match.paper_id for match in best]
        cosines = dict(zip(numbers, self._reading.cosines(own, [self._vectors[each] for each in numbers]), strict=True))
        self.query_seconds += time.process_time() - begun
        tiers = [[match for match in best if match.tier is tier] for tier in (Tier.EXACT, Tier.RELATED)]
        return {
            MIXED: _order(sorted(best, key=lambda match: (-match.score, match.paper_id)), cosines),
            MIXED_IN_TIERS: [number for tier in tiers for number in _order(tier, cosines)],
        }


def reading_of(folder: Path) -> Reading:
    """Return a sentence model of a folder; raises ModelUnusable."""
    model = load(folder)
    return Reading(model.identity().sha256, model.embed, text_of, cosines)


def meanings(
    collection: Collection, reading: Reading, cache: Path | None, costs: list[Figure]
) -> Callable[[Callable[[int], None]], "Meanings"]:
    """Return what reads a collection when it is asked to; what it cost stands among `costs` afterwards."""

    def read(step: Callable[[int], None]) -> Meanings:
        made = Meanings(collection, reading, cache, step)
        if made.seconds:
            thousand = made.seconds / len(collection.documents) * 1000
            costs.append(Figure(f"{collection.name}: 1,000 documents read for their meaning", thousand, "CPU s"))
        return made

    return read


def _order(matches: Sequence[Match], cosines: Mapping[int, float]) -> list[int]:
    return [number for number, _ in mixed([(match.paper_id, match.score) for match in matches], cosines)]
