"""The two people for whom the demo makes letters.

Their topics are chosen over the demo's own pages: each reader gets a handful of papers in every section, and one paper
that answers two topics at once, so that a letter shows how such a paper is told. Mira's third topic uses a phrase, OR
and NOT; Jonas asks with plain words.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoReader:
    """A reader who is taken as confirmed, because nobody is behind the address."""

    address: str  #: in a domain that cannot exist (RFC 2606 section 2)
    topics: tuple[tuple[str, str], ...]  #: (name, query as typed), in the order of the letter's sections


READERS = (
    DemoReader(
        address="mira@lab.example",
        topics=(
            ("Protein design", 'protein AND (design OR "language model")'),
            ("Weather and climate", "weather OR climate"),
            ("Honest uncertainty", '(calibration OR "conformal prediction") NOT survey'),
        ),
    ),
    DemoReader(
        address="jonas@lab.example",
        topics=(
            ("Code agents", "code agent"),
            ("Speech", "speech OR dictation"),
        ),
    ),
)
