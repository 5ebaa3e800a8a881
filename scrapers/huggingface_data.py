"""The data that a Hugging Face page carries: found in its markup, read as JSON, its mojibake repaired."""

import json
import re
from collections.abc import Mapping

from lxml.etree import HTMLPullParser, LxmlError, _Element

from domain.errors import LayoutChanged
from scrapers.text import repair_mojibake, shows_mojibake

#: The `data-target` of the element that carries a list's data, and of the one that carries a single paper's.
LISTS, PAPER = "DailyPapers", "PaperContent"
#: What a page that calls itself XML begins with; the pages are read as HTML whatever they call themselves.
XML_HEAD = re.compile(r"<\?xml[^>]*>?", re.IGNORECASE)

_CHUNK = 65_536  # characters fed to the HTML parser at a time; the marker stands near the head


def blob_of(text: str, target: str = LISTS) -> str | None:
    """Return the text of `data-props` beside the marker; None if no complete element carries the marker.

    Feeding stops at that element: the cards that follow it are most of the page, and repeat it.
    """
    parser = HTMLPullParser(events=("start",), huge_tree=True)  # the attribute alone may be longer than 10 MB
    try:
        for start in range(0, len(text), _CHUNK):
            parser.feed(text[start : start + _CHUNK])
            for _, element in parser.read_events():
                if isinstance(element, _Element) and element.get("data-target") == target:
                    return element.get("data-props", "")
    except LxmlError:
        return None
    return None


def props_of(blob: str) -> Mapping[str, object]:
    """Return what the data says; raises LayoutChanged for what is no JSON object."""
    props = json_of(blob, "the page's own data")
    if not isinstance(props, dict):
        raise LayoutChanged("the page's own data is not an object")
    return props


def json_of(text: str, what: str) -> object:
    """Return the value of a JSON text, its mojibake repaired; raises LayoutChanged, which calls the text `what`."""
    try:
        value: object = json.loads(text)
        plain = json.dumps(value, ensure_ascii=False) if "\\u" in text else text
        # What one field leaves in doubt, the rest of the page decides.
        return json.loads(plain, object_hook=_repaired) if shows_mojibake(plain) else value
    except (ValueError, RecursionError) as error:
        raise LayoutChanged(f"{what} is broken JSON, so nothing of it is kept") from error


def _repaired(fields: Mapping[str, object]) -> Mapping[str, object]:
    return {
        name: repair_mojibake(value, damaged=True) if isinstance(value, str) else value
        for name, value in fields.items()
    }
