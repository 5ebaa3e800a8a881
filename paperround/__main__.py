"""The command line's entry: errors become one line and an exit code, never a traceback."""

import sys


def main() -> None:
    """Run the command that the arguments name and exit with its code."""
    from paperround.cli import run  # noqa: PLC0415 so that an interrupt while modules load is an interrupt too

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
