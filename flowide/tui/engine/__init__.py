"""The engine thread: space, locks, event follow and runs, away from the loop that draws."""
