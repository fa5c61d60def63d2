"""Reading what a request brings, within bounds."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.requests import Request

from flowide.errors import BadInput, TooLarge

T = TypeVar("T")


async def body_of(request: Request, most: int) -> bytes:
    """The bytes of a request.

    Raises:
        TooLarge: More than `most`; the rest is not read.
    """
    said = request.headers.get("content-length", "0")
    large = TooLarge(f"the request is larger than {most} bytes", hint="Send less at once.", limit=most)
    if said.isdigit() and int(said) > most:
        raise large
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > most:
            raise large
    return bytes(data)


async def json_of(request: Request, kind: type[T], most: int) -> T:
    """The JSON of a request.

    Raises:
        BadInput: It is no JSON of this kind.
    """
    data = await body_of(request, most)
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BadInput(f"the request is wrong: {error}"[:500], hint="See /openapi.json.") from error


def number(request: Request, name: str, default: int, most: int) -> int:
    """A whole number of the query string, 0 to `most`.

    Raises:
        BadInput: It is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 100:
        raise BadInput(f"{name} is no whole number", hint=f"It goes from 0 to {most}.")
    return min(int(text), most)
