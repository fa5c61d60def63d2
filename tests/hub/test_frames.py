"""Frames that nobody would send: each is answered or refused, and the hub goes on."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from flowide.domain.commands import COMMANDS
from flowide.space.wire.calls import QUERIES
from tests.hub.client import Person, chained
from tests.hub.conftest import RunningHub, token_of

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
NAMES = sorted({*COMMANDS, *QUERIES, "x"})
ARGS = st.dictionaries(
    st.sampled_from(
        ["artifact", "fence", "base", "text", "off", "path", "cmds", "ttl_ms", "wait", "run", "ref", "member", "role",
         "code", "digest", "set", "number", "thread", "title", "version"]
    ),
    VALUES,
    max_size=5,
)  # fmt: skip
CALLS = st.fixed_dictionaries(
    {"id": st.text(max_size=8), "cmd": st.sampled_from(NAMES)}, optional={"args": ARGS | VALUES}
)
FRAMES = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("cmds"), "client": st.text(max_size=5), "cmds": st.lists(CALLS, max_size=4)},
        optional={"as": VALUES, "deadline_ms": SCALARS},
    ),
    st.fixed_dictionaries({"type": st.just("ask"), "call": CALLS}),
    st.fixed_dictionaries(
        {"type": st.just("sub"), "drafts": st.lists(st.text(max_size=5), max_size=3)},
        optional={"runs": VALUES, "at": SCALARS, "at_thread": SCALARS, "at_run": SCALARS},
    ),
    st.fixed_dictionaries({"type": st.sampled_from(["pong", "hello", "bye"]), "t": SCALARS}),
    VALUES,
)


@pytest.fixture(scope="module")
def eve(hub: RunningHub) -> Person:
    """A member who sends anything."""
    return Person(hub.base, "frames", token_of(hub.database, "frames", "eve"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(frames=st.lists(FRAMES, min_size=1, max_size=6))
def test_any_frame_is_answered_or_refused(eve: Person, frames: list[Any]) -> None:
    with eve.stream() as stream:
        stream.until("hello")
        try:
            for frame in frames:
                stream.send(json.dumps(frame))
            stream.send({"type": "ask", "call": {"id": "last", "cmd": "Artifacts"}})
            while [result["id"] for result in stream.until("res")["results"]] != ["last"]:
                pass
        except ConnectionClosed:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    stream.next()
            assert stream.seen[-1]["type"] == "bye"
            assert stream.seen[-1]["code"] in {"bad_args", "limit"}


def test_after_all_that_the_hub_counts_no_fault_and_the_log_is_whole(eve: Person) -> None:
    faults = [line for line in eve.get("/metrics").body.decode().splitlines() if "faults_total " in line]

    assert faults[-1].endswith(" 0")
    chained(eve.events())
    assert eve.http("POST", "ask", {"id": "v", "cmd": "Verify", "args": {}}).json["ok"] == []
