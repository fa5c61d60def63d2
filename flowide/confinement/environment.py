"""What a program that FlowIDE starts gets to see of the environment: never a key that nobody named."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from flowide.patterns import lazy

PLAIN = (
    "PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "TERM", "VIRTUAL_ENV", "SYSTEMROOT",
)  # fmt: skip
"""For programs that need nothing of the person's own: checks."""
PERSONAL = (
    *PLAIN,
    "HOME", "USER", "LOGNAME", "SHELL", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
"""For programs that work for a person: where home is, and how to reach the network."""
_SECRET = lazy(r"(?i)key|token|secret|passw|credential|auth|cookie|session_id|private|(?:^|_)(?:dsn|pat)$")
_CREDENTIALS_IN_ADDRESS = lazy(r"://[^/\s@]*:[^/\s@]+@")


def named(env: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """Just these variables, where they are set. A name that ends with `*` stands for all that begin so."""
    starts = tuple(name[:-1] for name in names if name.endswith("*"))
    return {
        name: value for name, value in env.items() if name in names or (starts and name.startswith(starts))
    }


def without_secrets(env: Mapping[str, str]) -> dict[str, str]:
    """The variables whose names, or addresses with a password in them, do not look like a secret."""
    return {
        name: value
        for name, value in env.items()
        if not _SECRET.search(name) and not _CREDENTIALS_IN_ADDRESS.search(value)
    }
