"""Parts reasoning that a model writes into its answer (`<think>…</think>`) from the answer itself."""

from __future__ import annotations

from collections.abc import Iterator

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkingSplitter:
    """Fed with the text as it comes; only a tag at the very beginning of an answer counts."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"

    def feed(self, text: str) -> Iterator[tuple[bool, str]]:
        """Yield what is certain, as (is reasoning, text)."""
        self._held += text
        if self._state == "start":
            lead = self._held.lstrip()
            if lead.startswith(_OPEN):
                self._state, self._held = "thinking", lead[len(_OPEN) :]
            elif not _OPEN.startswith(lead):
                self._state = "answer"
        if self._state == "thinking":
            thought, closed, rest = self._held.partition(_CLOSE)
            if closed:
                self._state, self._held = "answered", rest.lstrip()
            else:
                keep = _overlap(thought)
                thought, self._held = thought[: len(thought) - keep], thought[len(thought) - keep :]
            if thought:
                yield True, thought
        if self._state == "answered":  # blank lines after the reasoning are not part of the answer
            self._held = self._held.lstrip()
            if self._held:
                self._state = "answer"
        if self._state == "answer" and self._held:
            held, self._held = self._held, ""
            yield False, held

    def end(self) -> Iterator[tuple[bool, str]]:
        """Yield what was held back."""
        if self._held:
            yield self._state == "thinking", self._held
            self._held = ""


def _overlap(text: str) -> int:
    """How many last characters may be the beginning of the closing tag."""
    return next((n for n in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:n])), 0)
