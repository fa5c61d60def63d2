"""The root of the command line: finds commands without importing them, and carries them out."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from flowide import __version__
from flowide.cli.commands import COMMANDS
from flowide.cli.common import common_first, in_place, with_common_options
from flowide.cli.help import ABOUT, root_help
from flowide.text import close_to

OPEN = "open"
"""The command behind `flowide [PATH]`; not listed."""
COMPLETE = "_FLOWIDE_COMPLETE"
"""Set by the shell's completion script."""

_LEADING = "flowide.leading"
"""Key of the common options that stood before the command."""
_MANY_OBJECTS = 20_000
"""Allocations between looks for unreachable objects: commands are short and make few."""


class Root(click.Group):
    """The commands of the table, imported when one is used; a path instead of a command opens the app."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = "flowide.cli.open:open_" if cmd_name == OPEN else COMMANDS.get(cmd_name, ("", ""))[0]
        if not place:
            return None
        module, _, name = place.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        if not gc.isenabled():
            gc.freeze()
            gc.set_threshold(_MANY_OBJECTS)
            gc.enable()
        return with_common_options(command)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            own = {*ctx.help_option_names, "-V", "--version"}
            common, rest = common_first(args)
            if rest and rest[0] in own:
                args = rest
            elif rest and not rest[0].startswith("-"):
                ctx.meta[_LEADING], args = common, rest
            else:
                args = [OPEN, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and name != OPEN and not ctx.resilient_parsing:
            if os.path.isdir(name) or os.sep in name:
                args = [OPEN, *args]
            else:
                self._unknown(ctx, name)
        found, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            rest = in_place(ctx, command, ctx.meta.get(_LEADING, []), rest)
        return found, command, rest

    def _unknown(self, ctx: click.Context, name: str) -> NoReturn:
        near = close_to(name, COMMANDS)
        hint = f"Did you mean {near[0]}?" if near else "See flowide --help."
        raise click.UsageError(f"there is no command or folder {name[:200]!r}. {hint}", ctx)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(root_help())


@click.group(
    cls=Root, help=ABOUT, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, "--version", "-V", message="flowide %(version)s")
def root() -> None:
    """The root; its help is in `flowide.cli.help`."""


def run(args: Sequence[str]) -> int:
    """Carry out a command line; the exit code. No traceback reaches the user without -v."""
    from flowide.cli import telling

    telling.prepare()
    try:
        if COMPLETE in os.environ:
            root.main(list(args), prog_name="flowide", complete_var=COMPLETE)
        with root.make_context("flowide", list(args)) as ctx:
            root.invoke(ctx)
        code = 0
    except click.exceptions.Exit as end:
        code = end.exit_code
    except (KeyboardInterrupt, click.Abort):
        code = 130
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        code = telling.tell(args, error)
    finally:
        gc.enable()
    return telling.finish(args, code)
