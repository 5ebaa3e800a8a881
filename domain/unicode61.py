"""Which characters the tokenizer of every index, FTS5's unicode61, takes into words: it knows the Unicode of 2012."""

import re

#: The combining marks that unicode61 drops from a token without cutting it; found by asking it about every code point.
_DROPPED_MARKS = frozenset((*range(0x300, 0x305), *range(0x306, 0x30D), 0x30F, 0x311, 0x31B, *range(0x323, 0x329))) | {
    0x32D,
    0x32E,
    0x330,
    0x331,
}

#: Letters of today that were vowel signs in 2012 (New Tai Lue, Vedic): unicode61 cuts at them.
_NO_LETTERS_YET = frozenset((*range(0x19B0, 0x19CA), 0x1CF2, 0x1CF3))

#: Capitals that were none in 2012 (Cherokee, Georgian, Adlam …): unicode61 does not know their small letters.
_YOUNG_CAPITALS = frozenset(
    chr(code)
    for first, last in (
        (0x37F, 0x37F), (0x528, 0x52F), (0x13A0, 0x13F5), (0x1C90, 0x1CBF), (0x2C2F, 0x2C2F), (0xA698, 0xA69B),
        (0xA796, 0xA79F), (0xA7AB, 0xA7AE), (0xA7B0, 0xA7D9), (0xA7F5, 0xA7F5), (0x104B0, 0x104D3),
        (0x10570, 0x10595), (0x10C80, 0x10CB2), (0x118A0, 0x118BF), (0x16E40, 0x16E5F), (0x1E900, 0x1E921),
    )
    for code in range(first, last + 1)
    if chr(code).lower() != chr(code)
)  # fmt: skip

_FIRST = r"(?:[^\W_]|[+#])"
MARKS = "".join(map(chr, sorted(_DROPPED_MARKS)))
#: A pattern for one character inside a token: where none stands on one side, a token ends.
IN_TOKEN = rf"(?:[^\W_]|[+#{MARKS}])"
_BEGINS_TOKEN = re.compile(_FIRST)
TOKEN = re.compile(f"{_FIRST}{IN_TOKEN}*")


class _Separators(dict[int, str]):
    """For `str.translate`: a character that belongs to no token becomes a space, everything else stays."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = code in _DROPPED_MARKS or (_BEGINS_TOKEN.match(character) and code not in _NO_LETTERS_YET)
        small = character.lower() if character in _YOUNG_CAPITALS else character
        self[code] = small if kept else " "
        return self[code]


#: For `str.translate` of text in NFKC.
SEPARATORS = _Separators({code: chr(code) for code in range(1, 0x80)} | dict.fromkeys(map(ord, "\0\\${}_^"), " "))
