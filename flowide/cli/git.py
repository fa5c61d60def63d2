"""`flowide git`: versions in the project's git repository."""

from __future__ import annotations

from typing import Any

import click

from flowide.cli.desk import Desk, Place, workspace_command


@click.group(epilog="\b\nExample:\n  flowide git commit src/cache.py")
def git() -> None:
    """Commit versions to the project's repository, and say there where they come from.

    Whether versions are committed by themselves is the setting `[git] commit`: off, ask or auto. Hooks, other
    changes and what you have staged are left alone.
    """


@git.command(epilog="\b\nExample:\n  flowide git status --json")
@workspace_command
def status(at: Place) -> None:
    """Say which newest versions are in git."""

    async def work(desk: Desk) -> None:
        from flowide import settings
        from flowide.cli.desk import say
        from flowide.errors import BadInput, Unavailable
        from flowide.project.repository import Repository
        from flowide.space.queries import Artifacts, Commits

        policy = settings.load(desk.folder.root).settings.git
        top, branch, problem = None, None, None
        try:
            place = Repository.around(desk.folder.root)
            top, branch = place.top, place.branch().removeprefix("refs/heads/")
        except (BadInput, Unavailable) as error:
            problem = error.message
        known = {(each.artifact, each.version): each for each in await desk.space.read(Commits())}
        listed: list[dict[str, Any]] = []
        for row in await desk.space.read(Artifacts()):
            commit = known.get((row.id, row.version))
            older = max((version for artifact, version in known if artifact == row.id), default=None)
            listed.append(
                {
                    "artifact": row.id,
                    "path": row.path,
                    "version": row.version,
                    "committed": older,
                    "commit": None if commit is None else commit.commit,
                }
            )
        if desk.json:
            state = {
                "commit": policy.commit,
                "branch": policy.branch or branch,
                "top": top,
                "problem": problem,
            }
            desk.tell("", state | {"artifacts": listed})
            return
        say(problem or f"commit = {policy.commit}, to {policy.branch or branch} of {top}")
        desk.print_rows(
            ["PATH", "VERSION", "IN GIT", "COMMIT"],
            [
                [each["path"], each["version"], each["committed"], (each["commit"] or "")[:12] or None]
                for each in listed
            ],
            listed,
            none="No artifacts yet.",
        )

    at.run(work)


@git.command(
    epilog="\b\nExamples:\n  flowide git commit src/cache.py\n  flowide git commit --all\n"
    "  flowide git commit src/cache.py --version 3"
)
@click.argument("refs", metavar="[PATH|ID]...", nargs=-1)
@click.option("--version", type=click.IntRange(1), help="Of one artifact; by default the newest.")
@click.option("--all", "everything", is_flag=True, help="Whatever was changed here and is not in git yet.")
@workspace_command
def commit(refs: tuple[str, ...], version: int | None, everything: bool, at: Place) -> None:
    """Commit versions now, each on its own, with its author and the agents that took part."""

    async def work(desk: Desk) -> None:
        from flowide.errors import BadInput

        if bool(refs) == everything:
            raise BadInput("say what to commit", hint="Name artifacts, or give --all.")
        if version is not None and len(refs) != 1:
            raise BadInput("--version goes with one artifact", hint="Name one.")
        rows = await _all(desk) if everything else [await desk.ever(ref) for ref in refs]
        made = [await _commit(desk, row, version) for row in rows]
        desk.print_rows(
            ["PATH", "VERSION", "COMMIT", "TO"],
            [
                [each["path"], each["version"], (each["commit"] or "in git already")[:14], each["ref"]]
                for each in made
            ],
            made,
            none="Everything is in git.",
        )

    at.run(work)


@git.command(epilog="\b\nExample:\n  flowide git notes && git log --notes=flowide")
@click.option("--ref", default="flowide", show_default=True, help="Name of the notes, below refs/notes/.")
@workspace_command
def notes(ref: str, at: Place) -> None:
    """Write where versions and their pieces come from as git notes on their commits."""

    async def work(desk: Desk) -> None:
        import msgspec

        from flowide.project.notes import export_notes

        done = await export_notes(desk.folder, desk.space, ref)
        gone = f"; {done.missing} commits are not in this repository any more" if done.missing else ""
        desk.tell(
            f"{done.ref}: {done.written} notes written, {done.kept} were there{gone}",
            msgspec.to_builtins(done),
        )

    at.run(work)


async def _all(desk: Desk) -> list[Any]:
    """Artifacts with a newest version that was made here and is in no commit."""
    from flowide.space.queries import Artifacts, Commits, History

    known = {(each.artifact, each.version) for each in await desk.space.read(Commits())}
    found = []
    for row in await desk.space.read(Artifacts(deleted=True)):
        if (row.id, row.version) in known:
            continue
        history = await desk.space.read(History(row.id))
        if any(each.kind != "system" for each in history):
            found.append(row)
    return found


async def _commit(desk: Desk, row: Any, version: int | None) -> dict[str, Any]:
    from flowide.cli.desk import warn
    from flowide.project.committing import commit_version

    done = await commit_version(desk.folder, desk.space, row, version)
    for path in [] if done is None else done.left_staged:
        warn(f"{path} has staged changes of yours, which were left as they are")
    return {
        "artifact": row.id,
        "path": row.path,
        "version": version or row.version,
        "commit": None if done is None else done.commit,
        "ref": None if done is None else done.ref,
    }
