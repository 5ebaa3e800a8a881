r"""The passage of a text that holds the most of what was found in it.

Everything is cut out of the stored text: a passage begins and ends between words, and never inside TeX, so
`$x + y$`, `\textbf{deep nets}` and `Erd\H os` stay whole.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.fts5 import FORMULA, tex_edits
from topics.surface import Span

LENGTH = 200  #: characters of a passage, about
_BEFORE = 60  # characters that may stand before the first word marked, where its sentence began further away
_LONGEST_TEX = 400  # characters; a brace or formula beyond is read as if it never closed
_DOTS = "…"
_WORD = re.compile(r"\S+")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_COMMAND_BEFORE = re.compile(r"\\[A-Za-z]{1,20}\*?\Z")
_DISPLAY = re.compile(rf"\\\(.{{0,{_LONGEST_TEX}}}?\\\)|\\\[.{{0,{_LONGEST_TEX}}}?\\\]", re.DOTALL)
_ENDS_SENTENCE = re.compile(r"[.?!][\"”')\]]*\Z")
_LAST_SIGNS = frozenset(".?!\"”')]")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text, and where in it words are to be marked."""

    text: str
    marks: tuple[Span, ...]  #: (begin, end) in characters of `text`, rising, apart from one another


def passage(text: str, places: Sequence[Sequence[Span]]) -> Marked:
    """Return the passage with the most of the words, each given by its places, and … for what is left out."""
    return _cut(text, *bounds(text, places), joined(span for each in places for span in each))


def bounds(text: str, places: Sequence[Sequence[Span]]) -> Span:
    """Return from where to where that passage is: of those with the most different words the most, and the first."""
    spans = joined(span for each in places for span in each)
    words = _words(text, spans)
    if not words:
        return 0, 0
    begins = [begin for begin, _ in words]
    sentences = [0, *(nth for nth in range(1, len(words)) if _ends_sentence(text, words[nth - 1]))]
    named = sorted((begin, nth) for nth, each in enumerate(places) for begin, _ in each)
    best = max(
        dict.fromkeys([0, *(_start(words, begins, sentences, span) for span in spans)]),
        key=lambda first: (*_answers(named, words[first][0], words[_last(words, first)][1]), -first),
    )
    last = _last(words, best)
    marked = max((_index(begins, begin) for begin, _ in spans if begin < words[last][1]), default=best)
    whole = sentences[bisect_right(sentences, last + 1) - 1] - 1  # the last word of the last whole sentence
    if whole >= marked and words[whole][1] - words[best][0] >= LENGTH // 2:
        last = whole
    return words[best][0], words[last][1]


def _start(words: Sequence[Span], begins: Sequence[int], sentences: Sequence[int], span: Span) -> int:
    """Return the word at which a passage for that place begins: its sentence's first, or one not far before it."""
    word = _index(begins, span[0])
    sentence = sentences[bisect_right(sentences, word) - 1]
    if span[1] - words[sentence][0] <= LENGTH:
        return sentence
    near = min(word, bisect_left(begins, span[0] - _BEFORE))
    return near if _last(words, near) >= word else word


def _index(begins: Sequence[int], place: int) -> int:
    return max(0, bisect_right(begins, place) - 1)


def _last(words: Sequence[Span], first: int) -> int:
    """Return the last word of the passage that begins with that one."""
    limit = words[first][0] + LENGTH
    return max(first, bisect_right(words, limit, lo=first, key=lambda word: word[1]) - 1)


def _answers(named: Sequence[tuple[int, int]], begin: int, end: int) -> tuple[int, int]:
    """Return how many different words are named between two places, and how often any."""
    there = [nth for _, nth in named[bisect_left(named, (begin, 0)) : bisect_left(named, (end, 0))]]
    return len(set(there)), len(there)


def _cut(text: str, begin: int, end: int, spans: Iterable[Span]) -> Marked:
    before = f"{_DOTS} " if text[:begin].strip() else ""
    after = f" {_DOTS}" if text[end:].strip() else ""
    moved = len(before) - begin
    inside = ((max(start, begin), min(stop, end)) for start, stop in spans if start < end and stop > begin)
    return Marked(before + text[begin:end] + after, tuple((start + moved, stop + moved) for start, stop in inside))


def _ends_sentence(text: str, word: Span) -> bool:
    begin, end = word
    return text[end - 1] in _LAST_SIGNS and bool(_ENDS_SENTENCE.search(text, max(begin, end - 4), end))


# -- where a text may be cut -------------------------------------------------------------------------------------------


def _words(text: str, spans: Iterable[Span]) -> list[Span]:
    """Return the pieces between which the text may be cut; TeX and what is marked stay in one piece."""
    closed = joined([*_tex(text), *(span for span in spans if span[1] - span[0] <= LENGTH)])
    words = [word.span() for word in _WORD.finditer(text)]
    begins = [begin for begin, _ in words]
    whole: list[Span] = []
    done = 0
    for begin, end in closed:
        first, beyond = _index(begins, begin), bisect_left(begins, end)
        first += first < len(words) and words[first][1] <= begin
        if beyond - first > 1 and first < done:  # its first word is the last of those joined before
            whole[-1] = whole[-1][0], words[beyond - 1][1]
            done = beyond
        elif beyond - first > 1:
            whole += [*words[done:first], (words[first][0], words[beyond - 1][1])]
            done = beyond
    whole += words[done:]
    return [piece for word in whole for piece in _pieces(text, *word, closed)]


def _pieces(text: str, begin: int, end: int, closed: Sequence[Span]) -> Iterator[Span]:
    """Yield a word, or where it is too long for any passage its pieces."""
    while end - begin > LENGTH:
        cut = begin + LENGTH
        while cut > begin and (unicodedata.combining(text[cut]) or text[cut - 1] == "\\"):
            cut -= 1
        if (around := _inside(closed, cut)) is not None:
            cut = around[0] if around[0] > begin else around[1]
        if cut in {begin, end}:
            break
        yield begin, cut
        begin = cut
    if begin < end:
        yield begin, end


def _inside(closed: Sequence[Span], place: int) -> Span | None:
    """Return the closed span that a cut at this place would part."""
    nth = bisect_right(closed, (place, 0)) - 1
    return closed[nth] if nth >= 0 and closed[nth][0] < place < closed[nth][1] else None


def _tex(text: str) -> Iterator[Span]:
    """Yield what belongs together in TeX: formulas, groups with their command, accents with their letter."""
    for formula in (*FORMULA.finditer(text), *_DISPLAY.finditer(text)):
        yield formula.span()
    for begin, end, _ in tex_edits(text):
        yield begin, end
    opened: list[int] = []
    for sign in _BRACE.finditer(text):
        if sign[0] == "{":
            opened.append(sign.start())
        elif sign[0] == "}" and opened:
            begin = opened.pop()
            if sign.end() - begin <= _LONGEST_TEX:
                command = _COMMAND_BEFORE.search(text, max(0, begin - 22), begin)
                yield command.start() if command else begin, sign.end()


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that overlap as one."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined
