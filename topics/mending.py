"""What is wrong with a topic that cannot be read, in the reader's words, and what was meant where that is obvious.

A complaint brings the edits that would do away with it. `mended` makes them, and those that the next complaint brings,
and says nothing if after a few rounds the topic still cannot be read.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from itertools import takewhile

from lark import Token

from topics.grammar import FIELDS, OPERATORS

Edit = tuple[int, int, str]  #: from where to where in the text, and what should stand there

_ROUNDS = 8
_INSIDE = re.compile(r"(?<=\() | (?=\))")
#: What other places call our fields.
_ALIASES = {
    "ti": "title", "intitle": "title", "abs": "abstract", "ab": "abstract", "tiab": "abstract", "summary": "abstract",
    "au": "author", "by": "author", "category": "cat", "categories": "cat", "subject": "cat", "primary_category": "cat",
    "src": "source", "site": "source", "feed": "source",
}  # fmt: skip


class Wrong(Exception):
    """A topic cannot be read, for a reason that stands at a column; `edits`, rising, may be what was meant."""

    def __init__(self, reason: str, column: int, *edits: Edit) -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column
        self.edits = edits


def mended(text: str, wrong: Wrong, read: Callable[[str], object]) -> str:
    """Return the topic as it may have been meant, which `read` takes without raising Wrong; "" where that is not so."""
    for _ in range(_ROUNDS):
        if not wrong.edits:
            return ""
        for begin, end, instead in reversed(wrong.edits):
            text = text[:begin] + instead + text[end:]
        text = _INSIDE.sub("", " ".join(text.split()))
        try:
            read(text)
        except Wrong as next_one:
            wrong = next_one
        else:
            return text
    return ""


def unknown_field(token: Token, name: str) -> Wrong:
    """Say which fields there are, and which one was meant, or that in quotes it is no field."""
    start, end = span(token)
    close = _ALIASES.get(name.lower()) or next(iter(get_close_matches(name.lower(), FIELDS, n=1)), None)
    value = token[len(name) + 1 :]
    if value.isdecimal() and name.lower().endswith(("vote", "votes")):
        edit = (start, end, f"upvotes>={value}")
    elif close:
        edit = (start, start + len(name), close)
    elif value:
        edit = (start, end, f'"{token}"')
    else:  # before a quote or a parenthesis
        edit = (end - 1, end, " ")
    known = ", ".join(f"{field}:" for field in FIELDS)
    return Wrong(f"“{shortened(name)}:” is no field; there are {known} and upvotes>=", start + 1, edit)


def unexpected(lexed: Sequence[Token], wrong: Token) -> Wrong:
    """Say what the grammar did not expect: `wrong` is one of the tokens, or of type $END."""
    before, opened = _up_to(lexed, wrong)
    if before is not None and before.type in OPERATORS:
        where = "right after" if before.type == "DASH" else "after"
        return Wrong(f"“{before}” wants a word {where} it", column(before), without(before))
    if before is not None and before.type.endswith("_FIELD"):
        return _no_value(before, wrong)
    if before is not None and wrong.type == "$END":
        end = span(before)[1]
        return Wrong("This parenthesis is never closed", column(opened[-1][0]), (end, end, ")" * len(opened)))
    if opened and before is not opened[-1][0] and (field := opened[-1][1]) and field.type == "FACT_FIELD":
        return _no_names(lexed, field, wrong)
    reason, place, edit = "This parenthesis closes nothing", wrong, without(wrong)
    if wrong.type in OPERATORS:
        reason = f"“{wrong}” wants a word before it"
    elif opened:
        reason, place = "The parentheses hold nothing", opened[-1][0]
        edit = (span(place)[0], span(wrong)[1], " ")
    return Wrong(reason, column(place), edit)


def _up_to(lexed: Sequence[Token], wrong: Token) -> tuple[Token | None, Sequence[tuple[Token, Token | None]]]:
    """Return the token before the wrong one, and each open parenthesis with what stands before that."""
    before: Token | None = None
    opened: list[tuple[Token, Token | None]] = []
    for token in lexed:
        if token.start_pos == wrong.start_pos and wrong.type != "$END":
            break
        if token.type == "OPEN":
            opened.append((token, before))
        elif token.type == "CLOSE":
            opened.pop()
        before = token
    return before, opened


def _no_value(field: Token, wrong: Token) -> Wrong:
    kind = "a name" if field.type == "FACT_FIELD" else "a word, a phrase or parentheses"
    edits: tuple[Edit, ...] = ()
    if wrong.type in {"NOT", "DASH"}:
        edits = ((span(field)[0], span(wrong)[1], f"-{field}"),)
    elif wrong.type in {"$END", "CLOSE", *OPERATORS}:
        edits = (without(field),)
    return Wrong(f"“{field}” wants {kind} after it", column(field), *edits)


def _no_names(lexed: Sequence[Token], field: Token, wrong: Token) -> Wrong:
    """Say what may stand in the parentheses after a field of names, and how it would be written."""
    first = next(nth for nth, token in enumerate(lexed) if token.start_pos == field.start_pos) + 1
    inside = list(takewhile(lambda token: token.type != "CLOSE", lexed[first + 1 :]))
    last = lexed[min(first + 1 + len(inside), len(lexed) - 1)]
    edits: tuple[Edit, ...] = ()
    if inside and all(token.type in {"WORD", "PHRASE", "_OR"} for token in inside):
        found = _people(inside) if field.lower() == "author:" else [str(each) for each in inside if each.type != "_OR"]
        if found:
            edits = ((span(lexed[first])[0], span(last)[1], either(name.rstrip(",;") for name in found)),)
    return Wrong(f"“{field}(…)” holds names with OR between them", column(wrong), *edits)


def _people(inside: Iterable[Token]) -> Sequence[str]:
    """Return the authors that words, phrases and ORs mean, a whole name quoted; none where that is not obvious."""
    runs: list[list[str]] = [[]]
    for token in inside:
        if token.type == "WORD":
            runs[-1].append(token)
        else:
            runs += [[token[1:-1]], []] if token.type == "PHRASE" else [[]]
    texts = [" ".join(run) for run in runs if run]
    if any(text.count(",") > 1 and not listed(text) for text in texts):
        return ()
    return [quoted(name) for text in texts for name in listed(text) or (text,)]


def listed(text: str) -> Sequence[str]:
    """Return the authors of a text that obviously lists several, with semicolons or whole names with commas.

    “He, Kaiming” is one author, and so is “Smith, John, Jr.”.
    """
    apart = [name for part in text.split(";") if (name := part.strip(" ,"))]
    if len(apart) > 1:
        return apart
    apart = [name for part in text.split(",") if (name := part.strip(" ;"))]
    return apart if len(apart) > 2 and all(" " in name for name in apart) else ()


def quoted(name: str) -> str:
    """Return an author's name as it is typed after `author:`."""
    return f'"{name.rstrip(",;")}"' if " " in name else name


def either(names: Iterable[str]) -> str:
    """Return what may stand after a field of names to ask for any of them."""
    every = list(names)
    return every[0] if len(every) == 1 else f"({' OR '.join(every)})"


def span(token: Token) -> tuple[int, int]:
    """Return from where to where a token stands in the text."""
    start = token.start_pos or 0
    return start, start + len(token)


def column(token: Token) -> int:
    """Return where a token begins, counted from 1."""
    return span(token)[0] + 1


def without(token: Token) -> Edit:
    """Return the edit that takes a token away."""
    return (*span(token), " ")


def shortened(text: str) -> str:
    """Return a text for a complaint, cut where it is long."""
    return text if len(text) <= 40 else text[:39] + "…"
