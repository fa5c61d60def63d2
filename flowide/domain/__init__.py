"""The rule book: pure functions of state and time. Nothing here reads a clock, a file or a database."""
