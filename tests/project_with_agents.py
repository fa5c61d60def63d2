"""A small project whose scripted agents write what a test wants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SHOP = '''\
"""A shop."""


class Shop:
    def __init__(self):
        self.stock = {}

    def add(self, name, count):
        self.stock[name] = self.stock.get(name, 0) + count

    def total(self):
        return sum(self.stock.values())
'''


def shop(number: int, *, helper: str = "") -> str:
    """The shop as variation `number` writes it."""
    text = SHOP.replace('"""A shop."""', f'"""A shop, written the {number}th way."""')
    text = text.replace("return sum(self.stock.values())", f"return self._sum() + {number} - {number}")
    return (
        text
        + f"\n    def _sum(self):\n        return {helper or f'sum(self.stock.values()) * {number} // {number}'}\n"
    )


def fenced(text: str, words: str = "Here it is.") -> str:
    """A reply that holds a text as models answer."""
    return f"{words}\n\n```python\n{text}```\n"


def verdicts(count: int) -> str:
    """What a critic answers about so many variations."""
    said = [
        {"variation": number, "score": 3 + number % 7, "strengths": [f"strength {number}"], "weaknesses": []}
        for number in range(1, count + 1)
    ]
    return json.dumps({"verdicts": said, "summary": "fine", "recommended": 1})


def write_agent(
    root: Path, handle: str, replies: list[dict[str, Any]], *, role: str = "drafter", **head: Any
) -> None:
    """An agent that answers from a script; JSON is YAML too."""
    folder = root / ".flowide" / "agents"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{handle}.json.yaml").write_text(json.dumps({"replies": replies, **head}))
    (folder / f"{handle}.md").write_text(
        f"---\nhandle: {handle}\nrole: {role}\nbackend: scripted\nscript: {handle}.json.yaml\n---\nYou are {handle}.\n"
    )


def make_project(root: Path, *, variations: int = 4) -> Path:
    """A project with a shop, two writers and a critic who has as many verdicts as there are variations."""
    (root / "src").mkdir(parents=True, exist_ok=True)
    (root / "src" / "shop.py").write_text(SHOP)
    odd = [fenced(shop(number)) for number in range(1, variations + 1, 2)]
    even = [fenced(shop(number)) for number in range(2, variations + 1, 2)]
    later = [fenced(shop(number)) for number in range(11, 15)]
    write_agent(root, "anders", [{"on": "vary", "texts": odd}, {"on": "more", "texts": later[:2]}])
    write_agent(root, "bea", [{"on": "vary", "texts": even or odd}, {"on": "more", "texts": later[2:]}])
    write_agent(root, "carl", [{"on": "critique", "text": verdicts(variations)}], role="critic")
    return root
