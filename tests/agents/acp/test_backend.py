"""A coding agent, a real process, does what it should and what it should not; what is promised of it holds."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from flowide.agents.acp.backend import AcpBackend
from flowide.agents.api import Finished, Message, Progress, ReasoningDelta, Request, TextDelta
from flowide.agents.definition import AgentDefinition
from flowide.agents.whole_file import file_in
from flowide.confinement.methods import confinement
from flowide.errors import AuthFailed, Incomplete, NeedsInput, NotFound, Rejected, Unavailable
from tests.agents.acp.desks import TestDesk, agent, said, turn
from tests.sleeping import running

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a keeper adopt every descendant")


@pytest.fixture
def desk(tmp_path: Path) -> TestDesk:
    return TestDesk(tmp_path)


def none_left(word: str) -> bool:
    until = time.monotonic() + 10
    while running(word):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


# --- what it says and does --------------------------------------------------------------------------


async def test_text_streams_in_and_is_the_answer(desk: TestDesk) -> None:
    finished, seen = await turn(desk, "!say hello dear world")

    assert finished is not None
    assert finished.text == "hello dear world"
    assert said(seen).strip() == finished.text
    assert len([each for each in seen if isinstance(each, TextDelta)]) == 3
    assert (finished.usage.input_tokens, finished.usage.output_tokens) == (20, 10)
    assert finished.usage.cost_micros is None


async def test_thoughts_plan_and_tool_calls_are_told(desk: TestDesk) -> None:
    _, seen = await turn(desk, "!think hm\n!plan look write\n!tool a.txt new\n!say done")

    told = [each for each in seen if isinstance(each, Progress)]
    assert ReasoningDelta("hm") in seen
    assert [(each.kind, each.title, each.status) for each in told] == [
        ("plan", "2 of 2 done", "running"),
        ("tool", "Edit a.txt", "running"),
        ("tool", "Edit a.txt", "completed"),
    ]
    assert "+new" in told[-1].data["diff"]
    assert "a/a.txt" in told[-1].data["diff"]


async def test_a_file_that_was_asked_for_is_the_answer_byte_for_byte(desk: TestDesk) -> None:
    text = "```\\nnot the end\\n```\\r\\n\\ttabs  \\n\\n"
    script = f"!write notes/a.md {text}\n!say I wrote it"

    finished, seen = await turn(desk, script, target="notes/a.md")

    assert finished is not None
    assert file_in(finished.text, "notes/a.md") == text.replace("\\n", "\n").replace("\\r", "\\r")
    assert finished.text.startswith("I wrote it")
    assert "not the end" in said(seen)


async def test_a_variation_that_is_the_old_text_is_no_answer(desk: TestDesk) -> None:
    place = desk.base / "place" / "project"
    place.mkdir(parents=True)
    (place / "a.txt").write_text("old\n")

    with pytest.raises(Incomplete, match=r"left a\.txt as it was"):
        await turn(desk, "!say done", target="a.txt", purpose="vary")


async def test_json_is_what_it_says_last(desk: TestDesk) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}

    finished, _ = await turn(desk, '!say I {"n": 1}\n!tool a b\n!say {"n": 2}', json_schema=schema)

    assert finished is not None
    assert finished.text == '{"n": 2}'


async def test_files_are_read_and_written_through_flowide_too(desk: TestDesk) -> None:
    finished, _ = await turn(desk, "!fswrite sub/a.txt through\n!fsread sub/a.txt")

    assert finished is not None
    assert finished.text == "through"
    assert (desk.base / "place/project/sub/a.txt").read_text() == "through"


async def test_flowide_writes_nothing_outside_for_it(desk: TestDesk) -> None:
    outside = desk.base / "outside.txt"
    (desk.base / "out").mkdir()
    script = f"!fswrite {outside} x\n!link l {desk.base}/out\n!fswrite l/b.txt x\n!fswrite ../../up.txt x"

    finished, seen = await turn(desk, script)

    assert finished is not None
    assert finished.text.count("refused") == 3
    assert not outside.exists()
    assert not (desk.base / "up.txt").exists()
    assert list((desk.base / "out").iterdir()) == []
    assert len([each for each in seen if isinstance(each, Progress) and each.id == "refused"]) == 3


async def test_commands_run_for_it_in_its_folder_and_their_output_is_told(desk: TestDesk) -> None:
    finished, _ = await turn(desk, "!write a.txt x\n!run ls; exit 4")

    assert finished is not None
    assert finished.text == "a.txt (4)"


async def test_what_is_no_message_and_news_of_the_future_are_passed_over(
    desk: TestDesk, capfd: pytest.CaptureFixture[str]
) -> None:
    finished, _ = await turn(desk, "!noise Debugger attached.\n!say fine")

    assert finished is not None
    assert finished.text == "fine"
    assert capfd.readouterr().err == ""


# --- modes, permissions, keys -----------------------------------------------------------------------


async def test_an_agent_that_starts_without_asking_is_set_to_ask(desk: TestDesk) -> None:
    finished, seen = await turn(desk, "!ids", agent("--modes"))

    assert finished is not None
    assert " default " in finished.text
    assert any(isinstance(each, Progress) and "mode default" in each.title for each in seen)


@pytest.mark.parametrize(
    ("answer", "option"), [("once", "x3"), ("session", "x3"), ("always", "x3"), ("deny", "x1")]
)
async def test_an_option_is_chosen_by_what_it_means(desk: TestDesk, answer: str, option: str) -> None:
    desk.answers = [answer]  # type: ignore[list-item]

    finished, _ = await turn(desk, "!permit execute rm -rf build")

    assert finished is not None
    assert finished.text == f"<{option}>"
    [question] = desk.asked
    assert (question.kind, question.command, question.scope) == ("execute", "rm -rf build", "execute rm")


async def test_what_was_denied_is_not_done(desk: TestDesk) -> None:
    finished, _ = await turn(desk, "!permit edit a.txt\n!write a.txt x")

    assert finished is not None
    assert not (desk.base / "place/project/a.txt").exists()


async def test_a_question_that_nobody_can_answer_ends_the_turn(desk: TestDesk) -> None:
    desk.answers = [NeedsInput("somebody must say")]

    with pytest.raises(NeedsInput):
        await turn(desk, "!permit edit a.txt\n!hang")


async def test_time_a_person_takes_to_answer_does_not_count(desk: TestDesk) -> None:
    desk.pause_s, desk.answers = 6.0, ["once"]

    finished, _ = await turn(desk, "!permit edit a.txt\n!say done", deadline_s=5.0)

    assert finished is not None
    assert "<x3>" in finished.text


async def test_keys_it_was_not_given_do_not_reach_it(desk: TestDesk) -> None:
    env = {"OPENAI_API_KEY": "sk-secret", "MY_KEY": "mine"}

    finished, _ = await turn(desk, "!env OPENAI_API_KEY\n!env MY_KEY\n!env HOME", agent(env=["MY_KEY"]), env)

    assert finished is not None
    assert finished.text.split()[:2] == ["[]", "[mine]"]


async def test_an_agent_without_an_account_says_so(desk: TestDesk) -> None:
    with pytest.raises(AuthFailed):
        await turn(desk, "!say hello", agent("--auth"))


# --- staying inside ---------------------------------------------------------------------------------


@pytest.mark.skipif(not confinement().works, reason="this system cannot confine")
async def test_it_cannot_write_outside_of_its_place(desk: TestDesk) -> None:
    desk.base.joinpath("there.txt").write_text("kept")
    script = f"!write {desk.base}/there.txt lost\n!write {desk.base}/new.txt x\n!run echo x > {desk.base}/there.txt"

    finished, _ = await turn(desk, script)

    assert finished is not None
    assert finished.text.count("(no:") == 2
    assert desk.base.joinpath("there.txt").read_text() == "kept"
    assert not desk.base.joinpath("new.txt").exists()


# --- ends -------------------------------------------------------------------------------------------


async def test_a_flood_of_complaints_does_not_stop_it(desk: TestDesk) -> None:
    finished, _ = await turn(desk, "!flood 300\n!say done")

    assert finished is not None
    assert finished.text == "done"


async def test_its_log_does_not_grow_without_end(desk: TestDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowide.agents.acp.turn.MAX_LOG", 100_000)
    monkeypatch.setattr("flowide.agents.acp.turn.LOOK_S", 0.05)

    await turn(desk, "!flood 300\n!sleep 0.5\n!flood 1\n!say done")

    assert (desk.base / "logs" / "stderr.log").stat().st_size < 100_000


async def test_a_broken_stream_is_no_answer(desk: TestDesk) -> None:
    with pytest.raises(Incomplete, match="in the middle of a message"):
        await turn(desk, "!say half of\n!break")


async def test_a_crash_tells_the_last_words_of_its_log_without_keys(desk: TestDesk) -> None:
    with pytest.raises(Incomplete, match="I give up") as caught:
        await turn(desk, "!say half of\n!exit 3")

    assert "sk-abcdefghijklmnop" not in str(caught.value)


async def test_a_program_that_speaks_no_acp_is_told_by_what_it_said(desk: TestDesk) -> None:
    definition = AgentDefinition(
        handle="doer", name="Doer", backend="acp", command=["/bin/sh", "-c", "echo usage: sh; exit 2"]
    )

    with pytest.raises(Incomplete, match="usage: sh"):
        await turn(desk, "!say hello", definition)


async def test_a_program_that_never_answers_is_not_waited_for(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowide.agents.acp.turn.START_S", 0.5)
    definition = AgentDefinition(handle="doer", name="Doer", backend="acp", command=["sleep", "4711"])

    with pytest.raises(Unavailable, match="to start"):
        await turn(desk, "!say hello", definition)

    assert none_left("sleep 4711")


async def test_a_program_that_is_not_there_says_how_to_get_it(desk: TestDesk) -> None:
    definition = AgentDefinition(handle="goose", name="Goose", backend="acp", recipe="goose")

    with pytest.raises(NotFound, match="goose is not installed") as caught:
        await turn(desk, "!say hello", definition, {"PATH": "/nowhere"})

    assert "nstall" in caught.value.hint


async def test_an_agent_of_another_age_is_refused(desk: TestDesk) -> None:
    with pytest.raises(Unavailable, match="version 99"):
        await turn(desk, "!say hello", agent("--future"))


@pytest.mark.parametrize(
    ("reason", "error"),
    [("refusal", Rejected), ("max_tokens", Incomplete), ("max_turn_requests", Incomplete)],
)
async def test_an_answer_that_was_cut_off_is_none(
    desk: TestDesk, reason: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await turn(desk, f"!say half\n!stop {reason}")


async def test_an_error_is_told_in_its_words(desk: TestDesk) -> None:
    with pytest.raises(Unavailable, match="the model is overloaded"):
        await turn(desk, "!error the model is overloaded")


async def test_the_deadline_ends_a_turn_that_listens(desk: TestDesk) -> None:
    with pytest.raises(Unavailable, match="did not end within"):
        await turn(desk, "!hang", deadline_s=0.5)


@linux
async def test_one_that_ignores_everything_is_ended_with_all_its_children(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowide.agents.acp.turn.CANCEL_S", 0.3)
    mark = f"72{os.getpid()}.5"

    with pytest.raises(Unavailable, match="did not end within"):
        await turn(
            desk, "!fork\n!hang", agent("--deaf", env=["AGENT_MARK"]), {"AGENT_MARK": mark}, deadline_s=1.0
        )

    assert none_left(mark)
    assert none_left(f"{desk.base}/nothing|agent.py --deaf")


@linux
async def test_a_child_that_stays_after_a_good_turn_is_ended(desk: TestDesk) -> None:
    mark = f"73{os.getpid()}.5"

    finished, _ = await turn(desk, "!fork\n!say done", agent(env=["AGENT_MARK"]), {"AGENT_MARK": mark})

    assert finished is not None
    assert none_left(mark)


@linux
async def test_a_turn_that_is_called_off_leaves_no_process(desk: TestDesk) -> None:
    mark = f"74{os.getpid()}.5"
    backend = AcpBackend(
        agent("--deaf", mark, env=["AGENT_MARK"]), env={**os.environ, "AGENT_MARK": mark}, desk=desk
    )
    request = Request(agent="doer", purpose="discuss", messages=[Message("user", "!fork\n!say on\n!hang")])

    async with aclosing(backend.stream(request)) as stream:  # type: ignore[type-var]
        async for delta in stream:
            if isinstance(delta, TextDelta):
                break

    assert none_left(mark)


async def test_an_early_end_of_the_pool_ends_its_turns(desk: TestDesk) -> None:
    backend = AcpBackend(agent(), env=dict(os.environ), desk=desk)
    request = Request(agent="doer", purpose="discuss", messages=[Message("user", "!say on\n!hang")])
    stream = backend.stream(request)
    first = await anext(aiter(stream))

    await backend.close()
    with pytest.raises(asyncio.CancelledError):
        async for _ in stream:
            pass

    assert isinstance(first, TextDelta)


# --- sessions ---------------------------------------------------------------------------------------


async def test_an_earlier_session_is_gone_on_with_and_its_old_words_are_not_said_again(
    desk: TestDesk,
) -> None:
    able = agent("--load", str(desk.base / "place" / "sessions"))
    first, _ = await turn(desk, "!ids", able)

    second, seen = await turn(desk, "!ids", able)

    assert isinstance(first, Finished)
    assert isinstance(second, Finished)
    assert first.text.split()[0] == second.text.split()[0]
    assert "long ago" not in said(seen)


async def test_a_session_that_is_gone_gives_way_to_a_new_one(desk: TestDesk) -> None:
    desk.session = "lost"

    finished, seen = await turn(desk, "!say hello", agent("--load", str(desk.base / "place" / "sessions")))

    assert isinstance(finished, Finished)
    assert any(isinstance(each, Progress) and each.id == "session" for each in seen)


async def test_a_recipe_s_variable_for_trusted_projects_is_set_in_no_other(desk: TestDesk) -> None:
    from flowide.agents.acp.equipment import environment
    from flowide.agents.acp.recipes import recipes
    from tests.agents.acp.desks import TestSeat

    gemini, name = recipes()["gemini"], "GEMINI_CLI_TRUST_WORKSPACE"
    assert name not in environment(agent(), gemini, {}, TestSeat(desk))
    desk.trusted = True
    assert environment(agent(), gemini, {}, TestSeat(desk))[name] == "true"
    assert environment(agent(), gemini, {name: "false"}, TestSeat(desk))[name] == "false"


@pytest.mark.parametrize("reason", ["cancelled", "end_turn"])
async def test_an_agent_that_stops_without_a_word_when_it_is_denied_something_is_told_so(
    desk: TestDesk, reason: str
) -> None:
    """Codex says that it was cancelled then, OpenCode that it is done."""
    desk.answers = ["deny"]

    with pytest.raises(Incomplete, match=r"@doer stopped when it was denied execute: npm test") as caught:
        await turn(desk, "!permit execute npm test", agent("--sulk", reason))

    assert "--allow" in caught.value.hint


async def test_what_was_asked_for_counts_although_something_else_was_denied(desk: TestDesk) -> None:
    desk.answers = ["deny"]

    finished, _ = await turn(
        desk, "!write a.md x\n!permit execute npm test", agent("--sulk", "end_turn"), target="a.md"
    )

    assert finished is not None
    assert file_in(finished.text, "a.md") == "x"
