"""Proof that the invariants' tests can fail: each runs with the code it guards removed."""
