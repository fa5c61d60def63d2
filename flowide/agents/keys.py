"""Keys of providers and tools: from the environment, and where the user asks for it from files and the keyring.

A key goes to the process that calls the provider, to the tool server or agent that names it, and nowhere else.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct, field

from flowide.agents.models import key_variables
from flowide.errors import BadInput, NotFound, StorageFailed, Unavailable
from flowide.patterns import lazy
from flowide.settings import Settings, user_folder

CREDENTIALS = "credentials"
"""In the user's folder; only its owner may read it."""
DOTENV = ".env"
SERVICE = "flowide"
"""Under which the keyring keeps keys, by the name of their variable."""
KEYRING_S = 20.0
"""Seconds for all questions to the keyring: it may wait for somebody to unlock it."""
LARGEST = 256 * 1024
_NAME = lazy(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_KEY_NAME = lazy(r"(?i)(?:key|token|secret|password|credentials?|pat)$")
_LINE = lazy(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
Ask = Callable[[str], str | None]
"""What the keyring holds under a name."""


class _Keyring(Protocol):
    """What is used of the package."""

    def get_password(self, service: str, name: str, /) -> str | None: ...

    def set_password(self, service: str, name: str, value: str, /) -> None: ...

    def delete_password(self, service: str, name: str, /) -> None: ...


class Keys(Struct, frozen=True):
    """The environment with keys, and where each comes from."""

    env: dict[str, str]
    sources: dict[str, str] = field(default_factory=dict)
    """`environment`, a file, or `keyring`, by variable; only of variables that are set."""


def find_keys(
    project: Path | None,
    settings: Settings,
    env: Mapping[str, str] = os.environ,
    *,
    keyring: Ask | None = None,
) -> Keys:
    """The environment with the keys that are found besides: the environment first, then `.env`, then the
    credentials file, then the keyring.

    Raises:
        BadInput: A file is wrong, or others may read the credentials.
        Unavailable: The keyring cannot be asked.
    """
    found = dict(env)
    sources = {name: "environment" for name, value in env.items() if value and is_key(name, settings)}
    if settings.keys.dotenv and project is not None:
        _add(found, sources, str(project / DOTENV), _of_dotenv(project / DOTENV, settings))
    credentials = user_folder(env) / CREDENTIALS
    _add(found, sources, str(credentials), read_credentials(credentials))
    if settings.keys.keyring:
        lacking = [name for name in _wanted(settings) if not found.get(name)]
        _add(found, sources, "keyring", _of_keyring(lacking, keyring))
    return Keys(found, sources)


def is_key(name: str, settings: Settings) -> bool:
    """Whether a variable of this name holds a key: by its name, or because a model's table says so."""
    named = any(model.key_env == name for model in settings.models.values())
    return named or name in key_variables() or bool(_KEY_NAME.search(name))


def _add(into: dict[str, str], sources: dict[str, str], where: str, found: Mapping[str, str]) -> None:
    for name, value in found.items():
        if value and not into.get(name):
            into[name] = value
            sources[name] = where


def _of_dotenv(path: Path, settings: Settings) -> dict[str, str]:
    """The keys in a project's `.env`, and nothing else of it: an address there would send them elsewhere."""
    try:
        text = _text(path)
    except FileNotFoundError:
        return {}
    found = {}
    for line in text.splitlines():  # what other programs make of the other lines is their affair
        parsed = _parsed(line)
        if parsed is not None and is_key(parsed[0], settings):
            found[parsed[0]] = parsed[1]
    return found


def read_credentials(path: Path) -> dict[str, str]:
    """The keys in a credentials file; none when it is not there.

    Raises:
        BadInput: Others may read it, or a line is wrong.
    """
    try:
        mode = path.stat().st_mode
        text = _text(path)
    except FileNotFoundError:
        return {}
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadInput(
            f"{path} can be read by others (mode {stat.S_IMODE(mode):o}), so it is not used",
            hint=f"chmod 600 {path}; if somebody may have seen the keys, renew them.",
        )
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parsed = _parsed(line)
        if parsed is None:
            raise BadInput(f"{path}:{number}: this is no NAME=value", hint="flowide keys set NAME writes it.")
        found[parsed[0]] = parsed[1]
    return found


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if len(raw) > LARGEST:
            raise BadInput(f"{path} has {len(raw):,} bytes", hint=f"At most {LARGEST:,} are read.")
        return raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", hint="Check its permissions.") from error
    except UnicodeDecodeError:
        raise BadInput(f"{path} is no UTF-8", hint="Save it as UTF-8.") from None


def _parsed(line: str) -> tuple[str, str] | None:
    """`NAME=value`, perhaps with `export`, quotes, or a comment behind; None when it is something else."""
    match = _LINE.fullmatch(line)
    if match is None or line.lstrip().startswith("#"):
        return None
    name, value = match[1], match[2]
    quoted = re.fullmatch(r"""(["'])(.*?)\1(?:\s+#.*)?""", value)
    return (name, quoted[2]) if quoted else (name, re.sub(r"\s+#.*$", "", value))


def set_key(folder: Path, name: str, value: str) -> Path:
    """Keep a key in the user's credentials file, which only its owner can read; gives its path.

    Raises:
        BadInput: It cannot be the name of a variable, or the value has line breaks or is empty.
        StorageFailed: The file cannot be written.
    """
    _check(name, value)
    return _rewrite(folder, name, value)


def remove_key(folder: Path, name: str) -> Path:
    """Take a key out of the credentials file.

    Raises:
        NotFound: It is not there.
    """
    if name not in read_credentials(folder / CREDENTIALS):
        raise NotFound(
            f"{folder / CREDENTIALS} has no {name[:100]}", hint="flowide keys lists what there is."
        )
    return _rewrite(folder, name, None)


def _check(name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name[:100]!r} is no name of a variable", hint="For example: flowide keys set OPENAI_API_KEY"
        )
    if not value.strip() or not value.isprintable():
        raise BadInput("the key is empty, or has line breaks or control characters", hint="Give it again.")


def _rewrite(folder: Path, name: str, value: str | None) -> Path:
    path = folder / CREDENTIALS
    folder.mkdir(parents=True, exist_ok=True)
    kept = {each: had for each, had in read_credentials(path).items() if each != name}
    if value is not None:
        kept[name] = value.strip()
    lines = "".join(f"{each}={_quoted(had)}\n" for each, had in kept.items())
    try:
        import tempfile

        made, temporary = tempfile.mkstemp(prefix=f".{CREDENTIALS}", dir=folder)  # 0600
        with os.fdopen(made, "w", encoding="utf-8") as file:
            file.write(lines)
        os.replace(temporary, path)
    except OSError as error:
        raise StorageFailed(f"{path} cannot be written: {error.strerror}") from error
    return path


def _quoted(value: str) -> str:
    """The value as it is read again."""
    if not set("#\"'") & set(value):
        return value
    sign = next((each for each in "\"'" if each not in value), '"')
    if sign in value and "#" in value:
        raise BadInput("a key with #, \" and ' cannot be kept in a file", hint="Export it, or use --keyring.")
    return f"{sign}{value}{sign}"


def _wanted(settings: Settings) -> list[str]:
    named = [model.key_env for model in settings.models.values() if model.key_env]
    return list(dict.fromkeys([*named, *key_variables()]))


def _of_keyring(names: Iterable[str], ask: Ask | None) -> dict[str, str]:
    import threading

    ask = ask or keyring_ask()
    found: dict[str, str] = {}
    failure: list[Exception] = []

    def all_of_them() -> None:
        try:
            for name in names:
                value = ask(name)
                if value:
                    found[name] = value
        except Exception as error:  # backends raise whatever their system does
            failure.append(error)

    asking = threading.Thread(target=all_of_them, daemon=True)
    asking.start()
    asking.join(KEYRING_S)
    if asking.is_alive():
        raise Unavailable(
            f"the keyring did not answer within {KEYRING_S:g} s",
            hint="Unlock it, or set [keys] keyring = false.",
        )
    if failure:
        raise Unavailable(
            f"the keyring cannot be asked: {type(failure[0]).__name__}",
            hint="Is one running here? Without: [keys] keyring = false, and flowide keys set NAME.",
        )
    return dict(found)


def keyring_ask() -> Ask:
    """The system's keyring, to be asked.

    Raises:
        Unavailable: The package is not installed.
    """
    keyring = _keyring()
    return lambda name: keyring.get_password(SERVICE, name)


def set_in_keyring(name: str, value: str) -> None:
    """Keep a key in the system's keyring.

    Raises:
        BadInput: As `set_key`.
        Unavailable: There is no keyring.
    """
    _check(name, value)
    keyring = _keyring()
    try:
        keyring.set_password(SERVICE, name, value.strip())
    except Exception as error:  # backends raise whatever their system does
        raise Unavailable(
            f"the keyring does not take it: {type(error).__name__}", hint="Leave --keyring out."
        ) from error


def remove_from_keyring(name: str) -> None:
    """Take a key out of the system's keyring.

    Raises:
        NotFound: It is not there.
    """
    keyring = _keyring()
    try:
        keyring.delete_password(SERVICE, name)
    except Exception as error:  # as above
        raise NotFound(
            f"the keyring has no {name[:100]}", hint="flowide keys lists what there is."
        ) from error


def _keyring() -> _Keyring:
    import importlib

    try:
        found: Any = importlib.import_module("keyring")
    except ImportError:
        raise Unavailable(
            "the keyring needs a package that is not installed", hint="pip install 'flowide[keyring]'"
        ) from None
    made: _Keyring = found
    return made
