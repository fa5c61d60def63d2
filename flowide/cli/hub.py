"""What the commands about a hub have in common."""

from __future__ import annotations

from flowide.errors import BadInput


def needs_server() -> None:
    """Raise BadInput when the libraries of a hub are not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("starlette", "uvicorn", "websockets", "limits") if find_spec(name) is None]
    if missing:
        raise BadInput(
            f"serving needs libraries that are not installed: {', '.join(missing)}",
            hint="Install them with `pip install 'flowide[server]'`.",
        )


def default_database(given: str | None) -> str:
    """The database of a hub: the one that was named, or the folder `hub` beside the user's settings."""
    from flowide.settings import user_folder

    return given if given is not None else str(user_folder() / "hub")
