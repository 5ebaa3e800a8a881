"""The order where papers are read for their meaning too: half by the words shared with a topic, half by meaning.

    scores (ranking.py) and cosines → each as a share of the way from the least of these papers to the best of them
        → the mean of both → told on the scale of the scores again, so that diversity weighs it as it weighs a score

Only papers that were found are ordered: a cosine is worth little alone and much beside words (relevance.md). A paper
without a vector counts as the middle one of those that have one, so that not having been read yet neither helps nor
harms it, and the vector of a single paper among many moves nothing. Where cosines say nothing, for none is there or all
are equal, scores stay what they are.
"""

from collections.abc import Mapping, Sequence
from statistics import median

from domain.topics import Prefix, Query, Worded, wanted, words_of

_OF_EQUALS = 0.5  # of a score that all papers share: what meaning can take from it


def asked(query: Query) -> str:
    """Return the text that stands for a topic: the words and phrases wanted, in the order typed.

    Operators, fields, what is excluded and what is asked of facts have no meaning to be near to; "" where there is no
    word beside them.
    """
    texts = (_text(leaf) for leaf in wanted(query.tree) if isinstance(leaf, Worded))
    order = {term.removesuffix("*"): place for place, term in enumerate(query.terms)}
    return " ".join(sorted(dict.fromkeys(texts), key=lambda text: order.get(text, len(order))))


def mixed(scored: Sequence[tuple[int, float]], cosines: Mapping[int, float]) -> list[tuple[int, float]]:
    """Return (paper id, score) in the order of the mix, each with a score between the least and the best one given.

    Equals stay in the order given; cosines of other papers are passed over.
    """
    known = [cosines[paper_id] for paper_id, _ in scored if paper_id in cosines]
    if not known or min(known) == max(known):
        return sorted(scored, key=lambda each: -each[1])
    scores = [score for _, score in scored]
    least, best = min(scores), max(scores)
    span = best - least
    if not span:
        span = _OF_EQUALS * abs(best) or 1.0
        least = best - span
    middle = median(known)
    low, high = min(known), max(known)
    found = []
    for paper_id, score in scored:
        by_words = (score - least) / span
        by_meaning = (cosines.get(paper_id, middle) - low) / (high - low)
        found.append((paper_id, least + span * (by_words + by_meaning) / 2))
    return sorted(found, key=lambda each: -each[1])


def _text(leaf: Worded) -> str:
    return leaf.text if isinstance(leaf, Prefix) else " ".join(words_of(leaf))
