"""`python -m flowide.agents.worker FD PARENT`: started by FlowIDE, never by hand."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys

SETTINGS = {
    # Without these, importing litellm fetches its price list, headers and news from the network.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    # Otherwise it loads a .env file by itself.
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "CRITICAL",
    "LITELLM_TELEMETRY": "False",
    "DISABLE_HF_TOKENIZER_DOWNLOAD": "True",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Environment of this process, set before litellm is imported."""


def main() -> None:
    """Load litellm and answer calls until the other end of the socket closes."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    _die_with(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.environ.update(SETTINGS)
    gc.disable()
    from flowide.agents.worker import serve

    gc.enable()
    gc.freeze()
    os.dup2(null, 2)  # what went wrong while loading has been told; from here on nobody reads
    serve.run(connection)
    os._exit(0)  # litellm's threads would hold the process for seconds


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, however it dies (Linux)."""
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    main()
