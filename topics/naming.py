"""Facts in words: by whom, in which category, on which source, with how many votes.

    by Kaiming He · in cs.CV · on arXiv cs.CV · 41 upvotes
    by Kaiming He, for “K. He”          only an initial was asked for
    by K. He, perhaps Kaiming He        only an initial is listed

Each author is told once, by what is surest. A name keeps the capitals that it was typed or listed with: which letters
are large in MacKay cannot be known. Without any it is quoted as typed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from domain.authors import Likeness, is_whole, names
from domain.topics import Author, Category, Source, Votes
from topics.grammar import QUOTES, narrow
from topics.grounds import Known

_LONGEST = 40  # characters of a name, word or phrase
_MOST = 2  # authors, categories or sources
_TYPED = re.compile(
    rf"[{QUOTES}](?P<quoted>[^{QUOTES}]*)[{QUOTES}]|(?:author:)?(?P<bare>[^\s(){QUOTES}]+)", re.IGNORECASE
)
_SURE, _AS_ASKED, _BY_INITIAL = range(3)


def told(known: Sequence[Known], typed: str, labels: Mapping[str, str]) -> list[str]:
    """Return what is said of facts; `typed` is the topic as typed, `labels` what readers call sources."""
    categories = [short(each.proof.text) for each in known if isinstance(each.leaf, Category)]
    sources = [short(labels.get(each.proof.text, each.proof.text)) for each in known if isinstance(each.leaf, Source)]
    votes = {int(each.proof.text) for each in known if isinstance(each.leaf, Votes)}
    said = (("by", _authors(known, typed)), ("in", _few(categories)), ("on", _few(sources)))
    return [
        *(f"{lead} {named}" for lead, named in said if named),
        *(f"{number:,} {'upvote' if number == 1 else 'upvotes'}" for number in votes),
    ]


def listed(each: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join([", ".join(each[:-1]), each[-1]] if len(each) > 1 else each)


def short(text: str) -> str:
    """Return a name that is not too long for a line."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def _few(each: Iterable[str], apart: str = "") -> str:
    """Return the first of them, and how many more; `apart` stands between names that hold commas."""
    several = list(dict.fromkeys(each))
    more = len(several) - _MOST
    shown = [*several[:_MOST], f"{more} more"] if more > 0 else several
    return apart.join(shown) if apart else listed(shown)


def _authors(known: Iterable[Known], typed: str) -> str:
    """Return each listed author once, those first who are sure."""
    surest: dict[str, tuple[int, str]] = {}
    for each in known:
        if isinstance(each.leaf, Author):
            name = each.proof.text
            surest[name] = min(
                surest.get(name, (_BY_INITIAL + 1, "")), _author(each, each.leaf.names, typed), key=_rank
            )
    ordered = sorted(surest.values(), key=_rank)
    return _few((said for _, said in ordered), apart="; " if any(rank == _BY_INITIAL for rank, _ in ordered) else "")


def _rank(said: tuple[int, str]) -> int:
    return said[0]


def _author(known: Known, asked: tuple[str, ...], typed: str) -> tuple[int, str]:
    """Return how sure it is that the author is meant, and what is said."""
    name = short(known.proof.text)
    if known.proof.likeness is Likeness.SURE:
        return _SURE, name
    is_listed_whole = is_whole(names(known.proof.text)[0])
    if not is_listed_whole and not is_whole(asked[0]):
        return _AS_ASKED, name
    text = _as_typed(asked, typed)
    spelled = None if is_listed_whole else _spelled(asked, text)
    return _BY_INITIAL, f"{name}, perhaps {short(spelled)}" if spelled else f"{name}, for “{short(text)}”"


def _as_typed(asked: tuple[str, ...], typed: str) -> str:
    """Return the name as it stands in the topic, or as names are compared where it does not stand there."""
    pieces = (found[1] or found[2] or "" for found in _TYPED.finditer(narrow(typed)))
    compared = " ".join(name if is_whole(name) else f"{name}." for name in asked)
    return next((" ".join(piece.split()) for piece in pieces if names(piece) == asked), compared)


def _spelled(asked: tuple[str, ...], text: str) -> str | None:
    """Return a name as typed, given names first; None where it has not both large and small letters."""
    words = {"".join(names(word)): word for word in re.findall(r"[^\s,]+", text)}
    if text in {text.lower(), text.upper()} or not words.keys() >= set(asked):
        return None
    return " ".join(words[name] for name in asked)
