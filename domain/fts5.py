r"""The topic tree in the words of SQLite's FTS5, for every room that keeps such an index.

Text goes through `searchable` before it is indexed and before it is asked for, `match_expression` writes a tree as one
MATCH expression, and `tokens` says beforehand how FTS5 will cut a text. Each token stands quoted in the expression, so
nothing a reader types is ever FTS5 syntax.

TeX is read only as far as words need it: `Schr\"odinger` is Schrödinger, `CO$_2$` is CO2 as CO₂ is, `\textbf{deep}` is
deep, and `\alpha` is the word alpha. A single Greek letter is a word by its English name too: TGF-β, TGFβ and
`TGF-$\beta$` are "TGF beta". `tex_edits` and `greek_edits` tell where, so that a word found can be traced to the text
as it was.
"""

import re
import unicodedata
from collections.abc import Iterator

from domain.topics import And, Field, Node, Not, Or, Phrase, Prefix, Word, leaves
from domain.unicode61 import MARKS, SEPARATORS, TOKEN

#: The tokenizer of every index: Porter's stems, no diacritics, C++ and C# kept whole (stack.md, topic matching).
TOKENIZE = "porter unicode61 remove_diacritics 2 tokenchars '+#'"
#: The same without stems, for the indexes that prefixes are looked up in: a stem may end before a prefix does.
TOKENIZE_FORMS = TOKENIZE.removeprefix("porter ")

_ACCENTS = dict(
    zip(
        "'`^\"~=.uvHcdbkr",
        "\u0301\u0300\u0302\u0308\u0303\u0304\u0307\u0306\u030c\u030b\u0327\u0323\u0331\u0328\u030a",
        strict=True,
    )
)
_LETTERS = {
    "aa": "å", "AA": "Å", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł",
    "ss": "ß", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ",
    "NG": "Ŋ", "ell": "ℓ",
}  # fmt: skip
_ALPHA_TO_OMEGA = """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma sigma tau upsilon
    phi chi psi omega
"""  # as Unicode has them, with both small sigmas
_GREEK_LETTERS = dict(zip(map(chr, range(0x3B1, 0x3CA)), _ALPHA_TO_OMEGA.split(), strict=True))
_GREEK_LETTERS |= {letter.upper(): name for letter, name in _GREEK_LETTERS.items()}
#: \beta, \varepsilon, and what packages for upright letters add: \upbeta, \textmu.
_GREEK_COMMANDS = {
    before + written: name
    for before in ("", "var", "up", "text")
    for name in _ALPHA_TO_OMEGA.split()
    for written in (name, name.capitalize())
}
_GREEK_SIGNS = "".join(chr(code) for code in (*range(0x370, 0x400), *range(0x1F00, 0x2000)) if SEPARATORS[code] != " ")
_GREEK_RUN = re.compile(f"[{_GREEK_SIGNS}][{_GREEK_SIGNS}{MARKS}]*+")
#: Commands that only dress their argument, and those that dress the rest of a group.
_DRESS = frozenset(
    [
        "boldsymbol",
        "bm",
        "emph",
        "ensuremath",
        "mathbb",
        "mathbf",
        "mathcal",
        "mathfrak",
        "mathit",
        "mathrm",
        "mathscr",
        "mathsf",
        "mathtt",
        "mbox",
        "operatorname",
        "overline",
        "path",
        "pmb",
        "text",
        "textbf",
        "textit",
        "textmd",
        "textnormal",
        "textrm",
        "textsc",
        "textsf",
        "textsl",
        "textsubscript",
        "textsuperscript",
        "texttt",
        "textup",
        "underline",
        "url",
    ]
)
_DECLARED = frozenset(
    ["bf", "bfseries", "em", "it", "itshape", "large", "normalfont", "rm", "sc", "sf", "sl", "small", "tt"]
)

TEX_SIGN = re.compile(r"[\\${}_^]")
_TEX = re.compile(
    r"""
    \\ (?: (?P<sign>['"`^~=.]) \s? | (?P<mark>[uvHcdbkr]) (?: \s | (?=\{) ) )
       (?: \{ \s? (?P<inside> \\[ij] (?![A-Za-z]) | [^\W\d_] ) \s? \}
         | (?P<beside> \\[ij] (?![A-Za-z]) (?: \s(?=[a-z]) )? | [^\W\d_] ) )
    | \\ (?P<command> [A-Za-z]+ )
    | \\ (?P<escaped> [\\${}_^/()-] )
    | (?P<script> [_^] ) (?P<digit> (?<![0-9].) (?<![0-9]\$.) (?=\{?[0-9]) )?
    | [\\${}]
    """,
    re.VERBOSE,
)
#: Two dollars around a formula; not those of "from US$5 to US$10".
FORMULA = re.compile(r"(?<![\\$])(\$\$?)(?=[^\s$])[^$]{1,400}(?<=[^\s\\])\1(?![\d$])")
_AFTER_SHORT_WORD = re.compile(r"(?<=\b[A-Za-z])|(?<=\b[A-Za-z]{2})")


def searchable(text: str) -> str:
    """Return the text as FTS5 should see it: no TeX, NFKC, and one space for each character that belongs to no token.

    unicode61 knows the Unicode of 2012: it takes every younger character, such as 🤗, for a letter, and then
    "🤗Transformers" would be one unfindable word. ASCII without TeX is left as it is, but for NUL. The result has as
    many characters as the text after its `tex_edits`, in NFKC, after its `greek_edits`.
    """
    if TEX_SIGN.search(text):
        text = _edited(text, tex_edits(text))
    if text.isascii():
        return text.replace("\0", " ")
    text = unicodedata.normalize("NFKC", text)
    return _edited(text, greek_edits(text)).translate(SEPARATORS)


def greek_edits(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield from where to where a single Greek letter stands in a text in NFKC, rising, and its name as a word.

    Next to other Greek letters it belongs to a word or a formula in Greek, which stays as it is.
    """
    for found in _GREEK_RUN.finditer(text):
        name = _GREEK_LETTERS.get(found[0].rstrip(MARKS))
        if name is not None:
            yield *found.span(), f" {name} "


def _edited(text: str, edits: Iterator[tuple[int, int, str]]) -> str:
    pieces: list[str] = []
    done = 0
    for begin, end, instead in edits:
        pieces += (text[done:begin], instead)
        done = end
    return "".join(pieces) + text[done:]


def tex_edits(text: str) -> Iterator[tuple[int, int, str]]:
    r"""Yield from where to where TeX stands in the text, rising, and what `searchable` reads instead.

    An accent, a letter's command, a dress command, a formula's dollars, braces and a script of digits leave a word
    whole; all other TeX parts words. So `x_{ij}` and `\frac{a}{b}` are words of their own, as if the signs were spaces.
    """
    dollars: dict[int, bool] = {}  # of formulas: whether it opens one
    for formula in FORMULA.finditer(text):
        width = len(formula[1])
        dollars |= dict.fromkeys(range(formula.start(), formula.start() + width), True)
        dollars |= dict.fromkeys(range(formula.end() - width, formula.end()), False)
    groups: list[str] = []  # of each open brace: what stands instead of it and of the closing one
    in_formula = False
    last_end, glue = -1, ""  # where the last TeX ended, and what a brace right after it becomes
    for found in _TEX.finditer(text):
        begin, end = found.span()
        before = glue if begin == last_end else ""
        instead, glue = " ", ""
        match found[0][0], found["command"]:
            case "{", _:
                groups.append(before)
                instead = before
            case "}", _:
                instead = glue = groups.pop() if groups else " "
            case "$", _:
                in_formula = dollars.get(begin, in_formula)
                instead = "" if begin in dollars else " "
            case "_" | "^", _:
                is_script = in_formula or text[end : end + 1] == "{" or _AFTER_SHORT_WORD.match(text, begin)
                instead = glue = "" if is_script and not before and found["digit"] is not None else " "
            case _, str(name):
                end, instead, glue = _command(text, name, begin, end)
            case _:
                instead = _accented(found) or ("" if found["escaped"] in {"-", "/", "(", ")"} else " ")
                end = begin + 1 if instead == " " and found["escaped"] is None else end
        yield begin, end, instead
        last_end = max(end, found.end())


def _command(text: str, name: str, begin: int, end: int) -> tuple[int, str, str]:
    """Return where the TeX of a command ends, what is read instead, and what a brace right after it becomes."""
    follows = text[end : end + 2]
    if name in _LETTERS:
        return end + (follows[:1].isspace() and follows[1:].islower()), _LETTERS[name], ""
    if name in _GREEK_COMMANDS:
        return end, f" {_GREEK_COMMANDS[name]} ", " "
    if name in _DRESS and follows.removeprefix("*").startswith("{"):
        return end + follows.startswith("*"), "", ""
    if name in _DECLARED and text[begin - 1 : begin] == "{" and follows[:1].isspace():
        return end + 1, "", ""
    return begin + 1, " ", " "


def _accented(found: re.Match[str]) -> str:
    """Return the one letter that an accent makes, or nothing where there is none."""
    letter = (found["inside"] or found["beside"] or "").strip("\\ \t\n")
    composed = unicodedata.normalize("NFC", letter + _ACCENTS.get(found["sign"] or found["mark"], ""))
    return composed if len(composed) == 1 else letter if found["inside"] else ""  # "don\'t" is no accent


def tokens(text: str) -> tuple[str, ...]:
    """Return the tokens that FTS5 finds in `searchable(text)`: lower case, unstemmed, still with their diacritics."""
    lowered = searchable(text)
    # Lower case and NFKC can undo each other once ("İ" grows a mark); the second round settles it.
    for _ in range(2):
        lowered = searchable(lowered.lower())
    return tuple(TOKEN.findall(lowered))


def match_expression(tree: Node) -> str:
    """Return one FTS5 MATCH expression that selects what the tree selects.

    It may be used whole behind a column filter: `{title abstract} : (…)`. The most nested part of an AND or OR comes
    first: FTS5's parser remembers at most 100 open symbols, and a part in front leaves only its parenthesis open.
    """
    match tree:
        case Word(text, field):
            return _within(field, f'"{text}"')
        case Phrase(words, field):
            return _within(field, '"' + " ".join(words) + '"')
        case Or(parts):
            return " OR ".join(_operands(parts))
        case And(parts):
            wanted = " AND ".join(_operands(tuple(part for part in parts if not isinstance(part, Not))))
            unwanted = " OR ".join(_operands(tuple(part.part for part in parts if isinstance(part, Not))))
            return f"({wanted}) NOT ({unwanted})" if unwanted else wanted
        case Not():
            raise ValueError("A tree that only excludes has no FTS5 expression; topics/query.py lets none through.")
        case _:
            raise ValueError(f"{type(tree).__name__} is not asked of an index of stems")


def prefix_expression(prefix: Prefix) -> str:
    """Return one FTS5 MATCH expression for an index without stems: what has a word that begins so."""
    return _within(prefix.field, f'"{prefix.text}" *')


def is_of_stems(tree: Node) -> bool:
    """Whether an index of stems alone can say what the tree selects."""
    return all(isinstance(leaf, Word | Phrase) for leaf in leaves(tree))


def _within(field: Field | None, term: str) -> str:
    return f"{field} : {term}" if field else term


def _operands(parts: tuple[Node, ...]) -> list[str]:
    by_nesting = sorted(parts, key=depth, reverse=True)
    return [match_expression(part) if depth(part) == 0 else f"({match_expression(part)})" for part in by_nesting]


def depth(tree: Node) -> int:
    """Return how many operators stand one inside the other; 0 for a word or phrase."""
    match tree:
        case Not(part):
            return 1 + depth(part)
        case And(parts) | Or(parts):
            return 1 + max(map(depth, parts))
        case _:
            return 0
