"""`flowide lock`: who works on what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flowide.cli.common import files, seconds
from flowide.cli.desk import Desk, Place, workspace_command

if TYPE_CHECKING:
    from flowide.domain.rows import Artifact
    from flowide.space.queries import LockState

_MY_FENCE = click.option("--fence", type=int, help="Of the lock; by default that of your own lock.")


@click.group(epilog='\b\nExample:\n  flowide lock acquire src/cache.py --wait 60 --purpose "faster eviction"')
def lock() -> None:
    """Take, give back and look at locks.

    A lock belongs to a person and to a client. All commands of a person in a project are one client, so a
    lock taken by one command is used by the next; --client (or FLOWIDE_CLIENT) makes a shell another one.
    A lock that is not renewed lapses after its time: others may then take it, and until somebody does, its
    fence still saves.
    """


@lock.command(epilog="\b\nExample:\n  flowide lock acquire src/cache.py --wait 60 --ttl 600")
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@click.option("--wait", type=seconds, default=0.0, metavar="S", help="Seconds to queue for it.")
@click.option(
    "--ttl", type=seconds, metavar="S", help="Seconds it lives without a renewal; by default [lock] ttl_s."
)
@click.option("--purpose", default="", help="What for; others see it.")
@workspace_command
def acquire(ref: str, wait: float, ttl: float | None, purpose: str, at: Place) -> None:
    """Take a lock; prints its fence, and the version to work on. Exit 5 when somebody else keeps it."""

    async def work(desk: Desk) -> None:
        from flowide.space.waiting import acquire

        row = await desk.find(ref)
        granted = await acquire(
            desk.space, row.id, timeout_s=wait, ttl_ms=_milliseconds(ttl, desk), purpose=purpose
        )
        desk.tell(
            f"fence {granted.fence} version {granted.version}",
            {
                "artifact": row.id,
                "path": row.path,
                "fence": granted.fence,
                "version": granted.version,
                "deadline_ms": granted.deadline_ms,
            },
        )

    at.run(work)


@lock.command(epilog="\b\nExample:\n  flowide lock release src/cache.py --fence 3")
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@_MY_FENCE
@click.option("--drop-draft", is_flag=True, help="Let go of what was written; by default it is kept.")
@workspace_command
def release(ref: str, fence: int | None, drop_draft: bool, at: Place) -> None:
    """Give a lock back; whoever waits first gets it."""

    async def work(desk: Desk) -> None:
        from flowide.domain.commands import ReleaseLock

        row = await desk.known(ref)
        held = await _fence(desk, row, fence)
        await desk.space.execute(
            ReleaseLock(artifact=row.id, fence=held, draft="drop" if drop_draft else "keep")
        )
        desk.tell(
            f"{row.path}: lock released",
            {"artifact": row.id, "path": row.path, "fence": held, "released": True},
        )

    at.run(work)


@lock.command(epilog="\b\nExample:\n  flowide lock renew src/cache.py --fence 3")
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@_MY_FENCE
@workspace_command
def renew(ref: str, fence: int | None, at: Place) -> None:
    """Start the time of a lock again. A lapsed lock that nobody took is held again."""

    async def work(desk: Desk) -> None:
        from flowide.domain.commands import RenewLock

        row = await desk.known(ref)
        held = await _fence(desk, row, fence)
        renewed = (await desk.space.execute(RenewLock(artifact=row.id, fence=held))).ok
        desk.tell(
            f"{row.path}: fence {held} lives {renewed.deadline_ms / 1000:g} s more",
            {"artifact": row.id, "path": row.path, "fence": held, "deadline_ms": renewed.deadline_ms},
        )

    at.run(work)


@lock.command("list", epilog="\b\nExample:\n  flowide lock list --json")
@click.argument("ref", metavar="[PATH|ID]", shell_complete=files, required=False)
@workspace_command
def list_(ref: str | None, at: Place) -> None:
    """List held and lapsed locks, and who waits. With a path just that one, free or not."""

    async def work(desk: Desk) -> None:
        from flowide.space.queries import Locks

        artifact = None if ref is None else (await desk.known(ref)).id
        states = await desk.space.read(Locks(artifact))
        listed = [described(state) for state in states]
        desk.print_rows(
            ["PATH", "STATE", "HOLDER", "FENCE", "VERSION", "SINCE", "LAPSES IN", "WAITING", "PURPOSE"],
            [
                [
                    each["path"],
                    each["state"],
                    _who(each),
                    each["fence"],
                    each["version"],
                    each["since"],
                    None if each["expires_ms"] is None else f"{each['expires_ms'] / 1000:.0f} s",
                    ", ".join(waiting["holder"] for waiting in each["queue"]) or None,
                    each["purpose"],
                ]
                for each in listed
            ],
            listed,
            none="Nobody holds a lock.",
        )

    at.run(work)


@lock.command(epilog="\b\nExample:\n  flowide lock transfer src/cache.py --to bob")
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@click.option("--to", required=True, metavar="HANDLE", help="Who gets it.")
@click.option("--agent", is_flag=True, help="The target is an agent.")
@click.option("--without-draft", is_flag=True, help="Keep what was written as a draft of your own.")
@_MY_FENCE
@workspace_command
def transfer(*, ref: str, to: str, agent: bool, without_draft: bool, fence: int | None, at: Place) -> None:
    """Hand a lock over to somebody, by default with what was written."""

    async def work(desk: Desk) -> None:
        from flowide.domain.commands import TransferLock
        from flowide.space.queries import Locks

        row = await desk.known(ref)
        target = to.removeprefix("@")
        await desk.space.execute(
            TransferLock(
                artifact=row.id,
                fence=await _fence(desk, row, fence),
                to=target,
                to_kind="agent" if agent else "human",
                with_draft=not without_draft,
            )
        )
        [state] = await desk.space.read(Locks(row.id))
        desk.tell(f"{row.path}: {target} holds the lock, with fence {state.lock.fence}", described(state))

    at.run(work)


@lock.command(epilog='\b\nExample:\n  flowide lock force src/cache.py --reason "deploy is waiting" --take')
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@click.option("--reason", required=True, help="The holder is told.")
@click.option("--take", is_flag=True, help="Take the lock in the same step; prints its fence.")
@click.option(
    "--ttl", type=seconds, metavar="S", help="Seconds it lives without a renewal; by default [lock] ttl_s."
)
@workspace_command
def force(ref: str, reason: str, take: bool, ttl: float | None, at: Place) -> None:
    """End somebody's lock. What they wrote is kept as a draft of theirs."""

    async def work(desk: Desk) -> None:
        from flowide.domain.commands import ForceLock

        row = await desk.known(ref)
        forced = (
            await desk.space.execute(
                ForceLock(artifact=row.id, reason=reason, take=take, ttl_ms=_milliseconds(ttl, desk))
            )
        ).ok
        line = (
            f"{row.path}: the lock is ended"
            if forced.fence is None
            else f"fence {forced.fence} version {row.version}"
        )
        desk.tell(line, {"artifact": row.id, "path": row.path, "fence": forced.fence, "version": row.version})

    at.run(work)


@lock.command(epilog="\b\nExample:\n  flowide lock wait src/cache.py --wait 120 && make deploy")
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@click.option("--wait", "--timeout", "wait", type=seconds, default=60.0, metavar="S", show_default=True)
@workspace_command
def wait(ref: str, wait: float, at: Place) -> None:
    """Wait until nobody holds a lock, without taking it. Exit 5 when that does not come in time."""

    async def work(desk: Desk) -> None:
        from flowide.project.waiting import until_free

        row = await desk.known(ref)
        state = await until_free(desk.space, row.id, timeout_s=wait)
        desk.tell(f"{row.path}: {_state(state)}", described(state))

    at.run(work)


def described(state: LockState) -> dict[str, Any]:
    """A lock as `--json` prints it."""
    lock = state.lock
    return {
        "artifact": lock.artifact,
        "path": state.path,
        "state": _state(state),
        "fence": lock.fence,
        "version": state.version,
        "holder": lock.actor,
        "client": lock.client,
        "kind": lock.kind,
        "purpose": lock.purpose,
        "since": lock.since,
        "expires_ms": state.expires_ms,
        "queue": [
            {
                "ticket": ticket.id,
                "holder": ticket.actor,
                "client": ticket.client,
                "kind": ticket.kind,
                "purpose": ticket.purpose,
            }
            for ticket in state.queue
        ],
    }


def _state(state: LockState) -> str:
    """The lapse is written when somebody acts on the artifact; it is true before."""
    return "lapsed" if state.lock.state == "held" and state.expires_ms == 0 else state.lock.state


def _who(each: dict[str, Any]) -> str | None:
    return f"{each['holder']} (AI)" if each["kind"] == "agent" else each["holder"]


async def _fence(desk: Desk, row: Artifact, given: int | None) -> int:
    """The fence that was given, or that of the lock the actor holds.

    Raises:
        Fenced: The actor holds none.
    """
    from flowide.errors import Fenced
    from flowide.space.queries import Locks

    if given is not None:
        return given
    [state] = await desk.space.read(Locks(row.id))
    if state.lock.state == "free" or state.lock.actor != desk.space.actor.id:
        raise Fenced(
            f"{desk.space.actor.id} does not hold the lock of {row.path}",
            hint="See `flowide lock list`.",
            fence=state.lock.fence,
            holder=state.lock.actor,
        )
    return state.lock.fence


def _milliseconds(ttl: float | None, desk: Desk) -> int:
    from flowide.domain.commands import MAX_TTL_MS, MIN_TTL_MS
    from flowide.errors import BadInput

    wanted = desk.ttl_ms if ttl is None else round(ttl * 1000)
    if not MIN_TTL_MS <= wanted <= MAX_TTL_MS:
        raise BadInput(
            f"a lock cannot live {wanted / 1000:g} s",
            hint=f"--ttl goes from {MIN_TTL_MS / 1000:g} to {MAX_TTL_MS / 1000:g} seconds.",
        )
    return wanted
