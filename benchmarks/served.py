"""A site in a process of its own, for web.py: client and server share no interpreter, and its memory is its own.

`python -m benchmarks.served FILE` serves the archive in an SQLite file, with `--anew` each page made when it is asked
for; without FILE a bare Starlette application answers /SIZE by a page of so many octets, behind the same server with
the same settings. Each prints its port on loopback and serves until its input ends.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from domain.clock import FixedClock
from paperround.serving import site
from paperround.settings import build
from paperround.wiring import House
from web.limits import Measures
from web.server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from paperround.settings_model import Settings

#: The evening of the day on which corpus.py stores its papers.
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
_ANEW = "--anew"


@dataclass(frozen=True, slots=True)
class Served:
    """A site that runs elsewhere on this machine."""

    process: int
    port: int

    @property
    def megabytes(self) -> float:
        """The memory that it holds in RAM."""
        status = Path(f"/proc/{self.process}/status").read_text(encoding="ascii")
        held = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(held.split()[1]) / 1024


def settings(file: Path) -> Settings:
    """Return the settings of a site over an archive."""
    return build(
        {
            "database": {"url": f"sqlite:///{file.absolute()}"},
            "web": {"base_url": "http://127.0.0.1:8000", "secret_key": "a key of the benches, long enough to sign"},
            "mail": {"transport": "memory"},
        },
        file.parent,
    )


@contextmanager
def served(file: Path | None = None, *, caching: bool = True) -> Iterator[Served]:
    """Serve an archive, or bare pages, in another process while the context is open."""
    options = [] if caching else [_ANEW]
    command = [sys.executable, "-m", "benchmarks.served", *([str(file)] if file else []), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield Served(process.pid, int(process.stdout.readline()))
        process.stdin.close()


def _bare() -> ASGIApp:
    async def page(request: Request) -> Response:
        return Response(b"a" * request.path_params["size"], media_type="text/html")

    return Starlette(routes=[Route("/{size:int}", page)])


def _main() -> None:
    with ExitStack() as stack:
        if len(sys.argv) > 1:
            house = stack.enter_context(House(settings(Path(sys.argv[1])), clock=FixedClock(NOW)))
            measures = Measures(searches="100000/second")  # one client asks for all
            app = site(house, measures, caching=_ANEW not in sys.argv)
        else:
            app = _bare()
        _, port = stack.enter_context(serve(app, "127.0.0.1", 0, threading.Event()))
        print(port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _main()
