"""Why a paper answers a topic, in words that are true of the stored text.

The paper alone goes into a small FTS5 index, each word and phrase of the topic is asked of it, and FTS5's own
`highlight` shows what stands there: so "sensitivities" answers "sensitivity" here exactly when it does in matching.
Only what made the topic hold is told: of `a OR (b c)`, a paper with "a" and "b" is there for "a". Spellings of one
stem, such as agent and agents, are told as one word.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from domain.fts5 import TOKENIZE, match_expression, searchable, tex_edits
from domain.papers import Paper
from domain.topics import And, Node, Not, Or, Phrase, Query, Why, Word

#: Around what was found. `searchable` leaves neither in a text.
_OPENS, _CLOSES = "⟦", "⟧"
_LONGEST_QUOTED = 40  # characters of a word or phrase in the line
_LONGEST_COMMAND = 20  # characters of a TeX command
_COMMAND_BEFORE = re.compile(r"\\[A-Za-z]+\*?\Z")
_BRACE = re.compile("[{}]")
_STEMS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Found:
    """A word or phrase of the topic, in the paper."""

    leaf: Word | Phrase
    in_title: bool
    in_abstract: bool
    marks: tuple[str, ...]


class Explainer:
    """Says why; used by one thread, closed after use."""

    def __init__(self) -> None:
        self._index = sqlite3.connect(":memory:", isolation_level=None)
        self._index.execute(f'CREATE VIRTUAL TABLE paper USING fts5(title, abstract, tokenize="{TOKENIZE}")')
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
        self._index.execute(
            "INSERT OR REPLACE INTO paper(rowid, title, abstract) VALUES (1, ?, ?)",
            (searchable(paper.title), searchable(paper.abstract)),
        )
        leaves = dict.fromkeys(_leaves(query.tree))
        found = {leaf: there for leaf in leaves if (there := self._look_up(leaf, paper))}
        if not _holds(query.tree, found):
            return Why(line="", marks=())
        grounds = {_text(leaf): found[leaf] for leaf in _grounds(query.tree, found, is_wanted=True)}
        stems = {term: self._stemmed(term) for term in query.terms}
        told = list({stems[term]: grounds[term] for term in reversed(query.terms) if term in grounds}.values())[::-1]
        marks = dict.fromkeys(mark for there in told for mark in there.marks)
        return Why(line=_line(told, len(set(stems.values()))), marks=tuple(sorted(marks, key=len, reverse=True)))

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
            (_OPENS, _CLOSES, match_expression(leaf)),
        ).fetchone()
        if row is None:
            return None
        title, abstract = row
        marks = (*_surface(title, paper.title), *_surface(abstract, paper.abstract))
        return _Found(leaf, _OPENS in title, _OPENS in abstract, marks)


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


def _grounds(tree: Node, found: dict[Word | Phrase, _Found], *, is_wanted: bool) -> Iterator[Word | Phrase]:
    """Yield the words and phrases whose presence makes the tree hold, or fail if it is not wanted."""
    match tree:
        case Word() | Phrase():
            if is_wanted:
                yield tree
        case Not(part):
            yield from _grounds(part, found, is_wanted=not is_wanted)
        case And(parts) | Or(parts):
            for part in parts:
                if _holds(part, found) == is_wanted:
                    yield from _grounds(part, found, is_wanted=is_wanted)


def _surface(highlighted: str, stored: str) -> Iterator[str]:
    """Yield what was found as it stands in the stored text."""
    pieces = highlighted.split(_OPENS)
    if len(pieces) == 1:
        return
    origins = _origins(stored)
    place = len(pieces[0])
    for piece in pieces[1:]:
        inside, outside = piece.split(_CLOSES)
        if inside:
            yield _whole(stored, origins[place][0], origins[place + len(inside) - 1][1])
        place += len(inside) + len(outside)


def _origins(stored: str) -> Sequence[tuple[int, int]]:
    """For each character of `searchable(stored)`: from where to where in the stored text it comes from."""
    places: list[tuple[int, int]] = []
    letters: list[str] = []
    done = 0
    for begin, end, instead in (*tex_edits(stored), (len(stored), len(stored), "")):
        letters += (stored[done:begin], instead)
        places += ((place, place + 1) for place in range(done, begin))
        places += [(begin, end)] * len(instead)
        done = end
    return [(places[begin][0], places[end - 1][1]) for begin, end in _unfolded("".join(letters))]


def _unfolded(text: str) -> Sequence[tuple[int, int]]:
    """For each character of the NFKC form: from where to where in the text it comes from."""
    normal = unicodedata.normalize("NFKC", text)
    if normal == text:
        return [(place, place + 1) for place in range(len(text))]
    origins: list[tuple[int, int]] = []
    begin = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or _parts(text[begin:end], text[end]):
            origins += [(begin, end)] * len(unicodedata.normalize("NFKC", text[begin:end]))
            begin = end
    return origins


def _whole(stored: str, begin: int, end: int) -> str:
    r"""Return what stands there, with the braces and dollars that belong to it: of `CO$_2$`, all and not `CO$_2`.

    A letter shows TeX as Unicode before it looks for the marks, each shown in the same way (digests/marking.py).
    """
    opened = closed = 0
    for brace in _BRACE.findall(stored, begin, end):
        closed += brace == "}" and not opened
        opened = max(0, opened + (1 if brace == "{" else -1))
    while opened and stored.startswith("}", end):
        end, opened = end + 1, opened - 1
    while closed and begin and stored[begin - 1] == "{":
        begin, closed = begin - 1, closed - 1
        if dress := _COMMAND_BEFORE.search(stored, max(0, begin - _LONGEST_COMMAND), begin):
            begin = dress.start()
    begin -= begin > 0 and stored[begin - 1] == "\\" and stored[begin].isalpha()
    inside = stored[begin:end]
    follows, precedes = stored.startswith("$", end), begin > 0 and stored[begin - 1] == "$"
    if inside.count("$") % 2:
        end += follows
        begin -= precedes and not follows
    elif "$" not in inside and follows and precedes and any(sign in inside for sign in "_^\\"):
        begin, end = begin - 1, end + 1
    return stored[begin:end]


def _parts(before: str, character: str) -> bool:
    """Whether normalising does not mix what stands before with the character."""
    if character.isascii():
        return True
    if unicodedata.combining(character):
        return False
    apart = unicodedata.normalize("NFKC", before) + unicodedata.normalize("NFKC", character)
    return unicodedata.normalize("NFKC", before + character) == apart


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
