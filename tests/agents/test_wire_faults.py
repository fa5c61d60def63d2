"""Whatever goes wrong below the dialect, an answer is whole or an error that says why."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from flowide.agents.worker.client import ModelWorker
from flowide.errors import FlowError
from tests.agents import wire_faults
from tests.agents.asking import ENV, KEY, backend, finished
from tests.agents.fault_server import TEXT, FaultServer

assert wire_faults  # imported for what it adds to the server
pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOLE = ["gzip", "http10", "crlf", "no-space", "parts"]
BROKEN = [
    "length-more", "length-less", "length-no-number", "gzip-garbage", "gzip-cut", "bad-chunk", "comments-only",
    "http10-cut", "no-choices", "choices-null", "refusal", "no-object", "deep", "redirects",
    "parts-odd", "other-ends", "huge-head", "no-http", "closed", "204",
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker() -> AsyncIterator[ModelWorker]:
    made = ModelWorker(ENV)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as made:
        yield made


@pytest.mark.parametrize("model", WHOLE)
async def test_what_is_unusual_but_whole_is_taken(
    server: FaultServer, worker: ModelWorker, model: str
) -> None:
    assert (await finished(backend(server.url, model, worker))).text == TEXT


async def test_a_second_choice_is_not_mixed_into_the_first(server: FaultServer, worker: ModelWorker) -> None:
    assert (await finished(backend(server.url, "two-choices", worker))).text == TEXT


@pytest.mark.parametrize("model", BROKEN)
async def test_what_is_broken_is_an_error_that_says_why(
    server: FaultServer, worker: ModelWorker, model: str
) -> None:
    with pytest.raises(FlowError) as raised:
        await finished(backend(server.url, model, worker))

    error = raised.value
    assert error.exit_code in {2, 4, 8}, error
    assert KEY not in str(error.to_dict())
    assert 0 < len(error.message) < 2000
    assert "mistake in FlowIDE" not in error.message
    assert len(server.requests) <= (21 if model == "redirects" else 6)  # twenty are followed
