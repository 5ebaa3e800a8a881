r"""What a title or an abstract says, without typography, markup and glued words (relevance.md, "Identity of a paper").

"Schr\"odinger" and "Schrödinger", "$N$-ary" and "N-ary", "TranslationUsing" and "Translation Using" say the same.
Beside its letters a title has marks: its numerals, and whether it is an erratum, a comment, a reply or a supplement.
Keys and sayings are stored, hashed: a change of what is made here needs a migration.
"""

import hashlib
import html
import re
import unicodedata

_LONGEST_TITLE = 4_000  # characters of a title that are read, and of a key
_LONGEST_ABSTRACT = 2_000  # characters of an abstract that are read, and of a saying
_DIGITS = re.compile(r"&#\d{8,}")  # a character's number has seven at most; Python refuses to read thousands
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_TEX_ACCENT = re.compile(r"\\[\"'`^~=.](?=\s*\{?\\?[A-Za-z])|\\[uvHcdbkrt](?=\s*\{)")
_TEX_LETTER = re.compile(r"\\(aa|AA|ae|AE|oe|OE|ss|o|O|l|L|i|j)(?![A-Za-z])")
_TEX_LETTERS = {"aa": "a", "AA": "a", "i": "i", "j": "j"}
_TEX_WORD = re.compile(r"\\(?:text|math|emph|rm|bf|it|sc|tt|ensuremath|operatorname)[a-z]*(?![A-Za-z])")
_UNDECOMPOSED = str.maketrans(
    {"ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ı": "i", "æ": "ae", "Æ": "ae", "œ": "oe"}
)
_SERIAL = re.compile(r"^\s*pre-?print\s*:\s*|\(\s*extended\s+(?:version|abstract)\s*\)\s*\.?\s*$", re.IGNORECASE)
# An alphanumeric; or + and # right after a letter: "C++", "C#", "C++11", but not the signs of "A+B" and "n+1", which
# others write with blanks.
_SAID = re.compile(r"[^\W_]|(?<=[^\W\d_])(?:[+#](?![+#]|[^\W_])|[+#]{2,}+(?![^\W\d_]))")
_RUN = re.compile(r"[^\W_]+")
_ASCII_SIGNS = bytes(each for each in range(128) if not chr(each).isalnum())

_TENS, _UNITS = ("", "X", "XX", "XXX"), ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
_ROMAN = {ten + unit: str(10 * t + u) for t, ten in enumerate(_TENS) for u, unit in enumerate(_UNITS) if t or u}
_COUNTED = {
    word: str(number)
    for number, word in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 1)
}
# "4", "4.5", "4V", "3D", "1st", or a roman numeral; of a longer glued word ("4Reads") the digits alone.
_NUMERAL = re.compile(
    r"[0-9IVX](?:(?<=[0-9])[0-9]*+(?:\.[0-9]+)*+(?:[A-Za-z]{1,2}(?![A-Za-z]))?|(?<=\b[IVX])[IVX]*+\b)"
)
_PART = re.compile(r"\b(part\s+)([a-z]|[ivx]{2,5})\b", re.IGNORECASE)  # "Part B", "part ii"
_WORD = re.compile(r"[a-z]+")
_NOTICE = (
    r"(?:(?:author|publisher|editorial)(?:['’]?s)? )?"
    r"(errat|corrigend|addend|correction|comment|reply|response|rejoinder|retraction|supplement)[a-z]*"
    r"(?: (?:note|notice|material|information)s?)?"
)
# "Erratum Mud", "Author Correction: Mud", "A Comment on Mud"; not "Correction of Bias in Maps".
_NOTICE_BEFORE = re.compile(
    rf"\W*(?:an? )?{_NOTICE}(?:\W*[:.\])–—]|\W+(?:to|on|for:)\W|(?<=tum|dum|ata|nda)\W)", re.IGNORECASE
)
# "Mud: Erratum", "Mud (Reply)", "Mud – Supplementary Material"; not "Gradient Correction".
_NOTICE_AFTER = re.compile(rf"(?:[:.(\[]|\s[-–—])\s*{_NOTICE}\W*$", re.IGNORECASE)
_FOOT = 80  # characters at a title's end among which such a word is looked for


def title_key(title: str) -> str:
    """Return what a title says: casefolded alphanumerics, the signs of "C++" and "C#"; of signs alone, the signs."""
    return _key(title, _plain_title(title))


def title_hash(key: str, salt: str = "") -> str:
    """Return the short hex name of a title key, used as paper key where no strong id is known.

    `salt` tells works of one title apart.
    """
    return hashlib.sha256(f"{key}{salt}".encode()).hexdigest()[:16]


def titled(title: str) -> str:
    """Return the name by which a reader's own copy goes that has no strong id."""
    return f"title:{title_hash(title_key(title))}"


def keyed(title: str) -> tuple[str, tuple[str, ...]]:
    """Return a title's key and its marks.

    The marks are its numerals in order, then its small number words, all as figures; last the kind of notice it is.
    """
    plain = _plain_title(title)
    return _key(title, plain), _marks(plain)


def saying(abstract: str) -> str:
    """Return the letters of an abstract's first 2,000 characters, without the word "Abstract" before them."""
    return _letters(_plain(abstract[:_LONGEST_ABSTRACT]).casefold())[:_LONGEST_ABSTRACT].removeprefix("abstract")


def _plain_title(title: str) -> str:
    text = _plain(title[:_LONGEST_TITLE])
    folded = text.casefold()
    return _SERIAL.sub("", " ".join(text.split())) if "print" in folded or "extended" in folded else text


def _key(title: str, plain: str) -> str:
    # A title of signs alone ("???") is told by its signs.
    return (_letters(plain.casefold()) or "".join(title.casefold().split()))[:_LONGEST_TITLE]


def _plain(text: str) -> str:
    """Return a text without markup and accents. Most texts have none, so each step is taken only where it matters."""
    if "&" in text:
        for _ in range(2):  # some sources escape twice
            text = html.unescape(_DIGITS.sub("", text))
    if "<" in text:
        text = _TAG.sub("", text)
    if "\\" in text:
        text = _TEX_LETTER.sub(lambda found: _TEX_LETTERS.get(found[1], found[1]), text)
        text = _TEX_WORD.sub("", _TEX_ACCENT.sub("", text))
    if "&" in text:
        text = text.replace("&", " and ")
    return text if text.isascii() else unicodedata.normalize("NFKD", text.translate(_UNDECOMPOSED))


def _letters(folded: str) -> str:
    if "+" in folded or "#" in folded:
        return "".join(_SAID.findall(folded))
    if folded.isascii():
        return folded.encode().translate(None, _ASCII_SIGNS).decode()
    return "".join(_RUN.findall(folded))


def _marks(plain: str) -> tuple[str, ...]:
    folded = plain.casefold()
    if "part" in folded:
        plain = _PART.sub(_part, plain)
    numerals = [_ROMAN.get(each, each.casefold()) for each in _NUMERAL.findall(plain)]
    counted = [_COUNTED[word] for word in _WORD.findall(folded) if word in _COUNTED]
    notice = _NOTICE_BEFORE.match(plain) or _NOTICE_AFTER.search(plain[-_FOOT:])
    return (*numerals, *counted, *([notice[1][:4].casefold()] if notice else ()))


def _part(found: re.Match[str]) -> str:
    """Return "Part 2" for "part b" and "part ii"."""
    label = found[2].upper()
    return found[1] + (_ROMAN.get(label) or str(ord(label[0]) - ord("A") + 1))
