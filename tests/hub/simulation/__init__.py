"""A hub and its clients in one process, on a clock and a network that a seed decides; see `programme`."""
