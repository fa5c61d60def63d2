"""The OpenAPI document is true: of its own parts, of every command, and of what a hub answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from flowide.domain.commands import COMMANDS
from flowide.hub.openapi import document
from flowide.space.wire.calls import QUERIES, args_of
from tests.domain.test_roles import of_somebody_else
from tests.hub.client import Person
from tests.hub.conftest import running_hub, token_of


def validator(name: str) -> jsonschema.Draft202012Validator:
    """Of one schema of the document."""
    return jsonschema.Draft202012Validator({**document(), "$ref": f"#/components/schemas/{name}"})


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_every_reference_leads_somewhere() -> None:
    schemas = document()["components"]["schemas"]

    assert references(document()) <= {f"#/components/schemas/{name}" for name in schemas}


def test_the_document_is_served(ana: Person) -> None:
    assert ana.get("/openapi.json").json == json.loads(json.dumps(document()))


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "batch"])
def test_a_command_fits_its_schema_and_one_with_more_does_not(name: str) -> None:
    args = args_of(of_somebody_else(name))

    assert validator("Command").is_valid({"id": "1", "cmd": name, "args": args})
    assert not validator("Command").is_valid({"id": "1", "cmd": name, "args": {**args, "surprise": 1}})


def test_every_question_is_in_the_document() -> None:
    told = {
        each["properties"]["cmd"]["const"]
        for each in document()["components"]["schemas"]["Question"]["oneOf"]
    }

    assert told == set(QUERIES)


def test_answers_fit_the_document(ana: Person, doc: str) -> None:
    results = ana.http(
        "POST",
        "commands",
        {
            "client": "c",
            "cmds": [{"id": "1", "cmd": "lock.acquire", "args": {"artifact": doc}}, {"id": "2", "cmd": "x"}],
        },
    ).json
    validator("Results").validate(results)
    for event in ana.events():
        validator("Event").validate(event)
    validator("Refusal").validate(ana.get("artifacts/none").json)


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """Some thousand requests, right and wrong ones; about two minutes."""
    program = shutil.which("st", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("needs schemathesis")
    database = str(tmp_path / "spaces")
    token = token_of(database, "shop", "ana")
    described = json.loads(json.dumps(document()))
    for path in described["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                fixed = {"space": "shop", "wait": 0}
                if parameter["name"] in fixed:
                    parameter["schema"] = {"const": fixed[parameter["name"]]}
    (tmp_path / "openapi.json").write_text(json.dumps(described))

    with running_hub(database, env={"FLOWIDE_HUB_WRONG_TOKENS": "1000000"}) as hub:
        done = subprocess.run(
            [program, "run", str(tmp_path / "openapi.json"), "--url", hub.base, "-H", f"Authorization: Bearer {token}",
             "--phases", "coverage,fuzzing", "--max-examples", "40", "--exclude-path-regex", ".*/import"],
            capture_output=True, text=True, timeout=900, check=False, cwd=tmp_path,
        )  # fmt: skip

    assert done.returncode == 0, done.stdout[-6000:]
