"""Why a paper answers a topic, in words that are true of the stored text.

The paper alone goes into a small FTS5 index, each word and phrase of the topic is asked of it, and FTS5's own
`highlight` shows what stands there: so "sensitivities" answers "sensitivity" here exactly when it does in matching.
Only what made the topic hold is told: of `a OR (b c)`, a paper with "a" and "b" is there for "a". Spellings of one
stem, such as agent and agents, are told as one word.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from domain.fts5 import TOKENIZE, match_expression, searchable
from domain.papers import Paper
from domain.topics import And, Node, Not, Or, Phrase, Query, Why, Word
from topics.surface import CLOSES, OPENS, Span, surface

_LONGEST_QUOTED = 40  # characters of a word or phrase in the line
_STEMS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Found:
    """A word or phrase of the topic, in the paper."""

    leaf: Word | Phrase
    title: tuple[Span, ...]
    abstract: tuple[Span, ...]

    @property
    def in_title(self) -> bool:
        return bool(self.title)

    @property
    def in_abstract(self) -> bool:
        return bool(self.abstract)


@dataclass(frozen=True, slots=True)
class Grounds:
    """Where the words stand for which a paper answers a query; nothing where it does not answer."""

    title: tuple[tuple[Span, ...], ...] = ()  #: of each word or phrase that made the query hold, its places
    abstract: tuple[tuple[Span, ...], ...] = ()


class Explainer:
    """Says why; used by one thread, closed after use."""

    def __init__(self) -> None:
        self._index = sqlite3.connect(":memory:", isolation_level=None)
        columns = "title, abstract, authors, categories"
        self._index.execute(f'CREATE VIRTUAL TABLE paper USING fts5({columns}, tokenize="{TOKENIZE}")')
        self._index.execute(f'CREATE VIRTUAL TABLE term USING fts5(words, tokenize="{TOKENIZE}")')
        self._index.execute("CREATE VIRTUAL TABLE stem USING fts5vocab(term, 'instance')")
        self._stems: dict[str, tuple[str, ...]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()

    def explain(self, query: Query, paper: Paper) -> Why:
        """Return the line and the stored text's own words to be marked, longest first.

        Of a paper that does not answer the query nothing is claimed: the line is empty.
        """
        grounds = {_text(leaf): there for leaf, there in self._grounds(query, paper).items()}
        if not grounds:
            return Why(line="", marks=())
        stems = {term: self._stemmed(term) for term in query.terms}
        told = list({stems[term]: grounds[term] for term in reversed(query.terms) if term in grounds}.values())[::-1]
        marks = dict.fromkeys(
            text[begin:end]
            for there in told
            for text, spans in ((paper.title, there.title), (paper.abstract, there.abstract))
            for begin, end in spans
        )
        return Why(line=_line(told, len(set(stems.values()))), marks=tuple(sorted(marks, key=len, reverse=True)))

    def grounds(self, query: Query, paper: Paper) -> Grounds:
        """Return where in title and abstract the words stand for which a search finds the paper.

        A search also looks at authors and categories: what was found there alone has no place.
        """
        found = self._grounds(query, paper, paper.authors, paper.categories).values()
        return Grounds(
            title=tuple(there.title for there in found if there.title),
            abstract=tuple(there.abstract for there in found if there.abstract),
        )

    def _grounds(self, query: Query, paper: Paper, *lists: Iterable[str]) -> dict[Word | Phrase, _Found]:
        """Return what made the query hold in title, abstract and these lists; nothing where it does not hold."""
        beside = [", ".join(each) for each in lists] or ["", ""]
        self._index.execute(
            "INSERT OR REPLACE INTO paper(rowid, title, abstract, authors, categories) VALUES (1, ?, ?, ?, ?)",
            [searchable(text) for text in (paper.title, paper.abstract, *beside)],
        )
        leaves = dict.fromkeys(_leaves(query.tree))
        found = {leaf: there for leaf in leaves if (there := self._look_up(leaf, paper))}
        if not _holds(query.tree, found):
            return {}
        return {leaf: found[leaf] for leaf in _because(query.tree, found, is_wanted=True)}

    def _stemmed(self, term: str) -> tuple[str, ...]:
        """Return the stems of a word or phrase, as the index cuts them."""
        known = self._stems.get(term)
        if known is None:
            if len(self._stems) >= _STEMS_KEPT:
                self._stems.clear()
            self._index.execute("INSERT OR REPLACE INTO term(rowid, words) VALUES (1, ?)", (term,))
            rows = self._index.execute("SELECT term FROM stem ORDER BY offset")
            known = self._stems[term] = tuple(stem for (stem,) in rows)
        return known

    def _look_up(self, leaf: Word | Phrase, paper: Paper) -> _Found | None:
        row = self._index.execute(
            "SELECT highlight(paper, 0, ?1, ?2), highlight(paper, 1, ?1, ?2) FROM paper WHERE paper MATCH ?3",
            (OPENS, CLOSES, match_expression(leaf)),
        ).fetchone()
        if row is None:
            return None
        title, abstract = row
        return _Found(leaf, tuple(surface(title, paper.title)), tuple(surface(abstract, paper.abstract)))


def explain(query: Query, paper: Paper) -> Why:
    """Say why once; who has many papers to explain keeps an `Explainer`, which is twice as fast."""
    with Explainer() as explainer:
        return explainer.explain(query, paper)


def _leaves(tree: Node) -> Iterator[Word | Phrase]:
    match tree:
        case Word() | Phrase():
            yield tree
        case Not(part):
            yield from _leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _leaves(part)


def _holds(tree: Node, found: dict[Word | Phrase, _Found]) -> bool:
    match tree:
        case Word() | Phrase():
            return tree in found
        case Not(part):
            return not _holds(part, found)
        case And(parts):
            return all(_holds(part, found) for part in parts)
        case Or(parts):
            return any(_holds(part, found) for part in parts)


def _because(tree: Node, found: dict[Word | Phrase, _Found], *, is_wanted: bool) -> Iterator[Word | Phrase]:
    """Yield the words and phrases whose presence makes the tree hold, or fail if it is not wanted."""
    match tree:
        case Word() | Phrase():
            if is_wanted:
                yield tree
        case Not(part):
            yield from _because(part, found, is_wanted=not is_wanted)
        case And(parts) | Or(parts):
            for part in parts:
                if _holds(part, found) == is_wanted:
                    yield from _because(part, found, is_wanted=is_wanted)


def _line(told: list[_Found], wanted: int) -> str:
    """Say “both words, in title and abstract”, or of words that stand apart which is where."""
    in_title = [there for there in told if there.in_title]
    elsewhere = [there for there in told if not there.in_title]
    if in_title and elsewhere:
        if len(told) <= 3:
            return f"{_quoted(in_title)} in title · {_quoted(elsewhere)} in abstract"
        return f"{_counted(told, wanted)}: {len(in_title)} in title, {len(elsewhere)} in abstract"
    in_both = all(there.in_title and there.in_abstract for there in told)
    where = "title and abstract" if in_both else "title" if in_title else "abstract"
    if len(told) == 1:
        return f"{_kind(told)} {_quoted(told)}, in {where}"
    if len(told) < wanted and len(told) <= 3:
        return f"{_quoted(told)}, in {where}"
    return f"{_counted(told, wanted)}, in {where}"


def _counted(told: list[_Found], wanted: int) -> str:
    if len(told) < wanted:
        return f"{len(told)} of {wanted} {_kind(told)}"
    if len(told) > 2:
        return f"all {wanted} {_kind(told)}"
    return "word and phrase" if _kind(told) == "words and phrases" else f"both {_kind(told)}"


def _kind(told: list[_Found]) -> str:
    phrases = sum(isinstance(there.leaf, Phrase) for there in told)
    plural = "s" if len(told) > 1 else ""
    if 0 < phrases < len(told):
        return "words and phrases"
    return f"phrase{plural}" if phrases else f"word{plural}"


def _quoted(told: list[_Found]) -> str:
    names = [f"“{_short(_text(there.leaf))}”" for there in told]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _text(leaf: Word | Phrase) -> str:
    return leaf.text if isinstance(leaf, Word) else " ".join(leaf.words)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTED else text[: _LONGEST_QUOTED - 1].rstrip() + "…"
