"""The variations flow, from the brief to the accepted version."""

from __future__ import annotations

import json

import pytest

from flowide.domain.commands import NoteVariation, ShortlistVariation
from flowide.errors import AuthFailed, BadInput, NotFound
from flowide.space.queries import History, VariationText, Verify
from tests.flows.conftest import Bench
from tests.project_with_agents import SHOP, fenced, shop, verdicts, write_agent


async def test_variations_are_numbered_in_the_order_of_their_slots(bench: Bench) -> None:
    await bench.start()

    view = await bench.set()
    assert [each.variation.actor for each in view.variations] == ["anders", "bea", "anders", "bea"]
    texts = [await bench.space.read(VariationText(view.set.id, number)) for number in (1, 2, 3, 4)]
    assert texts == [shop(1), shop(2), shop(3), shop(4)]


async def test_a_run_stops_at_the_choice_and_says_how_to_go_on(bench: Bench) -> None:
    result = await bench.start()

    assert (result.status, result.exit_code) == ("waiting", 3)
    assert result.resume_command == f"flowide run variations --resume {result.run}"
    assert result.error is not None
    assert result.error["code"] == "needs_input"


async def test_a_number_is_accepted_into_the_file_under_the_lock(bench: Bench) -> None:
    result = await bench.answer(await bench.start(), "3")

    assert (result.status, result.exit_code) == ("completed", 0)
    assert (bench.root / "src/shop.py").read_text() == shop(3)
    assert result.outputs["version"] == 2
    types = [each for each in await bench.types() if each.startswith(("lock.", "artifact."))]
    assert types[-3:] == ["lock.acquired", "artifact.saved", "lock.released"]
    [_, version] = await bench.space.read(History(result.outputs["artifact"]))
    assert version.actor == "ana"
    assert version.parents[0]["variation"] == 3
    assert version.parents[0]["actor"] == "anders"
    assert await bench.space.read(Verify()) == []


async def test_a_sentence_blends_by_code_and_the_blend_is_checked_like_the_others(bench: Bench) -> None:
    checks = ["compiles: python -m py_compile src/shop.py"]
    result = await bench.start(inputs={"checks": checks})

    result = await bench.answer(result, "4 but with the _sum of 2")

    assert result.status == "completed"
    written = (bench.root / "src/shop.py").read_text()
    assert "* 2 // 2" in written
    assert written.replace("* 2 // 2", "* 4 // 4") == shop(4)
    blend = (await bench.set()).variations[-1]
    assert (blend.variation.number, blend.variation.origin) == (5, "blend")
    assert [(check.name, check.status) for check in blend.checks] == [
        ("parses", "passed"),
        ("compiles", "passed"),
    ]
    assert blend.variation.lineage["Shop._sum"]["label"] == "@bea"


async def test_the_checks_run_in_a_private_copy(bench: Bench) -> None:
    checks = ["spoils: echo spoilt > src/shop.py; echo new > stray.txt"]

    await bench.start(inputs={"checks": checks})

    assert (bench.root / "src/shop.py").read_text() == SHOP
    assert not (bench.root / "stray.txt").exists()


async def test_failed_checks_are_recorded_with_their_output(bench: Bench) -> None:
    checks = ["tests: echo 3 failures; exit 1", "speed: echo '{\"ops\": 12}'"]

    await bench.start(inputs={"checks": checks})

    first = {check.name: check for check in (await bench.set()).variations[0].checks}
    assert (first["tests"].status, first["tests"].output) == ("failed", "3 failures")
    assert (first["speed"].status, first["speed"].metrics["ops"]) == ("passed", 12)


async def test_a_check_that_hangs_is_stopped(bench: Bench) -> None:
    flow = bench.root / ".flowide/flows/short.yaml"
    flow.parent.mkdir(parents=True)
    flow.write_text(
        "flow: short\nsteps:\n  - vary: {n: 2}\n  - check: {commands: 'hangs: sleep 60', timeout_s: 0.2}\n"
    )

    result = await bench.start("short", trust=True)

    assert result.status == "completed"
    assert {
        check.status
        for each in (await bench.set()).variations
        for check in each.checks
        if check.name == "hangs"
    } == {"timeout"}


async def test_a_projects_flow_runs_no_command_without_trust(bench: Bench) -> None:
    flow = bench.root / ".flowide/flows/sly.yaml"
    flow.parent.mkdir(parents=True)
    flow.write_text(
        "flow: sly\nsteps:\n  - vary: {n: 2}\n  - check: {commands: 'x: touch /tmp/flowide-sly'}\n"
    )

    result = await bench.start("sly")

    assert (result.status, result.exit_code) == ("failed", 7)
    assert result.error is not None
    assert "--trust" in result.error["hint"]


async def test_the_critic_reads_all_and_its_verdicts_become_notes(bench: Bench) -> None:
    await bench.start()

    view = await bench.set()
    assert [each.variation.notes[0]["score"] for each in view.variations] == [4, 5, 6, 7]
    assert {each.variation.notes[0]["actor"] for each in view.variations} == {"carl"}


async def test_a_critique_that_fails_is_a_warning(bench: Bench) -> None:
    write_agent(bench.root, "carl", [{"on": "critique", "text": "They are all lovely."}], role="critic")

    result = await bench.start()

    assert result.status == "waiting"
    assert any("critique" in warning for warning in bench.watcher.warnings)


async def test_more_builds_on_the_short_list_and_the_notes(bench: Bench) -> None:
    result = await bench.start()
    view = await bench.set()
    await bench.space.batch(
        [
            ShortlistVariation(set=view.set.id, number=2),
            NoteVariation(set=view.set.id, number=2, text="keep this one's total"),
        ]
    )

    result = await bench.answer(result, "more 2 with shorter names")

    assert result.status == "waiting"
    view = await bench.set()
    fresh = [each.variation for each in view.variations[4:]]
    assert [(each.number, each.round, each.parents) for each in fresh] == [
        (5, 2, [{"variation": 2}]),
        (6, 2, [{"variation": 2}]),
    ]


async def test_reject_ends_the_run_with_its_reason(bench: Bench) -> None:
    result = await bench.answer(await bench.start(), "reject: none of them is shorter")

    assert (result.status, result.exit_code) == ("rejected", 4)
    assert result.error is not None
    assert "none of them is shorter" in result.error["message"]
    assert (bench.root / "src/shop.py").read_text() == SHOP


@pytest.mark.parametrize("answer", ["9", "4 but with the _nothing of 2", "4:Shop._sum"])
async def test_an_answer_that_names_what_is_not_there_is_asked_again(bench: Bench, answer: str) -> None:
    result = await bench.answer(await bench.start(), answer)

    assert result.status == "waiting"
    assert bench.watcher.warnings


async def test_a_sentence_that_is_not_plain_is_put_to_an_agent(bench: Bench) -> None:
    picks = json.dumps({"base": 4, "takes": [{"variation": 2, "piece": "Shop._sum"}]})
    write_agent(
        bench.root,
        "anders",
        [{"on": "vary", "texts": [fenced(shop(1)), fenced(shop(3))]}, {"on": "resolve", "text": picks}],
    )

    result = await bench.answer(
        await bench.start(), "I like the last one best, only the summing is nicer in bea's first"
    )

    assert result.status == "completed"
    assert "* 2 // 2" in (bench.root / "src/shop.py").read_text()
    assert any("understood as: 4 with 2:Shop._sum" in warning for warning in bench.watcher.warnings)


async def test_the_policy_takes_the_one_with_most_passed_checks(bench: Bench) -> None:
    checks = ["third: grep -q 'the 3th way' src/shop.py"]

    result = await bench.start(inputs={"checks": checks}, on_gate="approve")

    assert result.status == "completed"
    assert result.outputs["chosen"] == 3


async def test_the_policy_can_refuse(bench: Bench) -> None:
    result = await bench.start(on_gate="reject")

    assert (result.status, result.exit_code) == ("rejected", 4)


async def test_a_new_file_can_be_made(bench: Bench) -> None:
    result = await bench.start(inputs={"path": "src/new.py"}, on_gate="approve")

    assert result.status == "completed"
    assert (bench.root / "src/new.py").read_text() == shop(result.outputs["chosen"])


async def test_one_piece_of_a_file_can_be_varied(bench: Bench) -> None:
    method = "    def total(self):\n        return sum(self.stock.values(), 0)\n"
    answer = "```python\nclass Shop:\n" + method + "```"
    for handle in ("anders", "bea"):
        write_agent(bench.root, handle, [{"on": "vary", "text": answer}])

    await bench.start(inputs={"path": "src/shop.py:Shop.total", "n": 2, "critique": False}, on_gate="approve")

    assert (bench.root / "src/shop.py").read_text() == SHOP.replace("values())", "values(), 0)")


async def test_a_slot_that_fails_costs_its_variation_only(bench: Bench) -> None:
    write_agent(bench.root, "bea", [{"on": "vary", "fail": "unavailable"}])
    write_agent(bench.root, "carl", [{"on": "critique", "text": verdicts(2)}], role="critic")

    result = await bench.start()

    assert result.status == "waiting"
    assert [each.variation.actor for each in (await bench.set()).variations] == ["anders", "anders"]
    assert sum("@bea failed" in warning for warning in bench.watcher.warnings) == 2


async def test_a_run_whose_every_slot_fails_fails_and_makes_nothing(bench: Bench) -> None:
    for handle in ("anders", "bea"):
        write_agent(bench.root, handle, [{"on": "vary", "fail": "incomplete"}])

    result = await bench.start()

    assert (result.status, result.exit_code) == ("failed", 8)
    assert (await bench.set()).variations == []


@pytest.mark.parametrize(
    "reply", ["I cannot do that.", "```python\nclass Shop(:\n```", "```python\nclass Sh"]
)
async def test_a_reply_without_a_whole_file_is_no_variation(bench: Bench, reply: str) -> None:
    for handle in ("anders", "bea"):
        write_agent(bench.root, handle, [{"on": "vary", "text": reply}])

    result = await bench.start()

    assert result.exit_code == 8
    assert (await bench.set()).variations == []


async def test_a_reply_that_cannot_be_used_is_asked_for_again(bench: Bench) -> None:
    write_agent(
        bench.root,
        "anders",
        [
            {"on": "vary", "when": "could not be used", "text": fenced(shop(7))},
            {"on": "vary", "text": "Let me think about that."},
        ],
    )

    await bench.start(inputs={"n": 2})

    view = await bench.set()
    assert await bench.space.read(VariationText(view.set.id, 1)) == shop(7)


async def test_missing_keys_are_told_before_a_run_begins(bench: Bench) -> None:
    with pytest.raises(AuthFailed, match="OPENAI_API_KEY"):
        await bench.start(agents=["openai/gpt-4o-mini"])

    assert await bench.types() == []


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"flow": "nope"}, NotFound),
        ({"inputs": {"unknown": "x"}}, BadInput),
        ({"inputs": {"n": "many"}}, BadInput),
        ({"brief": ""}, BadInput),
        ({"agents": ["nobody"]}, BadInput),
    ],
)
async def test_bad_input_starts_nothing(bench: Bench, request_: dict, error: type[Exception]) -> None:  # type: ignore[type-arg]
    with pytest.raises(error):
        await bench.start(**request_)

    assert await bench.types() == []
