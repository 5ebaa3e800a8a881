"""The body of an answer, read piece by piece: counted as it comes, unpacked within bounds, refused when too large.

Only gzip and zlib are asked for, and at most one layer of them: a few kilobytes that unpack to gigabytes never get
further than the cap.
"""

import zlib
from collections.abc import Iterable

from domain.errors import RefusedAnswer, Unreachable

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # zlib's way to say: look at the header and take either
_MEMBER = b"\x1f\x8b"  # how a member begins (RFC 1952 section 2.3.1)
_MOST_MEMBERS = 10_000  # writers that flush often make hundreds
_CODINGS = {"gzip", "x-gzip", "deflate"}


def read_body(pieces: Iterable[bytes], *, coding: str, cap: int, url: str, cut: bool = False) -> bytes:
    """Return the whole body, unpacked; what follows the last packed member, such as padding, is left out.

    `pieces` are as they came over the wire; `coding` is the Content-Encoding, "" if there was none; `cap` is the
    largest body to accept, in bytes, before and after unpacking; with `cut`, the first bytes of a larger one will do.

    Raises:
        RefusedAnswer: the body is larger than `cap`, in thousands of members, or in a coding that was not asked for.
        Unreachable: the packed body is damaged or ends too early.

    """
    coding = coding.strip().lower()
    if coding in {"", "identity"}:
        return _gather(pieces, cap=cap, url=url, cut=cut)
    if coding not in _CODINGS:
        raise RefusedAnswer(f"{url} answered in the coding {coding[:40]!r}, which was not asked for")
    try:
        return _gather(_unpacked(pieces, cap=cap, url=url), cap=cap, url=url, cut=cut)
    except zlib.error as error:
        raise Unreachable(f"the packed answer of {url} is damaged") from error


def _gather(pieces: Iterable[bytes], *, cap: int, url: str, cut: bool) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > cap:
            if cut:
                return bytes(body[:cap])
            raise RefusedAnswer(f"the answer of {url} is larger than {cap:,} bytes")
    return bytes(body)


def _unpacked(pieces: Iterable[bytes], *, cap: int, url: str) -> Iterable[bytes]:
    unpacker = None
    taken = members = 0
    waiting = b""
    for piece in pieces:
        taken += len(piece)
        if taken > cap:  # empty members unpack to nothing, however many come
            raise RefusedAnswer(f"the packed answer of {url} is larger than {cap:,} bytes")
        waiting += piece
        while waiting:
            if unpacker is None or unpacker.eof:  # RFC 1952 section 2.2: a gzip file may be several in a row
                if unpacker is not None and waiting == _MEMBER[:1]:
                    break  # the next piece tells
                if unpacker is not None and not waiting.startswith(_MEMBER):
                    return
                members += 1
                if members > _MOST_MEMBERS:
                    raise RefusedAnswer(f"the packed answer of {url} has more than {_MOST_MEMBERS:,} members")
                unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
            yield unpacker.decompress(waiting, cap + 1)
            waiting = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    if unpacker is not None and not unpacker.eof:
        raise Unreachable(f"the packed answer of {url} ends too early")
