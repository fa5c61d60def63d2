"""The worker process dies with its parent, is replaced when it dies, and is killed when it hangs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from flowide.agents.api import TextDelta
from flowide.agents.pool import AgentPool
from flowide.agents.worker import client
from flowide.agents.worker.client import ModelWorker
from flowide.errors import Unavailable
from tests.agents.asking import ENV, backend, finished, request
from tests.agents.fault_server import TEXT, FaultServer
from tests.sleeping import lives

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker() -> AsyncIterator[ModelWorker]:
    made = ModelWorker(ENV)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as made:
        yield made


async def gone(pid: int) -> None:
    """Wait until there is no such process."""
    async with asyncio.timeout(20):
        while lives(pid):
            await asyncio.sleep(0.01)


async def test_the_calls_of_a_killed_worker_are_made_again_by_another(
    server: FaultServer, worker: ModelWorker
) -> None:
    model = "stall-stream+stall-stream+stall-stream+ok"
    calls = [asyncio.create_task(finished(backend(server.url, model, worker))) for _ in range(3)]
    async with asyncio.timeout(60):
        while len(server.requests) < 3:
            await asyncio.sleep(0.01)
    killed = worker.pid
    assert killed is not None

    os.kill(killed, signal.SIGKILL)
    answers = await asyncio.gather(*calls)

    assert [(answer.text, answer.attempts) for answer in answers] == [(TEXT, 2)] * 3
    assert worker.pid not in (None, killed)


async def test_a_hung_worker_is_killed_when_a_cancel_is_not_confirmed(
    server: FaultServer, worker: ModelWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CANCEL_S", 0.05)
    stream = backend(server.url, "drip", worker).stream(request())
    assert isinstance(await anext(stream), TextDelta)
    hung = worker.pid
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)

    await stream.aclose()  # type: ignore[attr-defined]

    await asyncio.wait_for(server.disconnected.wait(), 20)
    assert (await finished(backend(server.url, "ok", worker))).text == TEXT
    assert worker.pid != hung


async def test_a_confirmed_cancel_kills_nothing(
    server: FaultServer, worker: ModelWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CANCEL_S", 1.0)
    await worker.ready()
    pid = worker.pid
    for _ in range(5):
        async with aclosing(backend(server.url, "drip", worker).stream(request())) as stream:  # type: ignore[type-var]
            await anext(stream)

    await asyncio.sleep(1.2)

    assert worker.pid == pid


async def test_interrupt_and_hang_up_of_the_terminal_do_not_reach_the_worker(worker: ModelWorker) -> None:
    await worker.ready()
    assert worker.pid is not None

    assert os.getsid(worker.pid) != os.getsid(0)


async def test_modules_that_lie_in_the_current_folder_are_not_loaded(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("flowide", "litellm", "msgspec"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('loaded from the project')")
    monkeypatch.chdir(tmp_path)
    own = ModelWorker(ENV)

    try:
        answer = await finished(backend(server.url, "ok", own))
    finally:
        await own.close()

    assert answer.text == TEXT


async def test_a_worker_that_does_not_start_says_why_without_keys(tmp_path: Path) -> None:
    (tmp_path / "litellm.py").write_text(
        "import os\nraise RuntimeError('no luck with \\x1b[31m' + os.environ['TEST_API_KEY'])"
    )
    broken = ModelWorker({**ENV, "PYTHONPATH": str(tmp_path)})

    for _ in range(2):  # and the next call tries again
        with pytest.raises(Unavailable) as refused:
            await broken.ready()
        assert refused.value.message == "the model worker did not start: RuntimeError: no luck with ***"
    await broken.close()


async def test_closing_while_it_loads_leaves_no_process() -> None:
    loading = ModelWorker(ENV)
    loading.warm()
    async with asyncio.timeout(10):
        while loading.pid is None:
            await asyncio.sleep(0)
    pid = loading.pid

    await loading.close()
    await loading.close()

    await gone(pid)


async def test_a_pool_starts_loading_at_once_and_leaves_no_process() -> None:
    from flowide.agents.definition import AgentDefinition

    agent = AgentDefinition(handle="edwin", name="Edwin", model="openai/ok")
    pool = AgentPool([agent], models={}, env=ENV)

    async with pool:
        await asyncio.sleep(0)
        worker = pool.worker
        assert worker is not None
        pid = worker.pid
        assert pid is not None

    await gone(pid)


async def test_a_pool_of_scripted_agents_starts_no_process() -> None:
    from flowide.agents.definition import AgentDefinition

    async with AgentPool(
        [AgentDefinition(handle="a", name="A", backend="scripted")], models={}, env={}
    ) as pool:
        await asyncio.sleep(0)

        assert pool.worker is None


_PARENT = """
import asyncio, os, sys
from flowide.agents.worker.client import ModelWorker

async def main():
    worker = ModelWorker(dict(os.environ))
    worker.warm()
    while worker.pid is None:
        await asyncio.sleep(0)
    if sys.argv[1] == "ready":
        await worker.ready()
    print(worker.pid, "litellm" in sys.modules or "openai" in sys.modules, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("when", ["loading", "ready"])
async def test_the_worker_dies_with_its_parent_which_never_loads_litellm(when: str) -> None:
    program = [sys.executable, "-c", _PARENT, when]
    parent = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pid, loaded = (await parent.stdout.readline()).decode().split()

    parent.kill()
    await parent.communicate()

    await gone(int(pid))
    assert loaded == "False"
