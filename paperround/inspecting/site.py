"""Datasette, serving one copy on this machine.

What is served cannot leak what it does not hold; so queries of any kind are allowed. What Datasette would take from its
surroundings is kept away: plugins of its environment, and names by which another site could have a browser ask it.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from starlette.middleware.trustedhost import TrustedHostMiddleware

from domain.errors import UsageError
from paperround.inspecting.words import NAME, metadata
from web.server import serve

HOST = "127.0.0.1"
_SETTINGS = {
    "default_allow_sql": True,
    "suggest_facets": False,  # ours are the useful ones
    "default_facet_size": 12,
    "facet_time_limit_ms": 2_000,
    "sql_time_limit_ms": 5_000,
    "truncate_cells_html": 220,  # characters; a paper's own page has the whole abstract
}


def check() -> None:
    """Raise UsageError where Datasette is not installed."""
    _datasette()


@contextmanager
def inspecting(copy: Path, made: datetime, port: int, stop: threading.Event) -> Iterator[str]:
    """Serve a copy, `NAME`.db, while the context is open; give the address. Raises SettingsError for a port in use."""
    with as_file(files("paperround") / "inspecting") as ours:
        datasette = _datasette()(
            immutables=[str(copy)],
            metadata=metadata(made),
            settings=_SETTINGS,
            template_dir=str(ours / "templates"),
            static_mounts=[("looks", str(ours / "static"))],
        )
        # Another site may have its own name lead to this machine, and then read along: ours are the only names.
        app = TrustedHostMiddleware(datasette.app(), allowed_hosts=[HOST, "localhost"])
        with serve(app, HOST, port, stop, setting="--port") as (host, bound):
            yield f"http://{host}:{bound}/{NAME}"


def _datasette() -> Any:
    """Return the class; raises UsageError."""
    # Loading it loads whatever plugins are installed beside it, unless it takes itself to be under test.
    vars(sys)["_called_from_test"] = True
    try:
        from datasette.app import Datasette  # noqa: PLC0415 an optional guest, and heavy
    except ImportError as error:
        raise UsageError(
            "looking into the archive on pages needs Datasette: pip install 'paperround[inspect]'; "
            "--file writes the copy without it"
        ) from error
    finally:
        del vars(sys)["_called_from_test"]
    return Datasette
