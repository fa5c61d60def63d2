"""The door that a coding agent comes in by in its turn: for who knows the secret, bounded, closed with the turn."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from flowide.mcp_server.in_turns import MOST, serve_turn
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space
from tests.mcp_server.conftest import CACHE, no, ok

BOUND_S = 60.0


async def test_clients_of_both_eras_come_in_side_by_side_and_read(
    folder: ProjectFolder, ana: Space, tmp_path: Path
) -> None:
    async with asyncio.timeout(BOUND_S), AsyncExitStack() as open_ones:
        tools = await open_ones.enter_async_context(serve_turn(folder, ana, "doer", tmp_path / "copy"))
        server = StdioServerParameters(command=tools.command[0], args=tools.command[1:], env=tools.env)
        for era in ("legacy", "auto"):
            made = await open_ones.enter_async_context(Client(stdio_client(server), mode=era))
            read = await ok(made, "read_artifact", path=str(tmp_path / "copy" / "cache.py"))
            refused = await no(made, "save", path="cache.py", text="x")
            resource = await made.read_resource("flowide://artifact/cache.py")

            assert read["text"] == CACHE
            assert str(tmp_path / "copy") in refused["hint"]
            assert getattr(resource.contents[0], "text", None) == CACHE
            assert made.instructions is not None
            assert made.instructions.startswith("You are @doer in a turn")


async def test_a_long_text_comes_through_whole(folder: ProjectFolder, ana: Space, tmp_path: Path) -> None:
    text = "ü\n" * 1_000_000
    async with asyncio.timeout(BOUND_S), serve_turn(folder, ana, "doer", tmp_path) as tools:
        server = StdioServerParameters(command=tools.command[0], args=tools.command[1:], env=tools.env)
        async with Client(stdio_client(server), mode="legacy") as made:
            added = await ok(made, "add_variation", text=text, path="cache.py", title="long")
            read = await ok(made, "read_variation", set=added["set"], number=1)

    assert read["text"].startswith("ü\n" * 1000)


async def test_with_the_turn_the_door_closes_and_the_bridge_ends(
    folder: ProjectFolder, ana: Space, tmp_path: Path
) -> None:
    async with serve_turn(folder, ana, "doer", tmp_path) as tools:
        env = {**os.environ, **tools.env}
        kept = await asyncio.create_subprocess_exec(
            *tools.command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert kept.stdin is not None
        assert kept.stdout is not None
        kept.stdin.write(b"no message\n")
        assert b"no message" in await asyncio.wait_for(kept.stdout.readline(), BOUND_S)
    assert await asyncio.wait_for(kept.wait(), BOUND_S) == 0

    late = await asyncio.create_subprocess_exec(
        *tools.command, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, said = await asyncio.wait_for(late.communicate(), BOUND_S)
    assert late.returncode == 1
    assert b"the turn this was for is over" in said


async def test_the_secret_is_not_among_what_ps_shows(
    folder: ProjectFolder, ana: Space, tmp_path: Path
) -> None:
    async with serve_turn(folder, ana, "doer", tmp_path) as tools:
        assert tools.command[0] == sys.executable
        assert tools.secret not in " ".join(tools.command)


async def test_there_is_room_for_so_many_and_again_when_one_goes(
    folder: ProjectFolder, ana: Space, tmp_path: Path
) -> None:
    async with asyncio.timeout(BOUND_S), serve_turn(folder, ana, "doer", tmp_path) as tools:
        port = int(tools.env["FLOWIDE_SPACE"].partition(":")[0])

        async def enter() -> tuple[asyncio.StreamWriter, bytes]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{tools.secret}\nno message\n".encode())
            try:
                return writer, await reader.readline()
            except ConnectionResetError:
                return writer, b""

        inside = [await enter() for _ in range(MOST)]
        refused, nothing = await enter()
        inside[0][0].close()
        again, told = await enter()
        while not told:
            again.close()
            again, told = await enter()

        assert all(told for _, told in inside)
        assert nothing == b""
        for writer in (refused, again, *(each for each, _ in inside)):
            writer.close()
