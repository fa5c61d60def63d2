"""`docs/wire.md` and `docs/hub.md` say what the hub does."""

from __future__ import annotations

import re
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import msgspec
import pytest

from flowide.domain import members
from flowide.domain.policy import Policy
from flowide.hub import calls, line, live
from flowide.hub.answers import STATUS
from flowide.hub.manner import Manner
from flowide.hub.openapi import document
from flowide.space.wire import frames

ROOT = Path(__file__).parents[2]
WIRE = (ROOT / "docs" / "wire.md").read_text()
HUB = (ROOT / "docs" / "hub.md").read_text()


def told(kinds: UnionType) -> dict[str, list[str]]:
    """Fields of each frame, those with a default marked `?`."""
    return {
        str(kind.__struct_config__.tag): [
            f"{each.encode_name}{'' if each.required else '?'}" for each in msgspec.structs.fields(kind)
        ]
        for kind in get_args(kinds)
    }


def rows(heading: str) -> dict[str, list[str]]:
    """The tables below a heading, by their first cell."""
    section = WIRE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = [
        re.split(r"\s*\|\s*", each.strip("|").strip()) for each in section.splitlines() if each[:3] == "| `"
    ]
    return {cells[0].strip("`"): cells[1:] for cells in found}


def test_every_frame_is_told_with_its_fields() -> None:
    said = {
        name: [each.strip() for each in cells[0].split(",")] for name, cells in rows("The stream").items()
    }

    assert said == {**told(frames.FromHub), **told(frames.FromClient)}


def test_every_address_is_told_and_is_in_the_openapi_document() -> None:
    said = {
        *[tuple(name.split()) for name in rows("Who you are")],
        *[(name.split()[0], f"/v1/spaces/{{space}}{name.split()[1]}") for name in rows("In a space")],
    }
    served: set[Any] = {
        (method.upper(), path) for path, each in document()["paths"].items() for method in each
    }

    assert said - {("GET", "/v1/spaces/{space}/stream")} == served


def test_every_status_is_told() -> None:
    sentence = WIRE.split("with the status of its code:")[1].split("the others.")[0]
    said = re.findall(r"(\d{3}) `([a-z_]+)`(?: and `([a-z_]+)`)?", sentence)

    assert {code: int(number) for number, *codes in said for code in codes if code} == STATUS


def test_every_reason_to_close_is_told() -> None:
    source = "".join(
        (ROOT / "flowide" / "hub" / f"{name}.py").read_text() for name in ("stream", "serve", "keeper")
    )
    used = set(re.findall(r'bye\(\s*"([a-z_]+)"', source)) | {"storage"}
    sentence = WIRE.split("`bye` codes:")[1].split("\n\n")[0]

    assert used <= set(re.findall(r"`([a-z_]+)`", sentence))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (frames.MAX_FRAME, f"{frames.MAX_FRAME // 1024**2} MiB"),
        (line.MAX_UNSENT, f"{line.MAX_UNSENT // 1024**2} MiB or {line.MAX_FRAMES} frames"),
        (live.MAX_WATCHED, f"at most {live.MAX_WATCHED}"),
        (Manner().failures, f"{Manner().failures} a minute"),
        (members.INVITE_HOURS, f"{members.INVITE_HOURS} h"),
        (Policy().people, f"{Policy().people} · {Policy().agents}"),
        (calls.RATES["human"], "50 a second, 200 at once"),
        (calls.RATES["agent"], "20 a second, 80 at once"),
        (Manner().drop_s, f"{Manner().drop_s:.0f} s of silence"),
        (Manner().hub_ms, f"every {Manner().hub_ms} ms or\n  {Manner().hub_bytes // 1024} KiB"),
    ],
    ids=str,
)
def test_bounds_are_the_ones_that_are_enforced(what: Any, said: str) -> None:
    assert what
    assert said in WIRE


def test_rates_are_what_the_table_says() -> None:
    assert calls.RATES["human"] == (50.0, 200.0)
    assert calls.RATES["agent"] == (20.0, 80.0)


def test_every_role_is_told() -> None:
    section = HUB.split("| role | may |")[1].split("\n\n")[0]

    assert set(re.findall(r"^\| ([a-z]+) \|", section, re.MULTILINE)) == {
        "viewer",
        "editor",
        "owner",
        "agent",
    }
