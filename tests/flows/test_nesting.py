"""Steps within steps: blends, calls, branches and rounds; each resumes without a repeated call."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flowide.agents.scripted import ScriptedBackend
from flowide.domain.actors import Actor
from flowide.errors import BadInput, FlowError
from flowide.flows.called import load_called
from flowide.flows.load import load_flow, parse_flow
from flowide.space.queries import OneVariationSet, Runs, VariationText, Verify
from flowide.testing import ManualClock
from tests.flows.conftest import Bench
from tests.flows.test_resume import Failing
from tests.project_with_agents import fenced, make_project, shop, verdicts, write_agent

VARY_TWO = "- vary: {n: 2, path: src/shop.py}"


def flow(bench: Bench, steps: str, *, name: str = "nested", head: str = "") -> str:
    """Write a flow file of these lines of steps; its path."""
    text = f"flow: {name}\n{head}steps:\n" + "".join(f"  {line}\n" for line in steps.strip().splitlines())
    path = bench.root / f"{name}.yaml"
    path.write_text(text)
    return str(path)


async def keys(bench: Bench, status: str) -> list[str]:
    return [
        event.data["key"]
        async for event in bench.space.events()
        if event.type == "run.step" and event.data["status"] == status
    ]


async def step(bench: Bench, key: str) -> dict[str, Any]:
    """The result of a finished step."""
    found = [
        event.data["result"]["result"]
        async for event in bench.space.events()
        if event.type == "run.step" and event.data["key"] == key and event.data["status"] == "completed"
    ]
    return dict(found[-1])


# --- blend -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        '{base: 1, takes: ["2:Shop._sum"]}',
        "{say: 1 but with the _sum of 2}",
        '{base: 1, takes: "2:Shop._sum"}',
    ],
)
async def test_a_blend_is_spliced_and_chosen(bench: Bench, told: str) -> None:
    result = await bench.start(flow(bench, f"{VARY_TWO}\n- blend: {told}\n- accept: {{}}"))

    assert result.status == "completed", result.error
    text = (bench.root / "src/shop.py").read_text()
    assert "written the 1th way" in text
    assert "* 2 // 2" in text
    assert (await step(bench, "blend"))["takes"] == ["2:Shop._sum"]


async def test_a_blend_of_what_is_not_there_fails(bench: Bench) -> None:
    result = await bench.start(flow(bench, f'{VARY_TWO}\n- blend: {{base: 1, takes: ["2:Shop.nothing"]}}'))

    assert result.status == "failed"
    assert result.error is not None
    assert "nothing" in result.error["message"]


async def test_a_sentence_that_names_no_blend_is_told(bench: Bench) -> None:
    result = await bench.start(flow(bench, f"{VARY_TWO}\n- blend: {{say: more 3}}"))

    assert (result.status, result.exit_code) == ("failed", 2)


# --- call --------------------------------------------------------------------------------------------


async def test_a_called_flow_gets_its_inputs_and_its_results_are_seen(bench: Bench) -> None:
    flow(
        bench,
        "- vary: {n: '{{ many }}', path: '{{ file }}', brief: 'Child: {{ brief }}'}",
        name="child",
        head="inputs:\n  many: {type: integer, required: true}\n  file: {type: path, required: true}\n",
    )
    parent = flow(
        bench,
        "- call: {flow: child.yaml, inputs: {many: 2, file: src/shop.py}}\n"
        "- gate: {question: 'Of {{ steps.call.outputs.numbers | length }} and {{ steps.call.steps.vary.numbers }}?'}\n"
        "- choose: {}",
    )

    result = await bench.start(parent, on_gate="approve", brief="Better")

    assert result.status == "completed", result.error
    assert (await bench.set()).set.brief == "Child: Better"
    questions = [e.data["question"] async for e in bench.space.events() if e.type == "gate.opened"]
    assert questions[0] == "Of 2 and [1, 2]?"
    assert "call/vary#1" in await keys(bench, "completed")


async def test_a_resume_goes_on_with_called_flows_as_they_were(bench: Bench) -> None:
    flow(bench, "- gate: {question: go on?}\n- vary: {n: 2, path: src/shop.py}", name="child")
    stopped = await bench.start(flow(bench, "- call: {flow: child.yaml}"))
    flow(bench, "- gate: {question: go on?}\n- vary: {n: 5, path: src/shop.py}", name="child")

    result = await bench.answer(stopped, "approve")

    assert result.status == "completed", result.error
    assert len((await bench.set()).variations) == 2
    assert any("changed since" in warning for warning in bench.watcher.warnings)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("- call: {flow: nested.yaml}", "in a circle: nested → nested"),
        ("- call: {flow: other.yaml}", "in a circle: nested → other → nested"),
        ("- call: {flow: mroe}", "there is no flow mroe"),
        ("- call: {flow: more, inputs: {sett: last}}", "has no input 'sett'"),
        ("- call: {flow: more}", "needs the input 'set'"),
        ("- call: {}", "'flow' is missing"),
    ],
)
async def test_a_call_that_cannot_work_starts_nothing(bench: Bench, steps: str, said: str) -> None:
    flow(bench, "- call: {flow: nested.yaml}", name="other")

    with pytest.raises(BadInput, match=r"(nested|other)\.yaml:\d+:\d+: ") as refused:
        await bench.start(flow(bench, steps))

    assert said in refused.value.message
    assert await bench.space.read(Runs()) == []


async def test_a_called_flow_keeps_to_its_own_budget(bench: Bench) -> None:
    flow(bench, "- vary: {n: 4, path: src/shop.py}", name="child", head="budget: {turns: 3}\n")

    result = await bench.start(flow(bench, f"{VARY_TWO}\n- call: {{flow: child.yaml}}"), parallel=1)

    assert (result.status, result.exit_code) == ("failed", 6)
    assert len([key for key in await keys(bench, "completed") if key.startswith("call/vary#")]) == 3


async def test_what_a_called_flow_uses_counts_for_the_run(bench: Bench) -> None:
    flow(bench, "- vary: {n: 2, path: src/shop.py}", name="child")
    parent = flow(bench, f"- call: {{flow: child.yaml}}\n{VARY_TWO}", head="budget: {turns: 3}\n")

    result = await bench.start(parent, parallel=1)

    assert result.exit_code == 6
    assert result.totals["calls"] == 3


# --- parallel ----------------------------------------------------------------------------------------

TWO_FILES = """
- parallel:
    branches:
      one:
        - vary: {n: 2, path: src/shop.py}
        - choose: {question: One?}
        - accept: {}
      two:
        - vary: {n: 2, path: src/other.py}
        - choose: {question: Two?}
        - accept: {}
"""


async def test_branches_do_not_see_each_other(bench: Bench) -> None:
    result = await bench.start(flow(bench, TWO_FILES), on_gate="approve")

    assert result.status == "completed", result.error
    ended = (await step(bench, "parallel"))["branches"]
    assert [ended[name]["outputs"]["path"] for name in ("one", "two")] == ["src/shop.py", "src/other.py"]
    assert (bench.root / "src/other.py").exists()


@pytest.mark.parametrize("parallel", [1, 4])
async def test_what_an_agent_says_in_a_branch_does_not_depend_on_how_far_others_are(
    bench: Bench, parallel: int
) -> None:
    texts = [f"```markdown\n# Text {number}\n```\n" for number in (1, 2, 3, 4)]
    write_agent(bench.root, "anders", [{"on": "draft", "texts": texts}])
    steps = """
- draft: {path: zero.md}
- parallel:
    branches:
      one: [{draft: {path: one.md}}, {draft: {path: two.md}}]
      two: [{draft: {path: three.md}}, {draft: {path: four.md}}]
"""

    result = await bench.start(flow(bench, steps), agents=["anders"], parallel=parallel)

    assert result.status == "completed", result.error
    said = {name: (bench.root / f"{name}.md").read_text()[7] for name in ("one", "two", "three", "four")}
    assert said == {"one": "2", "two": "3", "three": "2", "four": "3"}


async def test_a_question_in_one_branch_stops_only_that_one(bench: Bench) -> None:
    steps = TWO_FILES.replace("- choose: {question: Two?}\n        - accept: {}", "- check: {}")

    stopped = await bench.start(flow(bench, steps))

    assert stopped.exit_code == 3
    assert "parallel/two/check" in await keys(bench, "completed")
    assert (await bench.answer(stopped, "2")).status == "completed"
    done = Counter(await keys(bench, "completed"))
    assert set(done.values()) == {1}


async def test_a_failure_ends_the_other_branches(bench: Bench) -> None:
    write_agent(bench.root, "bea", [{"on": "vary", "fail": "auth"}])
    write_agent(bench.root, "anders", [{"on": "vary", "text": fenced(shop(1))}], pace=20)
    bench.around.env["FLOWIDE_SCRIPTED_PACE"] = ""
    steps = """
- parallel:
    branches:
      slow: [{vary: {n: 2, path: src/shop.py, agents: [anders]}}]
      bad: [{vary: {n: 2, path: src/shop.py, agents: [bea]}}]
"""

    result = await asyncio.wait_for(bench.start(flow(bench, steps)), 10)

    assert (result.status, result.exit_code) == ("failed", 7)
    assert "parallel/slow/vary" not in await keys(bench, "completed")


async def test_a_failure_that_is_tolerated_is_told(bench: Bench) -> None:
    write_agent(bench.root, "bea", [{"on": "vary", "fail": "auth"}])
    steps = """
- parallel:
    branches:
      good: [{vary: {n: 2, path: src/shop.py, agents: [anders]}}]
      bad: [{vary: {n: 2, path: src/shop.py, agents: [bea]}}]
    on_failure: tolerate
- gate: {question: "{{ steps.parallel.failed.bad.code }}?"}
"""

    result = await bench.start(flow(bench, steps), on_gate="approve")

    assert result.status == "completed", result.error
    assert (await step(bench, "parallel"))["failed"]["bad"]["code"] == "auth"
    assert any("the branch bad failed" in warning for warning in bench.watcher.warnings)


async def test_when_all_branches_fail_nothing_is_tolerated(bench: Bench) -> None:
    for name in ("anders", "bea"):
        write_agent(bench.root, name, [{"on": "vary", "fail": "auth"}])
    steps = (
        f"- parallel:\n    branches: {{a: [{VARY_TWO[2:]}], b: [{VARY_TWO[2:]}]}}\n    on_failure: tolerate"
    )
    steps = steps.replace("[vary: {n: 2, path: src/shop.py}]", "[{vary: {n: 2, path: src/shop.py}}]")

    result = await bench.start(flow(bench, steps))

    assert (result.status, result.exit_code) == ("failed", 7)


async def test_no_more_branches_go_on_than_calls_may_be_in_flight(bench: Bench) -> None:
    branches = ", ".join(f"b{n}: [{{run: {{command: 'sleep 0.05'}}}}]" for n in range(5))

    result = await bench.start(
        flow(bench, f"- parallel: {{branches: {{{branches}}}}}"), parallel=2, trust=True
    )

    assert result.status == "completed", result.error
    most = now = 0
    async for event in bench.space.events():
        if event.type == "run.step" and event.data["kind"] == "run":
            now += {"started": 1, "completed": -1}[event.data["status"]]
            most = max(most, now)
    assert most == 2


async def test_branches_together_have_no_more_calls_in_flight_than_allowed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    flying = most = 0
    real = ScriptedBackend.stream

    async def counted(self: ScriptedBackend, request: Any) -> Any:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        try:
            async for delta in real(self, request):
                await asyncio.sleep(0.01)
                yield delta
        finally:
            flying -= 1

    monkeypatch.setattr(ScriptedBackend, "stream", counted)
    branches = ", ".join(f"b{n}: [{{vary: {{n: 4, path: src/shop.py}}}}]" for n in range(3))

    result = await bench.start(flow(bench, f"- parallel: {{branches: {{{branches}}}}}"), parallel=3)

    assert result.status == "completed", result.error
    assert most == 3


# --- repeat ------------------------------------------------------------------------------------------

UNTIL_THREE = """
- repeat:
    times: 5
    until: "{{ round >= 3 }}"
    steps:
      - vary: {n: 2, path: src/shop.py, brief: "Attempt {{ round }}"}
"""


async def test_steps_are_repeated_until_the_condition_holds(bench: Bench) -> None:
    result = await bench.start(flow(bench, UNTIL_THREE))

    assert result.status == "completed", result.error
    ended = await step(bench, "repeat")
    assert (ended["rounds"], ended["met"]) == (3, True)
    assert [key for key in await keys(bench, "started") if key.endswith("/vary")] == [
        "repeat#1/vary",
        "repeat#2/vary",
        "repeat#3/vary",
    ]


async def test_a_round_sees_the_round_before(bench: Bench) -> None:
    steps = """
- repeat:
    until: "{{ round == 2 }}"
    steps:
      - gate: {question: "{{ steps.vary.set if round > 1 else 'none' }}"}
      - vary: {n: 2, path: src/shop.py}
"""
    await bench.start(flow(bench, steps), on_gate="approve")

    sets = [e.data["set"] async for e in bench.space.events() if e.type == "variation.set_opened"]
    asked = [e.data["question"] async for e in bench.space.events() if e.type == "gate.opened"]
    assert asked == ["none", sets[0]]


@pytest.mark.parametrize(("required", "status"), [("true", "rejected"), ("false", "completed")])
async def test_a_condition_that_never_holds(bench: Bench, required: str, status: str) -> None:
    steps = UNTIL_THREE.replace("times: 5", f"times: 2\n    required: {required}")

    result = await bench.start(flow(bench, steps))

    assert result.status == status
    assert [key for key in await keys(bench, "started") if key.startswith("repeat#3")] == []


# --- resuming ----------------------------------------------------------------------------------------

EVERYTHING = """
- call: {flow: child.yaml}
- parallel:
    branches:
      a:
        - vary: {n: 2, path: src/shop.py}
        - critique: {}
      b:
        - repeat:
            until: "{{ round == 2 }}"
            steps:
              - vary: {n: 2, path: src/shop.py}
- blend: {set: last, base: 1, takes: ["2:Shop._sum"]}
"""


@pytest.mark.parametrize("after", range(2, 62, 5))
async def test_nested_steps_that_broke_off_anywhere_end_as_if_they_had_not(
    tmp_path: Path, after: int
) -> None:
    bench = Bench(make_project(tmp_path / "project"))
    write_agent(bench.root, "carl", [{"on": "critique", "text": verdicts(2)}], role="critic")
    flow(bench, "- vary: {n: 2, path: src/shop.py}\n- gate: {question: ok?}", name="child")
    parent = flow(bench, EVERYTHING)
    clock = ManualClock()
    bench.space = Failing(Actor("ana"), clock=clock)
    Failing.left = after
    try:
        result = await bench.start(parent, on_gate="approve")
        run, status = result.run, str(result.status)
    except FlowError:
        runs = await bench.space.read(Runs())
        run, status = (runs[0].id, str(runs[0].status)) if runs else ("", "")
    Failing.left = 10**9
    clock.sleep(60_000)

    if not run:
        result = await bench.start(parent, on_gate="approve")
    elif status != "completed":
        result = await bench.resume(run)

    assert result.status == "completed", result.error
    assert await bench.space.read(Verify()) == []
    done = Counter(await keys(bench, "completed"))
    assert set(done.values()) == {1}
    assert len([key for key in done if "vary#" in key]) == 8
    view = await bench.space.read(OneVariationSet(result.outputs["set"]))
    assert "* 2 // 2" in await bench.space.read(VariationText(view.set.id, result.outputs["chosen"]))


# --- mistakes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "place", "right"),
    [
        ("repeat: {until: x, steps: [{vry: {}}]}", "3:33", "Did you mean 'vary'?"),
        ("repeat: {until: x, steps: [{vary: {n: 40}}]}", "3:43", "n goes from 2 to 10"),
        ("repeat: {until: x, steps: [{vary: {nn: 4}}]}", "3:40", "Did you mean 'n'?"),
        ("repeat: {until: x, steps: []}", "3:31", "At least one"),
        ("repeat: {steps: [{vary: {}}]}", "3:13", "A condition, for example"),
        ("repeat: {until: ' ', steps: [{vary: {}}]}", "3:21", "until:"),
        ("repeat: {until: x, times: 50, steps: [{vary: {}}]}", "3:31", "times goes from 1 to 20"),
        ("repeat: {until: '{{ steps.chek.passed }}', steps: [{check: {}}]}", "3:21", "Did you mean 'check'?"),
        ("repeat: {until: '{{ rond }}', steps: [{check: {}}]}", "3:21", "Known here: brief, path, round"),
        ("parallel: {branches: {}}", "3:26", "Lists of steps by name"),
        ("parallel: {branches: {a: []}}", "3:30", "At least one"),
        ("parallel: {branches: {A b: [{vary: {}}]}}", "3:27", "Lower-case letters"),
        ("parallel: {branches: {a: [{vary: {temperatures: x}}]}}", "3:53", ""),
        ("parallel: {branches: {a: [{gate: {}}]}}", "3:38", "A text, for example"),
        ("parallel: {branches: {a: [{vary: {}}]}, on_failure: go}", "3:57", "One of: stop, tolerate"),
        ("parallel: {branches: {a: [{vary: {}, id: x}, {vary: {}, id: x}]}}", "3:65", "another id"),
        ("blend: {base: 1}", "3:12", "takes"),
        ("blend: {}", "3:12", "takes"),
        ("blend: {say: a, base: 1, takes: ['2:A']}", "3:12", "takes"),
        ("gate: {question: '{{ steps.later.answer }}'}", "3:22", "It is the first step"),
        ("{when: '{{ nope }}', vary: {}}", "3:12", "Known here: brief, path"),
    ],
)
def test_a_mistake_inside_a_step_is_told_with_its_place(step: str, place: str, right: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_flow(f"flow: x\nsteps:\n  - {step}\n", "x.yaml")

    assert refused.value.message.startswith(f"x.yaml:{place}: ")
    assert right in refused.value.hint


def test_steps_are_not_nested_without_end() -> None:
    inner = "{vary: {}}"
    for _ in range(30):
        inner = f"{{repeat: {{until: x, steps: [{inner}]}}}}"

    with pytest.raises(BadInput, match="nested"):
        parse_flow(f"flow: x\nsteps: [{inner}]\n", "x.yaml")


def test_a_flow_that_is_called_twice_is_no_circle(bench: Bench) -> None:
    flow(bench, VARY_TWO, name="child")
    loaded = load_flow(flow(bench, "- call: {flow: child.yaml}\n- call: {flow: ./child.yaml}"), bench.root)

    assert sorted(load_called(loaded, bench.root)) == ["./child.yaml", "child.yaml"]


def test_editors_are_told_of_steps_inside_steps() -> None:
    from flowide.flows.load import flow_schema

    text = json.dumps(flow_schema())

    assert '"branches"' in text
    assert '"until"' in text
