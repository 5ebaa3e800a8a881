"""Show a page to the person at the keyboard."""

import webbrowser
from pathlib import Path
from tempfile import mkdtemp


def show_page(html: str, file: Path | None = None) -> str:
    """Write a page (to a new temporary folder for no file), open it in the browser, and return its path."""
    place = file or Path(mkdtemp(prefix="paperround-")) / "letter.html"
    place.write_text(html, encoding="utf-8")
    webbrowser.open(place.resolve().as_uri())
    return str(place)
