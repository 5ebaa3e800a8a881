"""Other ways to match papers with topics: a loop over both that knows stems and BM25, and tantivy if it is installed.

Neither looks for related papers.
"""

import importlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from benchmarks.invented import words_of
from domain.papers import Paper
from domain.topics import And, Census, Node, Not, Or, Topic, Word, wanted
from topics.ranking import K1, B, rarity

#: Of each paper its id, how often each stem stands in it, the title counted twice, and how long it is.
Counts = list[tuple[int, Counter[str], int]]


def counts(papers: Sequence[Paper], stems: Mapping[str, str]) -> Counts:
    """Return what the loop looks at."""
    return [
        (each.id, Counter(stems[word] for word in [*each.title.split(), *words_of(each)]), len(words_of(each)))
        for each in papers
    ]


def loop(
    papers: Sequence[Paper], topics: Sequence[Topic], stems: Mapping[str, str], census: Census, most: int
) -> list[list[tuple[int, float]]]:
    """Return each topic's best (paper id, score), best first: a topic after the other, a paper after the other."""
    known = counts(papers, stems)
    found = []
    for topic in topics:
        asked = dict.fromkeys(stems[leaf.text] for leaf in wanted(topic.query.tree) if isinstance(leaf, Word))
        highest = {stem: rarity(stem, census) * (K1 + 1) for stem in asked}
        scored = [
            (-sum(_score(highest[stem], words[stem], length / census.average) for stem in asked), paper_id)
            for paper_id, words, length in known
            if _picks(topic.query.tree, words, stems)
        ]
        found.append([(paper_id, -below) for below, paper_id in sorted(scored)[:most]])
    return found


def _score(highest: float, times: int, length: float) -> float:
    return highest * times / (times + K1 * (1 - B + B * length))


def _picks(tree: Node, words: Counter[str], stems: Mapping[str, str]) -> bool:
    match tree:
        case Word(text):
            return stems[text] in words
        case And(parts):
            return all(_picks(part, words, stems) for part in parts)
        case Or(parts):
            return any(_picks(part, words, stems) for part in parts)
        case Not(part):
            return not _picks(part, words, stems)
        case _:
            raise AssertionError("no phrases here")


def all_words(tree: Node) -> Iterator[str]:
    """Yield every word of a tree, those it excludes too."""
    match tree:
        case Word(text):
            yield text
        case And(parts) | Or(parts):
            for part in parts:
                yield from all_words(part)
        case Not(part):
            yield from all_words(part)


def tantivy() -> Any:
    """Return the package; None where it is not installed."""
    with suppress(ImportError):
        return importlib.import_module("tantivy")
    return None


def by_tantivy(papers: Sequence[Paper], topics: Sequence[Topic], most: int) -> int:
    """Ask an index of tantivy in memory for each topic's best; return how many there are."""
    package = tantivy()
    builder = package.SchemaBuilder()
    builder.add_text_field("title", tokenizer_name="en_stem")
    builder.add_text_field("abstract", tokenizer_name="en_stem")
    index = package.Index(builder.build())
    writer = index.writer(heap_size=50_000_000, num_threads=1)
    for paper in papers:
        writer.add_document(package.Document(title=[paper.title], abstract=[paper.abstract]))
    writer.commit()
    index.reload()
    searcher = index.searcher()
    found = 0
    for topic in topics:
        query = index.parse_query(_lucene(topic.query.tree), ["title", "abstract"], {"title": 2.0})
        found += len(searcher.search(query, most).hits)
    return found


def _lucene(tree: Node) -> str:
    match tree:
        case Word(text):
            return text
        case And(parts):
            return " AND ".join(f"({_lucene(part)})" for part in parts if not isinstance(part, Not)) + "".join(
                f" AND NOT ({_lucene(part.part)})" for part in parts if isinstance(part, Not)
            )
        case Or(parts):
            return " OR ".join(f"({_lucene(part)})" for part in parts)
        case _:
            raise AssertionError("no phrases here")
