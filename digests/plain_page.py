"""A letter as a page: its own, or where it has none the text as it was sent.

Who wants letters without HTML was sent no page, and none is made up for them afterwards: what is shown is what was
frozen. An address that stands alone on its line, as all of ours do, becomes a link, as mailboxes do it too.
"""

import re
from collections.abc import Mapping, Sequence

from digests import wording
from digests.forms import Form, environment
from digests.mail.joining import part
from domain.issues import Fragment

_ALONE = re.compile(r"( *(?:[A-Z][a-z ]*: )?)(https?://\S+)")


def page_of(fragments: Sequence[Fragment], subject: str, *, personal: bool, slots: Mapping[str, str]) -> str:
    """Return the page, with or without the pieces that carry a reader's own links.

    Raises UsageError for a slot without a value.
    """
    page = part(fragments, "html", personal=personal, slots=slots)
    return page or page_of_text(subject, part(fragments, "text", personal=personal, slots=slots))


def page_of_text(subject: str, text: str) -> str:
    """Return the page of a letter that is text alone; both come from outside."""
    lines = [_linked(line) for line in text.rstrip("\n").split("\n")]
    return Form(environment(), "plain/page.html")("page", subject, lines)


def _linked(line: str) -> tuple[str, str]:
    """Return what of a line stands before an address, and the address; "" for none."""
    found = _ALONE.fullmatch(line)
    address = wording.web_address(found[2]) if found else ""
    return (found[1], address) if found and address else (line, "")
