"""Pictures as half blocks, and the words where they cannot be drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowide.errors import BadInput
from flowide.tui.picture import Picture, is_picture, with_words
from flowide.tui.views.spans import plain, width_of
from tests.tui.conftest import app_on

Image = pytest.importorskip("PIL.Image")

RED, BLUE = (255, 0, 0), (0, 0, 255)


def draw(path: Path, size: tuple[int, int] = (8, 8)) -> Path:
    """The upper half red, the lower half blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (0, size[1] // 2, size[0], size[1]))
    image.save(path)
    return path


def test_two_points_stand_in_one_cell(tmp_path: Path) -> None:
    image = Image.new("RGB", (2, 2), RED)
    image.putpixel((0, 1), BLUE)
    image.putpixel((1, 1), BLUE)
    image.save(tmp_path / "a.png")
    [row] = Picture(tmp_path / "a.png").lines(2, 1, "#000000")
    assert row == [("▀▀", "#ff0000#0000ff")]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(1, 80), st.integers(1, 60), st.integers(1, 60))
def test_a_picture_of_any_size_fits(
    tmp_path_factory: pytest.TempPathFactory, width: int, height: int, wide: int, high: int
) -> None:
    path = draw(tmp_path_factory.mktemp("p") / "a.png", (wide, high))
    rows = Picture(path).lines(width, height, "#102030")
    assert 1 <= len(rows) <= max(1, height)
    assert max(map(width_of, rows)) <= width


def test_what_is_transparent_shows_the_ground(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 2), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert Picture(tmp_path / "a.png").lines(2, 1, "#102030")[0][0][1] == "#102030#102030"


def test_words_stand_beside_a_picture_where_there_is_room() -> None:
    picture = [[("▀▀", "#ff0000#0000ff")], [("▀▀", "#ff0000#0000ff")]]
    assert [plain(row) for row in with_words(picture, [[("PNG", "")]], 20)] == ["▀▀   PNG", "▀▀   "]
    assert [plain(row) for row in with_words(picture, [[("PNG", "")]], 5)] == ["▀▀", "▀▀", "", "PNG"]


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(BadInput, match="cannot be read as a picture"):
        Picture(tmp_path / "a.png")


def test_a_picture_that_unfolds_to_too_much_is_not_read(tmp_path: Path) -> None:
    Image.new("1", (10_000, 10_000)).save(tmp_path / "bomb.png")
    with pytest.raises(BadInput, match="too many to be drawn"):
        Picture(tmp_path / "bomb.png")


def test_pictures_are_known_by_their_names() -> None:
    assert is_picture("a/b.PNG")
    assert not is_picture("png")


async def test_a_picture_is_drawn_in_the_artifact_pane(project: Path) -> None:
    draw(project / "docs" / "flag.png", (64, 64))
    async with app_on(project) as app:
        await app.open("flag.png")
        await app.sees("PNG · 64 × 64")
        assert "▀▀▀▀" in app.screen()
        await app.open("plan.md")
        await app.sees("Because.")
        assert "▀" not in app.screen()


async def test_a_terminal_with_few_colours_gets_words(project: Path) -> None:
    draw(project / "docs" / "flag.png")
    async with app_on(project, theme="ansi-dark") as app:
        await app.open("flag.png")
        await app.sees("too few colours")
        assert "PNG · 8 × 8" in app.screen()
        assert "▀" not in app.screen()


async def test_a_broken_picture_says_so(project: Path) -> None:
    (project / "docs" / "flag.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    async with app_on(project) as app:
        await app.open("flag.png")
        await app.sees("it cannot be read as a picture.")
