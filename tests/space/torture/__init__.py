"""The long programme: many processes on one workspace, killed and stopped at random, and a checker of what they saw.

`python -m tests.space.torture --histories 20` prints histories, operations, faults by kind, and violations.
"""
