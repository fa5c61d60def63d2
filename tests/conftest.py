"""Every test has a home of its own and no keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_FOREIGN = ("_API_KEY", "_API_BASE", "_BASE_URL", "_AUTH_TOKEN")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; the person who acts is ana."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.endswith(_FOREIGN) or name.startswith(("FLOWIDE_", "GIT_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("FLOWIDE_HOME", str(home / "flowide"))
    monkeypatch.setenv("FLOWIDE_ME_HANDLE", "ana")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("FLOWIDE_SCRIPTED_PACE", "0")
    return home
