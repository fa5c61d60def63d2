"""`flowide flows`: found, shown, checked, made."""

from __future__ import annotations

from tests.cli.conftest import Here


def test_flows_are_listed_with_where_they_come_from(flowide: Here) -> None:
    flowide("flows", "new", "variations")

    found = {each["flow"]: each["origin"] for each in flowide("flows", "--json").json}

    assert found["variations"] == "project"  # hides the shipped one
    assert found["more"] == "shipped"


def test_a_broken_flow_is_listed_as_broken(flowide: Here) -> None:
    folder = flowide.root / ".flowide/flows"
    folder.mkdir()
    (folder / "odd.yaml").write_text("flow: odd\nsteps: [{vry: {}}]\n")

    said = flowide("flows", "list")

    assert said.code == 0
    assert "broken: " in said.out
    assert "odd.yaml:2:10: there is no step 'vry'" in said.out


def test_a_flow_is_shown_as_it_is_written(flowide: Here) -> None:
    made = flowide("flows", "new", "tidy").out.strip()

    with open(made) as file:
        assert flowide("flows", "show", "tidy").out == file.read()


def test_a_new_flow_is_sound_and_not_overwritten(flowide: Here) -> None:
    made = flowide("flows", "new", "tidy").out.strip()

    assert flowide("flows", "validate", made).code == 0
    assert flowide("flows", "new", "tidy").code == 2
    assert flowide("flows", "new", "../tidy").code == 2


def test_every_mistake_of_several_files_is_told(flowide: Here) -> None:
    for name, step in (("a", "vry: {}"), ("b", "vary: {n: 3}"), ("c", "vary: {n: 30}")):
        (flowide.root / f"{name}.yaml").write_text(f"flow: {name}\nsteps:\n  - {step}\n")

    said = flowide("flows", "validate", "a.yaml", "b.yaml", "c.yaml")

    assert said.code == 2
    assert "a.yaml:3:5: there is no step 'vry'" in said.err
    assert "b.yaml: flow b, 1 steps" in said.out
    assert "c.yaml:3:15: 30 variations are not possible" in said.err


def test_an_unknown_flow_starts_nothing(flowide: Here) -> None:
    said = flowide("run", "variatons", "--headless", "--json")

    assert said.code == 2
    [line] = said.lines
    assert (line["type"], line["data"]["error"]["code"]) == ("run.finished", "not_found")
    assert "Did you mean variations?" in said.err
    assert flowide("runs", "--json").json == []


def test_the_steps_of_a_flow_are_drawn_with_those_inside(flowide: Here) -> None:
    (flowide.root / "child.yaml").write_text("flow: child\nsteps:\n  - vary: {n: 2}\n  - choose: {}\n")
    (flowide.root / "whole.yaml").write_text(
        "flow: whole\nabout: All of it.\nsteps:\n  - call: {flow: child.yaml}\n  - parallel:\n      branches:\n"
        "        a: [{repeat: {until: '{{ round == 2 }}', steps: [{check: {}}]}}]\n        b: [{vary: {}}]\n"
    )

    said = flowide("flows", "show", "whole.yaml", "--steps")

    assert said.out.splitlines() == [
        "whole: All of it.",
        "├─ call child.yaml",
        "│  ├─ vary",
        "│  └─ choose",
        "└─ parallel",
        "   ├─ a",
        "   │  └─ repeat until round == 2, at most 3 times",
        "   │     └─ check",
        "   └─ b",
        "      └─ vary",
    ]


def test_called_flows_and_named_agents_are_checked_too(flowide: Here) -> None:
    (flowide.root / "calls.yaml").write_text("flow: calls\nsteps:\n  - call: {flow: nowhere}\n")
    (flowide.root / "names.yaml").write_text("flow: names\nagents: [anders, andres]\nsteps:\n  - vary: {}\n")
    (flowide.root / "models.yaml").write_text("flow: models\nagents: [openai/gpt-4o]\nsteps:\n  - vary: {}\n")

    said = flowide("flows", "validate", "calls.yaml", "names.yaml", "models.yaml", "missing.yaml")

    assert said.code == 2
    assert "calls.yaml:3:18: there is no flow nowhere" in said.err
    assert "names.yaml:2:18: " in said.err
    assert "anders" in said.err.split("names.yaml:2:18: ")[1]
    assert "missing.yaml does not exist" in said.err
    assert "models.yaml: flow models, 1 steps" in said.out
