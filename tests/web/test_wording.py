"""What a reader agreed to is known by the version of its words: they do not change without it."""

import hashlib
import re
from pathlib import Path

from web.words import WORDING

ROOT = Path(__file__).parents[2]
#: What stands beside the buttons of a sign-up: the form, the letter, the page behind its link.
SHOWN = (
    *(f"web/templates/{name}.html" for name in ("subscribe", "signup", "confirm")),
    *(f"digests/templates/confirm/{name}" for name in ("subject.txt", "body.txt", "body.html")),
)
#: Version → its words. Where words changed: take the next version in web/words.py, and add its line here.
VERSIONS = {"web 2": "d406a9c4ddc7975a", "web 3": "e82f127ef4a40e7a"}
_MARKUP = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{(?!\s*\").*?\}\}|<[^>]*>", re.DOTALL)


def words(text: str) -> str:
    """Return what a template says, without its markup and what is filled in."""
    return " ".join(_MARKUP.sub(" ", text).split())


def test_the_words_that_a_reader_agrees_to_have_a_version_of_their_own():
    said = "\n".join(words((ROOT / name).read_text(encoding="utf-8")) for name in SHOWN)

    assert "We send one letter with a link" in said
    assert "Do you want this letter?" in said
    assert "press Confirm on it" in said
    assert VERSIONS[WORDING] == hashlib.sha256(said.encode()).hexdigest()[:16]
