"""The admin endpoint, which a real tenant doesn't have: faults, time, users' edits, the log."""
