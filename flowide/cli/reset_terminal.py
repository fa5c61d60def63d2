"""`flowide reset-terminal`: after a kill, make the terminal usable again."""

from __future__ import annotations

import subprocess
import sys

import click

RESET = (
    "\x1b[?1049l"  # leave the alternate screen
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l"  # no mouse
    "\x1b[?2004l\x1b[?1004l"  # no bracketed paste, no focus events
    "\x1b[>4;0m\x1b[<u"  # keys as usual
    "\x1b[?25h\x1b[0m\r"  # cursor, colours
)


@click.command(epilog="\b\nExample:\n  flowide reset-terminal")
def reset_terminal() -> None:
    """Leave the full screen, the mouse and odd colours behind, after the app was killed.

    What the app had stored is safe: open the project again, and look under KEPT DRAFTS.
    """
    click.echo(RESET, nl=False, color=True)
    if sys.stdin.isatty():
        subprocess.run(["stty", "sane"], check=False)
