"""What a run asks the person at the terminal: inputs that are missing, and the questions of its gates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowide.cli.asking import read_line
from flowide.cli.desk import Desk, say
from flowide.errors import BadInput

if TYPE_CHECKING:
    from flowide.flows.schema import Input


async def ask_inputs(
    desk: Desk, flow: str, brief: str, inputs: dict[str, Any], user_flows: Path | None
) -> tuple[str, dict[str, Any]]:
    """The brief and the inputs, with what the flow needs and nobody has said yet."""
    from flowide.flows.load import load_flow

    found = load_flow(flow, desk.folder.root, user_flows).flow
    given = dict(inputs)
    for name, wanted in found.inputs.items():
        if not wanted.required or given.get(name) or (name == "brief" and brief):
            continue
        value = await _value(name, wanted)
        if name == "brief":
            brief = str(value)
        else:
            given[name] = value
    return brief, given


async def _value(name: str, wanted: Input) -> Any:
    from flowide.flows.load import input_value

    say(f"{name}: {wanted.about}" if wanted.about else name)
    if wanted.type == "list":
        say("  one a line; an empty line ends the list")
    while True:
        line = (await read_line(f"{name}> ")).strip()
        lines = [line]
        while wanted.type == "list" and lines[-1]:
            lines.append((await read_line(f"{name}> ")).strip())
        text = "\n".join(each for each in lines if each)
        if not text:
            continue
        try:
            return input_value(name, wanted, text)
        except BadInput as error:
            say(f"{error.message}. {error.hint}")


async def ask_gates(desk: Desk, run: str) -> None:
    """Put the run's open gates to the person at the terminal."""
    from flowide.cli.gate_words import HOW, about, how
    from flowide.domain.commands import AnswerGate
    from flowide.space.queries import Gates

    for gate in await desk.space.read(Gates(run=run)):
        for line in about(gate):
            say(f"  {line}")
        if gate.kind in HOW:
            say(f"  {how(gate)}")
        options = f" ({', '.join(gate.options)})" if gate.options else ""
        answer = ""
        while not answer:
            answer = (await read_line(f"{options.strip()}> ".lstrip())).strip()
        word, _, reason = answer.partition(":")
        if word.strip() in {"reject", "approve", "deny"} and reason.strip():
            await desk.space.execute(AnswerGate(gate=gate.id, answer=word.strip(), reason=reason.strip()))
        else:
            await desk.space.execute(AnswerGate(gate=gate.id, answer=answer))
