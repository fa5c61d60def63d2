"""What litellm would lose or mix up of a stream: content in parts, and answers beside the first."""

from __future__ import annotations

from typing import Any

_TEXTS = frozenset({"text", "output_text"})
_THOUGHTS = frozenset({"thinking", "reasoning"})


class RawChunks:
    """Looks at each chunk before litellm does: leaves the first answer only, and makes texts of lists of texts."""

    def __init__(self, stream: Any) -> None:
        """`stream` is litellm's, before its first chunk."""
        self.lost = False
        """There was content that is no text: the answer is not whole."""
        creator = getattr(stream, "chunk_creator", None)
        if creator is None:  # a whole answer, not a stream
            return

        def seen(chunk: Any) -> Any:
            choices = getattr(chunk, "choices", None)
            if choices:
                chunk.choices = [choice for choice in choices if not getattr(choice, "index", 0)]
                for choice in chunk.choices:
                    self._look(getattr(choice, "delta", None))
            return creator(chunk=chunk)

        stream.chunk_creator = seen

    def _look(self, delta: Any) -> None:
        content = getattr(delta, "content", None)
        if content is None or isinstance(content, str):
            return
        found = parts_of(content)
        if found is None:
            self.lost = True
        else:
            delta.content, thought = found
            if thought:
                delta.reasoning_content = thought


def parts_of(content: Any) -> tuple[str, str] | None:
    """Text and reasoning of a list of parts; None = there is something else in it."""
    if not isinstance(content, list):
        return None
    text, thought = "", ""
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else "text"
        said = part.get("text") if isinstance(part, dict) else part
        if kind in _THOUGHTS:
            told = part.get("thinking", part.get("text", ""))
            found = (told, "") if isinstance(told, str) else parts_of(told)
            if found is None:
                return None
            thought += found[0]
        elif kind in _TEXTS and isinstance(said, str):
            text += said
        else:
            return None
    return text, thought
