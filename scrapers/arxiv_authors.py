r"""arXiv's line of authors, as its mails and its records hold it: names, affiliations in parentheses, TeX accents.

"Lev Moss (1), Ada Holm (2,3) and J\"org B\"ucher ((1) Institute, Town, (2) Other (North))" is three names. Parentheses
are counted, since they nest; commas within braces or parentheses part nothing; the accents stay as they are.
"""

import re
from collections.abc import Iterable, Iterator

from scrapers.text import collapse

_MORE = re.compile(r"\(([0-9]{1,5})\s+additional\s+authors?\s+not\s+shown\)", re.IGNORECASE)
_PART = re.compile(r"[,:](?=\s|$)|(?<=\s)and(?=[\s,])(?! Sons\b)|[(){}]")
_AND = re.compile(r"^(?:and|&)\s+", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:Jr|Sr|II|III|IV)\.?", re.IGNORECASE)
_DEGREE = re.compile(r"(?:Ph\.? ?D|M\.? ?D|M\.? ?Sc|B\.? ?Sc|D\.? ?Sc|Dr|Prof|Esq)\.?", re.IGNORECASE)
_OTHERS = re.compile(r"\bet\s+al\.?$")


def names_of(line: str) -> tuple[tuple[str, ...], int]:
    """Return the names in a line of authors, and how many authors there are with those that it leaves out."""
    line = collapse(line)
    more = sum(int(found[1]) for found in _MORE.finditer(line))
    names = tidied(_parts(_without_affiliations(line)))
    return names, len(names) + more


def tidied(parts: Iterable[str]) -> tuple[str, ...]:
    """Return the names among the parts of a list, without "and", "et al." and "Ph.D."; "Jr." goes to its name."""
    names: list[str] = []
    for part in parts:
        name = _OTHERS.sub("", _AND.sub("", collapse(part))).rstrip(" ;,")
        if _SUFFIX.fullmatch(name):
            names[-1:] = [f"{last} {name}" for last in names[-1:]]
        elif any(letter.isalpha() for letter in name) and not _DEGREE.fullmatch(name):
            names.append(name)
    return tuple(names)


def _without_affiliations(line: str) -> str:
    """Return the line without what stands in parentheses; one that never closes takes what is up to the next comma."""
    opened: list[int] = []
    pairs: dict[int, int] = {}  # from the opening parenthesis to behind the closing one
    for at, sign in enumerate(line):
        if sign == "(":
            opened.append(at)
        elif sign == ")" and opened:
            pairs[opened.pop()] = at + 1
    kept: list[str] = []
    at = 0
    while at < len(line):
        if line[at] != "(":
            kept.append(line[at])
            at += 1
        else:
            kept.append(" ")
            at = pairs.get(at) or _next_comma(line, at)
    return "".join(kept).replace(")", " ")


def _next_comma(line: str, at: int) -> int:
    comma = line.find(",", at)
    return len(line) if comma < 0 else comma


def _parts(line: str) -> Iterator[str]:
    """Yield what stands between commas, colons ("The Tide Collaboration: Ada Moss") and the word "and"."""
    depth = start = 0
    for found in _PART.finditer(line):
        sign = found[0]
        if sign in "{}":
            depth = depth + 1 if sign == "{" else max(depth - 1, 0)
        elif not depth:
            yield line[start : found.start()]
            start = found.end()
    yield line[start:]
