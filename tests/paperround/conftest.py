import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from paperround.cli import run
from paperround.demo.site import DemoSite, read_pages


class Ran:
    """What one command line did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> dict:
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def paperround(folder: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command line in a fresh folder, in this process."""

    def go(*arguments: str) -> Ran:
        capfd.readouterr()
        code = run(list(arguments))
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return Ran(code, out, err)

    return go


@pytest.fixture
def site() -> Iterator[DemoSite]:
    with DemoSite(read_pages()) as opened:
        yield opened


@pytest.fixture
def configured(folder: Path, site: DemoSite) -> Path:
    """A personal installation that reads the demo's site and writes letters to a folder."""
    (folder / "paperround.toml").write_text(
        f'[mail]\nfrom = "P <p@lab.example>"\n[[source]]\nname = "hf"\nkind = "huggingface-daily"\nurl = "{site.url}"\n'
    )
    return folder
