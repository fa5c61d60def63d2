"""The app in a browser: who gets in, what they see, and that a closed tab leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from flowide.space.queries import Drafts, Locks
from tests.tui.conftest import other_process

aiohttp = pytest.importorskip("aiohttp")
pytest.importorskip("textual_serve")

PATIENCE_S = 40.0
"""A whole app is started behind the server."""
SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "flowide", "web", *arguments]


@asynccontextmanager
async def served(project: Path) -> AsyncIterator[tuple[str, str]]:
    """The address without and with its key."""
    port = free_port()
    process = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time
        command(str(project), "--as", "ana", "--port", str(port)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"FLOWIDE_LOCK_TTL_S": "30"},
    )
    try:
        assert process.stdout is not None
        line = await asyncio.to_thread(process.stdout.readline)
        base = f"http://127.0.0.1:{port}"
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            await asyncio.sleep(0.05)
        yield base, line.strip()
    finally:
        process.terminate()
        process.communicate(timeout=20)


class Tab:
    """A browser's socket, read as text."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self.text = ""

    async def sees(self, text: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while text not in self.text:
            assert time.monotonic() < end, f"waited in vain for {text!r}: {self.text[-2000:]}"
            message = await asyncio.wait_for(self._socket.receive(), PATIENCE_S)
            assert message.type in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}, self.text[-2000:]
            data = message.data if isinstance(message.data, str) else message.data.decode(errors="replace")
            self.text += SEQUENCE.sub("", data)

    async def send(self, keys: str) -> None:
        await self._socket.send_json(["stdin", keys])


async def test_the_app_runs_in_a_tab_and_ends_with_it_keeping_what_was_typed(project: Path) -> None:
    async with (
        served(project) as (base, address),
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        async with browser.get(address) as page:
            assert page.status == 200
            assert 'data-session-websocket-url="ws://127.0.0.1' in await page.text()
        async with browser.ws_connect(f"{base}/ws?width=120&height=40") as socket:
            tab = Tab(socket)
            await tab.sees("plan.md")
            await tab.send("/plan\r")
            await tab.sees("Because.")
            await tab.send("e")
            await tab.sees("you are editing")
            await tab.send("precious ")
            await tab.sees("precious")
            async with other_process(project) as mia:
                assert [state.lock.state for state in await mia.read(Locks())] == ["held"]
        async with other_process(project) as mia:
            end = time.monotonic() + PATIENCE_S
            while not (drafts := await mia.read(Drafts())):
                assert time.monotonic() < end
                await asyncio.sleep(0.05)
            assert [state.lock.state for state in await mia.read(Locks()) if state.lock.state == "held"] == []
            assert len(drafts) == 1


async def test_nobody_gets_in_without_the_key_or_from_another_site(project: Path) -> None:
    async with (
        served(project) as (base, address),
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        for url in (base, f"{base}/ws", f"{base}/static/js/textual.js", f"{base}/?key=wrong"):
            async with browser.get(url) as answer:
                assert answer.status == 403
        async with browser.get(address) as answer:
            assert answer.status == 200
            assert answer.headers["X-Frame-Options"] == "DENY"
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            async with browser.get(f"{base}/", headers=headers) as answer:
                assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await browser.ws_connect(f"{base}/ws", origin="http://evil.example")


async def test_the_other_name_of_this_machine_leads_to_the_same_place(project: Path) -> None:
    async with (
        served(project) as (_, address),
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
        browser.get(address.replace("127.0.0.1", "localhost")) as answer,
    ):
        assert answer.status == 200
        assert answer.url.host == "127.0.0.1"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, check=False)


def test_it_listens_beyond_this_machine_only_when_told_so(project: Path) -> None:
    done = run(str(project), "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "whoever opens the address acts as you" in done.stderr
    assert "--allow-others" in done.stderr


def test_a_port_that_is_taken_is_told(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(str(project), "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "cannot be used" in done.stderr
    assert "--port" in done.stderr


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = run(str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "no folder" in done.stderr
