r"""Quoted-printable pieces that can be joined in any order (RFC 2045 section 6.7).

`encode` makes the bytes of one piece once; a message is later the plain join of many pieces. A piece that does not end
in a line break ends in a soft one, so two neighbours never share a line. A slot (`\0q:name\0`) stands alone between
soft breaks: whatever its value, the lines around it keep their length.
"""

import binascii
import re

WIDTH = 76  # RFC 2045 section 6.7 rule 5, without CRLF
SLOT = re.compile(r"\0q:([a-z-]+)\0")

_SURROGATE = re.compile("[\ud800-\udfff]")
_RISKY_START = re.compile(rb"^(?:\.|From )", re.MULTILINE)
_TOO_LONG = re.compile(rb"^([^\r\n]{73,75})(=(?:20|09))\r$", re.MULTILINE)


def encode(text: str) -> bytes:
    """Return `text` as quoted-printable lines of at most 76 octets with CRLF; slots are left standing.

    Lone surrogates and NUL become U+FFFD, any kind of line break becomes CRLF.
    """
    parts = SLOT.split(text)
    out: list[bytes] = []
    for position, part in enumerate(parts):
        if position % 2:
            out.append(b"\0q:%s\0=\r\n" % part.encode("ascii"))
        elif part:
            out.append(_lines(part))
    return b"".join(out)


def decode(body: bytes) -> str:
    """Return the text of an encoded piece or of several joined ones; slots are left standing."""
    return binascii.a2b_qp(body).decode("utf-8").replace("\r\n", "\n")


def _lines(text: str) -> bytes:
    """Return whole lines: the text's own, or one ended by a soft break."""
    text = _SURROGATE.sub("\ufffd", text).replace("\0", "\ufffd")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    whole = text.endswith("\n")
    # The C encoder takes its line ends from the first one that it meets: there is always one for it to meet.
    raw = (text if whole else text + "\n").replace("\n", "\r\n").encode("utf-8")
    lines = binascii.b2a_qp(raw, istext=True)
    if b"=20\r\n" in lines or b"=09\r\n" in lines:
        # It forgets that a blank encoded at a line's end takes two octets more.
        lines = _TOO_LONG.sub(rb"\1=\r\n\2\r", lines)
    while _RISKY_START.search(lines):
        # A dot or "From " at a line's start survives every relay only when it is encoded.
        lines = _RISKY_START.sub(lambda found: b"=2E=\r\n" if found[0] == b"." else b"=46=\r\nrom ", lines)
    return lines if whole else lines[:-2] + b"=\r\n"
