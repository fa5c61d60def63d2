"""Texts while they are written, and who is there."""

from __future__ import annotations

from typing import Any

from tests.hub.client import Person, Stream, command


class Text:
    """A draft as a watcher puts it together."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.fence = 0

    def take(self, frame: dict[str, Any]) -> None:
        if frame["fence"] != self.fence:
            self.fence, self.data = frame["fence"], bytearray()
        text = frame["text"].encode()
        if frame.get("cut"):
            del self.data[frame["off"] :]
        assert frame["off"] <= len(self.data), "a part is missing"
        self.data[frame["off"] : frame["off"] + len(text)] = text


def watch(stream: Stream, text: Text, until: str) -> None:
    """Take frames until the draft is this one."""
    while text.data.decode() != until:
        text.take(stream.until("draft"))


def test_a_draft_is_seen_while_it_is_written(ana: Person, joined: Any, doc: str) -> None:
    fence = ana.do("lock.acquire", artifact=doc)["fence"]
    with joined("rod").stream() as stream:
        stream.until("up_to_date")
        stream.send({"type": "sub", "drafts": [doc]})
        stream.ask("Artifacts")

        ana.do("draft.append", artifact=doc, fence=fence, off=0, text="Once upon ")
        ana.do("draft.append", artifact=doc, fence=fence, off=10, text="a time — ½")

        text = Text()
        watch(stream, text, "Once upon a time — ½")
    assert text.fence == fence


def test_who_comes_later_gets_what_is_there(ana: Person, joined: Any, doc: str) -> None:
    fence = ana.do("lock.acquire", artifact=doc)["fence"]
    ana.do("draft.append", artifact=doc, fence=fence, off=0, text="é" * 100_000)

    with joined("rod").stream() as stream:
        stream.send({"type": "sub", "drafts": [doc]})
        text = Text()
        watch(stream, text, "é" * 100_000)


def test_a_change_in_the_middle_is_seen(ana: Person, doc: str) -> None:
    fence = ana.do("lock.acquire", artifact=doc)["fence"]
    with ana.stream() as stream:
        stream.send({"type": "sub", "drafts": [doc]})
        text = Text()
        ana.do("draft.append", artifact=doc, fence=fence, off=0, text="one two three")
        watch(stream, text, "one two three")

        ana.do("draft.append", artifact=doc, fence=fence, off=4, text="2 three", cut=True)
        watch(stream, text, "one 2 three")
        ana.do("draft.append", artifact=doc, fence=fence, off=4, text="5 three", cut=True)
        watch(stream, text, "one 5 three")
        ana.do("draft.append", artifact=doc, fence=fence, off=3, text="", cut=True)
        watch(stream, text, "one")


def test_many_small_parts_come_in_few_chunks(ana: Person, doc: str) -> None:
    fence = ana.do("lock.acquire", artifact=doc)["fence"]
    with ana.stream() as stream:
        stream.send({"type": "sub", "drafts": [doc]})
        stream.ask("Artifacts")
        with ana.again().stream() as writing:
            writing.person.client = ana.client
            writing.until("up_to_date")
            for at in range(0, 60):
                writing.post(
                    command("draft.append", artifact=doc, fence=fence, off=at * 10, text="0123456789")
                )
        text = Text()
        watch(stream, text, "0123456789" * 60)

    chunks = [frame for frame in stream.seen if frame["type"] == "draft" and frame["text"]]
    assert len(chunks) < 30


def test_only_who_asked_gets_drafts(ana: Person, joined: Any, doc: str) -> None:
    fence = ana.do("lock.acquire", artifact=doc)["fence"]
    with joined("rod").stream() as watching, joined("kim").stream() as other:
        watching.send({"type": "sub", "drafts": [doc]})
        watching.ask("Artifacts")
        ana.do("draft.append", artifact=doc, fence=fence, off=0, text="secret")
        watch(watching, Text(), "secret")
        other.ask("Artifacts")

    assert all(frame["type"] != "draft" for frame in other.seen)


def test_a_new_subscription_replaces_the_one_before(ana: Person, doc: str) -> None:
    fence = ana.do("lock.acquire", artifact=doc)["fence"]
    with ana.stream() as stream:
        stream.send({"type": "sub", "drafts": [doc]})
        stream.send({"type": "sub", "drafts": []})
        stream.ask("Artifacts")
        ana.do("draft.append", artifact=doc, fence=fence, off=0, text="x" * 5000)
        stream.ask("Artifacts")

    assert all(frame["type"] != "draft" for frame in stream.seen)


def test_the_end_of_a_fence_ends_its_draft(ana: Person, joined: Any, doc: str) -> None:
    fence = ana.do("lock.acquire", artifact=doc)["fence"]
    with joined("rod").stream() as stream:
        stream.send({"type": "sub", "drafts": [doc]})
        stream.ask("Artifacts")
        ana.do("draft.append", artifact=doc, fence=fence, off=0, text="new\n")
        watch(stream, Text(), "new\n")

        ana.do("artifact.save", artifact=doc, fence=fence, base=1, text="new\n")
        end = stream.until("draft_end")

    assert (end["artifact"], end["fence"], end["why"]) == (doc, fence, "released")


def test_a_forced_lock_ends_the_draft_and_says_so(ana: Person, joined: Any, doc: str) -> None:
    rod = joined("rod")
    fence = rod.do("lock.acquire", artifact=doc)["fence"]
    with ana.stream() as stream:
        stream.send({"type": "sub", "drafts": [doc]})
        rod.do("draft.append", artifact=doc, fence=fence, off=0, text="mine")
        watch(stream, Text(), "mine")

        ana.do("lock.force", artifact=doc, reason="urgent", take=True)

        assert stream.until("draft_end")["why"] == "forced"
    [kept] = ana.get("drafts").json["ok"]
    assert ana.get(f"drafts/{kept['id']}").json["ok"]["text"] == "mine"


def test_a_draft_goes_on_under_the_next_fence_when_it_is_handed_over(
    ana: Person, joined: Any, doc: str
) -> None:
    rod = joined("rod")
    fence = rod.do("lock.acquire", artifact=doc)["fence"]
    with ana.stream() as stream:
        stream.send({"type": "sub", "drafts": [doc]})
        rod.do("draft.append", artifact=doc, fence=fence, off=0, text="half")
        watch(stream, Text(), "half")

        rod.do("lock.transfer", artifact=doc, fence=fence, to="ana", with_draft=True)

        assert stream.until("draft_end")["why"] == "transferred"
        after = stream.until("draft")
    assert (after["fence"], after["text"]) == (fence + 1, "half")


def test_a_writer_that_breaks_off_is_told_and_the_text_stays(ana: Person, joined: Any, doc: str) -> None:
    rod = joined("rod")
    with ana.stream() as stream:
        stream.send({"type": "sub", "drafts": [doc]})
        stream.ask("Artifacts")
        with rod.stream() as writing:
            writing.until("up_to_date")
            [held] = writing.post(command("lock.acquire", artifact=doc))
            writing.post(
                command("draft.append", artifact=doc, fence=held["ok"]["fence"], off=0, text="and th")
            )

        end = stream.until("draft_end")

    assert end["why"] == "interrupted"
    assert ana.get(f"drafts/{doc}").json["ok"]["text"] == "and th"


def test_the_answer_of_a_step_is_seen_while_it_is_written(ana: Person, joined: Any) -> None:
    fence = ana.do("run.start", run="r", flow="f", flow_sha256="0" * 64, flow_text="steps: []")["fence"]
    ana.do("run.step", run="r", fence=fence, key="draft#1", kind="draft", status="started")
    ana.do("run.stream", run="r", fence=fence, key="draft#1", off=0, text="Once ")
    with joined("rod").stream() as stream:
        stream.send({"type": "sub", "drafts": [], "runs": ["r"]})
        first = stream.until("step")
        ana.do("run.stream", run="r", fence=fence, key="draft#1", off=5, text="upon")

        second = stream.until("step")

    assert (first["run"], first["key"], first["off"], first["text"]) == ("r", "draft#1", 0, "Once ")
    assert (second["off"], second["text"]) == (5, "upon")


def test_what_is_watched_is_bounded(ana: Person) -> None:
    with ana.stream() as stream:
        stream.send({"type": "sub", "drafts": [str(n) for n in range(1000)]})

        assert stream.until("bye")["code"] == "limit"


def test_who_is_there_is_told_to_all(ana: Person, joined: Any) -> None:
    with ana.stream() as here:
        here.until("up_to_date")
        with joined("rod").stream() as other:
            other.until("up_to_date")
            other.send({"type": "sub", "drafts": [], "at": "doc.md", "at_thread": "t1"})
            while True:
                present = here.until("presence")["here"]
                told = {(each["actor"], each["at"], each["at_thread"], each["at_run"]) for each in present}
                if told == {("ana", None, None, None), ("rod", "doc.md", "t1", None)}:
                    break
        while [each["actor"] for each in here.until("presence")["here"]] != ["ana"]:
            pass
