r"""Text from outside, made fit to be read, in a letter and on a page.

`clean` drops what a reader never sees and what could deceive one: controls, lone surrogates, zero-width characters and
bidirectional overrides; white space becomes single blanks. `readable` cleans and shows TeX as Unicode (tex.py).
Hugging Face strips dollars and backslashes ("1times 60", sources.md section 0); what is left of such a formula cannot
be told from words and stays. Only the display changes: the archive keeps the raw text.
"""

import re
import unicodedata
from functools import lru_cache

from digests.tex import without_tex

#: Longer texts are cleaned but their TeX is left alone; the longest abstract seen has 1,923 characters.
LONGEST = 20_000

_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    "\U000e0000-\U000e0fff]"
)

_SENTENCE_END = re.compile(r"""[.!?…。！？]["'”’)\]]*(?=\s)""")
_NO_END = re.compile(r"(?:\b(?:e\.g|i\.e|et al|cf|vs|etc|Fig|Eq|Sec|resp|approx|[A-Z])\.)$")
_QUOTED = re.compile(r"``([^`]{1,300}?)''")
_DASHES = re.compile(r"(?<=\w)---?(?=\w)(?<!\w-)|(?<=\s)---?(?=\s)")


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
    text = without_tex(text)
    if "``" in text:
        text = _QUOTED.sub("“\\1”", text)
    if "--" in text:
        text = _DASHES.sub("–", text)
    return " ".join(text.split())


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
