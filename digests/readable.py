r"""Text from outside, made fit to be read: controls dropped, TeX shown as the Unicode it stands for.

`clean` drops what a reader never sees and what could deceive one: controls, lone surrogates, zero-width characters and
bidirectional overrides; white space becomes single blanks. `readable` cleans, then turns TeX into text:

    escapes (\%, \&)  →  formulas between dollars  →  accents  →  symbols  →  groups from the innermost outwards

A macro that is not known, a dollar that is money and braces that mean nothing stay as they were: in doubt the text is
returned as it came. Hugging Face strips dollars and backslashes ("1times 60", sources.md section 0); what is left of
such a formula cannot be told from words and stays. Only the display changes: the archive keeps the raw text.
"""

import re
import unicodedata
from functools import lru_cache

from pylatexenc.latex2text import get_default_latex_context_db

#: Longer texts are cleaned but their TeX is left alone; the longest abstract seen has 1,923 characters.
LONGEST = 20_000
_PASSES = 8  # nested groups deeper than this stay as they are

_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    "\U000e0000-\U000e0fff]"
)

# Stand-ins for characters that were escaped and must not be read as TeX again; `clean` has removed every other one.
_DOLLAR, _UNDERSCORE, _LEFT, _RIGHT, _CARET, _BACKSLASH = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3", "\ufdd4", "\ufdd5"
_RESTORE = str.maketrans({_DOLLAR: "$", _UNDERSCORE: "_", _LEFT: "{", _RIGHT: "}", _CARET: "^", _BACKSLASH: "\\"})
_ESCAPED = re.compile(r"\\([%&#$_{}])")
_ESCAPES = {"%": "%", "&": "&", "#": "#", "$": _DOLLAR, "_": _UNDERSCORE, "{": _LEFT, "}": _RIGHT}

_UPPER = dict(
    zip(
        "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVW′∘*",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ′°*",
        strict=True,
    )
)
_LOWER = dict(zip("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
_ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "d": "\u0323", "b": "\u0331", "k": "\u0328",
    "r": "\u030a",
    "hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "vec": "\u20d7", "dot": "\u0307", "ddot": "\u0308",
}  # fmt: skip
_ACCENT = re.compile(
    r"""\\(?:(['"`^~=.])\s?|([uvHcdbkr])(?:\s|(?=\{)))(?:\{\s?(\\?[ij](?![A-Za-z])|[^\W\d_])\s?\}|(\\[ij](?![A-Za-z])|[^\W\d_]))"""
)

_FUNCTIONS = frozenset(
    "arccos arcsin arctan arg argmax argmin cos cosh det dim exp gcd inf ker lim ln log max min mod poly Pr sin sinh "
    "softmax sup tan tanh".split()
)
#: Commands that only dress their argument.
_DRESS = frozenset(
    "boldsymbol bm emph ensuremath mathbf mathcal mathfrak mathit mathrm mathscr mathsf mathtt mbox operatorname "
    "operatorname* overline pmb rm sc text textbf textit textmd textnormal textrm textsc textsf textsl texttt textup "
    "underline url path".split()
)
_DECLARED = re.compile(r"\{\\(?:em|bf|it|rm|sc|sf|sl|tt|bfseries|itshape|small|large|normalfont)\s([^{}]*)\}")
#: Commands that only move their neighbours.
_SILENT = frozenset(
    "left right big Big bigl bigr Bigl Bigr bigg Bigg displaystyle textstyle limits nolimits protect xspace".split()
)
_WORDS = {
    "ie": "i.e.", "eg": "e.g.", "etal": "et al.", "vs": "vs", "aka": "a.k.a.", "wrt": "w.r.t.",
    "quad": " ", "qquad": " ", "mid": "|", "vert": "|", "lvert": "|", "rvert": "|", "Vert": "‖", "lVert": "‖",
    "rVert": "‖", "colon": ":", "ast": "*", "star": "⋆", "deg": "°", "degree": "°", "le": "≤", "ge": "≥", "ne": "≠",
    "prime": "′", "lbrace": _LEFT, "rbrace": _RIGHT, "implies": "⟹", "iff": "⟺", "dots": "…", "ldots": "…",
    "cdots": "⋯", "varepsilon": "ε", "varphi": "φ", "TeX": "TeX", "LaTeX": "LaTeX",
}  # fmt: skip
_DOUBLE_STRUCK = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))

_COMMAND = re.compile(r"\\([A-Za-z]+)(?![A-Za-z]|\*?\s?\{)|\\([A-Za-z]+)(?=\s?\{)")
_SPACING = re.compile(r"\\[,;:!> ]|\\\\(?=\s|$)")
_GROUP = re.compile(r"(\\[A-Za-z]+\*?\s?|[_^]\s?)?\{([^{}]*)\}(\s?\{([^{}]*)\})?")
_SINGLE = re.compile(r"([_^])([^\s_^{}\\])")
_FORMULA = re.compile(r"(?<![\\$])(\$\$?)(?=[^\s$])([^$]{1,400})(?<=[^\s\\])\1(?![\d$])|\\\((.{1,400}?)\\\)|\\\[(.{1,400}?)\\\]")
_LONG_WORD = re.compile(r"[^\W\d_]{3,}")
_QUOTED = re.compile(r"``([^`]{1,300}?)''")
_DASHES = re.compile(r"(?<=\w)---?(?=\w)(?<!\w-)|(?<=\s)---?(?=\s)")
_SENTENCE_END = re.compile(r"""[.!?…。！？]["'”’)\]]*(?=\s)""")
_NO_END = re.compile(r"(?:\b(?:e\.g|i\.e|et al|cf|vs|etc|Fig|Eq|Sec|resp|approx|[A-Z])\.)$")


def clean(text: str) -> str:
    """Return `text` on one line without controls, lone surrogates, zero-width and bidirectional characters."""
    return " ".join(_UNSEEN.sub("", text).split())


def readable(text: str) -> str:
    """Return `text` cleaned, its TeX shown as Unicode where that is certain; never raises, never drops words."""
    text = clean(text)
    return text if len(text) > LONGEST else _untex(text)


@lru_cache(maxsize=4096)
def _untex(text: str) -> str:
    """Return cleaned text without the TeX that is understood."""
    if "\\" in text or "$" in text:
        text = _ESCAPED.sub(lambda found: _ESCAPES[found[1]], text)
        text = _FORMULA.sub(_formula, text)
    if "\\" in text or "{" in text:
        text = _convert(text, math=False)
    if "``" in text:
        text = _QUOTED.sub("“\\1”", text)
    if "--" in text:
        text = _DASHES.sub("–", text)
    return " ".join(text.translate(_RESTORE).split())


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters of `text`, cut where a reader would pause and ended with " …".

    A sentence's end in the last third is best, then a blank; a text without either is cut between characters.
    """
    if len(text) <= limit:
        return text
    room = max(limit - 2, 1)
    for found in reversed(list(_SENTENCE_END.finditer(text, room * 2 // 3, room + 1))):
        if found.end() <= room and not _NO_END.search(text, max(found.end() - 12, 0), found.end()):
            return f"{text[: found.end()]} …"
    blank = text.rfind(" ", room * 2 // 3, room + 1)
    if blank > 0:
        return f"{text[:blank].rstrip(' ,;:–—-')} …"
    while room > 1 and unicodedata.combining(text[room]):
        room -= 1
    return f"{text[:room]} …"


def _formula(found: re.Match[str]) -> str:
    """Return what a formula says, or the formula itself where that is not certain."""
    inner = (found[2] or found[3] or found[4]).strip()
    if found[1] and not _is_math(inner):
        return found[0]
    shown = _convert(inner.replace("~", " "), math=True)
    if "\\" in shown or "{" in shown or _BACKSLASH in shown:
        return found[0].replace("\\", _BACKSLASH).replace("{", _LEFT).replace("}", _RIGHT).replace("$", _DOLLAR)
    return shown.replace("_", _UNDERSCORE).replace("^", _CARET)


def _is_math(inner: str) -> bool:
    r"""Whether the text between two dollars is a formula: "costs $5 and 10$" is not."""
    if any(sign in inner for sign in "\\^_{}=<>"):
        return True
    return not _LONG_WORD.search(inner) and (" " not in inner or not inner[0].isdigit())


def _convert(text: str, *, math: bool) -> str:
    """Return `text` with accents, symbols and groups replaced, innermost groups first."""
    if "\\" in text:
        text = text.replace("\\|", "‖")
        text = _ACCENT.sub(_accent, text)
        text = _SPACING.sub(" ", text)
        text = _DECLARED.sub(r"\1", text)
        text = _COMMAND.sub(_symbol, text)
    for _ in range(_PASSES):
        changed = _GROUP.sub(lambda found: _group(found, math=math), text)
        if changed == text:
            break
        text = changed
    return _SINGLE.sub(_script, text) if math else text


def _accent(found: re.Match[str]) -> str:
    """Return the accented letter: the macro's letter composed with its mark."""
    letter = (found[3] or found[4]).lstrip("\\")
    return unicodedata.normalize("NFC", letter + _ACCENTS[found[1] or found[2]])


def _symbol(found: re.Match[str]) -> str:
    """Return the character or word of a command without arguments; an unknown one stays."""
    name = found[1] or found[2]
    if name in _SILENT and found[1]:
        return ""
    if name in _FUNCTIONS:
        before = found.string[found.start() - 1 : found.start()]
        return f" {name}" if before.isalnum() else name
    if name in _WORDS:
        return _WORDS[name]
    return _symbols().get(name, found[0])


def _group(found: re.Match[str], *, math: bool) -> str:
    """Return what a group without inner groups says; groups that mean nothing in a text keep their braces."""
    lead, body, rest, second = (found[1] or "").strip(), found[2], found[3] or "", found[4]
    if not lead:
        if math or (body and not body.isascii() and "\\" not in body and len(body) <= 2):
            return body + rest
        return f"{_LEFT}{body}{_RIGHT}{rest}"
    if lead in "_^":
        return _raised(lead, body, math=math) + rest
    name = lead[1:]
    if name in {"frac", "tfrac", "dfrac", "href"}:
        return found[0] if second is None else _two(name, body, second)
    return _one(name, body, lead) + rest


def _one(name: str, body: str, lead: str) -> str:
    """Return what a command with one argument says; an unknown one stays whole."""
    if name in _DRESS:
        return body
    if name == "mathbb":
        return "".join(_DOUBLE_STRUCK.get(letter, letter) for letter in body)
    if name == "sqrt":
        return f"√{body}" if len(body) == 1 or body.isdigit() else f"√({body})"
    if name in {"cite", "citep", "citet", "ref"}:
        return f"[{body}]"
    if name == "footnote":
        return f" ({body})"
    if name == "textsuperscript":
        return _raised("^", body, math=True)
    if name == "textsubscript":
        return _raised("_", body, math=True)
    if name in _ACCENTS and len(body) == 1 and body.isalpha():
        return unicodedata.normalize("NFC", body + _ACCENTS[name])
    return f"{_BACKSLASH}{lead[1:]}{_LEFT}{body}{_RIGHT}"


def _two(name: str, first: str, second: str) -> str:
    """Return what a command with two arguments says."""
    if name == "href":
        return f"{second} ({first})"
    return "/".join(part if part.isalnum() else f"({part})" for part in (first, second))


def _raised(sign: str, body: str, *, math: bool) -> str:
    """Return a script in Unicode's small letters, or written out where there are none."""
    table = _UPPER if sign == "^" else _LOWER
    if body and all(letter in table for letter in body):
        return "".join(table[letter] for letter in body)
    mark = _CARET if sign == "^" else _UNDERSCORE
    if not math:
        return f"{mark}{_LEFT}{body}{_RIGHT}"
    return f"{mark}{body}" if len(body) == 1 or (sign == "_" and body.isalpha()) else f"{mark}({body})"


def _script(found: re.Match[str]) -> str:
    """Return a script of one character."""
    return _raised(found[1], found[2], math=True)


@lru_cache(maxsize=1)
def _symbols() -> dict[str, str]:
    """Return the commands without arguments that stand for one non-ASCII sign, as pylatexenc knows them."""
    database = get_default_latex_context_db()
    found: dict[str, str] = {}
    for spec in database.iter_macro_specs():
        sign = getattr(spec, "simplify_repl", None)
        if isinstance(sign, str) and len(sign) == 1 and not sign.isascii() and not unicodedata.combining(sign):
            found[str(spec.macroname)] = sign
    return found
