r"""TeX to the Unicode it stands for, in steps that lose no words.

    ties (~)  →  escapes (\%, \&)  →  formulas between dollars  →  accents  →  symbols  →  groups, innermost first

A macro that is not known, a dollar that is money and braces that mean nothing stay as they were. Every step is one
pass of a regular expression whose reach is bounded, so the time grows with the text and with nothing else.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from pylatexenc.latex2text import get_default_latex_context_db

_PASSES = 8  # nested groups deeper than this stay as they are

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
#: What an accent may stand over: groups 3 (in braces) and 4. Without braces a letter's accent stands at a word's end
#: only ("Kova\v c"), for "C:\users\v foo" is a path and "\b geometric" nobody's accent.
_ACCENT = re.compile(
    r"""\\(?:(['"`^~=.])(?:\{\s?(\\?[ij](?![A-Za-z])|[^\W\d_])\s?\}|(\\[ij](?![A-Za-z])|[^\W\d_]))
    |([uvHcdbkr])\{\s?(\\?[ij](?![A-Za-z])|[^\W\d_])\s?\}
    |(?<=[^\W\d_]\\)([uvHckr])\s([^\W\d_])\b)""",
    re.VERBOSE,
)
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])\\'\s?(?=(?:s|t|re|ve|ll|d|m)\b)")
_QUOTATION = re.compile(r"""(?<![\w}\\])\\"(?=[^\s{}\\])([^"]{1,300})(?<=[^\s\\])\\"(?![\w{\\])""")
#: A blank where no line may break: before a bracket or a citation, or between a word and its number; "~50%" is about.
_TIE = re.compile(r"(https?://\S+)|(?<=[^\s\\])~(?=[(\[]|\\(?:cite|href|url|ref))|(?<=[^\W\d_])~(?=\d)")
_HOME = re.compile(r"(?<=/)\\~(?:\{\})?")  # of an address: "/\~mira"

_FUNCTIONS = frozenset(
    {
        "arccos", "arcsin", "arctan", "arg", "argmax", "argmin", "cos", "cosh", "det", "dim", "exp", "gcd", "inf",
        "ker", "lim", "ln", "log", "max", "min", "mod", "poly", "Pr", "sin", "sinh", "softmax", "sup", "tan", "tanh"
    }
)  # fmt: skip
#: Commands that only dress their argument.
_DRESS = frozenset(
    {
        "boldsymbol", "bm", "emph", "ensuremath", "mathbf", "mathcal", "mathfrak", "mathit", "mathrm", "mathscr",
        "mathsf", "mathtt", "mbox", "operatorname", "operatorname*", "overline", "pmb", "rm", "sc", "text", "textbf",
        "textit", "textmd", "textnormal", "textrm", "textsc", "textsf", "textsl", "texttt", "textup", "underline",
        "url", "path"
    }
)  # fmt: skip
_DECLARED = re.compile(r"\{\\(?:em|bf|it|rm|sc|sf|sl|tt|bfseries|itshape|small|large|normalfont)\s([^{}]*)\}")
#: Commands that only move their neighbours.
_SILENT = frozenset(
    {
        "left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "bigg", "Bigg", "displaystyle", "textstyle",
        "limits", "nolimits", "protect", "xspace"
    }
)  # fmt: skip
_WORDS = {
    "ie": "i.e.", "eg": "e.g.", "etal": "et al.", "vs": "vs", "aka": "a.k.a.", "wrt": "w.r.t.",
    "quad": " ", "qquad": " ", "mid": "|", "vert": "|", "lvert": "|", "rvert": "|", "Vert": "‖", "lVert": "‖",
    "rVert": "‖", "colon": ":", "ast": "*", "star": "⋆", "deg": "°", "degree": "°", "le": "≤", "ge": "≥", "ne": "≠",
    "prime": "′", "lbrace": _LEFT, "rbrace": _RIGHT, "implies": "⟹", "iff": "⟺", "dots": "…", "ldots": "…",
    "cdots": "⋯", "varepsilon": "ε", "varphi": "φ", "TeX": "TeX", "LaTeX": "LaTeX",
}  # fmt: skip
_DOUBLE_STRUCK = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))

#: The letter of a name and the blank that only ends the command ("Stra\ss e"); any command; one before a group.
_COMMAND = re.compile(
    r"(?<=[^\W\d_])\\(ss|oe|OE|ae|AE|aa|AA|o|O|l|L|i|j)\s(?=[^\W\d_])"
    r"|\\([A-Za-z]+)(?:\{\}|(?![A-Za-z]|\*?\s?\{))|\\([A-Za-z]+)(?=\s?\{)"
)
_SHORT_FRACTION = re.compile(r"\\([dt]?frac)\s?((?<=\s)[A-Za-z]|\d)\s?([A-Za-z\d])")
_SPACING = re.compile(r"\\[,;:!> ]|\\\\(?=\s|$)")
_GROUP = re.compile(r"(\\[A-Za-z]+\*?\s?|[_^]\s?)?\{([^{}]*)\}(\s?\{([^{}]*)\})?")
_SINGLE = re.compile(r"([_^])([^\s_^{}\\])")
#: Displayed, with a sign that money never has, only operators, or plain: then no digit may follow ("$5/$7").
_FORMULA = re.compile(
    r"""(?<!\\)(?:\$\$(?=[^\s$])([^$]{1,400})(?<=[^\s\\])\$\$
    |\$(?=[^\s$])((?=[^$]{0,399}[\\^_{}])[^$]{1,400}|[-+*/=<>]{1,3})(?<=[^\s\\])\$
    |\$(?=[^\s$])([^$]{1,400})(?<=[^\s\\])\$(?!\d))
    |\\\((.{1,400}?)\\\)|\\\[(.{1,400}?)\\\]""",
    re.VERBOSE,
)
_LONG_WORD = re.compile(r"[^\W\d_]{3,}")


def without_ties(text: str) -> str:
    """Return the text with a blank for each tie; the "~" of an address and of "~50%" stays."""
    return _TIE.sub(lambda found: found[1] or " ", _HOME.sub("~", text)) if "~" in text else text


def without_escaped_quotes(text: str) -> str:
    r"""Return the text with quotation marks and apostrophes for those written as TeX's accents ("don\'t")."""
    return _APOSTROPHE.sub("'", _QUOTATION.sub(r'"\1"', text)) if "\\" in text else text


def without_tex(text: str) -> str:
    """Return cleaned `text` with its TeX shown as Unicode where that is certain."""
    text = without_ties(text)
    if "\\" in text or "$" in text:
        text = _ESCAPED.sub(lambda found: _ESCAPES[found[1]], text)
        text = _FORMULA.sub(_formula, text)
    if "\\" in text or "{" in text:
        text = _convert(text, math=False)
    return text.translate(_RESTORE)


def _formula(found: re.Match[str]) -> str:
    """Return what a formula says, or the formula itself where that is not certain."""
    inner = next(filter(None, found.groups())).strip()
    if found[0][0] == "$" and not is_math(inner):
        return found[0]
    if "://" in inner:  # an address has no scripts
        return _convert(inner, math=False)
    shown = _convert(inner.replace("~", " "), math=True)
    if "\\" in shown or "{" in shown or _BACKSLASH in shown:
        return found[0].replace("\\", _BACKSLASH).replace("{", _LEFT).replace("}", _RIGHT).replace("$", _DOLLAR)
    return shown.replace("_", _UNDERSCORE).replace("^", _CARET)


def is_math(inner: str) -> bool:
    r"""Whether the text between two dollars is a formula: "costs $5 and 10$" is not."""
    if any(sign in inner for sign in "\\^_{}=<>"):
        return True
    return not _LONG_WORD.search(inner) and (" " not in inner or not inner[0].isdigit())


def _convert(text: str, *, math: bool) -> str:
    """Return `text` with accents, symbols and groups replaced, innermost groups first."""
    if "\\" in text:
        text = text.replace("\\|", "‖")
        if not math:
            text = without_escaped_quotes(text)
        text = _ACCENT.sub(_accent, text)
        text = _SPACING.sub(" ", text)
        text = _DECLARED.sub(r"\1", text)
        text = _SHORT_FRACTION.sub(r"\\\1{\2}{\3}", text)
        text = _COMMAND.sub(_symbol, text)
    for _ in range(_PASSES):
        changed = _GROUP.sub(lambda found: _group(found, math=math), text)
        if changed == text:
            break
        text = changed
    return _SINGLE.sub(_script, text) if math else text


def _accent(found: re.Match[str]) -> str:
    """Return the accented letter: the macro's letter composed with its mark."""
    mark, letter = filter(None, found.groups())
    made = unicodedata.normalize("NFC", letter.lstrip("\\") + _ACCENTS[mark])
    return made if len(made) == 1 or "{" in found[0] else found[0]


def _symbol(found: re.Match[str]) -> str:
    """Return the character or word of a command without arguments; an unknown one stays."""
    name = found[1] or found[2] or found[3]
    if name in _SILENT and not found[3]:
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
        if second is None:
            waits = found.string[found.end() : found.end() + 2].lstrip().startswith("{")  # for its own inner groups
            return found[0] if waits else _only(name, body, found[0])
        return _two(name, body, second)
    return _one(name, body, lead) + rest


def _one(name: str, body: str, lead: str) -> str:
    """Return what a command with one argument says; an unknown one stays whole."""
    if name in _DRESS:
        return body
    if name in _ONE:
        return _ONE[name](body)
    if name in _ACCENTS and len(body) == 1 and body.isalpha():
        return unicodedata.normalize("NFC", body + _ACCENTS[name])
    return f"{_BACKSLASH}{lead[1:]}{_LEFT}{body}{_RIGHT}"


def _two(name: str, first: str, second: str) -> str:
    """Return what a command with two arguments says."""
    if name == "href":
        same = _bare(first) == _bare(second)
        return first if same else f"{second} ({first})"
    return "/".join(part if part.isalnum() else f"({part})" for part in (first, second))


def _only(name: str, body: str, whole: str) -> str:
    """Return what is left of a command whose second argument is missing: an address, or the command as it was."""
    return body if name == "href" and body.startswith(("https://", "http://")) else whole


def _bare(address: str) -> str:
    """Return what two spellings of one address share."""
    return re.sub(r"^https?://(?:www\.)?|/$", "", address.strip().casefold())


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


def _root(body: str) -> str:
    """Return a square root, bracketed where it spans more than one sign or number."""
    return f"√{body}" if len(body) == 1 or body.isdigit() else f"√({body})"


#: Commands with one argument that say more than it.
_ONE: dict[str, Callable[[str], str]] = {
    "mathbb": lambda body: "".join(_DOUBLE_STRUCK.get(letter, letter) for letter in body),
    "sqrt": _root,
    "cite": "[{}]".format,
    "citep": "[{}]".format,
    "citet": "[{}]".format,
    "ref": "[{}]".format,
    "footnote": " ({})".format,
    "textsuperscript": lambda body: _raised("^", body, math=True),
    "textsubscript": lambda body: _raised("_", body, math=True),
}


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
