"""Any page's script may read the API: it is the same for everyone, and no cookie or password is looked at.

Where the site is this machine's alone the guard takes these headers off again (headers.py): no page that its owner
visits shall read the archive.
"""

from collections.abc import Mapping

CROSSING: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After",
}
#: Of the answer to OPTIONS, by which a browser asks whether it may send a header of its own.
ASKED_BEFORE: Mapping[str, str] = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "If-None-Match",
    "Access-Control-Max-Age": "86400",
}
