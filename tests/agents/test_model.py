"""Whatever a model server does, an agent's answer is whole or an error that says why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import pytest_asyncio
from msgspec import structs

from flowide.agents.api import Finished, ReasoningDelta, Retrying, Spent, TextDelta
from flowide.agents.definition import AgentDefinition
from flowide.agents.model import ATTEMPTS, INCOMPLETE_ATTEMPTS, SILENT_ATTEMPTS, ModelBackend
from flowide.agents.pool import AgentPool
from flowide.agents.worker.client import ModelWorker
from flowide.errors import AuthFailed, BadInput, FlowError, Incomplete, Rejected, Unavailable
from tests.agents.asking import ENV, KEY, backend, deltas, finished, request
from tests.agents.fault_server import CONTROLS, HUGE, TEXT, THOUGHT, FaultServer, refused_url

# One worker for the module: it takes seconds to load.
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


# --- answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["ok", "slow", "never-closes"])
async def test_the_deltas_of_an_answer_are_its_text(
    server: FaultServer, worker: ModelWorker, model: str
) -> None:
    said = await deltas(backend(server.url, model, worker))

    *parts, last = said
    assert isinstance(last, Finished)
    assert "".join(part.text for part in parts if isinstance(part, TextDelta)) == last.text == TEXT
    assert last.attempts == 1


async def test_the_request_is_sent_as_it_is(server: FaultServer, worker: ModelWorker) -> None:
    await finished(backend(server.url, "ok", worker), request("Ça va?", temperature=0.3, max_tokens=50))

    [sent] = server.requests
    assert sent["messages"] == [
        {"role": "system", "content": "You are Edwin."},
        {"role": "user", "content": "Ça va?"},
    ]
    assert (sent["temperature"], sent["max_tokens"], sent["stream"]) == (0.3, 50, True)
    assert sent["authorization"] == f"bearer {KEY}"


async def test_a_request_without_settings_takes_the_agents_own(
    server: FaultServer, worker: ModelWorker
) -> None:
    agent = AgentDefinition(handle="edwin", name="Edwin", model="other/model", temperature=0.9, max_tokens=7)
    models = {"alias": {"model": "ok", "api_base": server.url}}
    answering = ModelBackend(agent, models=models, env=ENV, model="alias", worker=worker)

    await finished(answering)

    assert (server.requests[0]["temperature"], server.requests[0]["max_tokens"]) == (0.9, 7)


@pytest.mark.parametrize("model", ["reasoning", "think"])
async def test_reasoning_is_kept_apart_from_the_answer(
    server: FaultServer, worker: ModelWorker, model: str
) -> None:
    said = await deltas(backend(server.url, model, worker))

    assert "".join(part.text for part in said if isinstance(part, ReasoningDelta)) == THOUGHT
    assert "".join(part.text for part in said if isinstance(part, TextDelta)) == TEXT
    assert isinstance(said[-1], Finished)
    assert said[-1].text == TEXT


async def test_with_a_schema_the_text_is_the_json_alone(server: FaultServer, worker: ModelWorker) -> None:
    schema = {"type": "object", "properties": {"pick": {"type": "integer"}}, "required": ["pick"]}

    answer = await finished(backend(server.url, "json", worker), request(json_schema=schema))

    assert answer.text == '{"pick": 4}'


async def test_an_answer_that_does_not_fit_the_schema_is_asked_for_again_with_the_reason(
    server: FaultServer, worker: ModelWorker
) -> None:
    answer = await finished(backend(server.url, "ok+json", worker), request(json_schema={"type": "object"}))

    assert (answer.text, answer.attempts) == ('{"pick": 4}', 2)
    again = server.requests[1]["messages"]
    assert again[-2] == {"role": "assistant", "content": TEXT}
    assert "no JSON" in again[-1]["content"]


async def test_a_server_that_does_not_stream_is_asked_for_the_whole(
    server: FaultServer, worker: ModelWorker
) -> None:
    answer = await finished(backend(server.url, "json-200", worker))

    assert (answer.text, answer.attempts) == (TEXT, 2)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 8)
    assert [sent.get("stream", False) for sent in server.requests] == [True, False]


async def test_a_very_large_event_comes_through_whole(server: FaultServer, worker: ModelWorker) -> None:
    assert (await finished(backend(server.url, "huge", worker))).text == HUGE


async def test_control_sequences_are_content_and_stay(server: FaultServer, worker: ModelWorker) -> None:
    assert (await finished(backend(server.url, "controls", worker))).text == CONTROLS


async def test_a_refused_parameter_is_left_out(server: FaultServer, worker: ModelWorker) -> None:
    said = await deltas(backend(server.url, "refuses-temperature", worker), request(temperature=0.7))

    assert isinstance(said[-1], Finished)
    assert said[-1].text == TEXT
    assert ["temperature" in sent for sent in server.requests] == [True, False]


# --- usage and cost -----------------------------------------------------------------------------------


async def test_the_price_of_the_settings_goes_before_the_list(
    server: FaultServer, worker: ModelWorker
) -> None:
    priced = backend(server.url, "gpt-4o-mini", worker, price_in=2.0, price_out=10.0)

    usage = (await finished(priced)).usage

    assert (usage.input_tokens, usage.output_tokens, usage.cost_micros) == (11, 8, 11 * 2 + 8 * 10)


async def test_a_listed_model_has_its_price(server: FaultServer, worker: ModelWorker) -> None:
    usage = (await finished(backend(server.url, "openai/gpt-4o-mini", worker))).usage

    assert usage.cost_micros == round(11 * 0.15 + 8 * 0.60)


async def test_an_unknown_price_is_unknown(server: FaultServer, worker: ModelWorker) -> None:
    assert (await finished(backend(server.url, "ok", worker))).usage.cost_micros is None


async def test_usage_that_nobody_reports_is_estimated_and_has_no_price(
    server: FaultServer, worker: ModelWorker
) -> None:
    priced = backend(server.url, "no-usage", worker, price_in=2.0, price_out=10.0)

    usage = (await finished(priced, request("word " * 400))).usage

    assert usage.input_tokens == pytest.approx(500, rel=0.1)
    assert usage.output_tokens > 0
    assert usage.cost_micros is None


# --- faults -------------------------------------------------------------------------------------------

FINAL = [
    ("401", AuthFailed, 7, "Incorrect API key"),
    ("403", AuthFailed, 7, "may not use"),
    ("404", BadInput, 2, "does not exist"),
    ("too-long", BadInput, 2, "too long"),
    ("402", Unavailable, 8, "no credit"),
    ("429-hour", Unavailable, 8, "Come back later"),
    ("length", Incomplete, 8, "cut off"),
    ("filter", Rejected, 4, "content filter"),
    ("endless", Incomplete, 8, "more than"),
]


@pytest.mark.parametrize(("model", "kind", "exit_code", "what"), FINAL)
async def test_what_no_retry_can_mend_fails_at_once(
    server: FaultServer,
    worker: ModelWorker,
    model: str,
    kind: type[FlowError],
    exit_code: int,
    what: str,
) -> None:
    with pytest.raises(FlowError) as refused:
        await deltas(backend(server.url, model, worker), request(deadline_s=60))

    assert type(refused.value) is kind
    assert refused.value.exit_code == exit_code
    assert what in refused.value.message
    assert refused.value.hint
    assert len(server.requests) == 1


PASSING = [
    ("429", Unavailable, ATTEMPTS),
    ("429-after", Unavailable, ATTEMPTS),
    ("500", Unavailable, ATTEMPTS),
    ("503", Unavailable, ATTEMPTS),
    ("502", Unavailable, ATTEMPTS),
    ("html", Unavailable, ATTEMPTS),
    ("reset", Unavailable, ATTEMPTS),
    ("stall", Unavailable, SILENT_ATTEMPTS),
    ("stall-stream", Unavailable, SILENT_ATTEMPTS),
    ("reset-stream", Incomplete, INCOMPLETE_ATTEMPTS),
    ("cut", Incomplete, INCOMPLETE_ATTEMPTS),
    ("truncated", Incomplete, INCOMPLETE_ATTEMPTS),
    ("truncated-done", Incomplete, INCOMPLETE_ATTEMPTS),
    ("empty", Incomplete, INCOMPLETE_ATTEMPTS),
    ("blank", Incomplete, INCOMPLETE_ATTEMPTS),
    ("nothing", Incomplete, INCOMPLETE_ATTEMPTS),
    ("html-200", Incomplete, INCOMPLETE_ATTEMPTS),
    ("error-200", Unavailable, ATTEMPTS),
    ("malformed", Incomplete, INCOMPLETE_ATTEMPTS),
    ("error-event", Incomplete, INCOMPLETE_ATTEMPTS),
    ("invalid-utf8", Incomplete, INCOMPLETE_ATTEMPTS),
]


@pytest.mark.parametrize(("model", "kind", "attempts"), PASSING)
async def test_a_fault_that_lasts_fails_after_bounded_retries(
    server: FaultServer, worker: ModelWorker, model: str, kind: type[FlowError], attempts: int
) -> None:
    agent = backend(server.url, model, worker, silence_s=0.2 if "stall" in model else 30.0)

    with pytest.raises(FlowError) as refused:
        await deltas(agent)

    assert type(refused.value) is kind
    assert refused.value.exit_code == 8
    assert refused.value.data["retryable"]
    assert len(server.requests) == attempts


@pytest.mark.parametrize("model", [model for model, _, _ in PASSING])
async def test_a_fault_that_passes_leaves_a_whole_answer(
    server: FaultServer, worker: ModelWorker, model: str
) -> None:
    agent = backend(server.url, f"{model}+ok", worker, silence_s=0.2 if "stall" in model else 30.0)

    said = await deltas(agent)

    last = said[-1]
    assert isinstance(last, Finished)
    assert (last.text, last.attempts) == (TEXT, 2)
    retries = [at for at, delta in enumerate(said) if isinstance(delta, Retrying)]
    assert len(retries) == 1
    assert "".join(part.text for part in said[retries[0] :] if isinstance(part, TextDelta)) == TEXT


async def test_answers_that_are_no_use_are_paid_for_too(server: FaultServer, worker: ModelWorker) -> None:
    schema = {"type": "object", "required": ["verdict"]}
    used: list[tuple[int, int]] = []

    with pytest.raises(Incomplete):
        async for delta in backend(server.url, "ok", worker).stream(request(json_schema=schema)):
            if isinstance(delta, Spent):
                used.append((delta.usage.input_tokens, delta.usage.output_tokens))

    assert used == [(11, 8)] * len(server.requests)
    assert used


async def test_nobody_listening_is_unavailable(worker: ModelWorker) -> None:
    with refused_url() as url, pytest.raises(Unavailable) as refused:
        await deltas(backend(url, "ok", worker))

    assert f"no connection to {url}" in refused.value.message


async def test_a_wait_that_the_provider_asks_for_is_kept(server: FaultServer, worker: ModelWorker) -> None:
    said = await deltas(backend(server.url, "429-after+ok", worker))

    [retrying] = [delta for delta in said if isinstance(delta, Retrying)]
    assert (retrying.attempt, retrying.wait_ms) == (2, 30)


async def test_a_wait_beyond_the_deadline_is_not_begun(server: FaultServer, worker: ModelWorker) -> None:
    with pytest.raises(Unavailable) as refused:
        await deltas(backend(server.url, "429-hour", worker))

    assert "3600 s" in refused.value.hint


@pytest.mark.parametrize(("model", "what"), [("stall", "did not begin"), ("drip", "was not complete")])
async def test_the_deadline_ends_the_call_and_its_connection(
    server: FaultServer, worker: ModelWorker, model: str, what: str
) -> None:
    await worker.ready()

    with pytest.raises(Unavailable) as refused:
        await deltas(backend(server.url, model, worker), request(deadline_s=0.4))

    assert what in refused.value.message
    assert len(server.requests) == 1
    await asyncio.wait_for(server.disconnected.wait(), 10)


# --- keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["401", "500"])
async def test_no_message_shows_a_key_or_a_control_sequence(
    server: FaultServer, worker: ModelWorker, model: str
) -> None:
    shown: list[str] = []

    with pytest.raises(FlowError) as refused:
        async with aclosing(backend(server.url, model, worker).stream(request())) as stream:  # type: ignore[type-var]
            async for delta in stream:
                shown.append(repr(delta))
    shown += [str(refused.value), repr(refused.value.to_dict())]

    assert server.requests[0]["authorization"].endswith(KEY)
    assert all(KEY not in text and "\x1b" not in text for text in shown)
    assert any("***" in text for text in shown)


async def test_a_missing_key_is_told_before_any_call(server: FaultServer, worker: ModelWorker) -> None:
    agent = backend(server.url, "ok", worker, key_env="NO_SUCH_KEY_HERE")

    with pytest.raises(AuthFailed, match="NO_SUCH_KEY_HERE"):
        await agent.check()
    with pytest.raises(AuthFailed):
        await deltas(agent)

    assert server.requests == []


async def test_an_agent_without_a_model_says_so(worker: ModelWorker) -> None:
    agent = ModelBackend(AgentDefinition(handle="edwin", name="Edwin"), models={}, env=ENV, worker=worker)

    with pytest.raises(BadInput, match="@edwin has no model"):
        await agent.check()


# --- cancelling ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["stall", "stall-stream", "drip"])
async def test_a_cancelled_call_hangs_up(server: FaultServer, worker: ModelWorker, model: str) -> None:
    call = asyncio.create_task(deltas(backend(server.url, model, worker)))
    await asyncio.wait_for(server.answering.wait(), 60)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    await asyncio.wait_for(server.disconnected.wait(), 10)


async def test_a_closed_iterator_hangs_up_and_the_worker_goes_on(
    server: FaultServer, worker: ModelWorker
) -> None:
    stream = backend(server.url, "drip", worker).stream(request())
    assert isinstance(await anext(stream), TextDelta)

    await stream.aclose()  # type: ignore[attr-defined]

    await asyncio.wait_for(server.disconnected.wait(), 10)
    assert (await finished(backend(server.url, "ok", worker))).text == TEXT


# --- many at once -------------------------------------------------------------------------------------


async def test_concurrent_calls_do_not_wait_for_each_other(server: FaultServer, worker: ModelWorker) -> None:
    waiting = [asyncio.create_task(finished(backend(server.url, "gated", worker))) for _ in range(20)]
    async with asyncio.timeout(60):
        while server.in_flight < 20:
            await asyncio.sleep(0.01)

    assert (await finished(backend(server.url, "ok", worker))).text == TEXT
    server.gate.set()
    answers = await asyncio.gather(*waiting)

    assert [answer.text for answer in answers] == [TEXT] * 20


async def test_concurrent_answers_are_not_mixed_up(server: FaultServer, worker: ModelWorker) -> None:
    said = [f"{number}: " + "x" * number * 300 for number in range(30)]

    answers = await asyncio.gather(
        *(finished(backend(server.url, "echo", worker), request(text)) for text in said)
    )

    assert [answer.text for answer in answers] == said


async def test_a_failing_call_leaves_the_others_alone(server: FaultServer, worker: ModelWorker) -> None:
    mixed = ["ok", "401", "slow", "reset", "malformed", "ok"]

    answers = await asyncio.gather(
        *(finished(backend(server.url, model, worker)) for model in mixed), return_exceptions=True
    )

    assert [isinstance(answer, Finished) for answer in answers] == [True, False, True, False, False, True]


async def test_the_agents_of_a_pool_share_one_worker(server: FaultServer, worker: ModelWorker) -> None:
    edwin = AgentDefinition(handle="edwin", name="Edwin", model="a")
    agents = [edwin, structs.replace(edwin, handle="mara", model="b")]
    models = {alias: {"model": "ok", "api_base": server.url} for alias in ("a", "b")}
    await worker.ready()
    pid = worker.pid

    async with AgentPool(agents, models=models, env=ENV, worker=worker) as pool:
        for handle in ("edwin", "mara"):
            answering = pool.backend(handle)
            assert isinstance(answering, ModelBackend)
            await answering.check()
            assert (await finished(answering)).text == TEXT

    assert worker.pid == pid


# --- calls in flight ----------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [{"alias": 2}, {"openai": 2}, {"alias": 9, "openai": 2}])
async def test_no_more_calls_are_in_flight_at_a_provider_than_its_bound(
    server: FaultServer, worker: ModelWorker, limits: dict[str, int]
) -> None:
    models = {"alias": {"model": "gated", "api_base": server.url}}
    agents = [
        ModelBackend(
            AgentDefinition(handle=f"a{at}", name="A", model="alias"),
            models=models,
            env=ENV,
            worker=worker,
            limits=limits,
        )
        for at in range(5)
    ]

    calls = [asyncio.create_task(finished(agent)) for agent in agents]
    while server.in_flight < 2:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    server.gate.set()
    await asyncio.gather(*calls)

    assert (server.most_in_flight, len(server.requests)) == (2, 5)


async def test_a_call_that_is_given_up_makes_room_for_the_next(
    server: FaultServer, worker: ModelWorker
) -> None:
    def agent(model: str) -> ModelBackend:
        return ModelBackend(
            AgentDefinition(handle="a", name="A", model="alias"),
            models={"alias": {"model": model, "api_base": server.url}},
            env=ENV,
            worker=worker,
            limits={"alias": 1},
        )

    stuck = asyncio.create_task(finished(agent("stall")))
    while not server.requests:
        await asyncio.sleep(0.01)
    waits = asyncio.create_task(finished(agent("ok")))
    stuck.cancel()

    assert (await waits).text == TEXT
