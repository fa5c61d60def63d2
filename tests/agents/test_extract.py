"""The one file that a reply answers with, out of whatever models write around it."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowide.agents.extract import extract_code, extract_json
from flowide.errors import Incomplete
from flowide.flows.checks import parses

CODE = "import os\n\n\nclass A:\n    def f(self):\n        return 1\n"
WITH_FENCE = 'class A:\n    """Use:\n\n    ```python\n    A()\n    ```\n    """\n'
DOCUMENT = "# Title\n\nText.\n\n```python\nx = 1\n```\n\n## More\n\nEnd.\n"


def code(reply: str, path: str = "a.py", language: str = "python", must: tuple[str, ...] = ()) -> str:
    return extract_code(reply, language, must, lambda source: parses(source, path), path=path)


def document(reply: str) -> str:
    return code(reply, "a.md", "markdown")


def indented(text: str, by: str) -> str:
    return "".join(f"{by}{line}\n" if line else "\n" for line in text.splitlines())


@pytest.mark.parametrize(
    "reply",
    [
        f"```python\n{CODE}```",
        f"~~~python\n{CODE}~~~\n",
        f"Sure:\n\n```\n{CODE}```\nDone.",
        f'```python title="a.py"\n{CODE}```',
        f"```{{.python .numberLines}}\n{CODE}```",
        f"```Python3\n{CODE}```",
        f"```a.py\n{CODE}```",
        f"````python\n{CODE}````",
        f"```python   \n{CODE}```   ",
        f"\ufeff```python\n{CODE}```",
        f"<answer>\n```python\n{CODE}```\n</answer>",
        f"**a.py**\n\n```python\n{CODE}```",
        CODE,
        f"Here is the code:\n\n{CODE}\nHope this helps!",
    ],
)
def test_a_block_is_found_however_it_is_marked(reply: str) -> None:
    assert code(reply) == CODE
    assert code(reply.replace("\n", "\r\n")) == CODE


def test_the_indentation_of_a_fence_is_not_part_of_the_code() -> None:
    assert code("1. Do this:\n\n" + indented(f"```python\n{CODE}```", "   ")) == CODE


@pytest.mark.parametrize("tag", ["think", "thinking", "thought", "reasoning", "reflection"])
def test_reasoning_in_front_is_no_answer(tag: str) -> None:
    assert code(f"<{tag}>\nmaybe ```python\nbad(\n```\n</{tag}>\n\n```python\n{CODE}```") == CODE


@pytest.mark.parametrize("fence", ["```", "````", "~~~"])
def test_fences_inside_a_docstring_belong_to_the_code(fence: str) -> None:
    assert code(f"{fence}python\n{WITH_FENCE}{fence}") == WITH_FENCE


def test_the_file_is_chosen_among_several_blocks() -> None:
    setup, use = "```bash\npip install x\n```", "```python\nA().f()\n```"

    assert code(f"First:\n{setup}\nthen\n```python\n{CODE}```\nUse it:\n{use}") == CODE
    assert code(f"```python\nclass B:\n    pass\n```\n```python\n{CODE}```", must=("A.f",)) == CODE
    assert code(f"```python\n# {'long ' * 99}\n```\n```python a.py\n{CODE}```") == CODE


def test_blocks_that_make_up_the_file_together_are_joined() -> None:
    first, second = "class A:\n    pass\n", "class B:\n    pass\n"

    joined = code(f"```python\n{first}```\nand\n```python\n{second}```", must=("A", "B"))

    assert joined == f"{first}\n{second}"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        (f"```python\n{CODE}", "breaks off"),
        ("```python\nx = 1```", "breaks off"),
        ("<think>maybe ```python\nx = 1\n```", "empty"),
        ("I'm sorry, but I can't help with that.", "no python code"),
        ("Use `x = 1` here.", "no python code"),
        ('{"code": "class A: pass"}', "no python code"),
        ('```json\n{"a": 1}\n```', "no python code"),
        ("```diff\n--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n-import os\n+import sys\n```", "no python code"),
        ("--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n class A:\n-    x = 1\n+    x = 2\n", "does|no python"),
        ("```python\nclass A(:\n```", "does not parse"),
        ("```python\nx = '\0'\n```", "NUL"),
        (
            "```python\nclass A:\n    def f(self):\n        return 2\n    # ... rest unchanged\n```",
            "leaves parts",
        ),
        ("```python\nclass A:\n    x = 2\n\n    # rest of the class remains the same\n```", "leaves parts"),
    ],
)
def test_what_is_no_whole_file_is_refused_with_the_reason(reply: str, why: str) -> None:
    with pytest.raises(Incomplete, match=why):
        code(reply)


def test_a_file_without_a_piece_that_was_asked_for_is_refused() -> None:
    with pytest.raises(Incomplete, match=r"does not define A\.g") as refused:
        code(f"```python\n{CODE}```", must=("A.g",))

    assert refused.value.data["missing"] == ["A.g"]


def test_dots_that_are_code_leave_nothing_out() -> None:
    stub = "class P(Protocol):\n    def f(self) -> int: ...\n"

    assert code(f"```python\n{stub}```") == stub


@pytest.mark.parametrize(
    ("path", "language", "tag", "text"),
    [
        ("a.ts", "typescript", "ts", "export const a = 1;\n"),
        ("a.ts", "typescript", "javascript", "export const a = 1;\n"),
        ("a.tsx", "tsx", "tsx", "export const A = () => <div/>;\n"),
        ("a.go", "go", "golang", "package a\n\nfunc F() {}\n"),
        ("a.rs", "rust", "rs", "fn f() {}\n"),
        ("A.java", "java", "java", "class A {}\n"),
        ("a.yaml", "yaml", "yml", "a: 1\n"),
        ("a.toml", "text", "toml", "[a]\nb = 1\n"),
        ("a.sh", "text", "sh", "#!/bin/sh\necho hi\n"),
    ],
)
def test_other_languages_are_known_by_their_tags(path: str, language: str, tag: str, text: str) -> None:
    assert code(f"Here:\n```{tag}\n{text}```", path, language) == text


# --- documents --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        DOCUMENT,
        f"```markdown\n{DOCUMENT}```",
        f"````md\n{DOCUMENT}````",
        f"~~~markdown\n{DOCUMENT}~~~",
        f"Short and plain.\n\n```markdown\n{DOCUMENT}```\n",
        f"Approach: short.\n\n```\n{DOCUMENT}```\n",
        f"Here is the document:\n\n{DOCUMENT}\nLet me know if you want changes!",
    ],
)
def test_a_document_keeps_the_fences_inside_it(reply: str) -> None:
    assert document(reply) == DOCUMENT


def test_a_document_may_end_in_a_block() -> None:
    text = "# T\n\n```bash\nls\n```\n"

    assert document(f"```markdown\n{text}```") == text


def test_front_matter_is_part_of_a_document() -> None:
    text = "---\ntitle: x\n---\n\n# T\n"

    assert document(text) == text


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("```markdown\n# Title\n\nText", "breaks off"),
        ("```markdown\n# T\n\n```bash\nls\n```\nmore text that is cut", "breaks off"),
        ("I'm sorry, but I can't help with that.", "refuses"),
        ("```diff\n--- a.md\n+++ a.md\n@@ -1 +1 @@\n-a\n+b\n```", "diff"),
        ("--- a/a.md\n+++ b/a.md\n@@ -1 +1 @@\n-a\n+b\n", "diff"),
        ('{"document": "# T"}', "JSON"),
    ],
)
def test_what_is_no_document_is_refused(reply: str, why: str) -> None:
    with pytest.raises(Incomplete, match=why):
        document(reply)


_LINES = st.lists(
    st.sampled_from(
        ["x = 1", "def f():", "    return 2", "", "# note", "class A:", "    pass", '"""', "~~~", "-"]
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)
@given(_LINES, st.sampled_from(["```", "````", "`````"]), st.sampled_from(["", "Here:\n\n", "A\n\nB:\n"]))
def test_whatever_stands_in_a_block_comes_out_byte_for_byte(
    lines: list[str], fence: str, before: str
) -> None:
    text = "\n".join(["x = 0", *lines]) + "\n"

    assert extract_code(f"{before}{fence}python\n{text}{fence}\n", "python") == text


@settings(deadline=None)
@given(st.text(max_size=400))
def test_no_reply_does_anything_but_answer_or_refuse(reply: str) -> None:
    for language, path in (("python", "a.py"), ("markdown", "a.md"), ("text", "a.css")):
        try:
            code(reply, path, language)
        except Incomplete:
            continue


def test_a_reply_that_is_cut_anywhere_is_never_taken_for_whole() -> None:
    whole = f"Here is the file.\n\n```python\n{CODE}```\n"
    start, end = whole.index("import"), whole.rindex("```") + 3
    rng = random.Random(5)

    for at in sorted(rng.sample(range(start, end), 30)):
        with pytest.raises(Incomplete):
            code(whole[:at])


# --- JSON -------------------------------------------------------------------------------------------

SCHEMA = {"type": "object", "properties": {"pick": {"type": "integer"}}, "required": ["pick"]}


@pytest.mark.parametrize(
    "reply",
    [
        '{"pick": 4}',
        'Here it is:\n```json\n{"pick": 4}\n```\n',
        '```\n{"pick": 4}\n```',
        'I choose {"pick": 4} because it is short.',
        '<think>{"pick": 1}</think>{"pick": 4}',
        '{"draft": true} and then {"pick": 4}',
    ],
)
def test_the_json_that_fits_is_taken_out(reply: str) -> None:
    assert json.loads(extract_json(reply, SCHEMA)) == {"pick": 4}


@pytest.mark.parametrize("reply", ["", "four", '{"pick": "4"}', '{"pick": NaN}', '{"pick": 4', "[" * 5000])
def test_json_that_does_not_fit_is_refused(reply: str) -> None:
    with pytest.raises(Incomplete):
        extract_json(reply, SCHEMA)
