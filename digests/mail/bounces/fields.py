"""Groups of fields as reports for machines have them: RFC 3464 section 2.1.1, RFC 5965 section 3."""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby, islice

_FIELDS = 100  # in one group
_VALUE = 2_000  # characters of a field
_FIELD = re.compile(r"([!-9;-~]{1,100}):[ \t]*(.*)", re.DOTALL)

#: Field names in lower case → their values in order, unfolded.
Group = Mapping[str, Sequence[str]]


def groups(content: bytes, most: int) -> tuple[Group, ...]:
    """Return at most so many groups, which blank lines divide; what is no field is left out.

    The text is read as UTF-8, of which ASCII is a part (RFC 6533 section 3).
    """
    lines = content.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    blocks = (tuple(block) for is_blank, block in groupby(lines, key=lambda line: not line.strip()) if not is_blank)
    return tuple(_group(block) for block in islice(blocks, most))


def first(group: Group, name: str) -> str:
    """Return a field's first value; "" where there is none."""
    return next(iter(group.get(name, ())), "")


def _group(block: Sequence[str]) -> Group:
    fields: list[list[str]] = []
    for line in block:
        if line[:1] in {" ", "\t"} and fields:
            fields[-1].append(line)
        else:
            fields.append([line])
    found: dict[str, list[str]] = {}
    for each in fields[:_FIELDS]:
        if field := _FIELD.fullmatch("".join(each)):
            found.setdefault(field[1].lower(), []).append(" ".join(field[2][:_VALUE].split()))
    return found
