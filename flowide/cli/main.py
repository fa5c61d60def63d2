"""The root of the command line: finds commands without importing them, tells errors, gives exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from flowide.cli.commands import COMMANDS, SECTIONS
from flowide.errors import FlowError

OPEN = "open"
"""The command behind `flowide [PATH]`; not listed."""
COMPLETE = "_FLOWIDE_COMPLETE"
"""Set by the shell's completion script."""


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
        return with_common_options(command)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {*ctx.help_option_names, "-V", "--version"}
        if not ctx.resilient_parsing and (not args or (args[0].startswith("-") and args[0] not in own)):
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
        return super().resolve_command(ctx, args)

    def _unknown(self, ctx: click.Context, name: str) -> NoReturn:
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"Did you mean {near[0]}?" if near else "See flowide --help."
        raise click.UsageError(f"there is no command or folder {name[:200]!r}. {hint}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in commands.items()])


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    options_metavar="",
    subcommand_metavar="[PATH | COMMAND …]",
    epilog="\b\nExamples:\n  flowide .                  open this folder in the app\n"
    "  flowide demo --headless    see everything once, without keys\n"
    "  flowide run variations --brief 'Make eviction cheap' --set path=cache.py",
)
@click.version_option(None, "--version", "-V", package_name="flowide", message="flowide %(version)s")
def root() -> None:
    """People and agents write together: variations, blends, locks, and a log of everything.

    Without a command the project folder (by default this one) is opened in the terminal app.
    """


def with_common_options(command: click.Command) -> click.Command:
    """The command with what every command takes: --no-color, -q, -v; groups with it for all of theirs."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            with_common_options(each)
    names = {name for each in command.params for name in each.opts}
    for option in _common():
        if not names.intersection(option.opts):
            command.params.append(option)
    return command


def _common() -> list[click.Option]:
    def remember(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value:
            assert param.name is not None
            ctx.meta[f"flowide.{param.name}"] = True
            if param.name == "no_color":
                ctx.color = False
                os.environ["NO_COLOR"] = "1"

    def option(*names: str, help: str) -> click.Option:
        return click.Option(names, is_flag=True, expose_value=False, callback=remember, help=help)

    return [
        option("--no-color", help="Plain text; NO_COLOR does the same."),
        option("-q", "--quiet", help="Only results and errors."),
        option("-v", "--verbose", help="Show where an error comes from."),
    ]


def run(args: Sequence[str]) -> int:
    """Carry out a command line; the exit code. No traceback reaches the user without -v."""
    if COMPLETE in os.environ:
        root.main(list(args), prog_name="flowide", complete_var=COMPLETE)
    try:
        with root.make_context("flowide", list(args)) as ctx:
            root.invoke(ctx)
            _flush()
        return 0
    except click.exceptions.Exit as end:
        return _ended(end.exit_code)
    except BrokenPipeError:
        return _pipe_closed()
    except (KeyboardInterrupt, click.Abort):
        return 130
    except click.ClickException as error:
        return _tell(args, *_of_click(error))
    except FlowError as error:
        _trace(args)
        return _tell(args, error.to_dict(), error.exit_code)
    except RecursionError as error:
        return _bug(args, error)
    except OSError as error:
        _trace(args)
        about = f"{error.filename}: " if error.filename else ""
        said = {"code": "failed", "message": f"{about}{error.strerror or error}", "hint": "", "data": {}}
        return _tell(args, said, 1)
    except Exception as error:
        return _bug(args, error)


def _of_click(error: click.ClickException) -> tuple[dict[str, Any], int]:
    context = getattr(error, "ctx", None)
    hint = f"See {context.command_path} --help." if context is not None and context.command_path else ""
    return {
        "code": "bad_args",
        "message": error.format_message().rstrip("."),
        "hint": hint,
        "data": {},
    }, 2


def _tell(args: Sequence[str], error: dict[str, Any], exit_code: int) -> int:
    """The error on stderr for people; with --json also as an object on stdout."""
    from flowide.text import printable

    try:
        if _wants_json(args):
            import json

            click.echo(json.dumps({"error": error}, ensure_ascii=False, indent=2, default=str))
        click.echo(f"error: {printable(error['message'])}", err=True)
        if error["hint"]:
            click.echo(printable(error["hint"]), err=True)
        _flush()
    except BrokenPipeError:
        _pipe_closed()
    return exit_code


def _wants_json(args: Sequence[str]) -> bool:
    options = list(args)[: list(args).index("--") if "--" in args else None]
    return "--json" in options and not options[:1] == ["run"]  # a run's JSON is its own stream


def _bug(args: Sequence[str], error: BaseException) -> int:
    _trace(args)
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return _tell(
        args,
        {
            "code": "failed",
            "message": f"this is a mistake in FlowIDE: {said}",
            "hint": "-v shows where.",
            "data": {},
        },
        1,
    )


def _trace(args: Sequence[str]) -> None:
    options = list(args)[: list(args).index("--") if "--" in args else None]
    if "-v" in options or "--verbose" in options:
        import traceback

        traceback.print_exc()


def _ended(code: int) -> int:
    try:
        _flush()
    except BrokenPipeError:
        return _pipe_closed()
    return code


def _flush() -> None:
    sys.stdout.flush()


def _pipe_closed() -> int:
    """The reader went away: say nothing more, also not while the interpreter ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, stream.fileno())
            os.close(quiet)
    return 141
