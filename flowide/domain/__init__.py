"""The rule book: pure functions of state and time."""
