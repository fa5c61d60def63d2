"""The example project and the answers of its scripted agents keep what `flowide demo` shows with them."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowide.pieces import Take, splice

DEMO = Path(__file__).resolve().parents[2] / "flowide" / "demo"
AGENTS = DEMO / "agents"
PROJECT = DEMO / "project"
CACHE = Path("src/boundedcache/cache.py")
HANDLES = ("edwin", "quinn", "mara")

VARIATIONS = {
    1: "edwin/vary-1.md",
    2: "quinn/vary-1.md",
    3: "edwin/vary-2.md",
    4: "quinn/vary-2.md",
    5: "edwin/vary-3.md",
    6: "quinn/vary-3.md",
}
"""Who is asked for which variation with `--agents edwin,quinn`."""

TEXTS = {
    1: "edwin/vary-docs-1.md",
    2: "quinn/vary-docs-1.md",
    3: "edwin/vary-docs-2.md",
    4: "quinn/vary-docs-2.md",
}

FAILING = {
    "edwin/code-1.md": {"test_an_expired_entry_goes_before_a_live_one"},
    "quinn/code-1.md": {
        "test_a_lookup_keeps_an_entry_alive",
        "test_entries_go_in_exact_order_of_last_use",
        "test_putting_again_keeps_an_entry_alive",
        "test_statistics_tell_what_happened",
    },
    "edwin/vary-2.md": {
        "test_a_key_put_again_after_delete_starts_anew",
        "test_putting_again_renews_the_time",
    },
    "edwin/vary-3.md": {"test_keys_come_least_recently_used_first"},
    "quinn/vary-1.md": {"test_expired_entries_are_not_counted"},
    "quinn/vary-3.md": {"test_entries_go_in_exact_order_of_last_use"},
}
"""Tests that a proposal fails; one that is not named here passes them all."""


def block(reply: str) -> str:
    """The one fenced block of a reply."""
    found = re.findall(r"^```[a-z]+\n(.*?)^```$", (AGENTS / reply).read_text(), re.M | re.S)
    assert len(found) == 1, f"{reply}: {len(found)} fenced blocks"
    return str(found[0])


def all_code_replies() -> list[str]:
    return sorted(
        str(path.relative_to(AGENTS)) for path in AGENTS.glob("*/*.md") if "```python" in path.read_text()
    )


def script(handle: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((AGENTS / f"{handle}.yaml").read_text())
    return loaded


def texts_of(entry: dict[str, Any]) -> list[str]:
    """Everything an entry of a script can say, in the order of its turns."""
    files = [entry["file"]] if "file" in entry else entry.get("files", [])
    spoken = [entry["text"]] if "text" in entry else entry.get("texts", [])
    return [*spoken, *((AGENTS / name).read_text() for name in files)]


def entries(*, purpose: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for handle in HANDLES:
        for entry in script(handle)["replies"]:
            if entry["on"] == purpose:
                yield handle, entry


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy = tmp_path / "project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def failing_tests(project: Path, code: str | None = None) -> set[str]:
    """Names of the project's tests that fail, with `code` in place of its cache when given."""
    if code is not None:
        (project / CACHE).write_text(code)
    done = run(project, "-m", "unittest", "discover", "-s", "tests")
    assert "Ran 24 tests" in done.stderr, done.stderr
    return set(re.findall(r"^(?:FAIL|ERROR): (\w+)", done.stderr, re.M))


def method_lines(code: str, name: str) -> tuple[int, int]:
    """First line of a method of LRUCache and the line after it, from 0."""
    for node in ast.parse(code).body:
        if isinstance(node, ast.ClassDef) and node.name == "LRUCache":
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and member.name == name:
                    assert member.end_lineno is not None
                    return member.lineno - 1, member.end_lineno
    raise AssertionError(f"no LRUCache.{name}")


def blend_by_hand(base: str, other: str, name: str) -> str:
    """`base` with one method of `other`, and with the imports from itertools that it brings along."""
    start, end = method_lines(base, name)
    other_start, other_end = method_lines(other, name)
    lines, taken = base.splitlines(keepends=True), other.splitlines(keepends=True)[other_start:other_end]
    blended = "".join([*lines[:start], *taken, *lines[end:]])
    needed = re.findall(r"^from itertools import .*\n", other, re.M)
    return blended.replace("from math import inf\n", "".join([*needed, "from math import inf\n"]), 1)


def test_the_project_breaks_the_two_promises_that_its_readme_admits(project: Path) -> None:
    assert failing_tests(project) == {
        "test_expired_entries_are_not_counted",
        "test_an_expired_entry_goes_before_a_live_one",
    }


def test_the_benchmark_prints_one_line_of_metrics(project: Path) -> None:
    (project / CACHE).write_text(block("quinn/vary-1.md"))

    done = run(project, "bench.py")

    metrics = json.loads(done.stdout)
    assert metrics.keys() == {"ops_per_s", "hit_rate"}
    assert metrics["ops_per_s"] > 0
    assert 0.5 < metrics["hit_rate"] < 1


@pytest.mark.parametrize("reply", all_code_replies())
def test_a_proposed_implementation_passes_and_fails_what_its_author_says(project: Path, reply: str) -> None:
    proposed = block(reply)
    if "/code-" in reply:  # of the class alone
        base = (project / CACHE).read_bytes()
        proposed = splice(base, [Take(source=proposed.encode(), piece="LRUCache")], "python").source.decode()

    assert failing_tests(project, proposed) == FAILING.get(reply, set())


def test_every_proposed_implementation_is_a_different_one() -> None:
    proposals = [reply for reply in all_code_replies() if "/vary-" in reply or "/more-" in reply]

    distinct = {ast.dump(ast.parse(block(reply))) for reply in proposals}

    assert len(proposals) == 11
    assert len(distinct) == len(proposals)


def test_every_proposed_implementation_keeps_the_public_surface() -> None:
    def surface(code: str) -> set[str]:
        (cache,) = (n for n in ast.parse(code).body if isinstance(n, ast.ClassDef) and n.name == "LRUCache")
        members = (member for member in cache.body if isinstance(member, ast.FunctionDef))
        public = (m for m in members if not m.name.startswith("_") or m.name.endswith("__"))
        return {f"{m.name}({ast.unparse(m.args)}) -> {m.returns and ast.unparse(m.returns)}" for m in public}

    original = surface((PROJECT / CACHE).read_text())

    changed = {reply for reply in all_code_replies() if surface(block(reply)) != original}
    assert changed == set()


def test_the_blend_that_the_critic_recommends_passes_every_test(project: Path) -> None:
    base, other = block(VARIATIONS[4]), block(VARIATIONS[2])

    blended = blend_by_hand(base, other, "_evict")

    assert failing_tests(project, blended) == set()


def test_a_splice_makes_the_blend_as_a_careful_person_would() -> None:
    base, other = block(VARIATIONS[4]), block(VARIATIONS[2])
    eviction = Take(source=other.encode(), piece="LRUCache._evict", label="variation 2")

    spliced = splice(base.encode(), [eviction], "python")

    assert spliced.source.decode() == blend_by_hand(base, other, "_evict")
    assert spliced.warnings == []


def test_a_proposal_that_fails_is_mended_with_pieces_of_another(project: Path) -> None:
    base, other = block(VARIATIONS[2]), block(VARIATIONS[4])
    takes = [
        Take(source=other.encode(), piece=piece, label="variation 4")
        for piece in ("LRUCache.__len__", "LRUCache._expire")
    ]

    spliced = splice(base.encode(), takes, "python")

    assert failing_tests(project, spliced.source.decode()) == set()


def test_the_blend_looks_at_a_bounded_number_of_entries_where_its_base_looks_at_all(project: Path) -> None:
    base = block(VARIATIONS[4])
    blended = blend_by_hand(base, block(VARIATIONS[2]), "_evict")
    count_looks = """
import sys
sys.path.insert(0, "src")
from boundedcache import cache as module
looks = [0]
class Watched(module._Entry):
    @property
    def expires_at(self):
        looks[0] += 1
        return self[1]
module._Entry = Watched
full = module.LRUCache(500)
for number in range(501):
    full.put(number, number)
print(looks[0])
"""

    def looks(code: str) -> int:
        (project / CACHE).write_text(code)
        return int(run(project, "-c", count_looks).stdout)

    assert looks(base) == 500
    assert looks(blended) == 8


@pytest.mark.parametrize("handle", ["edwin", "quinn"])
def test_the_draft_of_a_review_is_the_blend(handle: str) -> None:
    blended = blend_by_hand(block(VARIATIONS[4]), block(VARIATIONS[2]), "_evict")

    assert block(f"{handle}/draft.md") == blended


@pytest.mark.parametrize("handle", ["edwin", "quinn"])
def test_the_revision_does_what_the_rejection_asked_for(project: Path, handle: str) -> None:
    code = block(f"{handle}/revise.md")
    (project / CACHE).write_text(code)
    put_with_no_time = "from boundedcache import LRUCache; LRUCache(1).put('a', 1, ttl=0)"

    done = run(project, "-c", f"import sys; sys.path.insert(0, 'src'); {put_with_no_time}")

    assert "ValueError: ttl must be positive" in done.stderr
    assert "islice(self._entries, _LOOKED_AT)" in code
    assert "drops what has expired on the way" in code


def test_a_review_rejects_with_reasons_and_then_approves() -> None:
    rounds = [[json.loads(text) for text in texts_of(entry)] for _, entry in entries(purpose="review")]

    assert len(rounds) == 3
    for first, second in rounds:
        assert (first["verdict"], second["verdict"]) == ("reject", "approve")
        assert first["reasons"]


def test_a_critique_judges_each_variation_once_and_recommends_one_of_them() -> None:
    critiques = [json.loads(text) for _, entry in entries(purpose="critique") for text in texts_of(entry)]

    assert [len(critique["verdicts"]) for critique in critiques] == [4, 3, 3, 4, 4, 4, 6, 5]
    for critique in critiques:
        numbers = [verdict["variation"] for verdict in critique["verdicts"]]
        best = max(critique["verdicts"], key=lambda verdict: verdict["score"])
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert critique["recommended"] == best["variation"]
        assert critique["summary"]
        for verdict in critique["verdicts"]:
            assert 1 <= verdict["score"] <= 10
            assert verdict["strengths"] and verdict["weaknesses"]


@pytest.mark.parametrize(
    ("numbered", "expected"),
    [
        ({number: VARIATIONS[number] for number in range(1, 6)}, "mara/critique.json"),
        (VARIATIONS, "mara/critique-of-six.json"),
        ({6: "edwin/more-1.md", 7: "quinn/more-1.md"}, "mara/critique-of-more-from-6.json"),
        ({7: "edwin/more-1.md", 8: "quinn/more-1.md"}, "mara/critique-of-more-from-7.json"),
    ],
)
def test_a_critique_fits_the_variations_it_is_asked_about(numbered: dict[int, str], expected: str) -> None:
    asked = "\n".join(f"## Variation {number}\n{block(reply)}" for number, reply in numbered.items())
    asked = f"Short list: variation 6\n{asked}" if min(numbered) == 7 else asked

    chosen = next(e for _, e in entries(purpose="critique") if re.search(e.get("when", ""), asked))

    assert chosen["file"] == expected


def test_a_critic_gives_a_proposal_that_fails_tests_less_than_one_that_passes() -> None:
    verdicts = json.loads((AGENTS / "mara/critique-of-six.json").read_text())["verdicts"]

    scores = {VARIATIONS[verdict["variation"]]: verdict["score"] for verdict in verdicts}

    failing = [score for reply, score in scores.items() if reply in FAILING]
    passing = [score for reply, score in scores.items() if reply not in FAILING]
    assert max(failing) < min(passing)


def test_picks_name_pieces_that_their_variations_have() -> None:
    picks = [
        (VARIATIONS if "when" not in entry else TEXTS, json.loads(text))
        for _, entry in entries(purpose="resolve")
        for text in texts_of(entry)
    ]

    assert len(picks) == 2 * len(HANDLES)
    for replies, pick in picks:
        assert pick["base"] in replies
        for take in pick["takes"]:
            source = block(replies[take["variation"]])
            name = re.split(r"[./]", take["piece"])[-1]
            assert re.search(rf"^(    def {name}\(|## {name}$)", source, re.M), take


def test_texts_share_a_title_and_sections_so_that_they_can_be_mixed() -> None:
    replies = sorted(str(path.relative_to(AGENTS)) for path in AGENTS.glob("*/*docs*.md"))
    sources = {reply: block(reply) for reply in replies}
    sources["the original"] = (PROJECT / "docs/test-approach.md").read_text()

    headings = {reply: set(re.findall(r"^#+ .*$", text, re.M)) for reply, text in sources.items()}

    shared = {"# Test approach", "## What we prove", "## What we leave to people"}
    assert len(sources) == 8
    assert [reply for reply, found in headings.items() if not shared <= found] == []
    assert len({frozenset(found) for found in headings.values()}) >= 6


def test_the_section_that_the_critic_recommends_is_added_and_the_rest_stays() -> None:
    base, other = block(TEXTS[2]), block(TEXTS[1])
    risks = re.findall(r"^## Risks\n.*?(?=^## )", other, re.M | re.S)[0].strip()

    spliced = splice(base.encode(), [Take(source=other.encode(), piece="Risks")], "markdown")

    result = spliced.source.decode()
    assert result.count(risks) == 1
    assert result.replace(risks, "").split() == base.split()


def test_texts_name_only_tests_that_exist() -> None:
    existing = set(re.findall(r"def (test_\w+)", (PROJECT / "tests/test_cache.py").read_text()))
    named = {
        name for path in AGENTS.glob("*/*docs*.md") for name in re.findall(r"`(test_\w+)`", path.read_text())
    }

    assert len(named) > 5
    assert named <= existing


def test_a_discussion_has_enough_to_say_and_proposes_a_decision() -> None:
    said = {(handle, entry.get("when")): texts_of(entry) for handle, entry in entries(purpose="discuss")}

    assert all(said.values())
    for topic in (None, "test-approach"):
        assert all(len(said[handle, topic]) >= 2 for handle in HANDLES)
        assert any("Decision: " in text for text in said["quinn", topic])
        assert any("@quinn" in text for text in said["edwin", topic])


@pytest.mark.parametrize("handle", HANDLES)
def test_a_script_is_well_formed_and_names_files_that_exist(handle: str) -> None:
    loaded = script(handle)

    assert loaded.keys() == {"pace", "chunk", "replies"}
    for entry in loaded["replies"]:
        sources = entry.keys() - {"on", "when"}
        assert len(sources) == 1 and sources <= {"text", "file", "texts", "files"}
        assert all(text.strip() for text in texts_of(entry))
        re.compile(entry.get("when", ""))


@pytest.mark.parametrize("handle", HANDLES)
def test_answers_for_one_topic_come_before_those_for_any(handle: str) -> None:
    seen: set[str] = set()
    for entry in script(handle)["replies"]:
        assert entry["on"] not in seen, f"an entry for {entry['on']} can never answer"
        if "when" not in entry:
            seen.add(entry["on"])


def test_no_prepared_answer_is_left_out_of_the_scripts() -> None:
    named = {
        name
        for handle in HANDLES
        for entry in script(handle)["replies"]
        for name in [entry.get("file"), *entry.get("files", [])]
        if name
    }

    assert named == {str(path.relative_to(AGENTS)) for path in AGENTS.glob("*/*")}


@pytest.mark.parametrize("handle", HANDLES)
def test_an_agent_says_that_it_is_scripted(handle: str) -> None:
    _, front, body = (AGENTS / f"{handle}.md").read_text().split("---\n", 2)

    matter = yaml.safe_load(front)

    assert matter.keys() == {"handle", "name", "role", "backend", "script", "colour"}
    assert (matter["handle"], matter["backend"], matter["script"]) == (handle, "scripted", f"{handle}.yaml")
    assert "scripted example agent" in body
    assert "written beforehand" in body


def test_the_project_needs_nothing_but_python() -> None:
    imported = {
        name.split(".")[0]
        for path in PROJECT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported - {"boundedcache"} <= sys.stdlib_module_names
