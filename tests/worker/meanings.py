"""A reader of meaning that knows a few words, for tests: a text is about whatever its words are about."""

from collections.abc import Collection, Mapping, Sequence
from math import hypot

from domain.fts5 import tokens
from storage.archive import Archive
from worker.nearness import Nearness

_ABOUT = {"tides": 0, "ebb": 0, "flood": 0, "moon": 0, "mud": 1, "silt": 1, "loam": 1, "rain": 2, "showers": 2}


def read(text: str) -> bytes:
    """Return a vector of unit length in signed bytes; of a text without a known word it points elsewhere."""
    told = [0.0] * 4
    for word in tokens(text):
        told[_ABOUT.get(word, 3)] += 1.0 if word in _ABOUT else 0.1
    length = hypot(*told) or 1.0
    return bytes(round(127 * each / length) & 0xFF for each in told)


def cosines(one: bytes, many: Sequence[bytes]) -> list[float]:
    """Return the cosine of one vector with each of many."""
    mine = memoryview(one).cast("b")
    return [sum(a * b for a, b in zip(mine, memoryview(each).cast("b"), strict=True)) / 127**2 for each in many]


def nearness(archive: Archive, unread: Collection[int] = ()) -> Nearness:
    """Return what reads the archive's papers where they are asked for, but for those that it has not come to."""

    def vectors(paper_ids: Collection[int]) -> Mapping[int, bytes]:
        papers = archive.papers(set(paper_ids) - set(unread))
        return {each.id: read(f"{each.title}. {each.abstract}") for each in papers}

    return Nearness(query=read, vectors=vectors, cosines=cosines)
