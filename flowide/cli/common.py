"""What every command takes, and where on the line it may stand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_FLAGS = ("--json", "--no-color", "-q", "--quiet", "-v", "--verbose")
_VALUED = {"--project": "project", "--space": "space", "--as": "handle", "--client": "client"}
"""Options that may also stand before the command, and the parameter each one sets."""


def seconds(text: str | float) -> float:
    """The value of an option that is a number of seconds, 0 or more.

    Raises:
        BadParameter: It is something else.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not isfinite(number) or number < 0:
        raise click.BadParameter(f"{str(text)[:100]!r} is no number of seconds")
    return number


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completion by the names of files, which the shell knows best."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def common_first(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """The common options that come first, with their values, and what follows."""
    at = 0
    while at < len(args):
        name, with_value, _ = args[at].partition("=")
        if name in _VALUED:
            at += 1 if with_value else 2
        elif args[at] in _FLAGS:
            at += 1
        else:
            break
    return list(args[:at]), list(args[at:])


def in_place(ctx: click.Context, command: click.Command, common: list[str], args: list[str]) -> list[str]:
    """The arguments of a command, with the common options that stood before its name.

    Those of a group go to its subcommand.

    Raises:
        UsageError: The command uses such an option for something of its own.
    """
    if isinstance(command, click.Group):
        more, rest = common_first(args)
        if rest and rest[0] in command.commands:
            return [rest[0], *in_place(ctx, command.commands[rest[0]], [*common, *more], rest[1:])]
        return [*common, *args]
    meant = {name: param.name for param in command.params for name in param.opts}
    for word in common:
        name = word.partition("=")[0]
        if name in _VALUED and meant.get(name) not in (_VALUED[name], f"unused_{_VALUED[name]}"):
            raise click.UsageError(f"{command.name} uses {name} for something of its own", ctx)
    return [*common, *args]


def with_common_options(command: click.Command) -> click.Command:
    """The command with what every command takes: --no-color, -q, -v; groups with it for all of theirs.

    --project, --space and --as are taken too where they change nothing, so that a script can always give them.
    """
    group = isinstance(command, click.Group) and not command.invoke_without_command
    if isinstance(command, click.Group):
        for each in command.commands.values():
            with_common_options(each)
    names = {name for each in command.params for name in each.opts}
    for option in _common() + ([] if group else _without_effect()):
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


def _without_effect() -> list[click.Option]:
    return [
        click.Option([name, f"unused_{param}"], hidden=True, expose_value=False)
        for name, param in _VALUED.items()
    ]
