"""Flow files: what is wrong is told with file, line and column, and starts nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.errors import BadInput, NotFound
from flowide.flows.load import find_flows, flow_schema, input_values, load_flow, parse_flow


@pytest.mark.parametrize("name", [name for name, _, _ in find_flows(None)])
def test_a_shipped_flow_is_sound_and_named_after_its_file(name: str) -> None:
    loaded = load_flow(name, None)

    assert loaded.flow.flow == name
    assert loaded.flow.about
    assert loaded.origin == "shipped"


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("flow: x\nsteps: [", "f.yaml:", "expected"),
        ("flow: x\n", "f.yaml", "steps"),
        ("flow: x\nsteps: []\n", "f.yaml:2:8", "at least one step"),
        ("flow: X Y\nsteps:\n  - gate: {question: q}\n", "f.yaml:1:7", "cannot be a name"),
        ("flow: x\nsteps:\n  - vry: {n: 2}\n", "f.yaml:3:5", "vry"),
        ("flow: x\nsteps:\n  - vary: {n: 2}\n    gate: {question: q}\n", "f.yaml:3", "one kind"),
        ("flow: x\nsteps:\n  - vary: {n: 12}\n", "f.yaml:3:15", "12 variations"),
        ("flow: x\nsteps:\n  - vary: {n: 2, colour: red}\n", "f.yaml:3", "colour"),
        ("flow: x\nsteps:\n  - gate: {question: '{{ nope }}'}\n", "f.yaml:3", "nope"),
        ("flow: x\nsteps:\n  - gate: {question: '{{ brief'}\n", "f.yaml:3", ""),
        (
            "flow: x\nsteps:\n  - {id: a, gate: {question: q}}\n  - {id: a, gate: {question: q}}\n",
            "f.yaml:4",
            "two steps",
        ),
        (
            "flow: x\ninputs:\n  n: {type: integer, default: many}\nsteps:\n  - gate: {question: q}\n",
            "f.yaml:3",
            "integer",
        ),
        ("flow: x\nflow: y\nsteps:\n  - gate: {question: q}\n", "f.yaml:2", "twice"),
        ("flow: x\nsteps:\n  - vary: {n: many}\n", "f.yaml:3:15", "expected a whole number or a template"),
        ("flow: x\nsteps:\n  - picture: {optional: maybe}\n", "f.yaml:3:25", "expected true or false"),
        ("flow: x\nsteps:\n  - gate: {question: q, options: []}\n", "f.yaml:3:34", "nothing to answer"),
        ("flow: x\nsteps:\n  - run: {command: ' '}\n", "f.yaml:3:20", "the command is empty"),
        ("- a\n- b\n", "f.yaml:1", ""),
        ("", "f.yaml", ""),
        ("flow: !!python/object/apply:os.system ['true']\n", "f.yaml:1", ""),
        ("a: &a [x]\nb: [*a, *a]\n", "f.yaml", ""),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, where: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_flow(text, "f.yaml")

    assert where in caught.value.message
    assert said in caught.value.message + caught.value.hint


def test_a_billion_laughs_are_not_laughed(tmp_path: Path) -> None:
    lines = ["a0: &a0 [lol, lol]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]

    with pytest.raises(BadInput):
        parse_flow("\n".join(lines), "f.yaml")


@pytest.mark.parametrize("data", [b"flow: \xff\xfe", b"flow: a\x00b\n"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(data)

    with pytest.raises(BadInput, match=r"f\.yaml"):
        load_flow(str(file), None)


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(NotFound) as caught:
        load_flow("variation", None)

    assert "Did you mean variations?" in caught.value.hint


def test_a_projects_flow_goes_before_a_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / ".flowide" / "flows" / "variations.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("flow: variations\nsteps:\n  - gate: {question: mine?}\n")

    assert load_flow("variations", tmp_path).origin == "project"


@pytest.mark.parametrize(
    ("given", "error"),
    [({"n": "x"}, "integer"), ({"brief": ""}, "needs the input brief"), ({"nn": "2"}, "no input nn")],
)
def test_a_wrong_input_is_told(given: dict[str, str], error: str) -> None:
    flow = load_flow("variations", None).flow

    with pytest.raises(BadInput, match=error):
        input_values(flow, {"brief": "b", "path": "p", **given})


def test_inputs_are_read_as_their_types() -> None:
    flow = load_flow("variations", None).flow

    values = input_values(flow, {"brief": "b", "path": "p", "n": "3", "checks": "a\nb\n", "critique": "no"})

    assert (values["n"], values["checks"], values["critique"]) == (3, ["a", "b"], False)


def test_the_schema_accepts_every_shipped_flow() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    import yaml

    for name, _, path in find_flows(None):
        jsonschema.validate(yaml.safe_load(path.read_text()), flow_schema())
        assert name


@pytest.mark.parametrize(
    ("text", "place", "right"),
    [
        (
            "flow: x\ninputs:\n  a: {type: text}\n  n: {type: integr}\nsteps: [{vary: {}}]\n",
            "4:13",
            "One of: text",
        ),
        ("flow: x\ninputs:\n  n: {typ: text}\nsteps: [{vary: {}}]\n", "3:7", "Did you mean 'type'?"),
        ("flow: x\nsteps:\n  - vari: {}\n", "3:5", "Did you mean 'vary'?"),
        ("flow: x\nsteps:\n  - vary: {n: 30}\n", "3:15", "n goes from 2 to 10"),
        ("flow: x\nsteps:\n  - vary: {brief: '{{ nope }}'}\n", "3:19", "Known here: brief, path"),
        ("flow: x\nsteps:\n  - choose: {question: [a]}\n", "3:24", "A text, for example"),
        ("flow: x\nsteps:\n  - vary: {}\n    check: {}\n", "3:5", "One of: vary"),
        ("flow: x\nsteps:\n\t- vary: {}\n", "3:1", "Indent with spaces"),
        ("flow: x\nsteps: []\n", "2:8", "A list of steps"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(text: str, place: str, right: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_flow(text, "x.yaml")

    assert refused.value.message.startswith(f"x.yaml:{place}: ")
    assert right in refused.value.hint
