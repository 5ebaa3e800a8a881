"""The full-text index of a database, to be asked."""

from storage.words.asking_fts5 import AskingFts5
from storage.words.asking_tsvector import AskingTsvector
from storage.words.selecting import Asking


def asking_of(dialect: str) -> Asking:
    """Return how the index of a database of that kind is asked."""
    return AskingTsvector() if dialect == "postgresql" else AskingFts5()
