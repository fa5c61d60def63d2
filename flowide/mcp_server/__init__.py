"""The space as tools, resources and prompts of the Model Context Protocol, for agents of other programs."""
