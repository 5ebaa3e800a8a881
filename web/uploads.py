"""A form with a file in it: multipart/form-data as browsers write it (RFC 7578), read strictly, and in memory alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

_BOUNDARY = re.compile(r'multipart/form-data\s*;\s*boundary=("?)([0-9A-Za-z\'()+_,./:=?-]{1,70})\1\s*', re.IGNORECASE)
_NAMED = re.compile(rb'content-disposition:[ \t]*form-data;[ \t]*name="([a-z_]{1,40})"([^\r\n]*)', re.IGNORECASE)
_MOST_PARTS = 20


@dataclass(frozen=True, slots=True)
class Upload:
    """The fields of such a form, and its one file."""

    fields: Mapping[str, str]
    file: bytes  #: empty where none was chosen


async def upload_of(request: Request) -> Upload | None:
    """Return what was sent; None for what no form of ours sends."""
    return read_upload(request.headers.get("content-type", ""), await request.body())


def read_upload(content_type: str, body: bytes) -> Upload | None:
    """Return the form in a body; None for what no browser writes, and for two fields of one name."""
    named = _BOUNDARY.fullmatch(content_type.strip())
    if named is None:
        return None
    parts = (b"\r\n" + body).split(b"\r\n--" + named[2].encode("ascii"), _MOST_PARTS + 1)
    if len(parts) < 3 or parts[0] or parts[-1].strip() != b"--":
        return None
    fields: dict[str, str] = {}
    files: list[bytes] = []
    for part in parts[1:-1]:
        head, between, content = part.partition(b"\r\n\r\n")
        said = _NAMED.search(head)
        if said is None or not between or not head.startswith(b"\r\n"):
            return None
        name = said[1].decode("ascii").lower()
        if b"filename" in said[2].lower():
            files.append(content)
        elif name in fields:
            return None
        else:
            fields[name] = content.decode("utf-8", "replace")
    return Upload(fields, files[0]) if len(files) == 1 else None
