"""Turns what litellm raises, or fails to raise, into a `Fault`."""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Iterable
from typing import Any

import httpx
from litellm.exceptions import (
    APIConnectionError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    MidStreamFallbackError,
    Timeout,
)

from flowide.agents.redact import redact
from flowide.agents.worker.frames import Call, Fault, FaultKind
from flowide.patterns import lazy

_TRANSIENT = frozenset({408, 409, 425, 429, 499})
_AUTH_TEXT = lazy(
    r"(?i)api[_ ]?key[^.]{0,40}(?:not valid|invalid|must be set|missing|not found|required)"
    r"|(?:invalid|incorrect|missing|no)[^.]{0,20}api[_ ]?key|invalid x-api-key|unauthorized|PERMISSION_DENIED"
)
_NO_MONEY = lazy(r"(?i)insufficient_quota|exceeded your current quota|credit balance|billing")
_REFUSABLE = ("response_format", "stream_options", "temperature", "max_tokens", "tools")
_NO_IMAGES = lazy(r"(?i)image|vision|multi-?modal|content.{0,40}must be a string")
_LENGTH = frozenset({"length", "max_tokens", "model_length", "max_output_tokens"})
_FILTERED = frozenset(
    {
        "content_filter",
        "safety",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "refusal",
        "guardrail_intervened",
    }
)
_PREFIX = lazy(r"^(?:\s*(?:litellm\.)?\w*(?:Error|Exception|Timeout|OpenAIException)\s*(?::|-)\s*)+")
_OLLAMA_BROKE_OFF = "Got unexpected response from Ollama"
"""In the 400 that litellm makes of a line in a stream that tells why the server gives up."""
_LONGEST = 400


def fault_of_ending(reason: str | None, text: str, call: Call, *, asks: bool = False) -> Fault | None:
    """What is wrong with a stream that ended without an error; None when the answer is complete.

    `asks` = there are tool calls in it.
    """
    word = (reason or "").lower()
    if word in _LENGTH:
        bound = (
            f"max_tokens ({call.max_tokens})" if call.max_tokens else "the provider's limit of output tokens"
        )
        return Fault(kind="incomplete", message=f"the reply was cut off at {bound}; raise max_tokens")
    if word in _FILTERED:
        return Fault(kind="rejected", message=f"the provider's content filter stopped the reply ({word})")
    if reason is None:
        return Fault(
            kind="incomplete", message="the reply ended before the provider said it was done", retry=True
        )
    if not text.strip() and not asks:
        return Fault(kind="incomplete", message="the reply is empty", retry=True)
    return None


def fault_of(error: BaseException, call: Call, *, streaming: bool, secrets: Iterable[str]) -> Fault:
    """Why a call failed; `streaming` = the provider had begun to answer."""
    if isinstance(error, MidStreamFallbackError) and error.original_exception is not None:
        error = error.original_exception
    message = _message(error, call, secrets)
    return (
        _refusal(error, call, message, streaming=streaming)
        or _breakage(error, call, message, streaming=streaming)
        or Fault(
            kind="incomplete" if streaming and _status(error) is None else "unavailable",
            message=f"the provider broke off: {message}" if streaming else message,
            status=_status(error),
            retry=True,
            retry_after_s=_retry_after(error),
        )
    )


def _refusal(error: BaseException, call: Call, message: str, *, streaming: bool) -> Fault | None:
    """The fault, when the provider does not want this request; asking again does not help."""
    status, raw = _status(error), str(error)
    if isinstance(error, ContextWindowExceededError):
        return Fault(
            kind="bad_request", message=f"the request is too long for {call.model}: {message}", status=status
        )
    if isinstance(error, ContentPolicyViolationError):
        return Fault(
            kind="rejected", message=f"the provider's content filter refused: {message}", status=status
        )
    if status in (401, 403) or (status in (400, None, 500) and _AUTH_TEXT.search(raw) and not streaming):
        return Fault(kind="auth", message=message, status=status)
    if status == 402 or (status == 429 and _NO_MONEY.search(raw)):
        return Fault(kind="unavailable", message=f"the account has no credit: {message}", status=status)
    if status is None or not 400 <= status < 500 or status in _TRANSIENT:
        return None
    refused = _refused(raw, call)
    kind: FaultKind = "unsupported" if refused else "bad_request"
    return Fault(kind=kind, message=message, status=status, parameter=refused, retry=bool(refused))


def _refused(raw: str, call: Call) -> str:
    """What of the request the provider does not want; empty = the request as such."""
    named = next((name for name in _REFUSABLE if name in raw and name not in call.without), "")
    pictures = any(message.images for message in call.messages) and "images" not in call.without
    return named or ("images" if pictures and _NO_IMAGES.search(raw) else "")


def _breakage(error: BaseException, call: Call, message: str, *, streaming: bool) -> Fault | None:
    """The fault, when the connection or what came through it is broken."""
    if isinstance(error, Timeout) or _caused_by(error, httpx.TimeoutException):
        return Fault(kind="silent", message=f"nothing came for {call.silence_s:g} s", retry=True)
    if _caused_by(error, json.JSONDecodeError, UnicodeDecodeError):
        return Fault(kind="incomplete", message=f"the reply is malformed: {message}", retry=True)
    where = call.api_base or "the provider"
    if _caused_by(error, httpx.ConnectError, httpx.TooManyRedirects):
        again = not _caused_by(error, httpx.TooManyRedirects)
        return Fault(kind="unavailable", message=f"no connection to {where}: {_cause(error)}", retry=again)
    if not _caused_by(error, httpx.TransportError):
        return None
    if streaming:
        what = f"the connection broke in the middle of the reply: {_cause(error)}"
        return Fault(kind="incomplete", message=what, retry=True)
    return Fault(kind="unavailable", message=f"the connection to {where} broke: {_cause(error)}", retry=True)


def _status(error: BaseException) -> int | None:
    """HTTP status that the provider sent; None for the ones litellm makes up for what breaks off."""
    if isinstance(error, APIConnectionError | Timeout) or _OLLAMA_BROKE_OFF in str(error):
        return None
    status = getattr(error, "status_code", None)
    try:
        return int(status) if status is not None else None
    except (TypeError, ValueError):
        return None


def _message(error: BaseException, call: Call, secrets: Iterable[str]) -> str:
    text = str(getattr(error, "message", "") or error) or type(error).__name__
    if re.search(r"(?i)<!doctype html|<html", text):
        text = "the answer is an HTML page" + (f" (status {status})" if (status := _status(error)) else "")
    text = _PREFIX.sub("", " ".join(text.split()))
    return redact(text, secrets)[:_LONGEST] or type(error).__name__


def _chain(error: BaseException) -> Iterable[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _caused_by(error: BaseException, *kinds: type[BaseException]) -> bool:
    return any(isinstance(link, kinds) for link in _chain(error))


def _cause(error: BaseException) -> str:
    """What the transport said, or what was said below it; many of its errors carry no text."""
    links = list(_chain(error))
    first = next(
        (at for at, link in enumerate(links) if isinstance(link, httpx.TransportError)), len(links) - 1
    )
    said = next((link for link in links[first:] if str(link).strip()), links[first])
    return redact(" ".join(str(said).split()))[:_LONGEST] or type(said).__name__


def _retry_after(error: BaseException) -> float | None:
    """Seconds the provider asks to wait (RFC 9110, 10.2.3); None when it does not."""
    headers: Any = getattr(error, "litellm_response_headers", None)
    if not headers:
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
    lowered = {str(name).lower(): str(value) for name, value in dict(headers).items()}
    if "retry-after-ms" in lowered:
        return _number(lowered["retry-after-ms"], 0.001)
    value = lowered.get("retry-after")
    if value is None:
        return None
    seconds = _number(value, 1)
    if seconds is not None:
        return seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _number(text: str, factor: float) -> float | None:
    try:
        return max(0.0, float(text) * factor)
    except ValueError:
        return None
