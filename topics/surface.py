"""From what FTS5 highlighted back to where it stands in the stored text.

FTS5 sees a text without TeX, in NFKC and with Greek letters by their names (domain/fts5.py); each of its characters is
traced to those it came from, and the place is widened to the braces and dollars that belong to it.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from domain.fts5 import TEX_SIGN, greek_edits, tex_edits

#: Around what was found. `searchable` leaves neither in a text.
OPENS, CLOSES = "⟦", "⟧"
_KEPT = 512  # texts whose characters were traced; an abstract takes some 20 KB
_LONGEST_COMMAND = 20  # characters of a TeX command
_COMMAND_BEFORE = re.compile(r"\\[A-Za-z]+\*?\Z")
_BRACE = re.compile("[{}]")

Span = tuple[int, int]  #: from where to where in the stored text, in characters


def surface(highlighted: str, stored: str) -> Iterator[Span]:
    """Yield where what was found stands in the stored text."""
    pieces = highlighted.split(OPENS)
    if len(pieces) == 1:
        return
    origins = _origins(stored)
    place = len(pieces[0])
    for piece in pieces[1:]:
        inside, outside = piece.split(CLOSES)
        if inside:
            last = place + len(inside) - 1
            begin, end = (place, last + 1) if origins is None else (origins[0][place], origins[1][last])
            yield _whole(stored, begin, end)
        place += len(inside) + len(outside)


@lru_cache(maxsize=_KEPT)
def _origins(stored: str) -> "tuple[array[int], array[int]] | None":
    """For each character of `searchable(stored)`: where in the stored text begins, and ends, what it comes from.

    None where each comes from the one in the same place. Kept for a while: many topics find words in the same papers.
    """
    if stored.isascii() and not TEX_SIGN.search(stored):
        return None
    letters, places = _edited(stored, tex_edits(stored))
    folded = _unfolded(letters)
    normal = unicodedata.normalize("NFKC", letters)
    _, named = _edited(normal, greek_edits(normal))
    begins, ends = array("L"), array("L")
    for first, last in named:
        begins.append(places[folded[first][0]][0])
        ends.append(places[folded[last - 1][1] - 1][1])
    return begins, ends


def _edited(text: str, edits: Iterable[tuple[int, int, str]]) -> tuple[str, Sequence[tuple[int, int]]]:
    """Return the text after the edits, and for each of its characters from where to where in the text it comes from."""
    letters: list[str] = []
    places: list[tuple[int, int]] = []
    done = 0
    for begin, end, instead in (*edits, (len(text), len(text), "")):
        letters += (text[done:begin], instead)
        places += ((place, place + 1) for place in range(done, begin))
        places += [(begin, end)] * len(instead)
        done = end
    return "".join(letters), places


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


def _whole(stored: str, begin: int, end: int) -> Span:
    r"""Return the place with the braces and dollars that belong to it: of `CO$_2$`, all and not `CO$_2`.

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
    return begin, end


def _parts(before: str, character: str) -> bool:
    """Whether normalising does not mix what stands before with the character."""
    if character.isascii():
        return True
    if unicodedata.combining(character):
        return False
    apart = unicodedata.normalize("NFKC", before) + unicodedata.normalize("NFKC", character)
    return unicodedata.normalize("NFKC", before + character) == apart
