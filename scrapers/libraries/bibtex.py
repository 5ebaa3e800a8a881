"""BibTeX, entry by entry: pybtex reads each, so that a broken one spoils itself alone.

    lines → an entry begins where a line begins with "@word{", and ends before the next → pybtex → TeX into letters

Names defined by @string hold for what follows, as BibTeX has it; comments and preambles are passed over.
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from itertools import islice
from typing import Any

import latexcodec  # noqa: F401 registers the codec
from pybtex.database import Person
from pybtex.database.input.bibtex import LowLevelParser, UndefinedMacro, month_names
from pybtex.exceptions import PybtexError

from domain.papers import ListedPaper
from scrapers.libraries.entry import RefusedError, Rejected, paper_of

BEGINS = re.compile(r"^[ \t]{0,20}@[ \t]{0,20}([A-Za-z]{1,40})[ \t]{0,20}[{(]", re.MULTILINE)
LARGEST = 500_000  # characters of one entry: pybtex takes long for what nests deep
_MOST_NAMED = 2_000_000  # characters that all names of a file stand for
_DEEPEST = 50  # braces one in another
_NO_PAPERS = frozenset({"comment", "preamble"})
# What looks only, in mathematics or not.
_COMMAND = re.compile(r"\\(?:text(?:it|bf|sc|rm|tt)?|emph|mathrm|enquote|url|href\{[^{}]*\})\s*\{([^{}]*)\}")
_AND = re.compile(r"\\[{}]|[{}]| and(?= )", re.IGNORECASE)
_MOST_AUTHORS = 200
_LATEX = codecs.lookup("ulatex").decode


class Names(dict[str, str]):
    """What @string defined, whatever the case of a name, and how much of it one entry was given.

    A few lines can double a text until nothing holds it: so raises ValueError for more than an entry may hold, and for
    more than a file may define.
    """

    def __init__(self) -> None:
        super().__init__(month_names)
        self.given = 0  #: characters, since it was last set to 0
        self._held = 0

    def __getitem__(self, name: str) -> str:
        value = super().__getitem__(name.lower())
        self.given += len(value)
        if self.given > LARGEST:
            raise ValueError("the names in it stand for more than an entry may hold")
        return value

    def __setitem__(self, name: str, value: str) -> None:
        self._held += len(value) - len(self.get(name.lower(), ""))
        super().__setitem__(name.lower(), value)
        if self._held > _MOST_NAMED:
            self.drop(name)
            raise ValueError("the names of the file stand for more than a file may define")

    def drop(self, name: str) -> None:
        """Let a name be one that nobody defined."""
        self._held -= len(self.pop(name.lower(), ""))


def entries(lines: Iterable[str], visited: date) -> Iterator[ListedPaper | Rejected]:
    """Yield what stands in a BibTeX file, in its order."""
    macros = Names()
    for number, kind, text in _split(lines):
        if kind in _NO_PAPERS:
            continue
        if len(text) > LARGEST:
            yield Rejected(number, f"begins an entry of more than {LARGEST:,} characters")
            continue
        if _depth(text) > _DEEPEST:
            yield Rejected(number, f"begins an entry whose braces do not close, or nest more than {_DEEPEST} deep")
            continue
        try:
            yield from _read(text, kind, macros, visited)
        except RefusedError as reason:
            yield Rejected(number, f"begins an entry that {reason}")
        except (PybtexError, ValueError, RecursionError) as error:
            yield Rejected(number, f"begins an entry that cannot be read: {_short(error)}")


def _split(lines: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Yield each entry's first line, kind and text; of one that is too long only as much as shows that."""
    began, kind, size = 0, "", 0
    held: list[str] = []
    for number, line in enumerate(lines, start=1):
        if found := BEGINS.match(line):
            if kind:
                yield began, kind, "".join(held)
            began, kind, held, size = number, found[1].lower(), [], 0
        if kind and size <= LARGEST:
            held.append(line)
            size += len(line)
    if kind:
        yield began, kind, "".join(held)


def _depth(text: str) -> int:
    """Return how deep braces nest; more than any may where they do not close."""
    depth = deepest = 0
    for found in re.finditer(r"\\[{}]|[{}]", text):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        deepest = max(deepest, depth)
        if depth == 0 and deepest:
            return deepest  # what follows the entry is a comment
    return deepest if depth <= 0 or text.lstrip().partition("{")[0].count("(") else _DEEPEST + 1


def _read(text: str, kind: str, macros: Names, visited: date) -> Iterator[ListedPaper]:
    unknown: list[str] = []

    def handle(error: Any) -> None:
        if not isinstance(error, UndefinedMacro):
            raise error
        unknown.append(_short(error))  # it is empty then, as BibTeX has it

    macros.given = 0
    for command, body in LowLevelParser(text, handle_error=handle, macros=macros):
        if command.lower() == "string" and unknown:
            macros.drop(body[0])  # of what is half known nothing is known
        if command.lower() in _NO_PAPERS or kind == "string":
            return
        _, fields = body
        if unknown and any(name.lower() == "title" and "" in parts for name, parts in fields):
            raise ValueError(f"of its title not all is known: {unknown[0]}")
        said = {name.lower(): " ".join("".join(value).split()) for name, value in reversed(fields)}
        yield _paper(said, visited)


def _paper(said: Mapping[str, str], visited: date) -> ListedPaper:
    arxiv = said.get("archiveprefix", said.get("eprinttype", "arxiv")).lower() == "arxiv"
    return paper_of(
        title=plain(said.get("title", "")),
        abstract=plain(said.get("abstract", "")),
        authors=_authors(said.get("author", "") or said.get("editor", "")),
        said={
            "doi": said.get("doi", "").replace("\\_", "_"),
            "url": said.get("url", "").replace("\\_", "_"),
            "eprint": said.get("eprint", "") if arxiv else "",
            "extra": f"{said.get('note', '')} {said.get('journal', '')}",
        },
        when=said.get("date", "") or said.get("year", ""),
        visited=visited,
    )


def _authors(names: str) -> list[str]:
    people = (each.strip() for each in islice(_people(names), _MOST_AUTHORS))
    return [_name(each) for each in people if each and each.lower() != "others"]


def _people(names: str) -> Iterator[str]:
    """Yield what stands between "and"s that no braces hold together."""
    began = depth = 0
    for found in _AND.finditer(names):
        if found[0] in "{}":
            depth += 1 if found[0] == "{" else -1
        elif depth <= 0 and found[0][0] == " ":
            yield names[began : found.start()]
            began = found.end()
    yield names[began:]


def _name(written: str) -> str:
    if written.startswith("{") and written.endswith("}"):
        return plain(written)
    try:
        person = Person(written)
    except PybtexError:
        return plain(written)
    first = [*person.first_names, *person.middle_names]
    return plain(" ".join([*first, *person.prelast_names, *person.last_names, *person.lineage_names]))


def plain(tex: str) -> str:
    """Return a field's text: accents and commands as letters, braces gone; mathematics stays as it is written."""
    text = _COMMAND.sub(r"\1", tex)
    if "\\" in text or "--" in text or "~" in text:
        with suppress(ValueError):
            text = str(_LATEX(text)[0])  # type: ignore[arg-type] # the codec is one of texts
    halves = text.split("$")
    bare = (half if place % 2 else half.replace("{", "").replace("}", "") for place, half in enumerate(halves))
    return " ".join("$".join(bare).split())


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
