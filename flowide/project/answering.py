"""Answering a question to a person, whatever it is about: the one way for command line, app and servers.

Most gates belong to a run, which goes on with the answer. Others ask about the folder: their answer is carried
out at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowide.domain import rows
from flowide.domain.commands import AnswerGate
from flowide.project.conflicts import KIND as CONFLICT

if TYPE_CHECKING:
    from flowide.project.folder import ProjectFolder
    from flowide.space.api import Space

COMMIT = "commit"
"""Kind of the gates that ask whether a version goes into git."""


async def answer(
    folder: ProjectFolder, space: Space, gate: rows.Gate, answer: str, reason: str | None = None
) -> None:
    """Answer a gate and do what the answer says.

    Raises:
        Gone: It was answered before.
        BadInput: It is no answer to this gate.
        FlowError: What the answer asks for cannot be done; then the gate stays open.
    """
    if gate.kind == CONFLICT and gate.status == "open":
        await folder.resolve(space, gate.id, answer.strip(), note=reason or "")
    elif gate.kind == COMMIT and gate.status == "open":
        from flowide.project.committing import answer_commit

        await answer_commit(folder, space, gate, answer.strip(), reason)
    else:
        await space.execute(AnswerGate(gate=gate.id, answer=answer, reason=reason))
