"""The help of the root, made without click: it is what a newcomer asks first, and shall be there at once."""

from __future__ import annotations

from flowide.cli.commands import SECTIONS

ABOUT = """\
People and agents write together: variations, blends, locks, and a log of
everything.

Without a command the project folder (by default this one) is opened in the
terminal app."""

OPTIONS = {
    "-V, --version": "Show the version and exit.",
    "-h, --help": "Show this message and exit; every command has it too.",
    "--project PATH": "Folder of the project; by default the one around here.",
    "--as HANDLE": "Who acts; by default the git or login user.",
    "--json": "Print JSON.",
    "--no-color": "Plain text; NO_COLOR does the same.",
    "-q, --quiet": "Only results and errors.",
    "-v, --verbose": "Show where an error comes from.",
}
"""Those that stand before or after the command."""

EXAMPLES = """\
  flowide .                  open this folder in the app
  flowide demo --headless    see everything once, without keys
  flowide run variations --brief 'Make eviction cheap' --set path=cache.py"""


def root_help() -> str:
    """The text of `flowide --help`; no line is wider than 80 columns."""
    parts = ["Usage: flowide [PATH | COMMAND …]\n", _indented(ABOUT), _rows("Options", OPTIONS)]
    parts += [
        _rows(title, {name: line for name, (_, line) in rows.items()}) for title, rows in SECTIONS.items()
    ]
    parts.append(f"Examples:\n{EXAMPLES}\n")
    return "\n".join(parts)


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" if line else "\n" for line in text.split("\n"))


def _rows(title: str, rows: dict[str, str]) -> str:
    width = max(len(name) for name in rows)
    return f"{title}:\n" + "".join(f"  {name:{width}}  {line}\n" for name, line in rows.items())
