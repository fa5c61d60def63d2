"""`flowide doctor`: is the installation sound, and where does each setting come from."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from flowide.cli.desk import print_json, print_table, say

_EXTRAS = {"xllamacpp": "local", "psycopg": "postgres", "starlette": "server", "textual-image": "images"}
_KEYS = (
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "GEMINI_API_KEY",
    "MISTRAL_API_KEY",
    "GROQ_API_KEY",
    "OPENROUTER_API_KEY",
)


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    state: str
    """`ok`, `note` or `bad`."""
    said: str


@click.command(epilog="\b\nExamples:\n  flowide doctor\n  flowide doctor --report flowide-report.json")
@click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write it to a file, without secrets.",
)
def doctor(project: str | None, as_json: bool, report: Path | None) -> None:
    """Check Python, SQLite, git, the project, agents and models; show where settings come from. Exit 1 on trouble."""
    from flowide.cli.around import project_root

    root = project_root(project)
    findings = [*_installation(), *_project(root), *_models()]
    settings, more = _settings(root)
    findings += more
    bad = any(each.state == "bad" for each in findings)
    found = {"sound": not bad, "findings": findings, "settings": settings}
    if report is not None:
        import json

        import msgspec

        report.write_text(json.dumps(msgspec.to_builtins(found), indent=2) + "\n", "utf-8")
        say(f"written to {report}")
    if as_json:
        print_json(found)
    else:
        print_table(("", "WHAT", ""), [(_SIGNS[each.state], each.what, each.said) for each in findings])
        click.echo()
        print_table(
            ("SETTING", "VALUE", "FROM"),
            [(each["setting"], each["value"], each["from"]) for each in settings],
        )
    if bad:
        raise click.exceptions.Exit(1)


_SIGNS = {"ok": "ok", "note": "note", "bad": "BAD"}


def _installation() -> list[Finding]:
    from flowide import __version__
    from flowide.store.explained import sqlite3
    from flowide.store.journal import wal_is_safe

    version = sqlite3.sqlite_version
    wal = wal_is_safe(sqlite3.sqlite_version_info)
    git = shutil.which("git")
    extras = [extra for name, extra in _EXTRAS.items() if _has(name)]
    return [
        Finding("FlowIDE", "ok", __version__),
        Finding("Python", "ok", f"{platform.python_version()} at {sys.executable}"),
        Finding(
            "SQLite",
            "ok" if wal else "note",
            version if wal else f"{version} has a bug in WAL mode; the slower rollback journal is used",
        ),
        Finding("git", "ok" if git else "note", git or "not found; everything but commits works without it"),
        Finding(
            "checks",
            "ok" if shutil.which("bwrap") else "note",
            "confined with bubblewrap"
            if shutil.which("bwrap")
            else "run in a private copy of the project; with bubblewrap they could not write elsewhere either",
        ),
        Finding("extras", "ok", ", ".join(extras) or "none installed"),
        Finding(
            "terminal",
            "ok",
            f"{os.environ.get('TERM', 'none')}, {os.environ.get('COLORTERM', 'no COLORTERM')}",
        ),
    ]


def _has(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _project(root: Path) -> list[Finding]:
    from flowide.agents.load import find_agents
    from flowide.errors import FlowError
    from flowide.flows.load import find_flows, load_flow
    from flowide.settings import user_folder
    from flowide.store.journal import file_system, journal_mode

    home = user_folder()
    findings: list[Finding] = []
    database = root / ".flowide" / "workspace.db"
    if not database.is_file():
        findings.append(Finding("workspace", "note", f"none in {root} yet; it is made on first use"))
    else:
        from flowide.store.explained import sqlite3

        try:
            mode, why = journal_mode(database, sqlite3.sqlite_version_info, file_system(database))
            findings.append(Finding("workspace", "ok", why or f"{database}, {mode} journal"))
        except FlowError as error:
            findings.append(Finding("workspace", "bad", error.message))
    agents = find_agents(root, home / "agents")
    findings.append(Finding("agents", "ok", ", ".join(agents.agents) or "none; name models with --agents"))
    findings += [Finding("agent file", "bad", error.message) for error in agents.broken.values()]
    flows = find_flows(root, home)
    findings.append(Finding("flows", "ok", ", ".join(name for name, _, _ in flows)))
    for _, _, path in flows:
        try:
            load_flow(str(path), root, home)
        except FlowError as error:
            findings.append(Finding("flow file", "bad", error.message))
    return findings


def _models() -> list[Finding]:
    found = [name for name in _KEYS if os.environ.get(name)]
    said = (
        f"set: {', '.join(found)}"
        if found
        else "none set; Ollama, any OpenAI-compatible URL and `flowide local` need none"
    )
    return [Finding("keys", "ok" if found else "note", said)]


def _settings(root: Path) -> tuple[list[dict[str, Any]], list[Finding]]:
    import msgspec

    from flowide import settings
    from flowide.errors import BadInput

    try:
        loaded = settings.load(root)
    except BadInput as error:
        return [], [Finding("settings", "bad", error.message)]
    rows: list[dict[str, Any]] = []
    for section, values in msgspec.to_builtins(loaded.settings).items():
        for key, value in values.items():
            fields = value.items() if isinstance(value, dict) else [("", value)]
            for field, each in fields:
                name = ".".join(part for part in (section, key, field) if part)
                rows.append({"setting": name, "value": each, "from": loaded.sources.get(name, "default")})
    return rows, []
