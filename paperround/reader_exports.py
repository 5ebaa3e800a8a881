"""What is kept of a reader, as one JSON object that is written while it is read: however much it is, little is held."""

import json
from collections.abc import Generator, Iterator
from contextlib import closing


def as_json(parts: Generator[tuple[str, object]]) -> Iterator[str]:
    """Give an object's text: a part by name, the members of an iterator a line each.

    `parts` is closed in any case: whoever reads may leave in the middle, and a transaction must not stay open.
    """
    before = "{\n"
    with closing(parts):
        for name, part in parts:
            yield f"{before}{json.dumps(name)}: "
            if isinstance(part, Iterator):
                yield from _listed(part)
            else:
                yield json.dumps(part)
            before = ",\n"
    yield "\n}\n"


def _listed(members: Iterator[object]) -> Iterator[str]:
    before = "["
    for each in members:
        yield f"{before}\n  {json.dumps(each)}"
        before = ","
    yield "[]" if before == "[" else "\n]"
