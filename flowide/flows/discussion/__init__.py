"""Discussion at work: from a text to a message, from a message to an agent's answer or edit."""
