"""Settings: where each comes from, and what is said about a wrong one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from flowide import settings
from flowide.errors import BadInput
from flowide.settings.loading import TABLES


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """The user's file."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder / "config.toml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's file."""
    folder = tmp_path / "project" / ".flowide"
    folder.mkdir(parents=True)
    return folder / "config.toml"


def load(user: Path, project: Path | None = None, **env: str) -> settings.Loaded:
    root = None if project is None else project.parent.parent
    return settings.load(root, {"FLOWIDE_HOME": str(user.parent), **env})


def test_without_files_everything_has_its_default(user: Path, project: Path) -> None:
    loaded = load(user, project)

    assert loaded.settings == settings.Settings()
    assert loaded.sources == {}


def test_the_nearest_place_decides(user: Path, project: Path) -> None:
    user.write_text("[limits]\nparallel = 2\nsilence_s = 5\ncall_s = 9\n")
    project.write_text("[limits]\nparallel = 3\nsilence_s = 6\n")

    loaded = load(user, project, FLOWIDE_LIMITS_PARALLEL="7")

    limits = loaded.settings.limits
    assert (limits.parallel, limits.silence_s, limits.call_s) == (7, 6, 9)
    assert loaded.sources == {
        "limits.parallel": "FLOWIDE_LIMITS_PARALLEL",
        "limits.silence_s": str(project),
        "limits.call_s": str(user),
    }


def test_a_project_adds_to_the_models_of_the_user(user: Path, project: Path) -> None:
    user.write_text('[models.fast]\nmodel = "openai/a"\nkey_env = "A"\n')
    project.write_text('[models.fast]\nmodel = "openai/b"\n[models.own]\nmodel = "ollama/c"\n')

    loaded = load(user, project)

    assert {name: model.model for name, model in loaded.settings.models.items()} == {
        "fast": "openai/b",
        "own": "ollama/c",
    }
    assert loaded.settings.models["fast"].key_env == "A"
    assert loaded.sources["models.fast.key_env"] == str(user)
    assert loaded.sources["models.fast.model"] == str(project)


def test_every_setting_has_a_variable(user: Path) -> None:
    env = {
        "FLOWIDE_ME_HANDLE": "zoe",
        "FLOWIDE_LOCK_TTL_S": "2.5",
        "FLOWIDE_BUDGET_COST_USD": "1.5",
        "FLOWIDE_GIT_COMMIT": "auto",
        "FLOWIDE_TRUST_PROJECTS": os.pathsep.join(["/a", "/b"]),
        "FLOWIDE_MODELS_MY_FAST_MODEL": "openai/x",
        "FLOWIDE_MODELS_MY_FAST_API_BASE": "http://127.0.0.1:1/v1",
    }

    loaded = load(user, None, **env)

    found = loaded.settings
    assert (found.me.handle, found.lock.ttl_s, found.budget.cost_usd, found.git.commit) == (
        "zoe",
        2.5,
        1.5,
        "auto",
    )
    assert found.trust.projects == ["/a", "/b"]
    assert (found.models["my_fast"].model, found.models["my_fast"].api_base) == (
        "openai/x",
        "http://127.0.0.1:1/v1",
    )
    assert loaded.sources["models.my_fast.model"] == "FLOWIDE_MODELS_MY_FAST_MODEL"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("[limits]\nparallel = 'x'\n", "2:12", "[limits] parallel: expected a whole number"),
        ("[limits]\nparallel = 0\n", "2:12", "[limits] parallel: expected a whole number >= 1"),
        ("[lock]\n\n  ttl_s =   0.1\n", "3:13", "[lock] ttl_s: expected a number >= 0.5"),
        ("[lock]\nttl_s = nan\n", "2:9", "[lock] ttl_s: expected a number"),
        ("[lock]\nttl_s = inf\n", "2:9", "[lock] ttl_s: expected a number"),
        ("[limits]\n  paralel = 2\n", "2:3", "there is no setting [limits] paralel"),
        ("limits.paralel = 2\n", "1:1", "there is no setting [limits] paralel"),
        ("limits = { paralel = 2 }\n", "1:12", "there is no setting [limits] paralel"),
        ("\n[limit]\nparallel = 2\n", "2:2", "there is no setting [limit]"),
        ("limits = 3\n", "1:1", "limits is a section"),
        ("models = 3\n", "1:1", "models is a section"),
        ("[models]\nfast = 'openai/x'\n", "2:1", "models.fast is a section"),
        ("[models.fast]\napi_base = 'x'\n", "1:2", "[models.fast] has no model"),
        (
            "[models.a]\nmodel='x'\n[models.b]\nmodel='x'\napi_key='x'\n",
            "5:1",
            "no setting [models.b] api_key",
        ),
        ("[models.a]\nmodel='x'\nprice_in = -1\n", "3:12", "[models.a] price_in: expected"),
        ("[git]\ncommit = 'always'\n", "2:10", "[git] commit: there is no 'always'"),
        ("[limits\n", "1:8", ""),
        ("[limits]\nparallel = \n", "2:12", ""),
        ("[limits]\nparallel = 2\nparallel = 3\n", "3:13", ""),
        ('[me]\nhandle = """x\n', "3:1", ""),
    ],
)
def test_a_wrong_file_is_told_with_line_and_column(user: Path, text: str, place: str, said: str) -> None:
    user.write_text(text)

    with pytest.raises(BadInput) as refused:
        load(user)

    assert refused.value.message.startswith(f"{user}:{place}: ")
    assert said in refused.value.message
    assert refused.value.hint


def test_what_can_only_be_one_of_some_words_says_which(user: Path) -> None:
    user.write_text("[git]\ncommit = 'always'\n")

    with pytest.raises(BadInput) as refused:
        load(user)

    assert refused.value.hint == "One of: ask, auto, off."


def test_a_name_that_is_nearly_right_is_put_right(user: Path) -> None:
    user.write_text("[limits]\nparalel = 2\n")

    with pytest.raises(BadInput) as refused:
        load(user)

    assert refused.value.hint.startswith("Did you mean parallel?")


@pytest.mark.parametrize("data", [b"[me]\nhandle = '\xff'\n", b"\x00"])
def test_a_file_that_is_no_text_is_told(user: Path, data: bytes) -> None:
    user.write_bytes(data)

    with pytest.raises(BadInput, match=r"config\.toml:\d+:\d+: "):
        load(user)


def test_a_byte_order_mark_is_no_mistake(user: Path) -> None:
    user.write_bytes(b"\xef\xbb\xbf[me]\r\nhandle = 'zoe'\r\n")

    assert load(user).settings.me.handle == "zoe"


def test_a_file_that_cannot_be_read_is_told(user: Path) -> None:
    user.mkdir()

    with pytest.raises(BadInput, match="cannot be read"):
        load(user)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FLOWIDE_LIMITS_PARALLEL", "many"),
        ("FLOWIDE_LIMITS_PARALLEL", "0"),
        ("FLOWIDE_LOCK_TTL_S", "nan"),
        ("FLOWIDE_GIT_COMMIT", "always"),
        ("FLOWIDE_MODELS_FAST_PRICE_IN", "cheap"),
    ],
)
def test_a_wrong_variable_is_told_with_its_name(user: Path, name: str, value: str) -> None:
    with pytest.raises(BadInput) as refused:
        load(user, None, **{name: value, "FLOWIDE_MODELS_FAST_MODEL": "x"})

    assert name in refused.value.message
    assert value in refused.value.message
    assert refused.value.hint


def test_a_project_cannot_trust_itself(user: Path, project: Path) -> None:
    project.write_text("\n[trust]\nprojects = ['/']\n")

    with pytest.raises(BadInput, match=r"config\.toml:2:2: a project cannot trust itself"):
        load(user, project)


def test_the_user_trusts_folders(user: Path, project: Path) -> None:
    root = project.parent.parent
    user.write_text(f"[trust]\nprojects = [{str(root)!r}]\n")

    loaded = load(user, project)

    assert loaded.settings.trusts(root)
    assert not loaded.settings.trusts(root.parent)


@pytest.mark.parametrize(
    "section", [each for each in settings.Settings.__struct_fields__ if each not in TABLES]
)
def test_every_section_says_what_it_is_for(section: str) -> None:
    kind: Any = getattr(settings.Settings(), section)

    assert f"[{section}]" in (type(kind).__doc__ or "")


def test_a_server_with_tools_is_a_table(user: Path, project: Path) -> None:
    user.write_text('[mcp.git]\ncommand = "mcp-server-git"\n')
    project.write_text('[mcp.git]\nargs = ["-r", "."]\n[mcp.git.env]\nA = "b"\n')

    loaded = load(user, project)

    server = loaded.settings.mcp["git"]
    assert (server.command, server.args, server.env) == ("mcp-server-git", ["-r", "."], {"A": "b"})
    assert loaded.sources["mcp.git.args"] == str(project)


def test_a_project_does_not_say_where_keys_are(user: Path, project: Path) -> None:
    project.write_text("[keys]\ndotenv = true\n")

    with pytest.raises(BadInput, match="1:2: a project does not say where your keys are"):
        load(user, project)


def test_bounds_of_providers_come_from_a_variable_too(user: Path, project: Path) -> None:
    loaded = load(user, project, FLOWIDE_LIMITS_PROVIDERS="openai=2, ollama=1")

    assert loaded.settings.limits.providers == {"openai": 2, "ollama": 1}
    with pytest.raises(BadInput, match="FLOWIDE_LIMITS_PROVIDERS"):
        load(user, project, FLOWIDE_LIMITS_PROVIDERS="openai=many")
