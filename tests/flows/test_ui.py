"""The flow `ui` on its scripted card: with a browser, with the real one where it is, and without any."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from flowide import settings
from flowide.flows.api import RunResult
from flowide.flows.picturing.kept import images_of, tree_of
from flowide.flows.picturing.serving import file_of, serving
from flowide.headless import demo
from tests.agents.fault_server import FaultServer
from tests.flows.conftest import Bench

BROWSER = str(Path(__file__).parent / "browser_server.py")
BRIEF = "A card that tells how the cache is doing"


def example(tmp_path: Path, *, browser: str = BROWSER, path: str = "") -> Bench:
    """The demo's project, with a browser that stands in for the real one; without `browser` what is on `path`."""
    demo.prepare(tmp_path / "demo")
    bench = Bench(tmp_path / "demo")
    home = tmp_path / "home"
    home.mkdir()
    if browser:
        args = json.dumps([browser])
        (home / "config.toml").write_text(f'[mcp.playwright]\ncommand = "{sys.executable}"\nargs = {args}\n')
    env = {**os.environ, "FLOWIDE_HOME": str(home), "FLOWIDE_SCRIPTED_PACE": "0"}
    if not browser:
        env["PATH"] = path
    found = settings.load(bench.root, env)
    bench.around = structs.replace(bench.around, env=env, settings=found, user_flows=home)
    return bench


async def ui(bench: Bench, on_gate: Any = "approve", **inputs: Any) -> RunResult:
    agents = ["edwin", "quinn", "mara"]
    given = {"path": "stats-card.html", **inputs}
    return await bench.start("ui", brief=BRIEF, inputs=given, agents=agents, on_gate=on_gate)


async def test_variations_are_seen_criticised_chosen_refined_and_accepted(tmp_path: Path) -> None:
    bench = example(tmp_path)

    result = await ui(bench)

    assert result.status == "completed", result.error
    assert (result.outputs["chosen"], result.outputs["version"]) == (4, 1)
    assert 'role="meter"' in (bench.root / "stats-card.html").read_text()
    view = await bench.set()
    refined = view.variations[3].variation
    assert (refined.actor, refined.parents[0]["variation"]) == ("quinn", 2)
    checks = [{check.name: check.status for check in each.checks} for each in view.variations]
    assert checks == [{"parses": "passed", "picture": "passed"}] * 4
    assert "heading 'Cache “sessions”'" in tree_of(view.variations[3])
    [check] = [check for check in view.variations[3].checks if check.name == "picture"]
    assert check.metrics == {"console_errors": 2}


async def test_without_a_browser_the_pictures_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    bench = example(tmp_path, browser="")

    result = await ui(bench)

    assert result.status == "completed", result.error
    assert any(each.startswith("no pictures: there is no browser here") for each in bench.watcher.warnings)


async def test_a_browser_that_the_project_brings_needs_trust(tmp_path: Path) -> None:
    bench = example(tmp_path, browser="")
    mark = tmp_path / "started"
    server = {"command": "touch", "args": [str(mark)]}
    (bench.root / ".mcp.json").write_text(json.dumps({"mcpServers": {"playwright": server}}))

    result = await ui(bench)

    assert result.status == "completed"
    assert any("is not trusted" in each for each in bench.watcher.warnings)
    assert not mark.exists()


async def test_a_stopped_run_takes_no_picture_twice(tmp_path: Path) -> None:
    bench = example(tmp_path)
    stopped = await ui(bench, "stop", rounds=0)
    assert stopped.exit_code == 3
    events = [event async for event in bench.space.events() if event.type == "variation.checked"]

    again = await bench.resume(stopped.run)
    result = await bench.answer(await bench.answer(again, "2"), "2")

    assert result.status == "completed", result.error
    after = [event async for event in bench.space.events() if event.type == "variation.checked"]
    assert len(after) == len(events) == 6


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"page": "nosuch.html"}, "there is no page nosuch.html"),
        ({"path": "card.css"}, "does not show card.css by itself"),
        ({"width": 1}, "width: 1 is not possible"),
    ],
)
async def test_what_cannot_be_shown_is_told(tmp_path: Path, inputs: dict[str, Any], said: str) -> None:
    bench = example(tmp_path)

    result = await ui(bench, rounds=0, **inputs)

    assert (result.status, result.exit_code) == ("failed", 2)
    assert result.error is not None
    assert said in result.error["message"]


async def test_a_page_that_fails_is_a_check_that_failed(tmp_path: Path) -> None:
    bench = example(tmp_path)
    (bench.root / "broken.html").write_text("<h1>Never seen</h1>")

    result = await ui(bench, page="broken.html", rounds=0)

    assert result.status == "completed", result.error
    checks = [check for each in (await bench.set()).variations for check in each.checks]
    assert {check.status for check in checks if check.name == "picture"} == {"failed"}


async def test_the_pictures_reach_a_model_that_judges(tmp_path: Path) -> None:
    bench = example(tmp_path)
    async with FaultServer() as server:
        models = {"eye": {"model": "author", "api_base": server.url}}
        bench.around = structs.replace(bench.around, models=models)
        (bench.root / ".flowide/agents/mara.md").write_text(
            "---\nhandle: mara\nrole: critic\nmodel: eye\n---\nYou judge.\n"
        )

        await ui(bench, rounds=0)

        told = server.requests[0]["messages"][-1]["content"]
    assert [part["type"] for part in told] == ["text", "image_url", "image_url", "image_url"]
    assert "The pictures are of the variations 1, 2, 3, in this order." in told[0]["text"]
    assert told[1]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")


@pytest.mark.skipif(
    not (shutil.which("playwright-mcp") and shutil.which("chromium")),
    reason="needs playwright-mcp and chromium",
)
async def test_a_real_browser_shows_what_a_person_would_see(tmp_path: Path) -> None:
    bench = example(tmp_path, browser="", path=os.environ["PATH"])

    result = await ui(bench)

    assert result.status == "completed", result.error
    assert bench.watcher.warnings == []
    view = await bench.set()
    images = await images_of(bench_state(bench), view.variations)
    assert len({image.data for image in images.values()}) == 4
    assert all(len(image.data) > 1000 for image in images.values())
    assert 'meter "Entries"' in tree_of(view.variations[3])


def bench_state(bench: Bench) -> Any:
    """What `images_of` reads of a run."""

    class Reads:
        space = bench.space

    return Reads()


# --- the server on loopback ---------------------------------------------------------------------------


async def fetched(address: str) -> tuple[int, bytes, dict[str, str]]:
    def fetch() -> tuple[int, bytes, dict[str, str]]:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            return error.code, error.read(), dict(error.headers)

    return await asyncio.to_thread(fetch)


async def test_files_of_the_folder_are_served_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    (folder / "index.html").write_text("<h1>ä</h1>")
    (folder / "sub/index.html").write_text("sub")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret.txt")

    async with serving(folder) as address:
        status, data, headers = await fetched(f"{address}/?x=1")
        assert (status, data.decode()) == (200, "<h1>ä</h1>")
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert (await fetched(f"{address}/sub"))[1] == b"sub"
        for path in ("../secret.txt", "%2e%2e/secret.txt", "link", "nosuch", "%00"):
            assert (await fetched(f"{address}/{path}"))[0] == 404, path


def test_only_what_is_below_the_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/x.js").write_text("x")

    assert file_of(tmp_path, "/node_modules/x.js") is not None
    assert file_of(tmp_path, "/node_modules/../../etc/passwd") is None
    assert file_of(tmp_path, "//etc/passwd") is None


async def test_it_survives_what_is_no_http(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("here")
    async with serving(tmp_path) as address:
        port = int(address.rsplit(":", 1)[1])
        for said in (b"\r\n\r\n", b"x" * 100_000, b"GET\r\n\r\n", b""):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            writer.write_eof()
            await reader.read()
            writer.close()
        assert (await fetched(address))[1] == b"here"
