"""What answers: scripted agents, models through litellm, and the prompts they get."""
