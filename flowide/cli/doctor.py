"""`flowide doctor`: is the installation sound, and where does each setting come from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from flowide.cli.checkup import Finding, findings
from flowide.cli.desk import print_json, print_table, say
from flowide.settings import Loaded

_SIGNS = {"ok": "ok", "note": "note", "bad": "BAD"}


@click.command(epilog="\b\nExamples:\n  flowide doctor\n  flowide doctor --report flowide-report.json")
@click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write a bundle to a file, without secrets, for asking others.",
)
def doctor(project: str | None, as_json: bool, report: Path | None) -> None:
    """Check Python, SQLite, git, the project, agents and models. Show where each setting comes from.

    Nothing is asked over the network: `flowide agents test` does that. Exit 1 when something is BAD.
    """
    from flowide.agents.redact import redact, secrets_in
    from flowide.cli.around import project_root
    from flowide.errors import BadInput
    from flowide.settings import load

    root = project_root(project)
    loaded: Loaded | None = None
    wrong: list[Finding] = []
    try:
        loaded = load(root)
    except BadInput as error:
        wrong.append(Finding("settings", "bad", error.message, error.hint))
    secrets = secrets_in(os.environ)
    looked_at = [
        Finding(each.what, each.state, redact(each.said, secrets), redact(each.hint, secrets))
        for each in (*findings(root, loaded), *wrong)
    ]
    bad = any(each.state == "bad" for each in looked_at)
    found = {"sound": not bad, "findings": looked_at, "settings": _rows(loaded)}
    if report is not None:
        from flowide.cli.report import write_report

        write_report(report, found)
        say(f"written to {report}")
    if as_json:
        print_json(found)
    else:
        _print(looked_at, _rows(loaded))
    if bad:
        raise click.exceptions.Exit(1)


def _print(looked_at: list[Finding], rows: list[dict[str, Any]]) -> None:
    from flowide.text import one_line

    print_table(("", "WHAT", ""), [(_SIGNS[each.state], each.what, each.said) for each in looked_at])
    hints = [(each.what, each.hint) for each in looked_at if each.state != "ok" and each.hint]
    if hints:
        click.echo()
        for what, hint in hints:
            click.echo(f"{what}: {one_line(hint)}")
    click.echo()
    print_table(
        ("SETTING", "VALUE", "FROM"), [(each["setting"], each["value"], each["from"]) for each in rows]
    )


def _rows(loaded: Loaded | None) -> list[dict[str, Any]]:
    """Every setting with its value and where that comes from."""
    import msgspec

    from flowide.agents.redact import redact

    if loaded is None:
        return []
    rows: list[dict[str, Any]] = []
    for section, values in msgspec.to_builtins(loaded.settings).items():
        for key, value in values.items():
            fields = value.items() if isinstance(value, dict) else [("", value)]
            for field, each in fields:
                name = ".".join(part for part in (section, key, field) if part)
                shown = redact(each) if isinstance(each, str) else each
                if isinstance(each, dict):  # what a tool server is given; its values may be secret
                    shown = dict.fromkeys(each, "…")
                rows.append({"setting": name, "value": shown, "from": loaded.sources.get(name, "default")})
    home = os.environ.get("FLOWIDE_HOME")
    if home:
        rows.append({"setting": "(user folder)", "value": home, "from": "FLOWIDE_HOME"})
    return rows
