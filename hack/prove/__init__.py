"""Proof that the tests of the invariants can fail: each runs against code with its guard removed."""
