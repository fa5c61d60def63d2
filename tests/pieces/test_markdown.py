"""Splices of Markdown sections."""

from __future__ import annotations

from textwrap import dedent

import pytest

from flowide.errors import Rejected
from flowide.pieces import list_pieces
from tests.pieces.cases import Case, check, spliced, table


@table(
    Case(
        "a section is its heading with everything below, and link definitions come along",
        """\
        ---
        title: x
        # not a heading
        ---

        # Title

        Intro [a].

        ## Install

        ```sh
        # not a heading
        ## neither
        ```

        ## Usage

        text

        [a]: http://a
        """,
        """\
        Title
        =====

        Install
        -------

        ~~~
        # no
        ~~~

        See [b][B], ![img][i] and a footnote[^1].

        ### Deep

            # code

        Usage
        -----

        new

        Extra
        -----

        extra

        [B]: http://b "t"
        [i]: i.png
        [^1]: note
            more
        [unused]: http://u
        """,
        "Install, Extra",
        """\
        ---
        title: x
        # not a heading
        ---

        # Title

        Intro [a].

        Install
        -------

        ~~~
        # no
        ~~~

        See [b][B], ![img][i] and a footnote[^1].

        ### Deep

            # code

        ## Usage

        text

        Extra
        -----

        extra

        [a]: http://a
        [B]: http://b "t"
        [i]: i.png
        [^1]: note
            more
        """,
    ),
    Case(
        "headings of one text are told apart by their place",
        """\
        # T
        ## A
        one
        ## B
        ### A
        sub
        ## A
        two
        """,
        """\
        # T
        ## A
        ONE
        ## B
        ### A
        SUB
        ## A
        TWO
        """,
        "A#2, B/A",
        """\
        # T
        ## A
        one
        ## B
        ### A
        SUB
        ## A
        TWO
        """,
    ),
    Case(
        "levels follow the new place, setext headings too",
        """\
        # T
        ## P
        ### Q
        q
        """,
        """\
        # A
        B
        -
        b
        ### C #
        c
        """,
        "A/B as P/B",
        """\
        # T
        ## P
        ### Q
        q

        ### B
        b
        #### C #
        c
        """,
    ),
    Case(
        "quotes, lists, comments and HTML hold no headings",
        """\
        # T
        > # quoted
        - # in a list

        <!--
        # hidden
        -->

        ## A
        a
        """,
        """\
        ## A
        > # quoted
        """,
        "A",
        """\
        # T
        > # quoted
        - # in a list

        <!--
        # hidden
        -->

        ## A
        > # quoted
        """,
    ),
    Case(
        "another meaning of a link is told",
        """\
        # T
        ## A
        [x]

        [x]: http://1
        """,
        """\
        # T
        ## B
        [x]

        [x]: http://2
        """,
        "B",
        """\
        # T
        ## A
        [x]

        ## B
        [x]

        [x]: http://1
        """,
        ("B refers to [x], which means something else in the base",),
    ),
    Case(
        "a title that occurs twice is told",
        """\
        # T
        ## A
        a
        """,
        """\
        # T
        ## A
        b
        ## A
        c
        """,
        "A",
        """\
        # T
        ## A
        b
        """,
        ("A is the first of 2 of that name in other; not taken: A#2",),
    ),
    Case(
        "a heading of level 1 stays one beside the title",
        """\
        # 0.2

        - two
        """,
        """\
        # 0.3

        - three

        # 0.2

        - two
        """,
        "0.3",
        """\
        # 0.2

        - two

        # 0.3

        - three
        """,
    ),
    Case(
        "TOML front matter is no section",
        """\
        +++
        # c
        +++
        # A
        a
        """,
        """\
        # A
        b
        """,
        "A",
        """\
        +++
        # c
        +++
        # A
        b
        """,
    ),
)
def test_a_splice_of_markdown(case: Case) -> None:
    check("markdown", case)


def test_a_section_that_ends_in_definitions_may_become_the_last() -> None:
    section = "## B\nsee [b]\n\n[b]: http://b"

    made = spliced("markdown", "# T\n## A\na\n", f"# T\n## A\n\n{section}\n\n## C\n", "B")

    assert made.source.decode() == f"# T\n## A\na\n\n{section}\n"


def test_line_breaks_and_a_missing_last_one_are_kept() -> None:
    made = spliced("markdown", "# T\r\n\r\n## A\r\na", "# T\n## A\nb\n\n## C\nc\n", "A, C")

    assert made.source == b"# T\r\n\r\n## A\r\nb\r\n\r\n## C\r\nc"


def test_an_open_fence_would_swallow_what_follows_and_is_refused() -> None:
    with pytest.raises(Rejected, match="run together"):
        spliced("markdown", "# T\n## A\na\n## B\nb\n", "# T\n## A\n```\nopen\n", "A")


def test_sections_deeper_than_six_levels_are_refused() -> None:
    with pytest.raises(Rejected, match="level 7"):
        spliced("markdown", "# T\n## A\n", "# T\n## X\n###### Deep\n", "X as A/X")


def test_sections_are_listed_with_their_path() -> None:
    text = dedent(
        """\
        # T

        ## A
        a

        ### B

        # notes
        ====
        ## A
        """
    ).encode()

    found = [
        (piece.name, piece.start_line, piece.end_line, piece.parent)
        for piece in list_pieces(text, "markdown")
    ]

    assert found == [
        ("T", 1, 6, None),
        ("T/A", 3, 6, "T"),
        ("T/A/B", 6, 6, "T/A"),
        ("notes", 8, 10, None),
        ("notes/A", 10, 10, "notes"),
    ]
