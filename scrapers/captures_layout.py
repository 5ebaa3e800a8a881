"""Which lines of a text capture are titles, and which are abstracts.

A capture holds no markup, so each line is judged by its looks, and the lines between two footers are read as the
cheapest sequence of title, abstract, further paragraphs. What a paper usually looks like costs nothing (a title of at
most 206 characters, then one long line: sources.md 1.3); what is rarer costs more: a title that ends like a sentence, a
short abstract, a second paragraph, a missing abstract. The cheapest path is found in one walk over the lines.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

_LONGEST_TITLE = 300  # characters; nothing longer is a title
_LONG_TITLE = 206  # the longest title of 8,037 (sources.md 1.3)
_SHORT_ABSTRACT = 165  # the shortest abstract of the same
_WRAP = 200  # lines of text that was wrapped by hand are shorter

_SENTENCE_END = re.compile(r"(?<!et al)(?<!\.\.)\.[\"”’)\]]*$|:$")
_SENTENCE_BREAK = re.compile(r"[a-z)\]]{4}\. [A-Z]")  # not "vs. Agents", not "Dr. Watson"
_ADDRESS = re.compile(r"https?://|www\.")
_LABEL = re.compile(r"(?:abstract|background)\W*", re.IGNORECASE)

_TITLE_LIKE_SENTENCE = 2.0
_SHORT_PROSE = 1.0
_SHORT_NO_PROSE = 3.5
_NO_ABSTRACT = 3.5
_PARAGRAPH = 2.5
_PARAGRAPH_NO_PROSE = 3.0
_LOST_FOOTER = 3.0  # where the capture's papers have footers, a paper without one is the exception
_ABSTRACT_AFTER_BLANK = 3.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is a title or belongs to an abstract."""

    number: int  #: in the file, from 1
    text: str  #: repaired and collapsed, not ""
    starts_block: bool  #: whether a blank line, a footer or the head stands before it


@dataclass(frozen=True, slots=True)
class Record:
    """A title and the lines of its abstract."""

    title: Line
    abstract: tuple[Line, ...]

    @property
    def is_doubtful(self) -> bool:
        """Whether it does not look like a paper: no abstract, or one that reads like a title."""
        return not self.abstract or not any(is_prose(line.text) for line in self.abstract)


class _Role(IntEnum):
    TITLE = 0
    ABSTRACT = 1
    PARAGRAPH = 2


def is_prose(text: str) -> bool:
    """Whether a line reads like running text rather than like a title."""
    return len(text) > _LONGEST_TITLE - 50 or any(
        pattern.search(text) for pattern in (_SENTENCE_END, _SENTENCE_BREAK, _ADDRESS)
    )


def units(lines: Sequence[Line], *, by_block: bool) -> list[Line]:
    """Return the lines with text that was wrapped by hand joined again.

    Only where blank lines stand between titles and abstracts (not `by_block`) do lines that touch belong together, and
    only if all of them are short: a title that touches its long abstract is not wrapped text.
    """
    if by_block:
        return list(lines)
    joined: list[Line] = []
    for block in blocks(lines):
        if max(len(line.text) for line in block) > _WRAP:
            joined += block
        else:
            joined.append(Line(block[0].number, " ".join(line.text for line in block), starts_block=True))
    return joined


def blocks(lines: Sequence[Line]) -> list[list[Line]]:
    """Return the lines that touch each other, together."""
    found: list[list[Line]] = []
    for line in lines:
        if line.starts_block or not found:
            found.append([])
        found[-1].append(line)
    return found


def read_records(lines: Sequence[Line], *, by_block: bool, has_footers: bool) -> list[Record]:
    """Return the papers that the lines between two footers hold, in order; [] if no line can be a title.

    `by_block` says that a blank line stands before each title and nowhere else; `has_footers` that most papers of the
    capture have one.
    """
    roles = _roles(lines, by_block=by_block, lost_footer=_LOST_FOOTER if has_footers else 0.0)
    records: list[list[Line]] = []
    for line, role in zip(lines, roles, strict=False):  # no roles: no way to read the lines
        if role is _Role.TITLE:
            records.append([])
        records[-1].append(line)
    return [Record(record[0], tuple(record[1:])) for record in records]


def _roles(lines: Sequence[Line], *, by_block: bool, lost_footer: float) -> list[_Role]:
    """Return the cheapest role of each line; [] if every way to read them is impossible."""
    # What may stand before each role, and what the step costs.
    steps = {
        _Role.TITLE: (
            (_Role.TITLE, _NO_ABSTRACT + lost_footer),
            (_Role.ABSTRACT, lost_footer),
            (_Role.PARAGRAPH, lost_footer),
        ),
        _Role.ABSTRACT: ((_Role.TITLE, 0.0),),
        _Role.PARAGRAPH: ((_Role.ABSTRACT, 0.0), (_Role.PARAGRAPH, 0.0)),
    }
    costs: dict[_Role, float] = {}
    came: list[dict[_Role, _Role]] = []
    for line in lines:
        if not costs:
            costs = dict.fromkeys(_Role, math.inf) | {_Role.TITLE: _cost(line, _Role.TITLE, by_block=by_block)}
            came.append({})
            continue
        best = {role: min((costs[before] + step, before) for before, step in steps[role]) for role in _Role}
        came.append({role: before for role, (_, before) in best.items()})
        costs = {role: cost + _cost(line, role, by_block=by_block) for role, (cost, _) in best.items()}
    if not costs:
        return []
    costs[_Role.TITLE] += _NO_ABSTRACT
    role = min(_Role, key=lambda last: costs[last])
    if costs[role] == math.inf:
        return []
    path = [role]
    for before in reversed(came[1:]):
        path.append(before[path[-1]])
    return path[::-1]


def _cost(line: Line, role: _Role, *, by_block: bool) -> float:
    """Return how unlike its role a line looks: 0 for the usual, infinite for the impossible."""
    text, prose = line.text, is_prose(line.text)
    if role is _Role.TITLE:
        if len(text) > _LONGEST_TITLE or (by_block and not line.starts_block):
            return math.inf
        return (
            (_TITLE_LIKE_SENTENCE if prose or len(text) > _LONG_TITLE else 0.0)
            + (_TITLE_LIKE_SENTENCE if _SENTENCE_BREAK.search(text) else 0.0)
            + (_PARAGRAPH if _ADDRESS.search(text) else 0.0)
            + (_NO_ABSTRACT if _LABEL.fullmatch(text) else 0.0)
        )
    if role is _Role.ABSTRACT:
        usual = 0.0 if len(text) >= _SHORT_ABSTRACT else _SHORT_PROSE
        return (usual if prose or _LABEL.fullmatch(text) else _SHORT_NO_PROSE) + (
            _ABSTRACT_AFTER_BLANK if by_block and line.starts_block else 0.0
        )
    return _PARAGRAPH + (0.0 if prose else _PARAGRAPH_NO_PROSE)
