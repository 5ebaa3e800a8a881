"""docs/schema.md is what the tables and the views say today."""

import os
import subprocess
import sys
from pathlib import Path


def test_the_document_is_what_the_code_says(root: Path) -> None:
    made = subprocess.run(
        [sys.executable, root / "tests" / "house" / "schema_document.py"],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout

    assert made.decode() == (root / "docs" / "schema.md").read_text(encoding="utf-8"), (
        "write it again: python tests/house/schema_document.py > docs/schema.md"
    )
