"""Header lines, written here because Python's own writer breaks what a mailbox relies on.

`email` with policy.SMTP cuts a long List-Unsubscribe into encoded words and encodes host names (mail.md finding 4), so
the lines of a letter are made by these few functions; `email` reads them back in the tests. Every value that comes from
outside is refused if it holds a control character: a header can then not be smuggled into a message.
"""

import binascii
import re
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

import idna

from domain.clock import utc
from domain.errors import AddressError, UsageError

WIDTH = 78  # RFC 5322 section 2.1.1: lines should not be longer, without CRLF
LONGEST_LINE = 998  # RFC 5322 section 2.1.1: and must not be longer than this
_WORD = 75  # RFC 2047 section 2: an encoded word's greatest length
_LONGEST_MAILBOX = 320  # octets of From or Reply-To that every relay takes
_KEPT = 4096  # domains, and lines: many letters have the same
_FRAME = len("=?utf-8?q??=")
_PHRASE = 66  # room for a display name's first word beside "List-Id: " and its like

#: What no header and no address may hold: controls, line ends of Unicode, halves of surrogate pairs.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOT_ATOM = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+)*"
)
_QUOTED_LOCAL = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e\x80-\U0010ffff]|\\[\x20-\x7e])*"')
_LITERAL = re.compile(r"\[[0-9A-Za-z:.]+\]")
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def refuse_controls(name: str, value: str) -> str:
    """Return `value` unless it holds a control, a line separator or half a surrogate pair.

    Raises UsageError: whoever got it in wanted a header of their own (RFC 5322 section 2.2).
    """
    found = CONTROL.search(value)
    if found:
        raise UsageError(f"{name} holds the control character U+{ord(found[0]):04X}, which no header may carry")
    return value


@lru_cache(maxsize=_KEPT)
def unstructured(name: str, value: str) -> str:
    """Return a whole header line, folded, such as Subject; non-ASCII text becomes encoded words (RFC 2047).

    Raises UsageError for controls.
    """
    refuse_controls(name, value)
    words = value.split(" ")
    if _PLAIN.fullmatch(value) and "=?" not in value and max(map(len, words)) <= WIDTH - len(name) - 2:
        return fold(name, words)
    return fold(name, encoded_words(value, first=WIDTH - len(name) - 2))


def encoded_words(text: str, *, first: int = _WORD) -> list[str]:
    """Return encoded words of at most 75 characters, the first of at most `first`, cut between characters.

    Q for mostly Latin text, so that a raw header can be read; B where that is shorter.
    """
    plain = sum(byte in _SAFE or byte == 0x20 for byte in text.encode())
    form = _q if 3 * plain > len(text.encode()) else _b
    words: list[str] = []
    begin, taken = 0, 0  # of the word: where it begins, and how many octets it encodes, each as long as it will be
    for end, character in enumerate(text):
        octets = character.encode()
        more = sum(1 if byte in _SAFE or byte == 0x20 else 3 for byte in octets) if form is _q else len(octets)
        wide = taken + more if form is _q else -(-(taken + more) // 3) * 4
        if _FRAME + wide > (_WORD if words else min(first, _WORD)):
            words.append(form(text[begin:end]))
            begin, taken = end, 0
        taken += more
    return [*words, form(text[begin:])] if text else words


def _q(text: str) -> str:
    """Return one encoded word in the Q encoding (RFC 2047 section 4.2)."""
    octets = ("_" if byte == 0x20 else chr(byte) if byte in _SAFE else f"={byte:02X}" for byte in text.encode("utf-8"))
    return f"=?utf-8?q?{''.join(octets)}?="


def _b(text: str) -> str:
    """Return one encoded word in the B encoding (RFC 2047 section 4.1)."""
    return f"=?utf-8?b?{binascii.b2a_base64(text.encode('utf-8'), newline=False).decode('ascii')}?="


def phrase(text: str) -> list[str]:
    """Return a display name as atoms, one quoted string, or encoded words (RFC 5322 section 3.2.5)."""
    if _ATOMS.fullmatch(text) and "=?" not in text and len(text) < 60:
        return text.split(" ")
    if _PLAIN.fullmatch(text) and "=?" not in text and len(text) < 60:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        return [f'"{quoted}"']
    return encoded_words(text, first=_PHRASE)


def mailbox(name: str, value: str) -> str:
    """Return a whole header line for one mailbox, `Name <address>` or the bare address, as people write it.

    A display name that would make the value longer than 320 octets is left out: Amazon SES refuses such a letter.
    Raises UsageError for controls, AddressError for what is no address, or one that not every relay can carry: a local
    part outside ASCII asks SMTPUTF8 of every mailbox that the letter goes to (RFC 6531 section 3.2).
    """
    shown, typed = split_mailbox(refuse_controls(name, value))
    bare = address(typed)
    if not bare.isascii():
        raise AddressError(
            f"{name} must be an address in ASCII before the @, not {typed!r}: few mailboxes take another"
        )
    words = [*phrase(shown), f"<{bare}>"] if shown else [bare]
    return fold(name, words if len(" ".join(words)) <= _LONGEST_MAILBOX else [bare])


def split_mailbox(value: str) -> tuple[str, str]:
    """Return (display name, address) of `Name <address>`; the name is "" for a bare address."""
    value = value.strip()
    if not value.endswith(">") or "<" not in value:
        return "", value
    shown, _, bare = value[:-1].rpartition("<")
    shown = shown.strip()
    if len(shown) > 1 and shown[0] == shown[-1] == '"':
        shown = re.sub(r"\\(.)", r"\1", shown[1:-1])
    return shown, bare.strip()


def address(value: str) -> str:
    """Return an address as a header and an SMTP command carry it: its domain as A-labels (RFC 5891).

    A local part outside ASCII stays as it is: raw UTF-8 in a header is legal only under SMTPUTF8 (RFC 6532), so such a
    letter leaves only where the relay offers that, and is skipped elsewhere. Raises AddressError.
    """
    local, at, domain = value.rpartition("@")
    if not at or CONTROL.search(value) or not (_DOT_ATOM.fullmatch(local) or _QUOTED_LOCAL.fullmatch(local)):
        raise AddressError(f"{value!r} is not an address that mail can be sent to")
    return f"{local}@{ascii_domain(domain)}"


@lru_cache(maxsize=_KEPT)
def ascii_domain(domain: str) -> str:
    """Return a host name as A-labels; an address literal stays. Raises AddressError."""
    if _LITERAL.fullmatch(domain):
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise AddressError(f"{domain!r} is not a host name") from error


def date_text(instant: datetime) -> str:
    """Return an aware instant as a Date header's value, in UTC: "Fri, 20 Nov 2026 06:00:00 +0000"."""
    return format_datetime(utc(instant))


def fold(name: str, words: list[str]) -> str:
    """Return `name: words`, folded before the word that would pass column 78; a word is never cut.

    So an address, a Message-ID or a URL stays whole, and whoever has more of them than fit gives them as words.
    """
    lines, line = [], f"{name}:"
    for position, word in enumerate(words):
        if position and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line])
