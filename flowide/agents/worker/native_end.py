"""Whether Gemini itself said that an answer is complete: litellm makes a reason up when it did not."""

from __future__ import annotations

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

        def seen(chunk: Any, *args: Any, **more: Any) -> Any:
            candidates = chunk.get("candidates") if isinstance(chunk, dict) else None
            for each in candidates or []:
                self.said = self.said or bool(isinstance(each, dict) and each.get("finishReason"))
            return parse(chunk, *args, **more)

        source.chunk_parser = seen
