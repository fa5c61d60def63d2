"""What the pages show exists: links, files, commands, options. And no page says what it should not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from flowide.cli.commands import COMMANDS
from flowide.cli.main import root

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
_ENDS = {"|", "||", "&&", ";", ">", ">>", "<", "&", "2>", "…"}


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return _BLOCK.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual viewers make them."""
    headings = re.findall(r"^#+ +(.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def shown_commands(page: Path) -> Iterator[list[str]]:
    """The arguments of each `flowide …` that a page shows, in a block or in a line."""
    text = page.read_text()
    lines = [line for _, _, block in _BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"^ {4}(\S.*)$", prose(page), re.MULTILINE)
    lines += [span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", prose(page))]
    # An address or a folder may end in `flowide`, and is followed by options.
    for line in (re.sub(r"(?:\w+:/|(?<=\s))/\S+", "PLACE", each) for each in lines):
        for at in re.finditer(r"(?:^|[\s(/])flowide (?=[a-z-])", line):
            yield _words(line[at.end() :])


def _words(text: str) -> list[str]:
    """The words of one command, without comment, pipe or redirection."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in lexer:
            if word in _ENDS or set(word) <= set("|&;<>()"):
                break
            words.append(word)
    except ValueError:  # an apostrophe of prose
        pass
    return words


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_named_exist(name: str) -> None:
    named = re.findall(
        r"`((?:flowide|tests|docs|benchmarks|flows|themes|\.ci)/[\w./-]*)`", prose(ROOT / name)
    )

    missing = [path for path in named if not (ROOT / path).exists() and path != "flowide/data/"]

    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_commands_and_options_that_are_shown_exist(name: str) -> None:
    wrong = []
    for words in shown_commands(ROOT / name):
        problem = _problem(words)
        if problem:
            wrong.append(f"flowide {' '.join(words)}: {problem}")

    assert wrong == []


def _problem(words: list[str]) -> str | None:
    context = click.Context(root)
    command: click.Command = root
    rest = list(words)
    while rest and isinstance(command, click.Group):
        name = rest[0]
        if name.startswith("-") or (command is root and name not in COMMANDS and _is_a_place(name)):
            break
        found = [command.get_command(context, each) for each in name.split(",")]
        if None in found:
            return f"there is no {name}" if command is root or not command.invoke_without_command else None
        command, rest = found[-1] or command, rest[1:]
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    known |= {"--help", "-h", "--version", "-V"}
    given = [word.partition("=")[0] for word in rest if re.fullmatch(r"-{1,2}[a-zA-Z][\w-]*(=.*)?", word)]
    unknown = [option for option in given if option not in known]
    return f"no option {', '.join(unknown)}" if unknown else None


def _is_a_place(name: str) -> bool:
    return "/" in name or name in {".", ".."}


def test_every_page_of_the_documentation_is_in_its_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text()

    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index] == [
        "index.md"
    ]


def test_the_readme_leads_to_the_documentation() -> None:
    assert "(docs/index.md)" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_no_page_shows_a_path_of_somebodys_machine(name: str) -> None:
    assert re.findall(r"(?<![\w.])/(?:root|home|Users|work|tmp/[a-z]+/)\S*", (ROOT / name).read_text()) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_page_puts_work_off(name: str) -> None:
    assert (
        re.findall(
            r"\b(?:TODO|FIXME|TBD|WIP|coming soon|lorem ipsum)\b", (ROOT / name).read_text(), re.IGNORECASE
        )
        == []
    )


def test_pictures_fetch_nothing_from_elsewhere() -> None:
    pictures = list((ROOT / "docs" / "images").glob("*.svg"))

    assert pictures
    assert [file.name for file in pictures if re.search(r"url\([\"']?http", file.read_text())] == []
