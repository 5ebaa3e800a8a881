"""The one rule about records that are no papers: a few are left out and told, more means that the page is not ours."""

from domain.errors import LayoutChanged

_SHARE = 0.05  # of the records; above it the layout is not the one we know


def are_too_many(rejected: int, found: int) -> bool:
    """Whether more than one record and more than 5 %, or all of them, are bad.

    One bad record does not cost a short day; a page of nothing but bad records is not ours.
    """
    return rejected > max(1, found * _SHARE) or (rejected > 0 and rejected == found)


def rejects_note(rejected: int, found: int, *, records: str, identifier: str) -> str:
    """Return what it cost that some `records` have no `identifier` or no title; "" for none.

    Raises LayoutChanged for too many.
    """
    if are_too_many(rejected, found):
        raise LayoutChanged(f"{rejected} of {found} {records} have no {identifier} or no title")
    return f"{rejected} of {found} {records} had no {identifier} or no title and were left out" if rejected else ""
