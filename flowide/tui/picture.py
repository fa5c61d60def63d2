"""Pictures drawn with half blocks: two points a cell, one above the other. Needs the extra `images`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from flowide.errors import BadInput
from flowide.tui.views.spans import Span
from flowide.tui.views.words import size_words

if TYPE_CHECKING:
    from PIL.Image import Image as Points

KINDS = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".ico", ".tiff"})
MOST_POINTS = 50_000_000
MOST_BYTES = 64 * 1024 * 1024
KEPT = 400
"""Points of the longer side that are kept: no terminal shows more."""
UPPER = "\N{UPPER HALF BLOCK}"


def is_picture(path: str) -> bool:
    """Whether a file is one by its name."""
    return PurePosixPath(path).suffix.lower() in KINDS


class Picture:
    """One picture, small enough to be drawn at once in any size."""

    def __init__(self, path: Path) -> None:
        """Read it; it takes a while.

        Raises:
            BadInput: It is no picture, is too large, or the library for pictures is missing.
        """
        try:
            from PIL import Image, UnidentifiedImageError
        except ModuleNotFoundError as error:
            raise BadInput(
                "pictures need the extra `images`", hint="pip install 'flowide[images]'"
            ) from error
        try:
            size = path.stat().st_size
            if size > MOST_BYTES:
                raise BadInput(f"{size_words(size)} is too large to be drawn")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of large ones; the limit here is lower
                opened = Image.open(path)
            with opened:
                width, height = opened.size
                if width * height > MOST_POINTS:
                    raise BadInput(f"{width} × {height} points are too many to be drawn")
                self.facts = f"{opened.format or 'picture'} · {width} × {height} · {size_words(size)}"
                opened.draft("RGB", (KEPT * 2, KEPT * 2))
                small = opened.convert("RGBA")
                small.thumbnail((KEPT, KEPT))
        except (
            OSError,
            ValueError,
            SyntaxError,
            Image.DecompressionBombError,
            UnidentifiedImageError,
        ) as error:
            raise BadInput("it cannot be read as a picture") from error
        self._small: Points = small

    def lines(self, width: int, height: int, ground: str) -> list[list[Span]]:
        """Rows of at most `width` cells and `height` rows; `ground` is what is behind, `#rrggbb`."""
        from PIL import Image

        wide, high = self._small.size
        scale = min(width / wide, height * 2 / high, 1 if max(wide, high) >= KEPT else 4)
        columns, points = max(1, int(wide * scale)), max(2, int(high * scale) // 2 * 2)
        how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
        behind = Image.new("RGBA", (columns, points), ground)
        behind.alpha_composite(self._small.resize((columns, points), how))
        flat = behind.convert("RGB").tobytes()
        return [_row(flat, columns, at) for at in range(0, points, 2)]


def _row(flat: bytes, columns: int, at: int) -> list[Span]:
    """Two rows of points as one row of cells; cells that look alike are one span."""
    upper, lower = (
        flat[at * columns * 3 : (at + 1) * columns * 3],
        flat[(at + 1) * columns * 3 : (at + 2) * columns * 3],
    )
    spans: list[Span] = []
    for cell in range(0, columns * 3, 3):
        role = f"#{upper[cell : cell + 3].hex()}#{lower[cell : cell + 3].hex()}"
        if spans and spans[-1][1] == role:
            spans[-1] = (spans[-1][0] + UPPER, role)
        else:
            spans.append((UPPER, role))
    return spans


def with_words(
    picture: Sequence[Sequence[Span]], words: Sequence[Sequence[Span]], width: int
) -> list[list[Span]]:
    """Words below a picture; beside it where there is room."""
    from flowide.tui.views.spans import width_of

    cells = max(map(width_of, picture), default=0)
    longest = max(map(width_of, words), default=0)
    if cells + longest + 3 > width:
        return [*map(list, picture), [], *map(list, words)]
    rows = []
    for at in range(max(len(picture), len(words))):
        left = list(picture[at]) if at < len(picture) else [(" " * cells, "")]
        rows.append([*left, ("   ", ""), *(words[at] if at < len(words) else [])])
    return rows
