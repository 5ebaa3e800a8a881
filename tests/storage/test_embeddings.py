"""Vectors are of one model and of the words as they are; another model, or other words, and a paper is read again."""

import threading

import pytest

from domain.errors import ModelUnusable
from domain.papers import Identifiers, Standing
from storage.embeddings import Embeddings
from worker.embedding import AT_ONCE, Embedding

VECTOR = bytes([127, 0, 0, 129])


@pytest.fixture
def embeddings(database):
    return Embeddings(database)


@pytest.fixture
def model(embeddings, now):
    return embeddings.take("a" * 64, "small", 4, now)


@pytest.fixture
def papers(archive, listed, listing, now):
    return archive.add(listing(*(listed(f"Tides of number {each} and so on") for each in range(1, 71))), now).new


class Reads:
    """Reads texts, and remembers how many at once."""

    def __init__(self, stop=None):
        self.stop = stop
        self.blocks = []

    def embed(self, texts):
        self.blocks.append(len(texts))
        if self.stop is not None:
            self.stop.set()
        return [VECTOR] * len(texts)


def reading(embeddings, model, reads):
    return Embedding(embeddings=embeddings, model_id=model.id, reads=reads, text_of=lambda title, _: title)


def test_each_paper_is_read_once_the_newest_first(embeddings, model, papers):
    reads = Reads()
    worker = reading(embeddings, model, reads)
    assert embeddings.counts(model.id) == (0, 70)

    assert worker.read(limit=10) == 10
    assert set(embeddings.of(model.id, [each.id for each in papers])) == {each.id for each in papers[-10:]}
    assert worker.is_due()
    assert worker.read() == 60
    assert worker.read() == 0
    assert not worker.is_due()
    assert embeddings.of(model.id, [papers[0].id, 999]) == {papers[0].id: VECTOR}
    assert max(reads.blocks) <= AT_ONCE


def test_a_stop_keeps_what_was_read(embeddings, model, papers):
    stop = threading.Event()
    worker = reading(embeddings, model, Reads(stop))

    assert worker.read(stop=stop) == AT_ONCE
    assert embeddings.counts(model.id) == (AT_ONCE, 70)
    assert reading(embeddings, model, Reads()).read() == 70 - AT_ONCE


def test_a_paper_whose_words_change_is_read_again(embeddings, model, archive, listed, listing, now):
    first = listed("Tides", ids=Identifiers(arxiv="2611.00001"), abstract="")
    (paper,) = archive.add(listing(first, standing=Standing.PUBLISHER), now).new
    (unread,) = embeddings.unread(model.id, 5)
    assert embeddings.store(model.id, [(unread, VECTOR)]) == 1

    archive.add(listing(listed("Tides", ids=Identifiers(arxiv="2611.00001"), abstract="All of it."), source="b"), now)

    assert embeddings.of(model.id, [paper.id]) == {}
    assert embeddings.store(model.id, [(unread, VECTOR)]) == 0, "what was read meanwhile was of other words"
    (again,) = embeddings.unread(model.id, 5)
    assert (again.paper_id, again.abstract) == (paper.id, "All of it.")


def test_another_model_takes_the_place_of_all_that_was_read(embeddings, model, papers, now):
    reading(embeddings, model, Reads()).read()
    other = embeddings.take("b" * 64, "larger", 6, now)

    assert embeddings.last() == other
    assert embeddings.counts(other.id) == (0, 70)
    assert embeddings.of(model.id, [papers[0].id]) == {}
    assert embeddings.store(model.id, [(embeddings.unread(other.id, 1)[0], VECTOR)]) == 0
    assert embeddings.take("b" * 64, "larger", 6, now) == other
    reads = Reads()
    with pytest.raises(ModelUnusable, match="another model"):
        reading(embeddings, model, reads).read(limit=10)
    assert reads.blocks == [], "who still reads with the old one reads nothing for nothing"
