"""Notes on a topic that can be read, but perhaps not as it was meant: what other places take for an operator."""

import re

from topics.grammar import QUOTES

_QUOTED = re.compile(f"[{QUOTES}][^{QUOTES}]*[{QUOTES}]")
_BETWEEN_WORDS = r"(?<=\S)\s+{}\s+(?=\S)"
_OR = re.compile(_BETWEEN_WORDS.format("([Oo]r)"))
_NOT = re.compile(_BETWEEN_WORDS.format("([Nn]ot)"))
_NEAR = re.compile(r"(?<!\S)(NEAR|ADJ|WITHIN)(?=[(/\d])")
_SIGN = re.compile(r"(?<!\S)(\^(?=\w)|\{\w+\}(?=\s*:))")
_MARKED = re.compile(r"(?<!\S)(!|[-–—]{2,})(?=\w)")
_CATEGORY = re.compile(r"(?<![\w.:-])(?:[a-z]+-)?[a-z]+\.(?:[A-Z]{2}|[a-z]+-[a-z]+)(?![\w.])")
_BAR = re.compile(r"\w(\|+|&&)\w")
_COMMA = re.compile(r"[^\s,]+,(?=\s+\S)")
_IDENTIFIER = re.compile(r"(?<!\S)(?:https?://\S+|10\.\d{4,9}/\S+|\d{4}\.\d{4,5}(?:v\d+)?(?![\w.]))")
_AUTHOR = re.compile(r"(?i:(?<!\w)author:)\s*([^\W\d_][^\s()]*)\s+([A-Z][^\W\d_A-Z][^\s():]*)(?![^\s()])")
#: What is found → what is said of it, with what stands in its first parentheses.
_SAID = (
    (_OR, "“{}” is passed over, as every very common word; OR in capitals means either"),
    (_NOT, "“{}” is passed over, as every very common word; NOT in capitals, or a “-”, excludes"),
    (_NEAR, "“{}” is looked for as a word; for words side by side put quotes around them"),
    (_SIGN, "“{}” is no operator here; title: before a word looks in titles only"),
    (_MARKED, "“{}” excludes nothing here; one “-” right before a word does"),
    (_BAR, "“{}” inside a word makes a phrase; OR between words means either, AND both"),
)
_LONGEST = 60  # characters of what is shown of the topic


def hints(text: str) -> tuple[str, ...]:
    """Return what should be said of a topic as typed, a sentence each; mostly nothing."""
    bare = _QUOTED.sub(lambda found: '""'.ljust(len(found[0])), text)
    notes = [said.format(found[1]) for pattern, said in _SAID if (found := pattern.search(bare))]
    if "cat:" not in bare.lower() and (found := _CATEGORY.search(bare)):
        notes.append(f"“{found[0]}” is looked for as words; cat:{found[0]} asks for the category")
    if " OR " not in bare and "|" not in bare and (found := _COMMA.search(bare)):
        notes.append("A comma is passed over, and all words are wanted together; OR between them means either")
    if found := _IDENTIFIER.search(bare):
        notes.append(
            f"“{_shown(found[0])}” is looked for in titles and abstracts, where a paper's own id seldom stands"
        )
    if found := _AUTHOR.search(bare):
        name = _shown(f"{found[1]} {found[2]}")
        notes.append(
            f"Only “{_shown(found[1])}” belongs to author:, and “{_shown(found[2])}” is a word; a whole name "
            f'stands in quotes: author:"{name}"'
        )
    return tuple(notes)


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
