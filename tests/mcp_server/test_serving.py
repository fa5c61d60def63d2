"""`flowide mcp` as clients meet it: the real process over stdin and stdout, and what is left when one goes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference, ResourceListChangedNotification, ResourceUpdatedNotification

from flowide.domain.commands import AcquireLock
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space
from flowide.space.queries import Drafts, FindArtifact, History, Locks
from tests.mcp_server.conftest import CACHE, client, no, ok

BOUND_S = 60.0
"""For what takes about a second on a quiet machine."""
GONE_S = 10.0
ERAS = ["legacy", "auto"]
"""The handshake that clients use today, and the protocol of 2026."""


class Raw:
    """The process as a client has it that knows no library."""

    def __init__(self, root: Path, *args: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flowide", "mcp", "--project", str(root), *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | env,
        )  # fmt: skip
        self._id = 0

    def line(self, text: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request; its answer, which comes next."""
        self._id += 1
        self.line(json.dumps({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}).encode())
        answer = self.read()
        assert answer["id"] == self._id, answer
        return answer

    def read(self) -> dict[str, Any]:
        """The next answer; notices are passed over."""
        assert self.process.stdout is not None
        while True:
            read: dict[str, Any] = json.loads(self.process.stdout.readline())
            if "method" not in read:
                return read

    def hello(self, name: str = "Claude Code") -> dict[str, Any]:
        told = self.ask(
            "initialize",
            protocolVersion="2025-06-18",
            capabilities={},
            clientInfo={"name": name, "version": "1"},
        )
        self.line(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
        return told

    def call(self, name: str, **given: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.ask("tools/call", name=name, arguments=given)["result"]
        told: dict[str, Any] = answer["structuredContent"]
        return told

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue


@pytest.fixture
def raw(root: Path) -> Iterator[Raw]:
    made = Raw(root, FLOWIDE_LOCK_TTL_S="1")
    made.hello()
    yield made
    made.end()


async def test_a_client_lists_the_tools_edits_and_reads(root: Path, ana: Space) -> None:
    async with asyncio.timeout(BOUND_S), client(root, name="Gemini CLI", mode="legacy") as agent:
        tools = {tool.name: tool for tool in (await agent.list_tools()).tools}
        await ok(agent, "lock", path="cache.py", purpose="answer")
        await ok(agent, "draft", path="cache.py", edits=[{"old": "None", "new": "1"}])
        saved = await ok(agent, "save", path="cache.py", note="one")
        resource = await agent.read_resource("flowide://artifact/cache.py")
        listed = await agent.list_resources()
        prompt = await agent.get_prompt("review_artifact", {"path": "cache.py"})
        completed = await agent.complete(PromptReference(name="vary"), {"name": "path", "value": "ca"})

    row = await ana.read(FindArtifact("cache.py"))
    [*_, made] = await ana.read(History(row.id))
    assert tools["save"].input_schema["type"] == "object"
    assert (
        tools["read_artifact"].annotations is not None and tools["read_artifact"].annotations.read_only_hint
    )
    assert (saved["version"], made.actor, made.for_) == (2, "gemini-cli", "ana")
    assert getattr(resource.contents[0], "text", None) == CACHE.replace("None", "1")
    assert [each.name for each in listed.resources] == ["cache.py", "dot.png", "notes.md"]
    assert "cache.py" in prompt.model_dump_json()
    assert completed.completion.values == ["cache.py"]


async def test_refusals_are_results_that_say_what_to_do(
    root: Path, ana: Space, folder: ProjectFolder
) -> None:
    row = await folder.find(ana, "cache.py")
    await ana.execute(AcquireLock(artifact=row.id, purpose="by hand", ttl_ms=600_000))

    async with asyncio.timeout(BOUND_S), client(root, "--as", "mara") as agent:
        busy = await no(agent, "lock", path="cache.py")
        late = await no(agent, "lock", path="cache.py", wait_s=1)
        wrong = await no(agent, "lock", path=7)
        unknown = await no(agent, "fly")
        with pytest.raises(MCPError, match="no address"):
            await agent.read_resource("file:///etc/passwd")
        with pytest.raises(MCPError, match="needs path"):
            await agent.get_prompt("vary", {})
        still = await ok(agent, "list_locks")

    assert (busy["code"], busy["data"]["holder"], bool(busy["hint"])) == ("busy", "ana", True)
    assert (late["code"], wrong["code"], unknown["code"]) == ("busy", "bad_args", "not_found")
    assert [each["holder"] for each in still["locks"]] == ["ana"]
    assert still["locks"][0]["queue"] == 0


async def test_two_agents_contend_and_both_get_their_turn(root: Path, ana: Space) -> None:
    async with (
        asyncio.timeout(BOUND_S),
        client(root, "--as", "mara") as mara,
        client(root, "--as", "edwin") as edwin,
    ):

        async def add(agent: Any, name: str, times: int) -> None:
            for number in range(times):
                await ok(agent, "lock", path="notes.md", wait_s=40)
                text = (await ok(agent, "read_artifact", path="notes.md"))["text"]
                await ok(agent, "save", path="notes.md", text=f"{text}{name} {number}\n")

        await asyncio.gather(add(mara, "mara", 5), add(edwin, "edwin", 5))

    lines = (root / "notes.md").read_text().splitlines()[7:]
    assert sorted(lines) == sorted(f"{name} {number}" for name in ("mara", "edwin") for number in range(5))
    row = await ana.read(FindArtifact("notes.md"))
    assert row.version == 11


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_is_told_what_changes(
    root: Path, ana: Space, folder: ProjectFolder, mode: str
) -> None:
    updated, listed = asyncio.Event(), asyncio.Event()
    uri = "flowide://artifact/a%20b.md"

    async def note(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification) and message.params.uri == uri:
            updated.set()
        if isinstance(message, ResourceListChangedNotification):
            listed.set()

    async def change() -> None:
        made = await folder.create(ana, "a b.md", "1", lock=True)
        row = await ana.read(FindArtifact("a b.md"))
        assert made.fence is not None
        await folder.save(ana, row, fence=made.fence, base=1, data="2")

    async with asyncio.timeout(BOUND_S), client(root, message_handler=note, mode=mode) as agent:
        await agent.list_tools()
        if mode == "legacy":
            await agent.subscribe_resource(uri)
            await change()
        else:
            async with agent.listen(resources_list_changed=True, resource_subscriptions=[uri]) as events:
                await change()
                async for event in events:
                    (updated if getattr(event, "uri", None) == uri else listed).set()
                    if updated.is_set() and listed.is_set():
                        break
        await updated.wait()
        await listed.wait()


def test_garbage_is_answered_and_ends_nothing(raw: Raw) -> None:
    for junk in (b"garbage", b"[]", b'{"jsonrpc":"2.0"}', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5000):
        raw.line(junk)
        assert raw.read()["error"]["code"] == -32700
    deep = b'{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"search","arguments":%s}}'
    raw.line(deep % (b'{"a":' * 150 + b"1" + b"}" * 150))
    assert raw.read()["id"] == "x"

    assert raw.ask("nope/nope")["error"]["code"] == -32601
    assert "error" in raw.ask("tools/call", name=1)
    assert raw.call("list_locks") == {"locks": []}


@pytest.mark.parametrize("way", ["end of input", "terminate", "output closed"])
async def test_when_the_client_goes_the_lock_is_given_back_and_the_draft_kept(
    raw: Raw, ana: Space, way: str
) -> None:
    raw.call("lock", path="cache.py")
    raw.call("draft", path="cache.py", text="half")
    assert raw.process.stdin is not None and raw.process.stdout is not None

    if way == "terminate":
        raw.process.send_signal(signal.SIGTERM)
    elif way == "end of input":
        raw.process.stdin.close()
    else:
        raw.process.stdout.close()
        raw.line(b'{"jsonrpc":"2.0","id":99,"method":"ping"}')
    code = raw.process.wait(GONE_S)

    row = await ana.read(FindArtifact("cache.py"))
    [state] = await ana.read(Locks(row.id))
    [kept] = await ana.read(Drafts(row.id))
    assert (state.lock.state, kept.size, kept.actor) == ("free", 4, "claude-code")
    assert code == (143 if way == "terminate" else 0)


async def test_a_server_that_is_killed_blocks_nobody_for_longer_than_its_lease(raw: Raw, ana: Space) -> None:
    from flowide.space.waiting import acquire

    raw.call("lock", path="cache.py")
    raw.call("draft", path="cache.py", text="half")
    row = await ana.read(FindArtifact("cache.py"))

    raw.process.kill()
    granted = await acquire(ana, row.id, timeout_s=GONE_S)

    [kept] = await ana.read(Drafts(row.id))
    assert granted.fence is not None
    assert (kept.actor, kept.size) == ("claude-code", 4)


def test_a_client_that_is_killed_leaves_no_server(root: Path) -> None:
    host = (
        "import subprocess, sys, time\n"
        "server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        'server.stdin.write(b\'{"jsonrpc":"2.0","id":1,"method":"ping"}\\n\')\n'
        "server.stdin.flush()\n"
        "server.stdout.readline()\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    server = [sys.executable, "-m", "flowide", "mcp", "--project", str(root)]
    with subprocess.Popen([sys.executable, "-c", host, *server], stdout=subprocess.PIPE) as client_:
        assert client_.stdout is not None
        pid = int(client_.stdout.readline())
        client_.kill()

    deadline = time.monotonic() + GONE_S
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(pid)


def test_a_client_that_does_not_read_keeps_its_lock(raw: Raw) -> None:
    raw.call("lock", path="cache.py")
    asked = json.dumps({"jsonrpc": "2.0", "id": "many", "method": "tools/list", "params": {}}).encode()
    for _ in range(20):
        raw.line(asked)

    time.sleep(2.5)

    for _ in range(20):
        assert raw.read()["id"] == "many"
    assert [each["state"] for each in raw.call("list_locks")["locks"]] == ["held"]


def test_the_copy_of_a_turn_is_not_taken_for_a_project(tmp_path: Path) -> None:
    copy = tmp_path / "flowide-copy-0123456789abcdef" / "work" / "project"
    copy.mkdir(parents=True)
    for words in ([], ["--project", str(copy)]):
        made = subprocess.run(
            [sys.executable, "-m", "flowide", "mcp", *words], cwd=copy, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=BOUND_S, check=False,
        )  # fmt: skip
        assert made.returncode == 2
        assert "the private copy of a coding agent's turn" in made.stderr
    assert list(copy.iterdir()) == []


def test_a_home_folder_is_not_taken_for_a_project(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flowide", "mcp"], cwd=tmp_path, env=os.environ | {"HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BOUND_S, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert "--project" in done.stderr


def test_a_handle_that_is_a_persons_is_refused_before_anything_is_served(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flowide", "mcp", "--project", str(root), "--as", "ana"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BOUND_S, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (2, "")
    assert "--as ana-agent" in done.stderr


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture
def web(root: Path) -> Iterator[subprocess.Popen[str]]:
    """The server over HTTP."""
    with subprocess.Popen(
        [sys.executable, "-m", "flowide", "mcp", "--project", str(root), "--as", "mara", "--http", "0"],
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process
        process.kill()


async def test_over_http_the_address_has_a_secret_and_the_rules_are_the_same(
    web: subprocess.Popen[str], root: Path, ana: Space
) -> None:
    assert web.stdout is not None
    url = await asyncio.to_thread(web.stdout.readline)
    async with asyncio.timeout(BOUND_S), Client(url.strip(), mode="legacy") as agent:
        await ok(agent, "lock", path="cache.py")
        unlocked = await no(agent, "save", path="notes.md", text="x")
        saved = await ok(agent, "save", path="cache.py", text="x = 1\n")
        await ok(agent, "lock", path="notes.md")
    web.terminate()
    code = web.wait(GONE_S)

    row = await ana.read(FindArtifact("cache.py"))
    [*_, made] = await ana.read(History(row.id))
    token = root / ".flowide" / "mcp.token"
    assert (saved["version"], made.actor, unlocked["code"], code) == (2, "mara", "fenced", 143)
    assert token.read_text() in url and token.stat().st_mode & 0o077 == 0
    assert [state.lock.state for state in await ana.read(Locks()) if state.lock.state != "free"] == []
