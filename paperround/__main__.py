"""The command line's entry: errors become one line and an exit code, never a traceback."""

import io
import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command that the arguments name and exit with its code."""
    from paperround.cli import run  # noqa: PLC0415 so that an interrupt while modules load is an interrupt too

    # Closed from outside (`>&-`): what is said then goes nowhere.
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 open as long as we run
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 the same
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows ASCII only shows a "?", not a traceback.
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
