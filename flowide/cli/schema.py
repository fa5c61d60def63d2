"""`flowide schema`: JSON Schemas."""

from __future__ import annotations

import click

from flowide.cli.desk import print_json


@click.command(epilog="\b\nExample:\n  flowide schema flow > flow.schema.json")
@click.option("--json", is_flag=True, hidden=True, expose_value=False)  # it always is
@click.argument("what", type=click.Choice(["flow", "agent", "events"]))
def schema(what: str) -> None:
    """Print the JSON Schema of flow files, of the head of agent files, or of the lines of a run."""
    if what == "flow":
        from flowide.flows.load import flow_schema

        print_json(flow_schema())
    elif what == "agent":
        from flowide.agents.load import agent_schema

        print_json(agent_schema())
    else:
        from flowide.headless.schema import events_schema

        print_json(events_schema())
