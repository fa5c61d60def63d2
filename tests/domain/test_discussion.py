"""Who is asked, how long agents go on among themselves, and that people win."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.domain import commands as c
from flowide.domain import rows as r
from flowide.domain.actors import Actor
from flowide.errors import BadInput, Busy, Exists, FlowError, Gone, NotAllowed, NotFound
from tests.domain.board import ANA, EDWIN, ROD, Board

QUINN = Actor("quinn", "agent", "ana")
AGENTS = {"edwin": EDWIN, "quinn": QUINN}


@pytest.fixture
def thread(board: Board) -> str:
    board.do(c.OpenThread(thread="t", title="Eviction"))
    return "t"


def say(board: Board, actor: Actor, text: str, **more: Any) -> c.Posted:
    mentions = more.pop("mentions", [name for name in AGENTS if f"@{name}" in text])
    posted: c.Posted = board.do(
        c.PostMessage(thread="t", text=text, mentions=mentions, **{"message": f"m{len(board.log)}", **more}),
        actor,
    )
    return posted


def message(board: Board, number: int) -> r.Message:
    found = board.get(r.Message, "t", number)
    assert found is not None
    return found


def turns(board: Board, **equal: Any) -> list[tuple[str, str]]:
    return [(each.agent, each.state) for each in board.find(r.Turn, order="seq", **equal)]


def test_only_mentioned_agents_are_asked(board: Board, thread: str) -> None:
    posted = say(board, ANA, "@quinn what do you think?")

    assert (posted.number, posted.asks) == (1, ["quinn"])
    assert turns(board) == [("quinn", "waiting")]


def test_nobody_is_asked_by_a_plain_message(board: Board, thread: str) -> None:
    assert say(board, ANA, "Good morning").asks == []


def test_the_default_agent_answers_people_who_mention_nobody(board: Board) -> None:
    board.do(c.OpenThread(thread="t", title="x", agent="edwin"))

    assert say(board, ANA, "Good morning").asks == ["edwin"]
    assert say(board, ANA, "@quinn and you?").asks == ["quinn"]
    assert say(board, QUINN, "Good morning").asks == []


def test_the_default_agent_can_be_changed(board: Board, thread: str) -> None:
    board.do(c.SetThreadAgent(thread="t", agent="quinn"))
    assert say(board, ANA, "hello").asks == ["quinn"]

    board.do(c.SetThreadAgent(thread="t"))
    assert say(board, ANA, "hello").asks == []


def test_all_asks_every_agent_that_is_named_by_the_sender(board: Board, thread: str) -> None:
    assert say(board, ANA, "@all hello", mentions=["edwin", "quinn"]).asks == ["edwin", "quinn"]


def test_nobody_is_asked_whom_the_text_does_not_mention(board: Board, thread: str) -> None:
    with pytest.raises(BadInput):
        say(board, ANA, "hello", mentions=["edwin"])
    with pytest.raises(BadInput):
        say(board, ANA, "`@edwin`", mentions=["edwin"])


def test_agents_mention_agents_up_to_the_depth(board: Board) -> None:
    board.do(c.OpenThread(thread="t", title="x", depth=2))
    say(board, ANA, "@edwin begin")

    asked = []
    for n in range(1, 6):
        who, other = (EDWIN, "quinn") if n % 2 else (QUINN, "edwin")
        asked.append(say(board, who, f"@{other} go on", reply_to=message(board, n).id))

    assert [each.asks for each in asked[:2]] == [["quinn"], ["edwin"]]
    unasked = [one for each in asked[2:] for one in each.unasked]
    assert unasked == [{"agent": agent, "why": "depth"} for agent in ("quinn", "edwin", "quinn")]


def test_depth_nought_keeps_agents_from_asking_each_other(board: Board) -> None:
    board.do(c.OpenThread(thread="t", title="x", depth=0))
    say(board, ANA, "@edwin hello")

    assert say(board, EDWIN, "@quinn?", reply_to=message(board, 1).id).asks == []


def test_agents_stop_asking_each_other_at_the_rate_until_a_person_speaks(board: Board) -> None:
    board.do(c.OpenThread(thread="t", title="x", depth=20, rate=3))
    say(board, ANA, "@edwin hello")
    unasked = []
    for n in range(1, 6):
        who, other = (EDWIN, "quinn") if n % 2 else (QUINN, "edwin")
        unasked.append(say(board, who, f"@{other}", reply_to=message(board, n).id).unasked)

    assert [bool(each) for each in unasked] == [False, False, True, True, True]
    say(board, ANA, "@edwin once more")
    assert say(board, EDWIN, "@quinn", reply_to=message(board, 7).id).asks == ["quinn"]


def test_an_agent_that_speaks_unasked_does_not_begin_a_new_chain(board: Board) -> None:
    board.do(c.OpenThread(thread="t", title="x", depth=1))
    say(board, ANA, "@edwin hello")
    say(board, EDWIN, "@quinn", reply_to=message(board, 1).id)

    assert say(board, QUINN, "@edwin again").unasked == [{"agent": "edwin", "why": "depth"}]


def test_an_agent_does_not_ask_itself(board: Board, thread: str) -> None:
    say(board, ANA, "@edwin hello")

    assert say(board, EDWIN, "@edwin again", reply_to=message(board, 1).id).unasked == [
        {"agent": "edwin", "why": "self"}
    ]


@given(
    st.lists(st.sampled_from(["edwin", "quinn", "both"]), min_size=1, max_size=60),
    st.integers(0, 6),
    st.integers(0, 12),
)
def test_agents_that_mention_each_other_for_ever_end(said: list[str], depth: int, rate: int) -> None:
    board = Board()
    board.do(c.OpenThread(thread="t", title="x", depth=depth, rate=rate))
    say(board, ANA, "@edwin @quinn")
    answers = 0
    while waiting := board.find(r.Turn, state="waiting", order="seq", limit=1):
        what = said[answers % len(said)]
        text = "@edwin @quinn" if what == "both" else f"@{what}"
        say(board, AGENTS[waiting[0].agent], text, reply_to=waiting[0].message)
        answers += 1

    assert answers <= max(2, min(2 ** (depth + 2), rate))


def test_a_person_stops_what_agents_asked_of_each_other_but_not_what_people_asked(
    board: Board, thread: str
) -> None:
    say(board, ANA, "@edwin hello")
    say(board, ANA, "@quinn hello")
    say(board, EDWIN, "@quinn what about it?", reply_to=message(board, 1).id)
    assert turns(board, state="waiting") == [("quinn", "waiting"), ("quinn", "waiting")]

    say(board, ROD, "Wait.")

    assert turns(board, asker_kind="agent") == [("quinn", "stopped")]
    assert turns(board, state="waiting") == [("quinn", "waiting")]
    with pytest.raises(Gone) as refused:
        say(board, QUINN, "My answer", reply_to=message(board, 3).id)
    assert "@rod spoke" in refused.value.message


def test_an_answer_settles_its_turn_once(board: Board, thread: str) -> None:
    say(board, ANA, "@edwin hello")
    say(board, EDWIN, "Hello", reply_to=message(board, 1).id)

    [turn] = board.find(r.Turn)
    assert (turn.state, turn.reply) == ("answered", message(board, 2).id)
    with pytest.raises(Gone):
        say(board, EDWIN, "Hello again", reply_to=message(board, 1).id)


@pytest.fixture
def run(board: Board, thread: str) -> str:
    board.do(c.StartRun(run="r", flow="f", flow_sha256="", flow_text="", ttl_ms=5000))
    say(board, ANA, "@edwin hello")
    return "r"


def test_a_turn_is_written_by_one_run_until_its_process_is_gone(board: Board, run: str) -> None:
    ask = message(board, 1).id
    board.do(c.StartRun(run="r2", flow="f", flow_sha256="", flow_text="", ttl_ms=500_000))
    board.do(c.TakeTurn(run="r", fence=1, message=ask, agent="edwin", step="s"))

    with pytest.raises(Busy):
        board.do(c.TakeTurn(run="r2", fence=1, message=ask, agent="edwin", step="s"))
    board.sleep(6000)
    board.do(c.TakeTurn(run="r2", fence=1, message=ask, agent="edwin", step="s"))

    [turn] = board.find(r.Turn)
    assert (turn.state, turn.run, turn.step) == ("taken", "r2", "s")


def test_taking_a_turn_again_changes_nothing(board: Board, run: str) -> None:
    take = c.TakeTurn(run="r", fence=1, message=message(board, 1).id, agent="edwin", step="s")
    board.do(take)
    before = len(board.log)

    board.do(take)

    assert len(board.log) == before


def test_a_failed_answer_can_be_asked_for_again(board: Board, run: str) -> None:
    ask = message(board, 1).id
    board.do(
        c.FailTurn(run="r", fence=1, message=ask, agent="edwin", error={"code": "auth", "message": "no key"})
    )
    assert turns(board) == [("edwin", "failed")]

    board.do(c.AskAgent(message=ask, agent="edwin"))

    assert turns(board) == [("edwin", "waiting")]
    with pytest.raises(Exists):
        board.do(c.AskAgent(message=ask, agent="edwin"))


def test_a_turn_that_is_stopped_is_not_taken(board: Board, run: str) -> None:
    ask = message(board, 1).id
    board.do(c.StopTurn(message=ask, agent="edwin"))

    with pytest.raises(Gone):
        board.do(c.TakeTurn(run="r", fence=1, message=ask, agent="edwin", step="s"))


@pytest.mark.parametrize(
    "command", [c.AskAgent(message="m", agent="quinn"), c.StopTurn(message="m", agent="quinn")]
)
def test_agents_do_not_decide_whose_turn_it_is(board: Board, thread: str, command: Any) -> None:
    with pytest.raises(NotAllowed):
        board.do(command, EDWIN)


def test_only_people_have_something_changed(board: Board, thread: str, doc: str) -> None:
    say(board, ANA, "@edwin fix #doc.md", edits={"edwin": doc})
    assert [each.edit for each in board.find(r.Turn)] == [doc]

    with pytest.raises(BadInput):
        say(board, EDWIN, "@quinn fix #doc.md", edits={"quinn": doc}, reply_to=message(board, 1).id)


def test_pins_are_kept_and_let_go(board: Board, thread: str, doc: str) -> None:
    board.do(c.PinArtifact(thread="t", about=doc))
    board.do(c.PinArtifact(thread="t", about=doc, version=1))

    [row] = board.find(r.Thread)
    assert row.pins == [{"artifact": doc, "version": 1}]
    with pytest.raises(NotFound):
        board.do(c.PinArtifact(thread="t", about=doc, version=9))
    board.do(c.PinArtifact(thread="t", about=doc, on=False))
    assert board.find(r.Thread)[0].pins == []
    with pytest.raises(NotFound):
        board.do(c.PinArtifact(thread="t", about=doc, on=False))


@pytest.mark.parametrize(
    "command",
    [
        c.OpenThread(title=" "),
        c.OpenThread(title="x" * 300),
        c.OpenThread(title="x", depth=99),
        c.OpenThread(title="x", rate=-1),
        c.OpenThread(title="x", about="nothing"),
        c.OpenThread(thread="t", title="x"),
        c.PostMessage(thread="u", text="x"),
        c.PostMessage(thread="t", text=" \n"),
        c.PostMessage(thread="t", text="x" * 70_000),
        c.PostMessage(thread="t", text="\ud800"),
        c.PinArtifact(thread="t", about="nothing"),
        c.AskAgent(message="m", agent="edwin"),
    ],
)
def test_bad_input_changes_nothing(board: Board, thread: str, command: Any) -> None:
    before = len(board.log)

    with pytest.raises(FlowError) as refused:
        board.do(command)

    assert refused.value.exit_code == 2
    assert len(board.log) == before
