"""Settings: option > environment > project > user > default, and where each value came from."""

from flowide.settings.loading import FILE, Loaded, known_variables, load, user_folder, variables
from flowide.settings.sections import (
    Agents,
    App,
    Budget,
    Discussion,
    Git,
    Hub,
    Keys,
    Limits,
    Lock,
    McpServer,
    Me,
    Model,
    Settings,
    Stream,
    Trust,
)

__all__ = [
    "FILE",
    "Agents",
    "App",
    "Budget",
    "Discussion",
    "Git",
    "Hub",
    "Keys",
    "Limits",
    "Loaded",
    "Lock",
    "McpServer",
    "Me",
    "Model",
    "Settings",
    "Stream",
    "Trust",
    "known_variables",
    "load",
    "user_folder",
    "variables",
]
