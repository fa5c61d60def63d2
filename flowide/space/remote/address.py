"""Where a space of a hub is: `https://host/…/space`."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import quote, urlsplit

from msgspec import Struct

from flowide.errors import BadInput

_SCHEMES = {"https": True, "wss": True, "http": False, "ws": False}
_LOOPBACK = frozenset(["localhost", "127.0.0.1", "::1"])
_API = "/v1/spaces/"


class Address(Struct, frozen=True):
    """A space of a hub."""

    secure: bool
    host: str
    port: int
    prefix: str
    """Path of the hub on its host, without a slash at its end; mostly empty."""
    space: str

    @property
    def url(self) -> str:
        """The address as people write it."""
        return f"{self._base('http')}/{self.space}"

    @property
    def key(self) -> str:
        """Names the replica's files."""
        return sha256(self.url.encode()).hexdigest()[:16]

    def path(self, rest: str = "") -> str:
        """Path of a part of the space in the hub's API."""
        return f"{self.prefix}{_API}{quote(self.space, safe='')}{rest}"

    def stream(self, seq: int, chain: str) -> str:
        """Address of the stream from a cursor on."""
        return f"{self._origin('ws')}{self.path('/stream')}?after={seq}&chain={chain}"

    def _origin(self, scheme: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.secure else 80
        port = "" if self.port == usual else f":{self.port}"
        return f"{scheme}{'s' if self.secure else ''}://{host}{port}"

    def _base(self, scheme: str) -> str:
        return f"{self._origin(scheme)}{self.prefix}"


def is_address(target: str) -> bool:
    """Whether this names a hub and not a file."""
    return target.partition("://")[0].casefold() in _SCHEMES and "://" in target


def address_of(url: str, *, plain_http: bool = False) -> Address:
    """The address that a URL says.

    Raises:
        BadInput: It is none, names no space, or would send the token readable through the network.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInput(f"{url[:200]!r} is no address: {error}") from None
    secure = _SCHEMES.get(parts.scheme.casefold())
    if secure is None or not parts.hostname:
        raise BadInput(f"{url[:200]!r} is no address of a hub", hint="Write it as https://host/space.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadInput(
            "the address of a hub holds no name, password, query or fragment",
            hint="Write it as https://host/space; the token is stored by `flowide join`.",
        )
    path = parts.path.replace(_API, "/").rstrip("/")
    prefix, _, space = path.rpartition("/")
    if not space:
        raise BadInput(f"{url[:200]!r} names no space", hint="Write it as https://host/space.")
    if not secure and not plain_http and parts.hostname not in _LOOPBACK:
        raise BadInput(
            f"{url[:200]} would send your token readable through the network",
            hint="Use https://; in a network that is safe by itself, set plain_http = true in [hub].",
        )
    return Address(secure, parts.hostname, port or (443 if secure else 80), prefix, space)
