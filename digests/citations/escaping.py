r"""Text for a BibTeX field: TeX that can be set stays, everything that TeX would take amiss is escaped.

    cleaned  →  formulas between dollars  →  known commands and accents  →  braces that pair  →  escapes for the rest

What comes out has balanced braces as BibTeX counts them, which is without looking at backslashes; so a literal brace is
named (`\textbraceleft{}`). Unicode stays: every TeX of today reads it. One pass, linear in the length.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from digests.citations.commands import BEGINNING, DRESS, LETTERS, SIGNS, SYMBOLS
from digests.citations.formulas import LONGEST, is_formula
from digests.readable import clean
from digests.tex import is_math, without_escaped_quotes, without_ties

_DEEPEST = 10  # groups in groups that are kept; BibTeX's styles and parsers give up somewhere beyond
_ESCAPES = {
    "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "$": r"\$",
    "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}",
}  # fmt: skip
_TO_ESCAPE = re.compile(r"[&%#_${}\\~^<>|]")
_TOKEN = re.compile(
    r"""(?P<formula>\$\$?|\\\(|\\\[)
    |\\(?P<escaped>[%&\#$_{}])
    |(?P<accent>\\["'`^~=.](?:\{(?:\\[ij]|[A-Za-z])\}|\\[ij](?![A-Za-z])|[A-Za-z])
        |\\[uvHcdbkr]\{(?:\\[ij]|[A-Za-z])\})
    |\\(?P<command>[A-Za-z]+)(?P<end>\{\}|\ )?
    |(?P<space>\\[,;:! /-]|\\\\)
    |(?P<brace>[{}])""",
    re.VERBOSE,
)
_LINK = re.compile(r"\\href\s?\{([^{}]{1,500})\}\s?\{([^{}]{1,500})\}")
_CLOSING = {"$": "$", "$$": "$$", r"\(": r"\)", r"\[": r"\]"}
_SPACES = {r"\,": r"\,", r"\ ": r"\ ", r"\-": r"\-", r"\/": r"\/"}


def tex_safe(text: str) -> str:
    """Return a text for a BibTeX field in braces; it is on one line, and its braces balance."""
    text = _LINK.sub(r"\2 (\1)", without_escaped_quotes(clean(text)))
    return "".join(piece.text for piece in _paired(list(_pieces(text))))


@dataclass(slots=True)
class _Piece:
    """A part of the outcome; a brace that may turn out to pair, and the command that wants it, are told apart."""

    text: str
    kind: str = ""  #: "{" or "}", or the name of a command that may dress a group


_NOTHING = _Piece("")


def _pieces(text: str) -> Iterator[_Piece]:
    at = 0
    while found := _TOKEN.search(text, at):
        yield _Piece(_plain(text[at : found.start()]))
        at = found.end()
        kind = found.lastgroup
        if kind == "formula":
            formula, at = _formula(text, found)
            yield _Piece(formula)
        elif kind == "escaped":
            yield _Piece(_ESCAPES[found["escaped"]])
        elif kind == "accent":
            yield _Piece(found[0])
        elif kind in {"command", "end"}:
            yield _command(found["command"], found["end"] or "")
        elif kind == "space":
            yield _Piece(_SPACES.get(found[0], " "))
        else:
            yield _Piece(_ESCAPES[found[0]], kind=found[0])
    yield _Piece(_plain(text[at:]))


def _plain(text: str) -> str:
    return _TO_ESCAPE.sub(lambda found: _ESCAPES[found[0]], without_ties(text))


def _formula(text: str, opening: re.Match[str]) -> tuple[str, int]:
    """Return the formula that begins there, and where it ends; where none does, the sign itself as text."""
    begin = opening.end()
    close = _CLOSING[opening[0]]
    end = text.find(close, begin, begin + LONGEST + len(close))
    while end > 0 and text[end - 1] == "\\" and close[0] == "$":  # an escaped dollar ends nothing
        end = text.find(close, end + 1, begin + LONGEST + len(close))
    inner = text[begin:end] if end >= 0 else ""
    if inner and _is_meant(inner, opening[0], text[end + len(close) : end + len(close) + 1]) and is_formula(inner):
        named = inner.replace(r"\{", r"\lbrace ").replace(r"\}", r"\rbrace ")
        return f"${named}$", end + len(close)
    return "".join(_ESCAPES.get(each, each) for each in opening[0]), begin


def _is_meant(inner: str, opening: str, following: str) -> bool:
    r"""Whether dollars mean a formula and not money: "costs \$5 and 10\$"."""
    if opening != "$" or any(sign in inner for sign in "\\^_{}"):
        return True
    return inner == inner.strip() and is_math(inner) and not following.isdigit()


def _command(name: str, end: str) -> _Piece:
    """Return what a command becomes; `end` is the blank or the empty group that ended its name."""
    blank = " " if end == " " else ""
    if name in LETTERS:
        return _Piece(f"\\{name}{{}}")
    if name in SIGNS:
        return _Piece(f"\\{name}{{}}{blank}")
    if name in SYMBOLS:
        return _Piece(rf"\ensuremath{{\{name}}}{blank}")
    return _Piece(rf"\textbackslash{{}}{name}{blank}", kind=name)


def _paired(pieces: list[_Piece]) -> list[_Piece]:
    """Let the braces that pair be braces, and what dresses such a group be a command; the rest stays escaped."""
    pieces = [piece for piece in pieces if piece.text]
    open_at: list[int] = []
    for at, piece in enumerate(pieces):
        if piece.kind == "{":
            open_at.append(at)
        elif piece.kind == "}" and open_at:
            begin = open_at.pop()
            if len(open_at) < _DEEPEST:
                pieces[begin].text, piece.text = "{", "}"
    for before, piece, after in zip([_NOTHING, *pieces], pieces, [*pieces[1:], _NOTHING], strict=False):
        if piece.kind in DRESS and after.text == "{":
            piece.text = DRESS[piece.kind]
        elif piece.kind in BEGINNING and before.text == "{":
            piece.text = BEGINNING[piece.kind]
    return pieces
