"""The entry point: as little as possible is imported before it is known what is wanted."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from flowide import __version__

        sys.stdout.write(f"flowide {__version__}\n")
        return
    from flowide.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
