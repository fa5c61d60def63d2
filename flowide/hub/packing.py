"""Parts and compressed forms of what is sent."""

from __future__ import annotations

import gzip
import zlib

from starlette.requests import Request
from starlette.responses import Response

from flowide.errors import BadInput, TooLarge
from flowide.patterns import lazy

_WORTH = 1024
"""Bytes from which compressing is worth it."""
_LEVEL = 3
_RANGE = lazy(r"bytes=(\d{0,18})-(\d{0,18})\Z")


def takes_gzip(request: Request) -> bool:
    """Whether the client says that it can unpack gzip."""
    said = request.headers.get("accept-encoding", "")
    wanted = [part.strip().casefold().replace(" ", "") for part in said.split(",")]
    return any(each == "gzip" or (each.startswith("gzip;q=") and each != "gzip;q=0") for each in wanted)


def packed(request: Request, body: bytes, media_type: str, headers: dict[str, str] | None = None) -> Response:
    """A body, compressed where it is worth it and the client can take it."""
    headers = {**(headers or {}), "Vary": "Accept-Encoding"}
    if len(body) >= _WORTH and takes_gzip(request):
        small = gzip.compress(body, _LEVEL, mtime=0)
        if len(small) < len(body):
            return Response(small, headers={**headers, "Content-Encoding": "gzip"}, media_type=media_type)
    return Response(body, headers=headers, media_type=media_type)


def part(request: Request, data: bytes, headers: dict[str, str]) -> Response | None:
    """The range of bytes that is asked for (RFC 9110, 14); None = all of it is."""
    found = _RANGE.match(request.headers.get("range", "").replace(" ", ""))
    if found is None or found[1] == found[2] == "":
        return None
    size = len(data)
    if found[1] == "":
        first, last = max(0, size - int(found[2])), size - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size), size - 1)
    if first > last or first >= size:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers = {**headers, "Content-Range": f"bytes {first}-{last}/{size}"}
    return Response(data[first : last + 1], 206, headers=headers, media_type="application/octet-stream")


def unpacked(request: Request, data: bytes, most: int) -> bytes:
    """A body as it was before it was compressed; never more than `most` bytes come out.

    Raises:
        BadInput: It is compressed in another way, or not at all.
        TooLarge: More than `most`.
    """
    coding = request.headers.get("content-encoding", "identity").strip().casefold()
    if coding == "identity":
        return data
    if coding != "gzip":
        raise BadInput(f"Content-Encoding {coding[:40]} is not known", hint="Send it as it is, or with gzip.")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(data, most + 1)
    except zlib.error as error:
        raise BadInput("the body is no gzip", hint="Send it as it is, or with gzip.") from error
    if len(plain) > most:
        raise TooLarge(f"the body is larger than {most} bytes", limit=most)
    if not unpacker.eof:
        raise BadInput("the gzip body is cut off", hint="Send it again.")
    return plain
