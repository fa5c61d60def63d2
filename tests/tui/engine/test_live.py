"""What a run of this process writes, as the app sees it."""

from __future__ import annotations

from flowide.tui.engine.mixing import MOST_COMPARED, step_text
from flowide.tui.engine.news import News
from flowide.tui.engine.place import Place
from flowide.tui.engine.running import Watcher
from flowide.tui.engine.session import Session


async def never() -> Place:
    raise AssertionError("nothing is opened here")


async def test_a_very_long_answer_is_seen_to_its_end_and_the_grid_takes_its_beginning() -> None:
    told: list[News] = []
    session = Session(never, told.append)
    watcher = Watcher(session, "run")
    part = "word " * 10_000
    for _ in range(40):
        watcher.delta("step", "edwin", part, restart=False)
    watcher.delta("step", "edwin", "the end", restart=False)

    text = session.live["run"]["step"].text
    assert len(text) == 40 * len(part) + 7
    assert text.endswith("the end")
    assert await step_text(session, "run", "step") == text[:MOST_COMPARED]
    assert len(told) == 41
