"""`./run bench [NAME] [--json] [options of that bench]`: every figure beside its reference, from the same run.

Find the bench by name → import it → run it with its own options → print a table, or one JSON object. Without a name
every bench runs, one after the other, with the options it has by default.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure
from domain.errors import PaperroundError

# A bench is a module with `run(options: list[str]) -> list[Figure]`; a new one is one more line here. What it tells of
# its figures in `as_json(figures) -> dict` stands in the JSON object too.
BENCHES = {
    "parse": "benchmarks.parse",
    "match": "benchmarks.match",
    "store": "benchmarks.store",
    "collect": "benchmarks.collect",
    "search": "benchmarks.search",
    "preview": "benchmarks.preview",
    "relevance": "benchmarks.relevance",
    "feedback": "benchmarks.feedback",
    "rank": "benchmarks.rank",
    "compose": "benchmarks.compose",
    "publish": "benchmarks.publish",
    "deliver": "benchmarks.deliver",
    "kill": "benchmarks.kill",
    "engine": "benchmarks.engine",
    "smtp": "benchmarks.smtp",
    "web": "benchmarks.web",
    "idle": "benchmarks.idle",
    "scrape": "benchmarks.scrape",
    "simulate": "benchmarks.simulate.bench",
}

USAGE = f"""\
usage: ./run bench [NAME] [--json] [options of that bench]

NAME is one of {", ".join(BENCHES)}; without it all of them run.
"""


def main(arguments: list[str]) -> int:
    """Run what the arguments ask for; returns the exit code: 0 done, 2 wrong usage, or data that are not there."""
    words = [word for word in arguments if word != "--json"]
    name, options = (words[0], words[1:]) if words else (None, [])
    if name in {"-h", "--help"}:
        print(USAGE, end="")
        return 0
    if name is not None and name not in BENCHES:
        print(f"there is no bench {name!r}; it is one of {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    as_json = len(words) < len(arguments)
    told: dict[str, object] = {}
    code = 0
    for bench in [name] if name else BENCHES:
        module = importlib.import_module(BENCHES[bench])
        try:
            figures = module.run(options)
        except PaperroundError as error:
            print(f"{bench}: {error}", file=sys.stderr)
            told["error"] = str(error)
            code = 2
            continue
        told[bench] = [_as_json(figure) for figure in figures]
        told |= module.as_json(figures) if hasattr(module, "as_json") else {}
        if not as_json:
            Console().print(_table(bench, figures))
    if as_json and told:
        print(json.dumps(told))
    return code


def _as_json(figure: Figure) -> dict[str, object]:
    return {**dataclasses.asdict(figure), "ratio": figure.ratio}


def _table(bench: str, figures: list[Figure]) -> Table:
    table = Table(title=bench, title_justify="left")
    table.add_column("what", overflow="fold")
    table.add_column("value", justify="right")
    table.add_column("reference", justify="right")
    table.add_column("of", overflow="fold")
    table.add_column("ratio", justify="right")
    for figure in figures:
        table.add_row(
            figure.what,
            f"{figure.value:,.4g} {figure.unit}",
            "" if figure.reference is None else f"{figure.reference:,.4g} {figure.unit}",
            figure.reference_name,
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
