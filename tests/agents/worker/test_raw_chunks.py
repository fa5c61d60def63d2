"""Content in parts, before litellm sees it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from flowide.agents.worker.raw_chunks import RawChunks, parts_of


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([], ("", "")),
        (["a", "b"], ("ab", "")),
        ([{"type": "text", "text": "a"}, {"type": "output_text", "text": "b"}], ("ab", "")),
        ([{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "a"}], ("a", "hm")),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}], ("", "hm")),
        ([{"type": "text", "text": 7}], None),
        ([{"type": "image_url", "image_url": {}}], None),
        ([{"text": "of no kind"}], None),
        ([None], None),
        ({"text": "a"}, None),
        (7, None),
    ],
)
def test_what_parts_amount_to(content: Any, found: Any) -> None:
    assert parts_of(content) == found


def test_only_the_first_answer_reaches_litellm_and_what_is_lost_is_noted() -> None:
    seen: list[Any] = []

    def create(*, chunk: Any) -> None:
        seen.append(chunk)

    stream = SimpleNamespace(chunk_creator=create)
    raw = RawChunks(stream)

    def of(index: int, content: Any) -> Any:
        return SimpleNamespace(index=index, delta=SimpleNamespace(content=content))

    stream.chunk_creator(chunk=SimpleNamespace(choices=[of(0, ["a", "b"]), of(1, [{"type": "of_tomorrow"}])]))

    assert [(choice.index, choice.delta.content) for choice in seen[0].choices] == [(0, "ab")]
    assert not raw.lost
    stream.chunk_creator(chunk=SimpleNamespace(choices=[of(0, [{"type": "of_tomorrow"}])]))
    assert raw.lost
    stream.chunk_creator(chunk={"of": "another provider"})
    assert len(seen) == 3
