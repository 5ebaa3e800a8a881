"""What a browser says it can take and has already: Accept-Encoding and If-None-Match (RFC 9110), read as values."""

import gzip
import re

LEAST_PACKED = 600  # octets: what is smaller fits a packet as it is
_ITEM = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:;\s*[qQ]\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?")
_TAG = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")')
_GZIP = ("gzip", "x-gzip")
_TEXT = re.compile(r"(?:text/.+|application/(?:json|xml|javascript|.+\+(?:json|xml))|image/svg\+xml)(?:\s*;.*)?")


def takes_gzip(accept: str) -> bool:
    """Return whether gzip may be sent (RFC 9110 section 12.5.3); what cannot be read is not counted."""
    named: float | None = None
    any_other: float | None = None
    for item in accept.split(","):
        found = _ITEM.fullmatch(item)
        if found is None:
            continue
        coding, worth = found[1].lower(), float(found[2] or 1)
        if coding in _GZIP:
            named = max(worth, named or 0.0)
        elif coding == "*":
            any_other = worth
    return bool(named if named is not None else any_other)


def is_text(media_type: str) -> bool:
    """Return whether a body of this type grows smaller by packing."""
    return _TEXT.fullmatch(media_type.strip().lower()) is not None


def packed(body: bytes) -> bytes | None:
    """Return a body in gzip, the same bytes at every time; None where that is not worth it."""
    if len(body) < LEAST_PACKED:
        return None
    small = gzip.compress(body, 6, mtime=0)
    return small if len(small) < len(body) else None


def is_known(known: str, tag: str) -> bool:
    """Return whether If-None-Match names a tag, compared weakly (RFC 9110 section 13.1.2)."""
    if known.strip() == "*":
        return True
    wanted = _TAG.fullmatch(tag)
    return wanted is not None and any(each[1] == wanted[1] for each in _TAG.finditer(known))


def weak(tag: str) -> str:
    """Return a tag as that of a body in another coding: the same page, not the same bytes."""
    return tag if tag.startswith("W/") else f"W/{tag}"
