"""What reads texts for their meaning, whatever model does it: two methods."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model it is: vectors of two models are never compared."""

    sha256: str  #: hex, of the files that decide what the model gives
    name: str  #: of its directory, or at its hub
    dimensions: int


class Embedder(Protocol):
    """Reads texts; may be shared by threads."""

    def identity(self) -> ModelIdentity:
        """Return which model it is."""
        ...

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector for each text: of unit length, a signed byte a dimension (1 is 127).

        Raises ModelUnusable where the model fails.
        """
        ...


def text_of(title: str, abstract: str) -> str:
    """Return what of a paper is read."""
    return f"{title.strip()}. {abstract.strip()}" if abstract.strip() else title.strip()
