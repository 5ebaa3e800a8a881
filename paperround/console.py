"""What a command says: one JSON object or a few calm lines on stdout; logs, progress and errors on stderr."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

_WIDE = 10_000  # columns


class Report:
    """Where one command's result goes."""

    def __init__(self, *, as_json: bool) -> None:
        self.is_json = as_json
        # Into a pipe or a file nothing is wrapped: an id must be found by grep.
        self._out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
        self._err = Console(stderr=True, highlight=False)

    def show(self, result: Mapping[str, Any], lines: Callable[[], Iterable[str | Table | Text]]) -> None:
        """Print the JSON object, or what `lines` gives; text from outside must be escaped by `plain`."""
        if self.is_json:
            # Escaped beyond ASCII: whatever the terminal's encoding, a script reads the same object.
            sys.stdout.write(json.dumps(result) + "\n")
            return
        for line in lines():
            self._out.print(line)

    def note(self, line: str) -> None:
        """Say something on stderr that is no result."""
        self._err.print(plain(line), soft_wrap=True)

    def raw(self, text: str) -> None:
        """Print help and the like as it stands."""
        self._out.print(escape(text))

    @contextmanager
    def progress(
        self, what: str, total: int | None = None, *, is_shown: bool = True
    ) -> Iterator[Callable[[int], None]]:
        """Show a bar on a terminal's stderr; what it gives is called with how much more is done."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(
            *columns, console=self._err, transient=True, disable=not (is_shown and self._err.is_terminal)
        ) as bar:
            task = bar.add_task(escape(what), total=total)
            yield lambda more: bar.advance(task, more)


def plain(text: str) -> str:
    """Return a text from outside fit for a terminal: no markup, no control characters, no surrogates."""
    shown = "".join(each if each.isprintable() or each == "\n" else " " for each in text)
    return escape(shown.encode("utf-8", "replace").decode("utf-8"))


def marked(text: str, marks: Iterable[tuple[int, int]]) -> Text:
    """Return a text from outside fit for a terminal, bold from each begin to its end."""
    drawn = Text("".join(each if each.isprintable() else " " for each in text))
    for begin, end in marks:
        drawn.stylize("bold", begin, end)
    return drawn


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a plain table of texts from outside."""
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(plain("" if cell is None else str(cell)) for cell in row))
    return drawn
