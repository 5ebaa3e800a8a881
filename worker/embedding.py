"""Papers are read for their meaning: those that the model has not read yet, the newest first.

    papers without a vector → read some at a time, those of like length together → kept, a transaction each time

It may be stopped, killed and begun again anywhere: what was kept stays, the rest is read the next time. In a round of
letters no more than five hundred papers are read, so that nobody's letter waits for an archive to be gone through;
`paperround topics embed` does the whole.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from domain.errors import ModelUnusable, StorageError
from storage.embeddings import Embeddings, Unread

log = logging.getLogger("paperround.worker")
AT_ONCE = 32  # papers, a few seconds of one core
A_ROUND = 500  # papers read before letters are planned: a minute of one core
_AHEAD = 256  # papers looked up at once, to be put in order of their length


class Reads(Protocol):
    """Reads texts; raises ModelUnusable."""

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector for each."""
        ...


class Embedding:
    """Reads papers with one model."""

    def __init__(
        self, *, embeddings: Embeddings, model_id: int, reads: Reads, text_of: Callable[[str, str], str]
    ) -> None:
        """`text_of` says what of a title and an abstract is read."""
        self._embeddings = embeddings
        self._model_id = model_id
        self._reads = reads
        self._text_of = text_of

    def is_due(self) -> bool:
        """Whether there is a paper that was not read."""
        done, papers = self._embeddings.counts(self._model_id)
        return done < papers

    def read(
        self,
        limit: int | None = None,
        *,
        stop: threading.Event | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> int:
        """Read up to so many papers, the newest first, all without a limit; return how many.

        Raises ModelUnusable where the model fails, or another took its place; what was read before stays.
        """
        done = looked_at = 0
        while limit is None or looked_at < limit:
            if not self._embeddings.knows(self._model_id):
                raise ModelUnusable("the archive is read with another model since; start again to use that one")
            most = _AHEAD if limit is None else min(_AHEAD, limit - looked_at)
            papers = self._embeddings.unread(self._model_id, most)
            if not papers:
                break
            looked_at += len(papers)
            before = done
            alike = sorted(papers, key=lambda each: len(each.title) + len(each.abstract))
            for start in range(0, len(alike), AT_ONCE):
                if stop is not None and stop.is_set():
                    return done
                kept = self._keep(alike[start : start + AT_ONCE])
                done += kept
                progress(kept)
            if done == before:
                break  # all of these changed meanwhile: they are for the next time
        return done

    def _keep(self, papers: Sequence[Unread]) -> int:
        vectors = self._reads.embed([self._text_of(each.title, each.abstract) for each in papers])
        return self._embeddings.store(self._model_id, list(zip(papers, vectors, strict=True)))


class Newcomers:
    """New papers are read before they meet the topics; where the model fails, words decide alone from then on."""

    def __init__(self, embedding: Callable[[], Embedding | None], stop: threading.Event) -> None:
        """`embedding` is asked for when there may be something to read; None: nothing reads papers."""
        self._embedding = embedding
        self._stop = stop
        self._failed = False

    def is_due(self) -> bool:
        """Whether there is a paper that was not read."""
        embedding = None if self._failed else self._embedding()
        return embedding is not None and embedding.is_due()

    def read(self) -> int:
        """Read the newest; return how many."""
        embedding = None if self._failed else self._embedding()
        if embedding is None or not embedding.is_due():
            return 0
        try:
            read = embedding.read(A_ROUND, stop=self._stop)
        except StorageError as error:  # letters need the database more; it is tried again the next time
            log.warning("embed: papers could not be read for their meaning just now: %s", error)
            return 0
        except ModelUnusable as error:
            self._failed = True
            log.warning("embed: the sentence model failed, and words decide alone until the next start: %s", error)
            return 0
        log.info("embed: %d papers were read for their meaning", read)
        return read
