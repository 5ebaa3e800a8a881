"""Text as files and pages bring it: lines, white space, damage, and dates for people. Pure, linear in the length.

Repair comes before collapsing: a no-break space or a control character may be half of a damaged letter.
"""

import re
from datetime import date, timedelta
from enum import IntEnum
from urllib.parse import urlsplit

_UNLINKABLE = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}]")
_LINE_END = re.compile(r"\r\n|\n|\r")


def lines_of(text: str) -> list[str]:
    """Return the lines of a text file, repaired and collapsed; an empty one is ""."""
    damaged = shows_mojibake(text)
    return [collapse(repair_mojibake(line, damaged=damaged)) for line in _LINE_END.split(text)]


# -- white space -------------------------------------------------------------------------------------------------------

#: Characters that XML cannot hold (section 2.2): one of them in one abstract shall not cost the whole feed.
NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

# Controls that are not white space, lone surrogates and the two non-characters: SQLite, XML or UTF-8 refuse them.
# Marks of direction are text and stay; whoever displays them decides.
_UNSTORABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def collapse(text: str) -> str:
    """Return the text with every run of white space as one blank, trimmed, and without what cannot be stored."""
    return " ".join(_UNSTORABLE.sub("", text).split())


# -- UTF-8 that somebody read as Thai (sources.md section 5, row 19) ---------------------------------------------------
#
# The letter "é" is the bytes C3 A9, which code page 874 calls "รฉ". The bytes are found again in three steps: take each
# run of characters that the code page has beyond ASCII; it must fall apart into whole UTF-8 sequences; and something
# must speak for damage, because "รถ" is also the Thai word for car. What speaks for it: a Latin letter right beside the
# run, a sign that stands alone ("ยท" for "·"), or "โ€", which no Thai spells. One letter at the end of a Latin word
# ("AIรถ") needs other damage in the text or around it. Where a text holds real Thai too, only "โ€" counts.

# Bytes that the code page leaves undefined come through as C1 controls (WHATWG Encoding, windows-874) or are lost.
_BYTES = {
    **{chr(value): value for value in range(0x80, 0xA0)},
    **{
        bytes([value]).decode("cp874"): value
        for value in range(0x80, 0x100)
        if bytes([value]).decode("cp874", errors="ignore")
    },
}


def _class(first: int, last: int) -> str:
    return "[" + "".join(re.escape(character) for character, value in _BYTES.items() if first <= value <= last) + "]"


_MORE = _class(0x80, 0xBF)
_SEQUENCE = re.compile(f"{_class(0xC2, 0xDF)}{_MORE}|{_class(0xE0, 0xEF)}{_MORE}{{2}}|{_class(0xF0, 0xF4)}{_MORE}{{3}}")
_RUN = re.compile(f"{_class(0x80, 0xFF)}+")
_THAI = re.compile("[\u0e01-\u0e7f]")
_SURE = re.compile("โ€|[\u0e01-\u0e7f][\x80-\x9f]")
_LATIN = "[A-Za-z\u00c0-\u024f]"
_LATIN_BEFORE = re.compile(rf"{_LATIN}[-{{}}'’]?$")  # also across a mark: "Mus{รฉ}e", "l'รฉtoile"
_LATIN_AFTER = re.compile(rf"[-{{}}'’]?{_LATIN}")
_CUT_QUOTE = re.compile("โ€\ufffd?")  # the last byte of a quotation mark is undefined, and some readers drop it
_SIGNS = frozenset("·±°µ§©®²³¶×à") | {chr(point) for point in range(0x391, 0x3CA)}
_REAL_THAI = 3  # Thai characters of one run that are no whole UTF-8; fewer is what lost bytes leave behind


def shows_mojibake(text: str) -> bool:
    """Whether a text, such as a whole page, surely holds UTF-8 that was read as Thai."""
    return _Says.DAMAGE in _sayings(text)


def repair_mojibake(text: str, *, damaged: bool = False) -> str:
    """Return the text with UTF-8 that was read as Thai (cp874, TIS-620) restored; real Thai is left alone.

    `damaged` says that the page or file around it surely holds such damage.
    """
    sayings = _sayings(text)
    if not sayings:
        return text
    enough = _Says.MAYBE if damaged or _Says.DAMAGE in sayings else _Says.DAMAGE
    said = iter(sayings)

    def repaired(found: re.Match[str]) -> str:
        return _SEQUENCE.sub(_decoded, found[0]) if next(said) >= enough else found[0]

    return _CUT_QUOTE.sub(_quote, _RUN.sub(repaired, text))


class _Says(IntEnum):
    """What a run says about itself."""

    THAI = 0
    MAYBE = 1  # one letter at a word's end, as in "AIรถ": damage if there is other damage in the text
    DAMAGE = 2


def _sayings(text: str) -> list[_Says]:
    """Return what each run of the text says; none for a text without Thai characters."""
    if not _THAI.search(text):
        return []
    runs = list(_RUN.finditer(text))
    has_thai = any(_leftover(run[0]) >= _REAL_THAI for run in runs)
    return [_says(run, has_thai=has_thai) for run in runs]


def _says(found: re.Match[str], *, has_thai: bool) -> _Says:
    run, text = found[0], found.string
    if _SURE.search(run):
        return _Says.DAMAGE
    if has_thai or _leftover(run):
        return _Says.THAI
    restored = _SEQUENCE.sub(_decoded, run)
    before = _LATIN_BEFORE.search(text[max(found.start() - 2, 0) : found.start()])
    after = _LATIN_AFTER.match(text[found.end() : found.end() + 2])
    if after or restored in _SIGNS or (before and len(restored) > 1):
        return _Says.DAMAGE
    return _Says.MAYBE if before else _Says.THAI


def _leftover(run: str) -> int:
    """Return how many Thai characters of a run are no part of a UTF-8 sequence."""
    return len(_THAI.findall(_SEQUENCE.sub("", run)))


def _decoded(found: re.Match[str]) -> str:
    try:
        return bytes(_BYTES[character] for character in found[0]).decode()
    except UnicodeDecodeError:  # over-long, or a surrogate
        return found[0]


def _quote(found: re.Match[str]) -> str:
    before, after = found.string[found.start() - 1 : found.start()], found.string[found.end() : found.end() + 1]
    return "’" if before.isalpha() and after.isalpha() else '"'


# -- dates -------------------------------------------------------------------------------------------------------------

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DAY = re.compile(r"([A-Za-z]{3,9})\.?\s+([0-9]{1,2})(?:\s*,\s*([0-9]{4}))?")
_LEAP_GAP = 8  # years between two leap years at most (1896, 1904)


def day_of(text: str, visited: date) -> date | None:
    """Return the day that "Mar 14" or "Mar 14, 2021" names; None for any other text and for no day, as 31 February.

    Without a year it is the latest such day on or before `visited`: pages drop the year while it is the current one
    (sources.md section 0). So 29 February goes back to the latest leap year.
    """
    found = _DAY.fullmatch(text.strip())
    month = _month(found[1]) if found else None
    if found is None or month is None:
        return None
    years = (int(found[3]),) if found[3] else range(visited.year, max(visited.year - _LEAP_GAP - 1, 0), -1)
    for year in years:
        try:
            day = date(year, month, int(found[2]))
        except ValueError:
            continue
        if found[3] or day <= visited:
            return day
    return None


_FIRST_DAY = date(1991, 1, 1)  # the year in which arXiv began; no listing is older


def plausible_day(day: date | None, visited: date) -> date | None:
    """Return the day if a listing that was visited on `visited` can be of it: from 1991 to the day after; else None.

    The day after, because hosts and visitors live in different zones.
    """
    known = day is not None and day >= _FIRST_DAY and day - visited <= timedelta(days=1)
    return day if known else None


def _month(name: str) -> int | None:
    name = name.lower()
    if name in _FULL:
        return _FULL.index(name) + 1
    short = "sep" if name == "sept" else name
    return _MONTHS.index(short) + 1 if short in _MONTHS else None


def web_address(value: object) -> str:
    """Return an http(s) address that can stand in a link; "" for anything else."""
    if not isinstance(value, str) or len(value) > 2_000 or not value.isascii():
        return ""
    address = value.strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    legal = parts.scheme in {"http", "https"} and parts.hostname and not _UNLINKABLE.search(address)
    return address if legal else ""
