"""Bytes to text: strict UTF-8 first, then the charsets that were named; never a detector.

Detectors read UTF-8 as Thai (sources.md section 5, row 19).
"""

import re
from collections.abc import Iterable, Sequence

_HTTP_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
# Only encodings of the web: Python knows others (idna, punycode, unicode_escape) that take quadratic time or are no
# text's.
_WEB_CHARSET = re.compile(
    r"(?:utf-?(?:8|16|32)|iso-?8859|latin|windows|cp|gb|big5|euc|shift|koi8|tis|mac|us-ascii)", re.IGNORECASE
)


def decoded(body: bytes, content_type: str, declared: Iterable[str] = (), *, marked: Sequence[str] = ()) -> str:
    """Return a body as text; bytes that fit nothing become U+FFFD.

    `declared` are the charsets that the document itself names, after that of the HTTP header; `marked` those that its
    first bytes leave no doubt about, before UTF-8.
    """
    named = [found[1] for found in [_HTTP_CHARSET.search(content_type)] if found]
    for charset in [*marked, "utf-8-sig", *filter(_WEB_CHARSET.match, [*named, *declared])]:
        try:
            return body.decode(charset)
        except (LookupError, ValueError):
            continue
    return body.decode("utf-8", errors="replace")
