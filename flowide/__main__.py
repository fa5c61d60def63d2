"""The entry point: as little as possible is imported before it is known what is wanted."""

import os
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        code = _run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    _leave(code)


def _run(args: list[str]) -> int:
    if args in (["--version"], ["-V"]):
        from flowide import __version__

        return _print(f"flowide {__version__}\n")
    if args in (["--help"], ["-h"]):
        from flowide.cli.help import root_help

        return _print(root_help())
    import gc

    gc.disable()  # what the imports make stays; the commands enable it again
    from flowide.cli.main import run

    return run(args)


def _print(text: str) -> int:
    try:
        if sys.stdout is not None:
            sys.stdout.write(text)
            sys.stdout.flush()
    except BrokenPipeError:
        return 141
    except OSError as error:
        sys.stderr.write(f"error: the output cannot be written: {error.strerror}\n")
        return 10
    return 0


def _leave(code: int) -> None:
    """End at once: tidying up modules and memory takes a fifth of a short command's time."""
    import atexit

    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        code = code or 1
    os._exit(code)


if __name__ == "__main__":
    main()
