"""What a process really loads, layer by layer and command by command."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LINTED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0][
    "layers"
]
LAYERS = [[name.strip() for name in line.split("|")] for line in LINTED]
"""From the top; the members of one layer do not know each other."""
FORBIDDEN = {"litellm", "mcp", "acp", "textual"}
WITH_LITELLM = {"openai"}
"""What litellm imports anyway; the worker loads it early."""

WORKER = "flowide.agents.worker."
"""The modules of the model worker, a process of its own; the rest of the package starts it."""

IMPORT_ALL = """
import json, pkgutil, sys
from importlib import import_module
package = import_module(sys.argv[1])
for each in pkgutil.walk_packages(getattr(package, "__path__", []), package.__name__ + "."):
    if not each.name.endswith("__main__") and not each.name.startswith(sys.argv[2]):
        import_module(each.name)
print(json.dumps(sorted(sys.modules)))
"""


def loaded_by_layer(name: str) -> set[str]:
    """Names of the modules after importing all of a layer."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, f"flowide.{name}", WORKER],
        check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=300,
    )  # fmt: skip
    return set(json.loads(done.stdout))


def loaded_by_command(args: list[str], cwd: Path) -> set[str]:
    """Names of the modules that a command imports, as the interpreter tells them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "flowide", *args],
        check=True, cwd=cwd, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    told = [
        line.rpartition("|")[2].strip()
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    ]
    assert "site" in told
    return set(told[told.index("site") + 1 :])


def tops(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def of_layer(modules: set[str], name: str) -> set[str]:
    return {each for each in modules if f"{each}.".startswith(f"flowide.{name}.")}


@pytest.mark.parametrize("name", [name for layer in LAYERS for name in layer if name != "__main__"])
def test_a_layer_loads_nothing_from_above_or_beside_it_and_no_model_library(name: str) -> None:
    at = next(at for at, layer in enumerate(LAYERS) if name in layer)
    not_below = [each for layer in LAYERS[: at + 1] for each in layer if each != name]

    modules = loaded_by_layer(name)

    assert [each for layer in not_below for each in of_layer(modules, layer)] == []
    own = {"tui": {"textual"}, "mcp_server": {"mcp"}, "acp_server": {"acp"}}
    assert tops(modules) & {*FORBIDDEN, "openai"} <= own.get(name, set())


def test_the_version_is_told_without_any_library(tmp_path: Path) -> None:
    modules = loaded_by_command(["--version"], tmp_path)

    assert tops(modules) - sys.stdlib_module_names == {"flowide"}
    assert of_layer(modules, "cli") == set()


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["pieces", "shop.py"],
        ["artifact", "list"],
        ["log"],
        ["variations", "list"],
        ["verify"],
        ["schema", "flow"],
    ],
    ids=" ".join,
)
def test_a_command_loads_neither_terminal_app_nor_model_library(args: list[str], tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("def sell():\n    return 1\n")

    modules = loaded_by_command(args, tmp_path)

    assert tops(modules) & {*FORBIDDEN, "openai", "httpx", "pydantic"} == set()


def test_every_library_that_is_imported_is_a_declared_dependency() -> None:
    """Also the lazy imports, which no test needs to reach."""
    extras = ("local", "postgres", "server", "web", "images")
    declared = {*_declared("dependencies")}.union(
        *(_declared("optional-dependencies", each) for each in extras)
    )
    provides = _providers()

    unknown = {
        top
        for top in _imported() - WITH_LITELLM
        if not declared & provides.get(top, {canonicalize_name(top)})
    }

    assert unknown == set()


def test_every_declared_dependency_is_imported() -> None:
    provides = _providers()
    used = {name for top in _imported() for name in provides.get(top, {canonicalize_name(top)})}

    assert _declared("dependencies") - used - {"tree-sitter-typescript"} == set()  # a grammar, loaded by name


def _imported() -> set[str]:
    """Top-level modules of other projects that the package imports anywhere."""
    found = set()
    for file in (ROOT / "flowide").rglob("*.py"):
        if "demo" in file.relative_to(ROOT / "flowide").parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"flowide"}


def _declared(*where: str) -> set[str]:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for key in where:
        found = found[key]
    return {_name(each) for each in found}


def _name(requirement: str) -> str:
    """The normalised name of a requirement."""
    return canonicalize_name(Requirement(requirement).name)


def _providers() -> dict[str, set[str]]:
    """Names of the installed distributions that provide a top-level module."""
    found = packages_distributions().items()
    return {top: {str(canonicalize_name(each)) for each in names} for top, names in found}


def test_the_first_frame_of_the_app_waits_for_no_space() -> None:
    code = "import sys, flowide.tui.application, flowide.tui.engine.opening; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=300
    )

    loaded = set(done.stdout.split())

    late = ("space", "store", "flows", "project", "agents", "domain.commands", "domain.facts", "domain.rows")
    assert [each for name in late for each in of_layer(loaded, name)] == []
