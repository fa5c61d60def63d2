"""`flowide artifact`: the files of the project as artifacts with versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flowide.cli.common import files, seconds
from flowide.cli.comparing import diff
from flowide.cli.desk import Desk, Place, print_json, print_text, read_stdin, workspace_command

if TYPE_CHECKING:
    from flowide.domain import rows

_FENCE = click.option(
    "--fence", type=int, help="Of a lock taken earlier; by default the lock is taken for the command."
)
_WAIT = click.option(
    "--wait", type=seconds, default=0.0, metavar="S", help="Seconds to wait for a busy lock."
)
_NOTE = click.option("-m", "--note", default="", help="What the version is about.")


@click.group(epilog="\b\nExample:\n  flowide artifact history src/cache.py")
def artifact() -> None:
    """List, show, compare and change artifacts, named by path or id."""


artifact.add_command(diff)


@artifact.command("list", epilog="\b\nExample:\n  flowide artifact list --json")
@click.option("--deleted", is_flag=True, help="Deleted ones too.")
@click.option("--files", is_flag=True, help="Also files that nobody has touched yet.")
@workspace_command
def list_(deleted: bool, files: bool, at: Place) -> None:
    """List artifacts with their version, lock and how the file on disk compares."""

    async def work(desk: Desk) -> None:
        from flowide.space.queries import Artifacts, Locks

        locks = {state.lock.artifact: state for state in await desk.space.read(Locks())}
        listed: list[dict[str, Any]] = []
        for row in await desk.space.read(Artifacts(deleted=deleted)):
            lock = locks.get(row.id)
            listed.append(
                {
                    "id": row.id,
                    "path": row.path,
                    "kind": row.kind,
                    "version": row.version,
                    "sha256": row.sha256,
                    "size": row.size,
                    "deleted": row.deleted,
                    "lock": "free" if lock is None else lock.lock.state,
                    "holder": None if lock is None else lock.lock.actor,
                    "disk": None if row.deleted else desk.folder.state(row),
                }
            )
        if files:
            known = {each["path"] for each in listed}
            nothing: dict[str, Any] = dict.fromkeys(listed[0] if listed else ["id", "version"])
            new = [path for path in desk.folder.scan() if path not in known]
            listed += [nothing | {"path": path, "deleted": False, "lock": "free"} for path in new]
            listed.sort(key=lambda each: str(each["path"]))
        desk.print_rows(
            ["PATH", "KIND", "VERSION", "BYTES", "LOCK", "DISK"],
            [
                [
                    each["path"],
                    each.get("kind"),
                    each.get("version"),
                    each.get("size"),
                    f"{each['lock']} by {each['holder']}" if each.get("holder") else each["lock"],
                    "deleted" if each["deleted"] else each.get("disk"),
                ]
                for each in listed
            ],
            listed,
            none="No artifacts yet: a file becomes one when it is first shown, edited or locked.",
        )

    at.run(work)


@artifact.command(
    epilog="\b\nExamples:\n  flowide artifact show src/cache.py\n"
    "  flowide artifact show src/cache.py --version 3 > old.py"
)
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@click.option("--version", type=click.IntRange(1), help="An older version; by default the newest.")
@workspace_command
def show(ref: str, version: int | None, at: Place) -> None:
    """Print a version, byte for byte; a terminal gets it without control sequences."""

    async def work(desk: Desk) -> None:
        from flowide.space.queries import Content, History

        row = await desk.ever(ref)
        data = await desk.space.read(Content(row.id, version))
        if not desk.json:
            print_text(data)
            return
        number = version or row.version
        made = next(each for each in await desk.space.read(History(row.id)) if each.version == number)
        print_json(_described(row, made) | _as_json(data))

    at.run(work)


@artifact.command(epilog='\b\nExample:\n  echo "# Notes" | flowide artifact create docs/notes.md -m "start"')
@click.argument("path")
@click.option("--kind", help="code, document, component, data or binary; by default the name tells.")
@click.option("--lock", is_flag=True, help="Take its lock in the same step.")
@_NOTE
@workspace_command
def create(path: str, kind: str | None, lock: bool, note: str, at: Place) -> None:
    """Make an artifact and its file from the text on stdin."""
    data = read_stdin()

    async def work(desk: Desk) -> None:
        where = desk.new_path(path)
        made = await desk.folder.create(desk.space, where, data, note=note, kind=kind, lock=lock)
        line = f"{where}: version 1" + ("" if made.fence is None else f", locked with fence {made.fence}")
        desk.tell(line, _result(where, made))

    at.run(work)


@artifact.command(epilog="\b\nExample:\n  flowide artifact history src/cache.py --json")
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@workspace_command
def history(ref: str, at: Place) -> None:
    """List the versions of an artifact, oldest first."""

    async def work(desk: Desk) -> None:
        import msgspec

        from flowide.space.queries import Commits, History

        row = await desk.ever(ref)
        versions = await desk.space.read(History(row.id))
        commits = {each.version: each.commit for each in await desk.space.read(Commits(row.id))}
        desk.print_rows(
            ["VERSION", "TIME", "BY", "BYTES", "RUN", "COMMIT", "NOTE"],
            [
                [
                    each.version,
                    each.ts,
                    each.actor + (f" (AI, {each.model or 'model unknown'})" if each.kind == "agent" else ""),
                    each.size,
                    each.run,
                    commits.get(each.version, "")[:12] or None,
                    each.note,
                ]
                for each in versions
            ],
            [msgspec.to_builtins(each) | {"commit": commits.get(each.version)} for each in versions],
        )

    at.run(work)


@artifact.command(
    epilog="\b\nExamples:\n  flowide artifact restore src/cache.py 3\n"
    "  flowide artifact restore src/cache.py    # undo the newest version"
)
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@click.argument("version", type=click.IntRange(1), required=False)
@_NOTE
@_FENCE
@_WAIT
@workspace_command
def restore(*, ref: str, version: int | None, note: str, fence: int | None, wait: float, at: Place) -> None:
    """Make a new version with the bytes of an older one, by default of the one before the newest."""

    async def work(desk: Desk) -> None:
        from flowide.cli.holding import lock_for
        from flowide.errors import NotFound

        row = await desk.ever(ref)
        async with lock_for(desk, row, fence=fence, wait_s=wait, purpose="restore") as (held, base):
            older = base - 1 if version is None else version
            if older < 1:
                raise NotFound(
                    f"{row.path} has no version before its first", hint="There is nothing to undo."
                )
            made = await desk.folder.restore(
                desk.space, row, fence=held, base=base, version=older, note=note or f"restore version {older}"
            )
        desk.tell(
            f"{row.path}: version {made.version} has the text of version {older}", _result(row.path, made)
        )

    at.run(work)


@artifact.command(epilog="\b\nExample:\n  flowide artifact move notes.md docs/notes.md")
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@click.argument("path", metavar="NEW-PATH")
@_NOTE
@_FENCE
@_WAIT
@workspace_command
def move(*, ref: str, path: str, note: str, fence: int | None, wait: float, at: Place) -> None:
    """Give an artifact and its file another path."""

    async def work(desk: Desk) -> None:
        from flowide.cli.holding import lock_for

        row = await desk.find(ref)
        where = desk.new_path(path)
        async with lock_for(desk, row, fence=fence, wait_s=wait, purpose="move") as (held, base):
            made = await desk.folder.move(desk.space, row, where, fence=held, base=base, note=note)
        desk.tell(f"{row.path} is now {where}, version {made.version}", _result(where, made))

    at.run(work)


@artifact.command(epilog='\b\nExample:\n  flowide artifact delete old.py -m "nobody imports it"')
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@_NOTE
@_FENCE
@_WAIT
@workspace_command
def delete(ref: str, note: str, fence: int | None, wait: float, at: Place) -> None:
    """Take an artifact and its file away; its versions stay and can be restored."""

    async def work(desk: Desk) -> None:
        from flowide.cli.holding import lock_for

        row = await desk.find(ref)
        async with lock_for(desk, row, fence=fence, wait_s=wait, purpose="delete") as (held, base):
            made = await desk.folder.delete(desk.space, row, fence=held, base=base, note=note)
        line = f"{row.path} is deleted; `flowide artifact restore {row.path} {row.version}` brings it back"
        desk.tell(line, _result(row.path, made))

    at.run(work)


@artifact.command(epilog="\b\nExample:\n  flowide artifact blame src/cache.py")
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@click.option("--version", type=click.IntRange(1), help="An older version; by default the newest.")
@workspace_command
def blame(ref: str, version: int | None, at: Place) -> None:
    """Name the source of every piece: variation, author, model, run and version."""

    async def work(desk: Desk) -> None:
        from flowide.project.blame import blame

        origins = await blame(desk.space, await desk.ever(ref), version)
        desk.print_rows(
            ["PIECE", "LINES", "VERSION", "BY", "FROM", "RUN"],
            [
                [
                    each.piece,
                    f"{each.start_line}-{each.end_line}",
                    each.version,
                    each.actor
                    + (f" (AI, {each.model or 'model unknown'})" if each.actor_kind == "agent" else ""),
                    each.source,
                    each.run,
                ]
                for each in origins
            ],
            origins,
        )

    at.run(work)


def _described(row: rows.Artifact, made: rows.Version) -> dict[str, Any]:
    import msgspec

    described: dict[str, Any] = msgspec.to_builtins(made)
    described.pop("artifact")
    return {"artifact": row.id, "type": row.kind, "deleted": row.deleted} | described


def _as_json(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        import base64

        return {"base64": base64.b64encode(data).decode()}


def _result(path: str, made: Any) -> dict[str, Any]:
    import msgspec

    result: dict[str, Any] = msgspec.to_builtins(made)
    return {"path": path} | result
