"""Turns of coding agents in a run: a private copy to work in, permission asked, changes brought back through locks."""
