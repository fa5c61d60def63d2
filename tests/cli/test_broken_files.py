"""Broken flow, agent and config files: one message with file, line, column and what would be right; nothing begins."""

from __future__ import annotations

import re
import time

import pytest

from tests.cli.conftest import Here

HEAD = "flow: x\nsteps:\n"
GATE = "  - gate: {question: Go on?}\n"
ONE = "{gate: {question: q}}"
LOOP = "{repeat: {until: x, steps: ["
LATER = "  - id: later\n    gate: {question: q}\n"

FLOWS = {
    "no YAML": "flow: x\nsteps: [\n",
    "a tab": "flow: x\nsteps:\n\t- gate: {}\n",
    "a colon in a text": "flow: x\nabout: what: else\nsteps: []\n",
    "a bare percent": "flow: x\nabout: %name\nsteps: []\n",
    "no mapping": "- a\n- b\n",
    "empty": "",
    "only a comment": "# nothing\n",
    "no name": f"steps:\n{GATE}",
    "a bad name": f"flow: My Flow\nsteps:\n{GATE}",
    "a number as name": f"flow: 12\nsteps:\n{GATE}",
    "no steps": "flow: x\n",
    "steps is a text": "flow: x\nsteps: vary\n",
    "steps is a mapping": "flow: x\nsteps: {vary: {n: 3}}\n",
    "no step": "flow: x\nsteps: []\n",
    "a step is a text": f"{HEAD}  - vary\n",
    "an unknown step": f"{HEAD}  - vry: {{n: 3}}\n",
    "an unknown step far from any": f"{HEAD}  - qqqqq: {{}}\n",
    "two kinds in a step": f"{HEAD}  - vary: {{n: 3}}\n    check: {{}}\n",
    "no kind in a step": f"{HEAD}  - id: a\n",
    "an unknown field": f"{HEAD}  - vary: {{number: 3}}\n",
    "an unknown field at the top": f"flow: x\nstpes:\n{GATE}",
    "a list where a mapping is": f"{HEAD}  - vary: [3]\n",
    "a text where a mapping is": f"{HEAD}  - gate: really?\n",
    "a number where a text is": f"{HEAD}  - gate: {{question: 12}}\n",
    "a text where a list is": f"{HEAD}  - vary: {{n: 3, agents: edwin}}\n",
    "no question": f"{HEAD}  - gate: {{options: [a, b]}}\n",
    "no command": f"{HEAD}  - run: {{timeout_s: 3}}\n",
    "n too large": f"{HEAD}  - vary: {{n: 11}}\n",
    "n of one": f"{HEAD}  - vary: {{n: 1}}\n",
    "n is a list": f"{HEAD}  - vary: {{n: [3]}}\n",
    "more of none": f"{HEAD}  - more: {{n: 0}}\n",
    "a temperature in words": f"{HEAD}  - vary: {{n: 2, temperatures: [hot]}}\n",
    "two steps of one id": f"{HEAD}  - {{id: a, gate: {{question: q}}}}\n  - {{id: a, gate: {{question: q}}}}\n",
    "a bad id": f"{HEAD}  - {{id: 'a b', gate: {{question: q}}}}\n",
    "an open template": f"{HEAD}  - gate: {{question: 'So {{{{ brief'}}\n",
    "an unknown name": f"{HEAD}  - gate: {{question: '{{{{ breif }}}}'}}\n",
    "an unknown filter": f"{HEAD}  - gate: {{question: '{{{{ brief | shout }}}}'}}\n",
    "a template that runs code": f"{HEAD}  - gate: {{question: '{{{{ brief.__class__.__mro__ }}}}'}}\n",
    "an unknown step in a template": f"{HEAD}  - gate: {{question: '{{{{ steps.vary.set }}}}'}}\n",
    "a later step in a template": f"{HEAD}  - gate: {{question: '{{{{ steps.later.by }}}}'}}\n{LATER}",
    "a condition that is a list": f"{HEAD}  - gate: {{question: q}}\n    when: [a]\n",
    "an input of no type": f"flow: x\ninputs:\n  n: {{type: int}}\nsteps:\n{GATE}",
    "a default of another type": f"flow: x\ninputs:\n  n: {{type: integer, default: many}}\nsteps:\n{GATE}",
    "an input with a bad name": f"flow: x\ninputs:\n  My-Input: {{type: text}}\nsteps:\n{GATE}",
    "an input is a text": f"flow: x\ninputs:\n  n: integer\nsteps:\n{GATE}",
    "a budget in words": f"flow: x\nbudget: {{tokens: plenty}}\nsteps:\n{GATE}",
    "a budget below nothing": f"flow: x\nbudget: {{minutes: -3}}\nsteps:\n{GATE}",
    "an unknown budget": f"flow: x\nbudget: {{dollars: 3}}\nsteps:\n{GATE}",
    "no stage": f"{HEAD}  - review: {{stages: []}}\n",
    "a stage that does something else": f"{HEAD}  - review: {{stages: [{{stage: a, by: b, does: dance}}]}}\n",
    "back to nowhere": f"{HEAD}  - review: {{stages: [{{stage: a, by: b, back_to: c}}]}}\n",
    "two stages of one name": f"{HEAD}  - review: {{stages: [{{stage: a, by: b}}, {{stage: a, by: c}}]}}\n",
    "a person who writes": f"{HEAD}  - review: {{stages: [{{stage: a, by: person, does: write}}]}}\n",
    "a repeat without an end": f"{HEAD}  - repeat: {{steps: [{{gate: {{question: q}}}}]}}\n",
    "a repeat of a hundred rounds": f"{HEAD}  - repeat: {{until: '{{{{ round }}}}', times: 100, steps: [{ONE}]}}\n",
    "a repeat of nothing": f"{HEAD}  - repeat: {{until: '{{{{ round }}}}', steps: []}}\n",
    "no branch": f"{HEAD}  - parallel: {{branches: {{}}}}\n",
    "a branch with a bad name": f"{HEAD}  - parallel: {{branches: {{'A b': [{{gate: {{question: q}}}}]}}}}\n",
    "a blend of two sayings": f"{HEAD}  - blend: {{say: 4, base: 4}}\n",
    "a blend without a base": f"{HEAD}  - blend: {{takes: ['2:a']}}\n",
    "a call of nothing": f"{HEAD}  - call: {{flow: nosuch}}\n",
    "a call of itself": f"{HEAD}  - call: {{flow: broken.yaml}}\n",
    "a call with a wrong input": f"{HEAD}  - call: {{flow: variations, inputs: {{nn: 3}}}}\n",
    "nested too deep": f"{HEAD}  - {LOOP * 6}{ONE}{']}}' * 6}\n",
    "an agent that is nowhere": f"flow: x\nagents: [andres]\nsteps:\n{GATE}",
    "a step of an agent that is nowhere": f"{HEAD}  - vary: {{n: 2, path: a.md, agents: [andres]}}\n",
    "a critic that is nowhere": f"{HEAD}  - critique: {{by: karl}}\n",
    "a stage of nobody": f"{HEAD}  - review: {{stages: [{{stage: a, by: '@nobody'}}]}}\n",
    "nobody inside": f"{HEAD}  - repeat: {{until: x, steps: [{{draft: {{by: '@nobody'}}}}]}}\n",
    "a key twice": f"flow: x\nflow: y\nsteps:\n{GATE}",
    "a key that is a list": f"? [a, b]\n: c\nflow: x\nsteps:\n{GATE}",
    "code in YAML": "flow: !!python/object/apply:os.system ['true']\n",
    "an anchor of itself": f"flow: x\ninputs: &a {{n: *a}}\nsteps:\n{GATE}",
    "a date": f"flow: 2026-01-01\nsteps:\n{GATE}",
    "not closed": 'flow: x\nabout: "never closed\nsteps: []\n',
}  # fmt: skip

AGENTS = {
    "no front matter": "You write.\n",
    "not closed": "---\nhandle: a\n",
    "no YAML": "---\nhandle: [a\n---\n",
    "a bad handle": "---\nhandle: Two Words\n---\n",
    "an unknown backend": "---\nhandle: a\nbackend: telepathy\n---\n",
    "an unknown key": "---\nhandle: a\nmodle: openai/x\n---\n",
    "a temperature in words": "---\nhandle: a\nbackend: model\nmodel: openai/x\ntemperature: hot\n---\n",
    "a temperature too high": "---\nhandle: a\nbackend: model\nmodel: openai/x\ntemperature: 9\n---\n",
    "no script": "---\nhandle: a\nbackend: scripted\n---\n",
    "a script that is not there": "---\nhandle: a\nbackend: scripted\nscript: nosuch.yaml\n---\n",
    "a list as role": "---\nhandle: a\nrole: [drafter]\n---\n",
    "a key twice": "---\nhandle: a\nhandle: b\n---\n",
    "max_tokens below nothing": "---\nhandle: a\nbackend: model\nmodel: openai/x\nmax_tokens: -1\n---\n",
}

CONFIGS = {
    "no TOML": "[limits\nparallel = 3\n",
    "an unknown section": "[limit]\nparallel = 3\n",
    "an unknown key": "[limits]\nparalel = 3\n",
    "a text for a number": '[limits]\nparallel = "many"\n',
    "too many": "[limits]\nparallel = 1000\n",
    "no section": "parallel = 3\n",
    "a section is a value": "limits = 3\n",
    "trust of a project": '[trust]\nprojects = ["/"]\n',
    "a wrong word": '[git]\ncommit = "sometimes"\n',
    "a model without a name": '[models.fast]\napi_base = "http://127.0.0.1:1/v1"\n',
    "a price below nothing": '[models.fast]\nmodel = "openai/x"\nprice_in = -1\n',
    "a key twice": "[lock]\nttl_s = 1\nttl_s = 2\n",
    "a budget below nothing": "[budget]\ntokens = -5\n",
}


def told(flowide: Here, file: str, *args: str) -> str:
    began = time.monotonic()
    said = flowide(*args)
    assert time.monotonic() - began < 10  # 2 s on an idle machine
    assert said.code == 2, said
    assert said.out == ""
    assert "Traceback" not in said.err
    assert "mistake in FlowIDE" not in said.err
    lines = said.err.strip().splitlines()
    assert len([line for line in lines if line.startswith("error:")]) == 1, said
    assert re.match(rf"error: \S*{re.escape(file)}:\d+:\d+: \S", lines[0]), said.err
    assert len(lines) == 2, said.err
    assert len(lines[1]) > 8, said.err
    return said.err


@pytest.mark.parametrize(
    "text", [pytest.param(text, id=name.replace(" ", "-")) for name, text in FLOWS.items()]
)
def test_a_broken_flow_is_told_at_its_place(flowide: Here, text: str) -> None:
    (flowide.root / "broken.yaml").write_text(text)

    err = told(flowide, "broken.yaml", "run", "broken.yaml", "--headless", "--brief", "x")

    assert flowide("flows", "validate", "broken.yaml").code == 2
    assert flowide("events").out == "", err


@pytest.mark.parametrize(
    "text", [pytest.param(text, id=name.replace(" ", "-")) for name, text in AGENTS.items()]
)
def test_a_broken_agent_is_told_at_its_place(flowide: Here, text: str) -> None:
    for old in (flowide.root / ".flowide" / "agents").glob("*"):
        old.unlink()
    (flowide.root / ".flowide" / "agents" / "broken.md").write_text(text)

    told(flowide, "broken.md", "run", "variations", "--headless", "--brief", "x", "--set", "path=a.md")

    assert flowide("events").out == ""


@pytest.mark.parametrize(
    "text", [pytest.param(text, id=name.replace(" ", "-")) for name, text in CONFIGS.items()]
)
def test_a_broken_config_is_told_at_its_place(flowide: Here, text: str) -> None:
    (flowide.root / ".flowide" / "config.toml").write_text(text)

    told(flowide, "config.toml", "run", "variations", "--headless", "--brief", "x", "--set", "path=a.md")


def test_bytes_that_are_no_text_are_pointed_at_by_line_and_column(flowide: Here) -> None:
    (flowide.root / "f.yaml").write_bytes(b"flow: a\nabt: \xc3\xa4\xe4\n")

    said = flowide("flows", "validate", "f.yaml")

    assert said.code == 2
    assert "f.yaml:2:7: byte 15 is not UTF-8" in said.err
