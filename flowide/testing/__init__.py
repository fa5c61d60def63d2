"""Doubles that ship: a memory space and the contract suite."""
