"""Whether Gemini itself said that an answer is complete: litellm makes a reason up when it did not.

Lines of its stream that carry no data are left out as well: litellm would take them for the answer, and lose it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

PROVIDERS = frozenset({"gemini", "vertex_ai", "vertex_ai_beta"})


class NativeEnd:
    """Looks at each event of a stream before litellm does."""

    def __init__(self, stream: Any) -> None:
        """`stream` is litellm's, before its first chunk."""
        self.said = False
        """The provider gave a reason to end."""
        self.watches = False
        """False = another provider, or another litellm: then there is nothing to tell."""
        if getattr(stream, "custom_llm_provider", "") in PROVIDERS:
            self._watch(stream.completion_stream)
            make_call = getattr(stream, "make_call", None)
            if make_call is not None:  # the connection is opened by the first chunk

                async def made(*args: Any, **more: Any) -> Any:
                    source = await make_call(*args, **more)
                    self._watch(source)
                    return source

                stream.make_call = made

    def _watch(self, source: Any) -> None:
        parse = getattr(source, "chunk_parser", None)
        if parse is None:
            return
        self.watches = True
        lines: Any = getattr(source, "streaming_response", None)
        if hasattr(lines, "__aiter__"):
            source.streaming_response = _with_data(lines)

        def seen(chunk: Any, *args: Any, **more: Any) -> Any:
            candidates = chunk.get("candidates") if isinstance(chunk, dict) else None
            for each in candidates or []:
                self.said = self.said or bool(isinstance(each, dict) and each.get("finishReason"))
            return parse(chunk, *args, **more)

        source.chunk_parser = seen


_NO_DATA = (":", "event:", "id:", "retry:")
"""How lines of an event stream begin that carry none: comments, which keep a connection open, and what is about it."""


async def _with_data(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        if not line.startswith(_NO_DATA):
            yield line
