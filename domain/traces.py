"""By what an author is found: names that may be the same, as `domain.authors` compares them, share a trace.

What is found so is a candidate; `likeness` decides. The archive's index and that of a batch both go by traces. One name
alone is a trace of whoever has it. Several are found by the family name with the first given name's first letter, by
all letters whatever their order ("He Kai Ming" is "Kaiming He"), or, where they are a family name with its small words
alone, by each of them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from domain.authors import is_whole, names, without_particles

_DOTS = re.compile("(?<=[aou])e")  # the "e" of Mueller, and more than that


def traces(authors: Iterable[str]) -> Iterator[str]:
    """Yield the traces of authors as they are listed, each one word, some twice."""
    for author in authors:
        if listed := names(author):
            yield from map(_name, filter(is_whole, listed))
            yield _family(listed)
            yield _letters(listed)


def asked_for(asked: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return what to look for: all traces of any one tuple; nothing is found without names."""
    match asked:
        case []:
            return ()
        case [name]:
            return ((_name(name),),)
        case _:
            # Behind another name, the small word in front would be left out.
            is_family_alone = len(without_particles(("", *asked))) <= len(without_particles(asked))
            whole = (tuple(map(_name, asked)),) if is_family_alone else ()
            return ((_family(asked),), (_letters(asked),), *whole)


def _name(name: str) -> str:
    return _word(_DOTS.sub("", name))


def _family(listed: Sequence[str]) -> str:
    return f"{_name(listed[-1])}0{_word(listed[0][0])}"


def _letters(listed: Sequence[str]) -> str:
    return f"0{_word(''.join(sorted(''.join(without_particles(listed)))))}"


def _word(letters: str) -> str:
    """Return letters as one word, however young their script is."""
    return letters if letters.isascii() else letters.encode().hex()
