"""Reviews at work: an agent writes a version, others judge it, people take or refuse its changes."""
