"""Whatever a server does, a call has a result or an error that says why, in time, and nothing of it is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest
from msgspec import structs

from flowide.agents.tools import connection, stdio
from flowide.agents.tools.connection import Connection
from flowide.errors import AuthFailed, Unavailable
from flowide.text import printable
from tests.agents.tools.conftest import SECRET, Connect
from tests.sleeping import sleeping, unique


async def child_of(connection: Connection) -> tuple[int, int]:
    """A process that a server leaves behind: how many seconds it sleeps, and the server's id."""
    seconds = unique()
    await connection.call("child", {"seconds": seconds})
    [process] = sleeping(seconds)
    return seconds, int(Path(f"/proc/{process}/stat").read_text().split()[3])


async def gone(seconds: int) -> bool:
    """Whether the process that sleeps so long ends, at last."""
    until = time.monotonic() + 20
    while sleeping(seconds) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    return not sleeping(seconds)


def patient(bad: Connection, seconds: float) -> None:
    """From now on nothing may be silent for longer."""
    bad.server = structs.replace(bad.server, spec=structs.replace(bad.server.spec, timeout_s=seconds))


async def test_a_server_is_started_by_the_first_question_only(connect: Connect) -> None:
    bad = connect()

    assert not bad.running
    found = await bad.tools()

    assert bad.running
    echo = next(each for each in found if each.name == "echo")
    assert (echo.description, echo.schema["required"]) == ("Says it again.", ["text"])


async def test_words_pictures_and_data_come_apart(connect: Connect) -> None:
    bad = connect()

    words, shown = await bad.call("echo", {"text": "Ça va?"}), await bad.call("picture", {})

    assert (words.text, words.data) == ("Ça va?", {"result": "Ça va?"})
    assert shown.text.startswith("[picture: image/png")
    assert [image.mime for image in shown.images] == ["image/png"]
    assert shown.images[0].data.startswith(b"\x89PNG")


async def test_a_tool_that_cannot_do_it_says_so_as_a_result(connect: Connect) -> None:
    answer = await connect().call("fail", {"why": "no"})

    assert answer.failed


async def test_calls_at_the_same_time_do_not_wait_for_each_other(connect: Connect) -> None:
    bad = connect()
    await bad.tools()

    slow = asyncio.create_task(bad.call("hang", {"seconds": 60}))
    quick = await bad.call("echo", {"text": "first"})

    assert (quick.text, slow.done()) == ("first", False)
    slow.cancel()


async def test_a_server_that_dies_is_told_with_its_last_words_and_started_again(connect: Connect) -> None:
    bad = connect()

    with pytest.raises(Unavailable, match=r"died during the tool die.*broken heart"):
        await bad.call("die", {})

    assert (await bad.call("echo", {"text": "again"})).text == "again"


async def test_a_server_that_keeps_dying_is_given_up(connect: Connect) -> None:
    bad = connect()
    for _ in range(connection.RESTARTS + 1):
        with pytest.raises(Unavailable, match="died during"):
            await bad.call("die", {})

    with pytest.raises(Unavailable, match="died 4 times and is not started again"):
        await bad.call("echo", {"text": "x"})


async def test_a_server_that_is_killed_from_outside_is_noticed_at_the_next_call(connect: Connect) -> None:
    bad = connect()
    child, server = await child_of(bad)

    os.kill(server, signal.SIGKILL)
    assert await gone(child)

    with contextlib.suppress(Unavailable):  # it may not have been noticed yet
        await bad.call("echo", {"text": "who is there?"})
    assert (await bad.call("echo", {"text": "again"})).text == "again"


async def test_a_call_is_bounded_when_nothing_is_heard(connect: Connect) -> None:
    bad = connect()
    await bad.tools()
    patient(bad, 1.0)

    with pytest.raises(Unavailable, match="the tool hang did not answer within 1 s"):
        await bad.call("hang", {"seconds": 600})


async def test_progress_is_told_and_keeps_a_call_alive(connect: Connect) -> None:
    bad = connect()
    heard: list[tuple[float, float | None, str]] = []
    await bad.tools()
    patient(bad, 4.0)

    answer = await bad.call("progress", {"steps": 9, "pause": 0.6}, progress=lambda *told: heard.append(told))

    assert answer.text == "done"
    assert heard[0] == (1, 9, "step 1")
    assert len(heard) == 9


async def test_a_cancelled_call_is_cancelled_at_the_server(connect: Connect, tmp_path: Path) -> None:
    bad, mark = connect(writes=[str(tmp_path)]), tmp_path / "mark"
    await bad.tools()
    call = asyncio.create_task(bad.call("hang", {"seconds": 600, "mark": str(mark)}))
    await asyncio.sleep(0.5)

    call.cancel()
    await asyncio.wait({call})

    until = time.monotonic() + 20
    while not mark.exists() and time.monotonic() < until:
        await asyncio.sleep(0.05)
    assert mark.read_text() == "cancelled"
    assert (await bad.call("echo", {"text": "still there"})).text == "still there"


async def test_one_that_hangs_at_its_start_is_given_up(connect: Connect) -> None:
    with pytest.raises(Unavailable, match="did not start: it did not answer within 2 s"):
        await connect("hangs", timeout_s=2.0).tools()


async def test_one_that_ends_at_its_start_is_told_with_what_it_said(connect: Connect) -> None:
    with pytest.raises(Unavailable, match=r"did not start.*there is no database"):
        await connect("dies").tools()


async def test_a_program_that_is_not_there_is_named(connect: Connect) -> None:
    with pytest.raises(Unavailable, match="no program no-such-program-here"):
        await connect(command="no-such-program-here").tools()


async def test_what_is_printed_to_the_wrong_place_does_no_harm(connect: Connect) -> None:
    bad = connect("noisy")

    assert (await bad.call("echo", {"text": "hi"})).text == "hi"
    assert (await bad.call("chatter", {"kilobytes": 2000})).text == "said"


async def test_a_line_without_an_end_costs_bounded_memory_and_the_server(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdio, "LONGEST_LINE", 4 * 1024 * 1024)

    with pytest.raises(Unavailable, match="a message of more than 4 MiB"):
        await connect().call("flood", {"megabytes": 64})


async def test_much_text_comes_whole(connect: Connect) -> None:
    answer = await connect().call("huge", {"characters": 1_000_000})

    assert len(answer.text) == 1_000_000


async def test_control_sequences_come_as_text_for_whoever_shows_it(connect: Connect) -> None:
    answer = await connect().call("controls", {})

    assert "\x1b" in answer.text
    assert printable(answer.text) == "red txt.exe [bold]not markup[/bold]"


async def test_a_server_sees_no_keys_but_those_it_is_given(connect: Connect) -> None:
    around = {"TOKEN_OF_IT": "t-123456", "OTHER_TOKEN": "t-654321"}

    plain = await connect(env=around).call("environment", {})
    given = await connect(env=around, given={"TOKEN": "${TOKEN_OF_IT}"}).call("environment", {})

    assert SECRET not in plain.text
    assert not {"OPENAI_API_KEY", "TOKEN_OF_IT", "OTHER_TOKEN"} & set(plain.data)
    assert set(given.data) - set(plain.data) == {"TOKEN"}
    assert given.data["TOKEN"] == "t-123456"


async def test_nothing_is_left_of_a_server_whatever_it_started(connect: Connect) -> None:
    bad = connect()
    child, _ = await child_of(bad)
    folder = (await bad.call("environment", {})).data["TMPDIR"]

    await bad.close()

    assert await gone(child)
    assert not Path(folder).exists()


async def test_nothing_is_left_of_a_server_when_its_user_is_killed(connect: Connect) -> None:
    child = unique()
    program = (
        "import asyncio, os\n"
        "from pathlib import Path\n"
        "from flowide.agents.tools.connection import Connection\n"
        "from tests.agents.tools.conftest import server\n"
        "async def main():\n"
        "    bad = Connection(server(), root=Path.cwd(), env=dict(os.environ))\n"
        f"    print((await bad.call('child', {{'seconds': {child}}})).text, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    root = str(Path(__file__).parents[3])
    user = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert user.stdout is not None
    assert await user.stdout.readline()
    assert sleeping(child)

    user.kill()
    await user.wait()

    assert await gone(child)
    stdio.clear_up.cache_clear()
    await connect().tools()
    left = Path(tempfile.gettempdir()).glob(f"flowide-tools-{user.pid}-*")
    assert list(left) == []


async def test_a_server_cannot_write_where_it_has_no_business(connect: Connect, tmp_path: Path) -> None:
    from flowide.confinement.methods import confinement

    if not confinement().works:
        pytest.skip(confinement().told())
    bad = connect()
    outside = tmp_path / "outside"

    answer = await bad.call("write", {"path": str(outside), "text": "x"})

    assert answer.failed
    assert not outside.exists()


async def test_a_variable_that_is_missing_is_named(connect: Connect) -> None:
    with pytest.raises(AuthFailed, match="needs NO_SUCH_TOKEN"):
        await connect("${NO_SUCH_TOKEN}").tools()


async def test_resources_and_prompts_can_be_had(connect: Connect) -> None:
    bad = connect()

    assert [each["uri"] for each in await bad.resources()] == ["memo://greeting"]
    assert "Hello from a resource" in (await bad.read("memo://greeting")).text
    assert [each["name"] for each in await bad.prompts()] == ["review"]
    assert await bad.prompt("review", {"what": "locks"}) == "user: Please review locks."


async def test_resources_and_prompts_are_tools_too(connect: Connect) -> None:
    bad = connect()

    found = {each.name: each for each in await bad.tools()}

    assert "memo://greeting" in found["read_resource"].description
    assert "review(what)" in found["get_prompt"].description
    assert "Hello from" in (await bad.call("read_resource", {"uri": "memo://greeting"})).text
    told = await bad.call("get_prompt", {"name": "review", "arguments": {"what": "locks"}})
    assert told.text == "user: Please review locks."


async def test_a_server_that_is_called_over_http_works_the_same(
    connect: Connect, unused_tcp_port: int
) -> None:
    from tests.agents.tools.conftest import MISBEHAVING

    serving = await asyncio.create_subprocess_exec(
        sys.executable, MISBEHAVING, "http", str(unused_tcp_port), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 30
        bad = connect(command="", args=[], url=f"http://127.0.0.1:{unused_tcp_port}/mcp", timeout_s=10.0)
        while True:
            try:
                await bad.tools()
                break
            except Unavailable:
                assert time.monotonic() < until
                await asyncio.sleep(0.2)

        assert (await bad.call("echo", {"text": "over http"})).text == "over http"
        with pytest.raises(Unavailable):
            await bad.call("die", {})
        with pytest.raises(Unavailable, match="did not start"):
            await bad.call("echo", {"text": "nobody there"})
    finally:
        if serving.returncode is None:
            serving.kill()
        await serving.wait()
