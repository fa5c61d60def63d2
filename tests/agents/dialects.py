"""Model servers on loopback that speak the dialects of Anthropic, Gemini and Ollama, and ask for a tool.

The name of the model says how: `tool` whole, `tool-cut` without the end; `text` answers, and `text-cut` breaks off,
`text-length` ends at its limit, `text-error` with an error, `text-half` inside of a character, `text-noisy` has what
nobody asked for in between, and `text-bare` does not say what was used. Given a result, all say what it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import Any

NAME, ARGUMENTS = "files__look", {"path": "änd.md"}


class DialectServer:
    """Serves inside the running event loop, as an async context manager."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        """Path, body and headers."""
        self._handlers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> DialectServer:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                path = head.split(" ")[1]
                headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
                body = json.loads(await reader.readexactly(int(headers["content-length"])) or b"{}")
                self.requests.append((path, body, headers))
                lines = _answer(path, body)
                kind = "application/x-ndjson" if path.startswith("/api/") else "text/event-stream"
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n".encode())
                for line in lines:
                    writer.write(line.encode(errors="surrogateescape"))
                    await writer.drain()
        finally:
            self._handlers.discard(task)
            writer.close()


def _answer(path: str, body: dict[str, Any]) -> list[str]:
    model = body.get("model") or path.split("/models/")[1].split(":", maxsplit=1)[0]
    cut = "cut" in model
    said = json.dumps(body)
    if "it is empty" in said:
        return _text(path, "It said: it is empty")
    if model.startswith("text"):
        return _ended(path, model)
    if path.startswith("/api/chat"):
        return _ollama(cut)
    return _gemini(cut) if "/models/" in path else _anthropic(cut)


def _events(values: list[dict[str, Any]], *, named: bool) -> list[str]:
    head = "event: {}\n" if named else ""
    return [f"{head.format(each.get('type'))}data: {json.dumps(each)}\n\n" for each in values]


def _anthropic(cut: bool) -> list[str]:
    arguments = json.dumps(ARGUMENTS)
    parts = [arguments[:9]] if cut else [arguments[:9], arguments[9:]]
    use = {"type": "tool_use", "id": "toolu_1", "name": NAME, "input": {}}
    usage = {"input_tokens": 11, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "c", "usage": usage}
    values: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": use},
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": part},
            }
            for part in parts
        ),
    ]
    if not cut:
        values.append({"type": "content_block_stop", "index": 0})
    values += [
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 8}},
        {"type": "message_stop"},
    ]
    return _events(values, named=True)


def _gemini(cut: bool) -> list[str]:
    call = {"functionCall": {"name": NAME, "args": ARGUMENTS}}
    usage = {"promptTokenCount": 11, "candidatesTokenCount": 8, "totalTokenCount": 19}
    value = {
        "candidates": [
            {"content": {"role": "model", "parts": [call]}, "finishReason": "STOP", "index": 0},
        ],
        "usageMetadata": usage,
        "modelVersion": "g",
    }
    [line] = _events([value], named=False)
    return [line[:120] + "\n\n"] if cut else [line]


def _ollama(cut: bool) -> list[str]:
    call = {"function": {"name": NAME, "arguments": ARGUMENTS}}
    first = {
        "model": "o",
        "message": {"role": "assistant", "content": "", "tool_calls": [call]},
        "done": False,
    }
    last = {
        "model": "o",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 11,
        "eval_count": 8,
    }
    lines = [json.dumps(first) + "\n", json.dumps(last) + "\n"]
    return [lines[0][:90] + "\n"] if cut else lines


def _ended(path: str, model: str) -> list[str]:
    """A text with its regular end, without any, or with the one of the limit."""
    lines = _text(path, "It said: half of it")
    if model.endswith("cut"):
        return _begun(path, lines)
    if model.endswith("error"):
        return [*_begun(path, lines), _error(path)]
    if model.endswith("half"):
        last = lines[0] if len(lines) < 3 else lines[2]
        return [*_begun(path, lines), last.partition("half")[0] + "h\udcc3"]
    if model.endswith("noisy"):
        return [_noise(path) + line for line in lines]
    if model.endswith("comments"):
        return lines if path.startswith("/api/chat") else [f"{_COMMENTS}{line}" for line in [*lines, ""]]
    if model.endswith("bare"):
        return [
            re.sub(r'"(usage|usageMetadata|prompt_eval_count|eval_count)":', '"x":', line) for line in lines
        ]
    if model.endswith("length"):
        return [
            line.replace('"STOP"', '"MAX_TOKENS"')
            .replace("end_turn", "max_tokens")
            .replace('"done_reason": "stop"', '"done_reason": "length"')
            for line in lines
        ]
    return lines


_COMMENTS = ": still there\n\n:\nretry: 10\nid: 7\n"
"""What proxies put between the events, to keep a connection open."""


def _begun(path: str, lines: list[str]) -> list[str]:
    if "/models/" in path:
        return [lines[0].replace('"finishReason": "STOP", ', "").replace("usageMetadata", "nothing")]
    return lines[:1] if path.startswith("/api/chat") else lines[:3]


def _error(path: str) -> str:
    if path.startswith("/api/chat"):
        return '{"error": "the model runner has stopped"}\n'
    if "/models/" in path:
        [line] = _events(
            [{"error": {"code": 503, "message": "too busy", "status": "UNAVAILABLE"}}], named=False
        )
        return line
    [line] = _events(
        [{"type": "error", "error": {"type": "overloaded_error", "message": "too busy"}}], named=True
    )
    return line


def _noise(path: str) -> str:
    if path.startswith("/api/chat"):
        return "\n"
    if "/models/" in path:
        [line] = _events([{"responseId": "r", "modelVersion": "g", "ofTomorrow": 7}], named=False)
        return line
    return "".join(_events([{"type": "ping"}, {"type": "of_tomorrow", "delta": 7}], named=True))


def _text(path: str, said: str) -> list[str]:
    if path.startswith("/api/chat"):
        first = {"model": "o", "message": {"role": "assistant", "content": said}, "done": False}
        last = {"model": "o", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop",
                "prompt_eval_count": 1, "eval_count": 1}  # fmt: skip
        return [json.dumps(first) + "\n", json.dumps(last) + "\n"]
    if "/models/" in path:
        candidate = {
            "content": {"role": "model", "parts": [{"text": said}]},
            "finishReason": "STOP",
            "index": 0,
        }
        usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
        return _events([{"candidates": [candidate], "usageMetadata": usage}], named=False)
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "c", "usage": usage}
    return _events(
        [
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": said}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
            {"type": "message_stop"},
        ],
        named=True,
    )
