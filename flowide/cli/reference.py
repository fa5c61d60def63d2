"""The reference page of the command line, made from the commands themselves.

python -m flowide.cli.reference > docs/command-line.md
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Sequence

import click

from flowide import errors
from flowide.cli.commands import SECTIONS
from flowide.cli.help import OPTIONS
from flowide.cli.main import root
from flowide.exit_codes import EXIT_CODES
from flowide.settings import sections

_HEAD = """\
# The command line

<!-- Made by `python -m flowide.cli.reference > docs/command-line.md`: change the commands, not this page. -->

`flowide` opens the terminal app; `flowide COMMAND` works in a script, also while the app or a run has the same project
open. Results go to stdout, everything else to stderr; nothing is asked without a terminal, and every wait is bounded.
`flowide COMMAND --help` says what is here.

## Options of every command

They stand before or after the command.

{options}

`--client ID` (or `FLOWIDE_CLIENT`) tells shells of one person apart: a lock belongs to a person and a client, and
without it all commands of a person in a project are one client. `--space NAME` names a space of a hub; a project has
just its own.

Paths are relative to the project, or to the current folder inside of it. Where a command takes `PATH|ID`, the id of an
artifact does as well.

## JSON

Every listing takes `--json`. A command that is refused prints the error on stderr, and with `--json` also as an object
on stdout: `code`, `message`, `hint` and `data`, as in [the protocol](protocol.md). `flowide schema events` describes
the lines of `flowide run --json`.

`flowide lock list --json` is a list of `artifact`, `path`, `state` (`free`, `held`, `lapsed`), `fence`, `version`,
`holder`, `client`, `kind`, `purpose`, `since`, `expires_ms` and `queue`.

## Exit codes

{exits}

## Error codes

The code is the same in `--json` output, in the app and on the wire.

{codes}

## Settings

Each is in `config.toml`, in the project's `.flowide` folder or the user's folder (`FLOWIDE_HOME`, else where the
platform keeps such things), or in a variable: `[lock] ttl_s` is `FLOWIDE_LOCK_TTL_S`. An option goes before a
variable, that before the project's file, that before the user's. `flowide doctor` shows what holds and where it
comes from.

{settings}
"""


def page() -> str:
    """The page as Markdown."""
    options = _table(("Option", ""), [(f"`{name}`", line) for name, line in OPTIONS.items()])
    exits = _table(("Code", "Means"), [(str(code), said) for code, said in sorted(EXIT_CODES.items())])
    codes = [
        (f"`{code}`", str(error.exit_code), _first_line(error.__doc__))
        for code, error in sorted(errors.BY_CODE.items(), key=lambda each: (each[1].exit_code, each[0]))
    ]
    head = _HEAD.format(
        options=options,
        exits=exits,
        codes=_table(("Code", "Exit", "Means"), codes),
        settings=_table(("Setting", "Default", ""), list(_settings())),
    )
    return head + "".join(_sections())


def _sections() -> Iterator[str]:
    context = click.Context(root, info_name="flowide")
    for title, names in SECTIONS.items():
        yield f"\n## {title}\n"
        for name in names:
            command = root.get_command(context, name)
            assert command is not None
            yield from _command(command, click.Context(command, info_name=name, parent=context))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"\n### {context.command_path}\n\n"
    if not isinstance(command, click.Group):
        pieces = [piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"]
        yield f"```text\n{' '.join([context.command_path, *pieces])}\n```\n\n"
    yield f"{_prose(command.help or '')}\n"
    rows = [row for row in _options(command, context) if row]
    if rows:
        yield f"\n{_table(('Option', ''), rows)}\n"
    examples = _examples(command.epilog or "")
    if examples:
        yield f"\n```sh\n{examples}\n```\n"
    if isinstance(command, click.Group):
        for name, each in sorted(command.commands.items()):
            yield from _command(each, click.Context(each, info_name=name, parent=context))


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    common = {
        "--project",
        "--space",
        "--as",
        "--client",
        "--json",
        "--no-color",
        "--quiet",
        "--verbose",
        "--help",
    }
    for param in command.params:
        if not isinstance(param, click.Option) or param.hidden or common.intersection(param.opts):
            continue
        record = param.get_help_record(context)
        if record is not None:
            yield f"`{record[0]}`", record[1]


def _prose(help: str) -> str:
    """The help as Markdown; what click is told to leave alone becomes a block."""
    blocks = []
    for block in inspect.cleandoc(help).split("\n\n"):
        if block.startswith("\b\n"):
            _, _, lines = block.partition("\n")
            blocks.append("```text\n" + "\n".join(lines.splitlines()) + "\n```")
        else:
            blocks.append(" ".join(block.split()))
    return _wrapped("\n\n".join(blocks))


def _wrapped(text: str) -> str:
    import textwrap

    return "\n\n".join(
        block
        if block.startswith("```")
        else textwrap.fill(block, 118, break_long_words=False, break_on_hyphens=False)
        for block in text.split("\n\n")
    )


def _examples(epilog: str) -> str:
    lines = [line for line in epilog.replace("\b", "").splitlines() if not re.match(r"\s*Examples?:$", line)]
    return "\n".join(line.removeprefix("  ") for line in lines).strip("\n")


def _settings() -> Iterator[tuple[str, str, str]]:
    """Name, default and meaning of every setting, from the source that defines them."""
    tree = ast.parse(inspect.getsource(sections))
    classes = {each.name: each for each in tree.body if isinstance(each, ast.ClassDef)}
    named = {
        each.lower(): node for each, node in classes.items() if hasattr(sections.Settings(), each.lower())
    }
    for section, node in [*named.items(), ("models.<alias>", classes["Model"])]:
        for at, field in enumerate(node.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                default = "" if field.value is None else ast.unparse(field.value)
                yield f"`[{section}] {field.target.id}`", _default(default), _meaning(node.body, at)


def _default(source: str) -> str:
    return {"None": "none", "''": "empty", "[]": "empty", "": "required"}.get(source, f"`{source}`")


def _meaning(body: list[ast.stmt], at: int) -> str:
    """The text under a field."""
    after = body[at + 1] if at + 1 < len(body) else None
    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
        return " ".join(str(after.value.value).split())
    return ""


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
