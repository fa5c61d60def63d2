"""`flowide join`: this device becomes a member of a hub's space."""

from __future__ import annotations

import asyncio
import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowide.cli.desk import print_json, say

if TYPE_CHECKING:
    from flowide.space.remote.address import Address
    from flowide.space.remote.credentials import Seat


@click.command(
    epilog="\b\nExamples:\n  flowide join https://hub.example.org/shop mzxw6ytboi4dcmrt\n"
    "  flowide join https://hub.example.org/shop --token < token.txt   # made with `flowide token create`\n"
    "  flowide join https://hub.example.org/shop CODE --publish        # and move this project's space there"
)
@click.argument("url", metavar="URL")
@click.argument("code", required=False)
@click.option(
    "--token", "with_token", is_flag=True, help="Read a token from stdin instead of using an invitation."
)
@click.option("--as", "handle", metavar="HANDLE", help="Who you are there; by default the git or login user.")
@click.option("--device", metavar="NAME", help="What this device is called; by default the machine's name.")
@click.option("--publish", is_flag=True, help="Move the space of this project to the hub, history and all.")
@click.option(
    "--use/--no-use",
    "use",
    default=None,
    help="Whether this project works on the hub from now on; by default it does when it has no space of its own yet.",
)
@click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def join(
    url: str,
    code: str | None,
    with_token: bool,
    handle: str | None,
    device: str | None,
    publish: bool,
    use: bool | None,
    project: str | None,
    as_json: bool,
) -> None:
    """Join a space of a hub with an invitation code, and keep the token for this device.

    The token is stored readable by you only, in `hubs.json` of the user's folder; it is never shown, never in the
    project, and ends with `flowide token revoke`. Without CODE the code is read from stdin, so that it is in no list
    of processes.
    """
    from flowide import settings
    from flowide.cli.around import acting, project_root
    from flowide.errors import BadInput
    from flowide.space.remote.address import address_of
    from flowide.space.remote.credentials import store

    root = project_root(project)
    found = settings.load(root if (root / ".flowide").is_dir() else None).settings
    address = address_of(url, plain_http=found.hub.plain_http)
    if with_token and code is not None:
        raise BadInput("an invitation's code and a token are two ways to join", hint="Give one of them.")
    secret = code if code is not None else _from_stdin("token" if with_token else "code")
    if with_token:
        seat = _with_token(address, secret)
    else:
        name = acting(handle, root, found).id
        seat = _with_code(address, secret, name, device or platform.node() or "device")
    store(seat)
    said: dict[str, Any] = {"space": seat.url, "handle": seat.handle, "role": seat.role}
    if publish:
        said |= asyncio.run(_publish(root, seat))
    elif _is_to_use(use, root, found.hub.space):
        from flowide.project.folder import ProjectFolder

        use_space(ProjectFolder.open(root).dot_dir / "config.toml", seat.url)
        said["project"] = str(root)
    if as_json:
        print_json(said)
        return
    click.echo(f"you are {seat.handle} ({seat.role}) in {seat.url}")
    if publish:
        click.echo(
            f"published {said['events']} events and {said['blobs']} contents; this project works on the hub now"
        )
        say(
            "its own space stays as it was: `--space local`, or take `space` out of [hub] in .flowide/config.toml"
        )
    elif "project" in said:
        say(f"{root} works on the hub now; its own space is there with `--space local`")
    else:
        name = seat.url.rpartition("/")[2]
        say(
            f'use it with `--space {name}`, or put space = "{seat.url}" under [hub] into .flowide/config.toml, '
            "as `--use` does"
        )


def _is_to_use(use: bool | None, root: Path, space: str) -> bool:
    """Whether the project works on the hub from now on: not when that would hide what it has.

    A git repository is a project; a folder where somebody just happens to be, as their home, is none.
    """
    if use is not None:
        return use
    dot = root / ".flowide"
    is_project = dot.is_dir() or ((root / ".git").exists() and root != Path.home())
    return is_project and not space and not (dot / "workspace.db").exists()


def _from_stdin(what: str) -> str:
    from flowide.errors import BadInput

    if sys.stdin is None:
        raise BadInput(f"there is no {what}", hint="Give the code of an invitation.")
    if sys.stdin.isatty():
        secret = str(click.prompt(f"{what} (not shown)", hide_input=True, err=True))
    else:
        secret = sys.stdin.readline(4096)
    if not secret.strip():
        raise BadInput(f"there is no {what} on stdin", hint="Give the code of an invitation, or a token.")
    return secret.strip()


def _with_token(address: Address, token: str) -> Seat:
    from flowide.errors import AuthFailed
    from flowide.space.remote.credentials import seat_from
    from flowide.space.remote.http import Http

    http = Http(address, token)
    try:
        me = http.get("/v1/me")
    finally:
        http.close()
    if me.get("space") != address.space:
        raise AuthFailed(
            f"this token is for the space {str(me.get('space'))[:80]}, not {address.space}",
            hint="Look at the address.",
        )
    return seat_from(address.url, token, me)


def _with_code(address: Address, code: str, handle: str, device: str) -> Seat:
    from msgspec.structs import replace

    from flowide.space.remote.credentials import seat_from
    from flowide.space.remote.http import Http

    http = Http(address, None)
    try:
        got = http.post("/v1/join", {"code": code, "handle": handle, "device": device[:100]})
    finally:
        http.close()
    address = replace(address, space=str(got.get("space", address.space)))
    return seat_from(address.url, str(got["token"]), got)


async def _publish(root: Path, seat: Seat) -> dict[str, Any]:
    """Move the project's own space to the hub, and have the project use it there."""
    from flowide.project.folder import ProjectFolder
    from flowide.space.archive import export_to
    from flowide.space.remote.opening import open_remote
    from flowide.store.sqlite import SqliteStore

    folder = ProjectFolder.open(root)
    with tempfile.TemporaryDirectory(prefix="flowide-publish-") as place:
        local = SqliteStore(folder.database)
        try:
            await asyncio.to_thread(export_to, local, Path(place) / "space")
        finally:
            local.close()
        space = await open_remote(seat.url, actor=seat.actor, folder=folder.dot_dir, seat=seat)
        try:
            moved = await space.import_from(Path(place) / "space")
        finally:
            await space.close()
    use_space(folder.dot_dir / "config.toml", seat.url)
    return {"events": moved.events, "blobs": moved.blobs, "artifacts": moved.artifacts}


def use_space(config: Path, url: str) -> None:
    """Set `space` of `[hub]` in a settings file; all else in it stays.

    Raises:
        StorageFailed: The file cannot be written.
    """
    from flowide.errors import StorageFailed

    line = f'space = "{url}"'
    try:
        lines = config.read_text().splitlines() if config.exists() else []
        at = next((at for at, each in enumerate(lines) if each.strip() == "[hub]"), None)
        if at is None:
            lines += ["", "[hub]", line] if lines else ["[hub]", line]
        else:
            end = next(
                (n for n in range(at + 1, len(lines)) if lines[n].lstrip().startswith("[")), len(lines)
            )
            old = [n for n in range(at + 1, end) if lines[n].partition("=")[0].strip() == "space"]
            lines[at + 1 : at + 1] = [line]
            for n in old:
                del lines[n + 1]
        config.write_text("\n".join(lines) + "\n")
    except OSError as error:
        raise StorageFailed(
            f"{config} cannot be written: {error.strerror}", hint=f"Put {line} under [hub] into it."
        ) from error
