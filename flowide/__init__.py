"""FlowIDE: people and LLM agents produce work together, in a terminal."""

__version__ = "0.1.0"
