"""How a command line ends: its error on stderr, with `--json` also on stdout, and its exit code."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from flowide.errors import BadInput, FlowError, StorageFailed

_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})


def prepare() -> None:
    """Have streams that can be printed to, whatever the one who started us closed, and whatever its encoding is."""
    for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        if stream is None:
            # Else the next file that is opened gets this number, and what is printed goes into it.
            _to_nowhere(number)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    raw = getattr(sys.stdout, "buffer", None)
    if sys.stdout is sys.__stdout__ and isinstance(raw, io.RawIOBase):
        # PYTHONUNBUFFERED: what a raw file did not take of a write would be lost without a word.
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw),
            encoding=str(getattr(sys.stdout, "encoding", "utf-8")),
            errors="backslashreplace",
            write_through=True,
        )


def tell(args: Sequence[str], error: BaseException) -> int:
    """Tell an error, and where it comes from when -v asks for that; the exit code.

    Raises:
        BaseException: The error itself, when it is no Exception.
    """
    if isinstance(error, BrokenPipeError):
        return 141
    if not isinstance(error, Exception):
        raise error
    if not isinstance(error, click.ClickException):
        _trace(args)
    said = explained(error)
    if _wants_json(args):
        import json

        _print(sys.stdout, json.dumps(said.to_dict(), ensure_ascii=False, indent=2, default=str))
    from flowide.text import printable

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        _print(sys.stderr, error.format_message())
        return said.exit_code
    lines = [f"error: {printable(said.message)}", printable(said.hint)]
    _print(sys.stderr, "\n".join(line for line in lines if line))
    return said.exit_code


def explained(error: Exception) -> FlowError:
    """Any error as one of ours."""
    if isinstance(error, FlowError):
        return error
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, OSError):
        return _of_system(error)
    name = type(error).__name__
    said = f"{name}: {error}" if str(error) else name
    return FlowError(
        f"this is a mistake in FlowIDE: {said}",
        hint="-v shows where; `flowide doctor --report FILE` collects what helps to find it.",
    )


def finish(args: Sequence[str], code: int) -> int:
    """Have all that was printed arrive; the exit code, which says so when it does not."""
    if code == 141:
        _to_nowhere(1)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _to_nowhere(1)
        return 141
    except OSError as error:
        _to_nowhere(1)
        return code or tell(args, error)
    return code


def _usage(error: click.ClickException) -> BadInput:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        group = error.ctx.command_path
        return BadInput(f"{group} needs to be told what to do", hint=f"See {group} --help.")
    hint = f"See {context.command_path} --help." if context is not None and context.command_path else ""
    return BadInput(error.format_message().rstrip("."), hint=hint)


def _of_system(error: OSError) -> FlowError:
    about = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    said = f"{about}{error.strerror or error}"
    if error.errno in _DISK:
        return StorageFailed(said, hint="Check the disk and its free space.")
    if about and isinstance(
        error, FileNotFoundError | NotADirectoryError | IsADirectoryError | PermissionError
    ):
        return BadInput(said, hint="Check the path and its permissions.")
    return FlowError(said)


def _wants_json(args: Sequence[str]) -> bool:
    from flowide.cli.common import common_first

    options = _options(args)
    _, rest = common_first(options)
    return "--json" in options and rest[:1] != ["run"]  # a run's JSON is its own stream


def _trace(args: Sequence[str]) -> None:
    options = _options(args)
    if "-v" in options or "--verbose" in options:
        import traceback

        traceback.print_exc()


def _options(args: Sequence[str]) -> list[str]:
    return list(args)[: list(args).index("--") if "--" in args else None]


def _print(stream: Any, text: str) -> None:
    """Print what nobody may be there to read."""
    try:
        stream.write(text + "\n")
        stream.flush()
    except OSError:
        _to_nowhere(stream.fileno())


def _to_nowhere(descriptor: int) -> None:
    """Let what is still printed vanish, also while the interpreter ends."""
    quiet = os.open(os.devnull, os.O_RDWR)
    if quiet != descriptor:
        os.dup2(quiet, descriptor)
        os.close(quiet)
