"""`flowide keys`: where keys are kept; their values are never shown."""

from __future__ import annotations

import os
import sys

import click

from flowide.cli.desk import print_json, print_table, read_stdin, say

_PROJECT = click.option(
    "--project", metavar="PATH", help="Folder of the project; by default the one around here."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_KEYRING = click.option("--keyring", is_flag=True, help="In the system's keyring instead of the file.")


@click.group(invoke_without_command=True, epilog="\b\nExample:\n  flowide keys set OPENAI_API_KEY < key.txt")
@_PROJECT
@_JSON
@click.pass_context
def keys(context: click.Context, project: str | None, as_json: bool) -> None:
    """Keys of providers and tools. Without a command: list which there are and where each is, without its value."""
    if context.invoked_subcommand is None:
        _list(project, as_json)


@keys.command("list", epilog="\b\nExample:\n  flowide keys list --json")
@_PROJECT
@_JSON
def list_(project: str | None, as_json: bool) -> None:
    """List which keys there are and where each is, without its value."""
    _list(project, as_json)


@keys.command(
    "set",
    epilog="\b\nExamples:\n  flowide keys set OPENAI_API_KEY\n  flowide keys set HOUSE_KEY --keyring < key.txt",
)
@click.argument("name")
@_KEYRING
def set_(name: str, keyring: bool) -> None:
    """Keep a key for good; it is asked for without showing it, or read from stdin.

    By default in the file `credentials` of the user's folder, which only its owner can read.
    """
    from flowide.agents.keys import set_in_keyring, set_key
    from flowide.settings import load, user_folder

    if sys.stdin.isatty():
        value = click.prompt(f"Value of {name}", hide_input=True, err=True)
    else:
        value = read_stdin().decode("utf-8", "replace").strip()
    if keyring:
        set_in_keyring(name, value)
        asked = load(None).settings.keys.keyring
        say("kept in the keyring" + ("" if asked else "; it is asked once [keys] keyring = true is set"))
    else:
        say(f"kept in {set_key(user_folder(), name, value)}")


@keys.command(epilog="\b\nExample:\n  flowide keys remove OPENAI_API_KEY")
@click.argument("name")
@_KEYRING
def remove(name: str, keyring: bool) -> None:
    """Take a key out of the file, or the keyring."""
    from flowide.agents.keys import remove_from_keyring, remove_key
    from flowide.settings import user_folder

    if keyring:
        remove_from_keyring(name)
        say("taken out of the keyring")
    else:
        say(f"taken out of {remove_key(user_folder(), name)}")


def _list(project: str | None, as_json: bool) -> None:
    from flowide import settings
    from flowide.agents.keys import find_keys
    from flowide.cli.around import project_root

    root = project_root(project)
    found = find_keys(root, settings.load(root).settings, os.environ)
    if as_json:
        print_json([{"name": name, "from": where} for name, where in sorted(found.sources.items())])
        return
    if not found.sources:
        say("no keys; export one, or: flowide keys set OPENAI_API_KEY")
        return
    print_table(("KEY", "FROM"), sorted(found.sources.items()))
