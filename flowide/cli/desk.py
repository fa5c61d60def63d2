"""What the commands that work on a space have in common: options, opening, finding, printing."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pathlib import Path

    from flowide.domain import rows
    from flowide.project.folder import ProjectFolder
    from flowide.settings import Settings
    from flowide.space.api import Space

F = TypeVar("F", bound=Callable[..., Any])

QUIET = "flowide.quiet"
"""Key in the context's `meta` after -q."""


class Place:
    """What the common options said: which project, which space, who acts, and how to print."""

    def __init__(
        self, *, project: str | None, space: str | None, handle: str | None, client: str | None, as_json: bool
    ) -> None:
        self.project = project
        self.space = space
        self.handle = handle
        self.client = client
        self.json = as_json
        self.deaf_to: set[int] = set()
        """Signals that mean nothing to the work now, for example ctrl+c while an editor runs."""
        self.caught: list[int] = []
        """Numbers of the signals that interrupted the work."""

    def run(self, work: Callable[[Desk], Awaitable[None]]) -> None:
        """Open the space, do the work, close it. SIGINT, SIGTERM and SIGHUP cancel the work (exit 130, 143, 129)."""
        asyncio.run(_interruptible(self, work))


class Desk:
    """An open space with its folder, and the ways commands print."""

    def __init__(self, folder: ProjectFolder, space: Space, settings: Settings, *, as_json: bool) -> None:
        self.folder = folder
        self.space = space
        self.settings = settings
        self.json = as_json

    @property
    def ttl_ms(self) -> int:
        """Milliseconds a lock lives without a renewal, unless `--ttl` says otherwise."""
        return round(self.settings.lock.ttl_s * 1000)

    async def find(self, ref: str) -> rows.Artifact:
        """The artifact by path or id, in step with its file."""
        return await self.folder.find(self.space, self.path_of(ref))

    async def look(self, ref: str) -> rows.Artifact:
        """As `find`, for reading: a file that was changed under a lock is a warning, not a refusal."""
        from flowide.errors import Conflict
        from flowide.space.queries import FindArtifact

        try:
            row = await self.find(ref)
        except Conflict as conflict:
            warn(f"{conflict.message}; this is version {conflict.data['version']}")
            return await self.space.read(FindArtifact(conflict.data["artifact"]))
        if not row.deleted and self.folder.state(row) == "missing":
            warn(f"the file {row.path} is gone; its versions are kept (`flowide artifact restore` writes it)")
        return row

    async def known(self, ref: str) -> rows.Artifact:
        """As `find`, but a file that is an artifact already is not compared with the disk."""
        from flowide.space.queries import ArtifactAt, FindArtifact

        if _is_id(ref):
            return await self.space.read(FindArtifact(ref))
        path = self.folder.locate(self.path_of(ref))
        row = await self.space.read(ArtifactAt(path))
        return row if row is not None and row.path == path else await self.find(ref)

    async def ever(self, ref: str) -> rows.Artifact:
        """As `look`; a path nobody uses any more is the newest deleted artifact that had it."""
        from flowide.errors import NotFound
        from flowide.space.queries import Artifacts

        try:
            return await self.look(ref)
        except NotFound:
            path = self.path_of(ref)
            gone = [row for row in await self.space.read(Artifacts(deleted=True)) if row.deleted]
            gone = [row for row in gone if row.path == path]
            if not gone:
                raise
            return max(gone, key=lambda row: row.id)

    def path_of(self, ref: str) -> str:
        """A path as people type it, relative to the project: `./a`, or from a folder inside the project.

        There `a` is the file beside, or the one of that path from the project's root when just that exists.
        """
        beside = self.new_path(ref)
        if (
            beside != ref
            and not ref.startswith("../")
            and self.folder.holds(ref)
            and not self.folder.holds(beside)
        ):
            return ref
        return beside

    def new_path(self, ref: str) -> str:
        """As `path_of`, for what shall be made: always beside, when the current folder is inside the project."""
        from pathlib import Path, PurePosixPath

        here, root = Path.cwd(), self.folder.root
        if _is_id(ref) or not here.is_relative_to(root):
            return ref
        while ref.startswith("../") and here != root:
            here, ref = here.parent, ref.removeprefix("../")
        if not ref or "\0" in ref or ".." in ref.split("/") or ref.startswith("/"):
            return ref  # refused further on, with the reason
        return (here.relative_to(root) / PurePosixPath(ref)).as_posix()

    def print_rows(
        self,
        headers: Sequence[str],
        table: Sequence[Sequence[object]],
        as_json: Sequence[Any],
        *,
        none: str = "",
    ) -> None:
        """A listing: a table for people (`none` on stderr when it is empty), or a JSON list."""
        if self.json:
            print_json(as_json)
        elif table:
            print_table(headers, table)
        elif none:
            say(none)

    def tell(self, line: str, as_json: dict[str, Any]) -> None:
        """The result of a command: one line for people, or a JSON object."""
        if self.json:
            print_json(as_json)
        else:
            from flowide.text import one_line

            click.echo(one_line(line))


def workspace_command(command: F) -> F:
    """Add the common options; the command gets them as one `Place` named `at`."""

    @click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
    @click.option(
        "--space", metavar="NAME", help="Space of a hub, by name or address; `local` = the project's own."
    )
    @click.option("--as", "handle", metavar="HANDLE", help="Who acts; by default the git or login user.")
    @click.option(
        "--client",
        metavar="ID",
        envvar="FLOWIDE_CLIENT",
        help="Process or shell that acts; by default the same for all commands of a person in a project.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @functools.wraps(command)
    def with_place(
        *,
        project: str | None,
        space: str | None,
        handle: str | None,
        client: str | None,
        as_json: bool,
        **rest: Any,
    ) -> Any:
        at = Place(project=project, space=space, handle=handle, client=client, as_json=as_json)
        return command(at=at, **rest)

    return with_place  # type: ignore[return-value]


@asynccontextmanager
async def desk(place: Place) -> AsyncIterator[Desk]:
    """The desk for the common options."""
    from flowide.cli.around import acting_in, hub_space, project_root
    from flowide.project.folder import ProjectFolder
    from flowide.settings import load
    from flowide.space.open import open_space
    from flowide.space.policy import policy_of

    folder = ProjectFolder.open(project_root(place.project))
    folder.tell = warn
    settings = load(folder.root).settings
    target = hub_space(place.space, settings)
    actor = acting_in(target, place.handle, folder.root, settings)
    mark = folder.database if target is None else folder.root / target
    space = await open_space(
        target or folder.database,
        actor=actor,
        client=client_id(place.client, mark, actor.id),
        policy=policy_of(settings),
        folder=folder.dot_dir,
    )
    try:
        if target is not None:
            from flowide.cli.away import prepare

            await prepare(folder, space)
        yield Desk(folder, space, settings, as_json=place.json)
        if target is not None:
            from flowide.cli.away import tell

            tell(space)
    finally:
        await space.close()


def client_id(given: str | None, database: Path, handle: str) -> str:
    """The client that commands of a person in a workspace share, so that one can go on with another's lock.

    `given` is a UUID, or any name for one: shells that shall count as two give two.
    """
    import uuid

    if given is None:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"flowide:{database}:{handle}:{os.getuid()}"))
    try:
        return str(uuid.UUID(given))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"flowide:{given}"))


async def _interruptible(place: Place, work: Callable[[Desk], Awaitable[None]]) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    caught = place.caught

    def stop(number: int) -> None:
        if number in place.deaf_to:
            return
        if caught:  # asked twice: whoever hangs is left behind, the log holds what was acknowledged
            os._exit(128 + number)
        caught.append(number)
        task.cancel()

    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored
        signals.append(signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop, number)
    try:
        async with desk(place) as opened:
            await work(opened)
    except asyncio.CancelledError:
        if not caught:
            raise
        raise click.exceptions.Exit(128 + caught[0]) from None
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


# --- printing ---------------------------------------------------------------------------------------


def print_json(value: Any) -> None:
    """JSON on stdout; Structs are objects. A field that is a word of Python, `for_`, goes by its own name."""
    import msgspec

    click.echo(json.dumps(_named(msgspec.to_builtins(value)), indent=2, ensure_ascii=False))


def _named(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.removesuffix("_"): _named(each) for name, each in value.items()}
    return [_named(each) for each in value] if isinstance(value, list) else value


def print_table(headers: Sequence[str], table: Sequence[Sequence[object]]) -> None:
    """Columns for people; numbers are right-aligned, None is a dash."""
    from flowide.text import one_line

    cells = [["-" if value is None else one_line(str(value)) for value in row] for row in table]
    right = [all(isinstance(row[at], int | None) for row in table) for at in range(len(headers))]
    widths = [max(len(row[at]) for row in [list(headers), *cells]) for at in range(len(headers))]
    for row in [list(headers), *cells]:
        padded = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        click.echo("  ".join(padded).rstrip())


def print_text(data: bytes) -> None:
    """A content on stdout: exact bytes into a file or pipe, without control sequences on a terminal."""
    if sys.stdout.isatty():
        from flowide.text import printable

        data = printable(data.decode("utf-8", "replace")).encode()
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def say(line: str) -> None:
    """Something for people that is no result: on stderr, unless -q."""
    from flowide.text import printable

    context = click.get_current_context(silent=True)
    if context is None or QUIET not in context.meta:
        click.echo(printable(line), err=True)


def warn(line: str) -> None:
    """A warning on stderr."""
    say(f"warning: {line}")


def read_stdin() -> bytes:
    """All of stdin, up to what an artifact may hold.

    Called before the space is opened, so that a writer that takes its time holds nobody up.

    Raises:
        TooLarge: It is more.
    """
    from flowide.domain.commands import MAX_BLOB
    from flowide.errors import BadInput, TooLarge

    if sys.stdin is None:
        raise BadInput(
            "there is no stdin to read the text from", hint="Give it with < FILE or through a pipe."
        )
    if sys.stdin.isatty():
        say("reading the text from the terminal; end it with ctrl+d")
    data = sys.stdin.buffer.read(MAX_BLOB + 1)
    if len(data) > MAX_BLOB:
        raise TooLarge(
            "the text on stdin is too much for one artifact", hint=f"The most is {MAX_BLOB} bytes."
        )
    return data


def _is_id(ref: str) -> bool:
    return len(ref) == 36 and ref.count("-") == 4
