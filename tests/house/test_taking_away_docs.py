"""docs/taking-away.md: its examples are what the exporters write, its table is theirs."""

import re
from pathlib import Path

from digests.citations.formats import FORMATS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "taking-away.md").read_text(encoding="utf-8")
GOLDEN = ROOT / "tests" / "digests" / "golden"


def _golden(suffix: str) -> str:
    return (GOLDEN / f"paper{suffix}").read_bytes().decode().replace("\r\n", "\n").strip()


def test_the_table_names_every_format() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", TEXT, flags=re.MULTILINE)

    assert rows == list(FORMATS)


def test_the_examples_are_what_is_written() -> None:
    _, bibtex, ris = re.findall(r"^```\w*\n(.*?)\n```", TEXT, flags=re.MULTILINE | re.DOTALL)

    assert bibtex == _golden(".bib")
    assert ris.strip() == _golden(".ris")
