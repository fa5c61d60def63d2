"""Keeps keys out of messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flowide.patterns import lazy

_SECRET_NAME = lazy(r"(?i)(?:key|token|secret|password|credentials?)$")
_SHAPES = lazy(
    r"(?i)(?<=bearer )[\w.~+/=-]{6,}"
    r"|(?<=[?&]key=)[\w.~-]{6,}"
    r"|\b(?:sk|pk|rk|gsk|xai|hf|ghp|gho)[-_][\w-]{8,}"
    r"|\bAIza[\w-]{20,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_SHORTEST = 6
_SURE = 8
"""Characters of a secret that is no word of a text by chance."""


def secrets_in(env: Mapping[str, str]) -> list[str]:
    """Values of variables whose names say that they are secret, the longest first."""
    found = {value for name, value in env.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST}
    return sorted(found, key=len, reverse=True)


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text with these secrets replaced by ***, and nothing else: it is somebody's content."""
    for secret in secrets:
        if len(secret) >= _SURE:
            text = text.replace(secret, "***")
    return text


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with the secrets, and whatever looks like one, replaced by ***."""
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "***")
    return _SHAPES.sub("***", text)
