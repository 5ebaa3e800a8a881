"""docs/taking-away.md: its examples are what the exporters write, its table is theirs."""

import re
from pathlib import Path

from digests.citations.formats import FORMATS
from paperround.settings import build
from paperround.wiring import House

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "taking-away.md").read_text(encoding="utf-8")
GOLDEN = ROOT / "tests" / "digests" / "golden"


def _golden(suffix: str) -> str:
    return (GOLDEN / f"paper{suffix}").read_bytes().decode().replace("\r\n", "\n").strip()


def test_the_table_names_every_format() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", TEXT, flags=re.MULTILINE)

    assert rows == list(FORMATS)


def test_the_parts_of_a_reader_s_export_are_the_real_ones(tmp_path: Path) -> None:
    told = re.findall(r"^- `(\w+)`: ", TEXT.split("\n## What is kept of a reader\n")[1], flags=re.MULTILINE)
    with House(build({}, tmp_path)) as house:
        reader, _ = house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)

        assert told == list(house.desk.everything(reader.public_id))


def test_the_examples_are_what_is_written() -> None:
    _, bibtex, ris = re.findall(r"^```\w*\n(.*?)\n```", TEXT, flags=re.MULTILINE | re.DOTALL)

    assert bibtex == _golden(".bib")
    assert ris.strip() == _golden(".ris")
