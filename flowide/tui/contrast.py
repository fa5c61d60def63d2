"""How well text can be read on its ground: the contrast ratio of WCAG 2.2."""

from __future__ import annotations

from collections.abc import Mapping

READABLE = 4.5
"""Least ratio of text and ground."""
GROUNDS = ("background", "surface", "panel")
TEXTS = (
    *("foreground", "quiet", "accent", "secondary", "warning", "error", "success"),
    *(f"agent-{number}" for number in range(1, 7)),
    *(
        f"syntax-{kind}"
        for kind in ("keyword", "string", "comment", "function", "type", "number", "operator")
    ),
)
PAIRS = (
    *((text, ground) for text in TEXTS for ground in GROUNDS),
    *(
        ("foreground", ground)
        for ground in ("field", "diff-add-word", "diff-del-word", "input-selection-background")
    ),
    *(("quiet", ground) for ground in ("field", "diff-add-background", "diff-del-background")),
    *((sign, f"{sign}-background") for sign in ("diff-add", "diff-del", "diff-change")),
    ("background", "accent"),
)
"""Text and ground as they meet on the screens."""


def ratio(one: str, other: str) -> float:
    """Contrast of two colours `#rrggbb`, from 1 to 21."""
    brighter, darker = sorted((_light(one), _light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def unreadable(colours: Mapping[str, str]) -> list[tuple[str, str, float]]:
    """Pairs of text and ground that meet, and are hard to read: names and ratio, the worst first."""
    found = [
        (text, ground, ratio(colours[text], colours[ground]))
        for text, ground in PAIRS
        if _known(colours, text) and _known(colours, ground)
    ]
    return sorted((each for each in found if each[2] < READABLE), key=lambda each: each[2])


def _known(colours: Mapping[str, str], name: str) -> bool:
    value = colours.get(name, "")
    return len(value) == 7 and value.startswith("#")


def _light(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
