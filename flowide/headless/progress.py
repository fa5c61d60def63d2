"""A run for people who watch: one short line on stderr for what matters."""

from __future__ import annotations

from typing import Any

from flowide.headless.envelope import Line
from flowide.text import one_line


def tell(line: Line) -> str | None:  # noqa: PLR0911, PLR0912 - one flat case for each type of line
    """The line in words; None = not worth a line. It holds foreign text as it is."""
    data, step = line["data"], line["step"] or ""
    who = f"@{line['actor']['id']}" if line["actor"] else ""
    match line["type"]:
        case "run.started":
            again = ", resumed" if data.get("resumed_from") else ""
            return f"run {line['run']} of {data['flow']}{again}"
        case "step.started" if "#" in step:
            return None
        case "step.started":
            return f"{step} …"
        case "variation.created":
            return f"  variation {data['number']} by {who}, {data['size']} bytes"
        case "variation.blended":
            return f"  variation {data['number']}, a blend of {_parents(data)}"
        case "variation.checked" if data["name"] == "parses" and data["status"] == "passed":
            return None
        case "variation.checked":
            return f"  variation {data['number']}: {data['name']} {data['status']}{_metrics(data)}"
        case "variation.tagged" if data.get("shortlisted"):
            return f"  variation {data['number']} short-listed"
        case "message" if data.get("score") is not None:
            return f"  variation {data['variation']}: {data['score']}/10 from {who}"
        case "message.delta":
            return None
        case "message" if "number" in data:
            return f"  {who} (#{data['number']}): {one_line(data['text'], 160)}"
        case "review.approved" | "review.rejected" if data["final"]:
            return f"the review is {line['type'].partition('.')[2]}, with version {data['version']}"
        case "review.approved":
            return f"  {data['stage']}: {who} approves version {data['version']}"
        case "review.rejected":
            why = one_line("; ".join(each["text"] for each in data["reasons"]), 200)
            return (
                f"  {data['stage']}: {who} sends version {data['version']} back to {data['back_to']}: {why}"
            )
        case "decision.changed" if "text" in data:
            return f"  D{data['number']} is put up by {who}: {data['text']}"
        case "decision.changed":
            return f"  {who}: decision {data['status']}"
        case "tool.call":
            return f"  {who} uses {data['tool']}: {one_line(str(data['arguments']), 160)}"
        case "tool.result" if data["failed"]:
            return f"  {data['tool']} failed: {one_line(data['text'], 200)}"
        case "gate.opened":
            return f"? {data['question']}"
        case "gate.answered":
            reason = f" ({data['reason']})" if data.get("reason") else ""
            return f"  {who}: {data['answer']}{reason}"
        case "lock.waiting":
            return "  waiting for the lock"
        case "lock.lost":
            return f"  the lock was lost: {data['why']}"
        case "artifact.saved":
            return f"  saved {data['path']} version {data['version']}"
        case "warning":
            return f"warning: {data['message']}"
        case _:
            return None


def _parents(data: dict[str, Any]) -> str:
    numbers = dict.fromkeys(str(each["variation"]) for each in data.get("parents", []) if "variation" in each)
    return " and ".join(numbers) or "others"


def _metrics(data: dict[str, Any]) -> str:
    shown = [
        f"{name} {value}"
        for name, value in data.get("metrics", {}).items()
        if name not in {"exit_code", "bytes"}
    ]
    return f" ({', '.join(shown)})" if shown else ""
