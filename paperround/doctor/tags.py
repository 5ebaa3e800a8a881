"""What stands in TXT records of the form "v=…; a=b; c=d" (RFC 6376 section 3.2, RFC 7489 section 6.4)."""

from urllib.parse import quote

_MOST = 50


def tags(record: str) -> dict[str, str]:
    """Return the tags of a record, names in lower case, blanks around both taken off; the first of a name counts."""
    found: dict[str, str] = {}
    for part in record.split(";")[:_MOST]:
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def versioned(records: tuple[str, ...], version: str) -> tuple[str, ...]:
    """Return the records that begin with "v=VERSION", such as "DMARC1" in that very spelling, and are of that kind."""
    return tuple(each for each in records if tags(each.partition(";")[0]).get("v", "") == version)


def mailto(address: str) -> str:
    """Return an address as reports are sent to it: a list has commas and "!" of its own (RFC 7489 section 6.2)."""
    local, _, domain = address.rpartition("@")
    return f"mailto:{quote(local, safe='+=')}@{domain}"
