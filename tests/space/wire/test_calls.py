"""Commands and questions on the wire."""

from __future__ import annotations

import pytest

from flowide.domain import commands as c
from flowide.errors import BadInput
from flowide.space.wire.calls import QUERIES, answer_type, args_of, command_of, query_of


def test_every_question_and_command_promises_a_type() -> None:
    for query in QUERIES.values():
        assert answer_type(query) is not None
    for command in c.COMMANDS.values():
        assert answer_type(command) is not None


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("lock.grab", {}, "no command lock.grab"),
        ("lock.acquire", {}, "artifact"),
        ("lock.acquire", {"artifact": 7}, "artifact"),
        ("lock.acquire", {"artifact": "a", "colour": "red"}, "colour"),
        ("batch", {"cmds": 1}, "a batch is"),
        ("batch", {"cmds": ["x"]}, "parts of a batch"),
        ("batch", {"cmds": [{"cmd": "batch", "args": {"cmds": []}}]}, "no batch"),
    ],
)
def test_a_wrong_command_is_refused_by_what_is_wrong(name: str, args: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        command_of(name, args)

    assert said in refused.value.message


def test_an_unknown_question_is_refused() -> None:
    with pytest.raises(BadInput):
        query_of("Everything", {})


def test_a_batch_is_taken_apart_and_put_together_again() -> None:
    batch = c.Batch(cmds=[c.AcquireLock(artifact="a"), c.CreateArtifact(path="x.md", text="1")])

    assert command_of("batch", args_of(batch)) == batch
