"""What reads papers for their meaning, where a model is named in the settings and can be used; else words decide alone.

    a directory, or a name at a hub → its files, loaded → is it the model that it was? → the archive remembers it

A model that cannot be used is told once in the log, and everything goes on by words.
"""

import logging
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domain.errors import ModelUnusable, StorageError
from paperround.sentence_model import is_named, loaded, standing
from paperround.wiring_ground import Ground
from storage.embeddings import Embeddings, KnownModel
from topics.meaning.embedder import Embedder, text_of
from topics.meaning.vectors import cosines
from worker.embedding import Embedding, Newcomers
from worker.nearness import Nearness

log = logging.getLogger("paperround.meaning")


@dataclass(frozen=True, slots=True)
class Meaning:
    """A model that can be used, as the archive knows it."""

    model: KnownModel
    embedder: Embedder


class MeaningSide(Ground):
    """What reads papers for their meaning."""

    def __init__(self, *given: Any, **named: Any) -> None:
        """Take what every side of a house takes."""
        super().__init__(*given, **named)
        self._meeting = threading.Lock()  # threads of the site may ask at once
        self._found: list[Meaning | None] = []  # once it was looked for

    @cached_property
    def embeddings(self) -> Embeddings:
        """What a sentence model made of papers."""
        return Embeddings(self.database)

    @property
    def names_a_model(self) -> bool:
        """Whether the settings name a model."""
        return is_named(self.settings.topics)

    def met(self, *, anew: bool = False) -> Meaning:
        """Return the model that the settings name, as the archive knows it; one that is new to it is remembered.

        Another one than papers were read with is taken as `standing` says; raises ModelUnusable.
        """
        embedder = loaded(self.settings.topics)
        identity = embedder.identity()
        known = standing(self.settings.topics, identity, self.embeddings.last(), anew=anew)
        if known is None:
            known = self.embeddings.take(identity.sha256, identity.name, identity.dimensions, self.clock.now())
        return Meaning(known, embedder)

    @property
    def meaning(self) -> Meaning | None:
        """The model, where one is named and can be used; whether it can is found out once, whoever asks first.

        A database that does not answer just now is asked again the next time.
        """
        if not self.names_a_model:
            return None
        with self._meeting:
            if not self._found:
                try:
                    self._found.append(self.met())
                except ModelUnusable as error:
                    log.warning("the sentence model cannot be used, and words decide alone: %s", error)
                    self._found.append(None)
                except StorageError as error:
                    log.warning("the sentence model is not used for now, and words decide alone: %s", error)
                    return None
            return self._found[0]

    @property
    def embedding(self) -> Embedding | None:
        """What reads papers; None where no model can be used."""
        meaning = self.meaning
        return None if meaning is None else self.reading_with(meaning)

    def reading_with(self, meaning: Meaning) -> Embedding:
        """Return what reads papers with a model."""
        return Embedding(embeddings=self.embeddings, model_id=meaning.model.id, reads=meaning.embedder, text_of=text_of)

    @cached_property
    def newcomers(self) -> Newcomers:
        """What reads new papers before they meet the topics."""
        return Newcomers(lambda: self.embedding, self._stop)

    @cached_property
    def nearness(self) -> Nearness | None:
        """How near papers are in meaning to what topics ask; None where papers are not read for their meaning."""
        meaning, embeddings = self.meaning, self.embeddings
        if meaning is None:
            return None
        return Nearness(
            query=lambda text: meaning.embedder.embed([text])[0],
            vectors=lambda ids: embeddings.of(meaning.model.id, ids),
            cosines=cosines,
        )
