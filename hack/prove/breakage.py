"""A guard taken out of the code, and the tests that have to notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """One guard removed: in `file`, `old` (which stands there exactly once) becomes `new`."""

    guards: int | str
    """A number of the design's list of invariants, or the name of what else is promised."""
    what: str
    """What is wrong then."""
    file: str
    old: str
    new: str
    tests: str
    """Pytest targets, separated by spaces: the quickest that suffice. One of their tests has to
    fail."""
    own_cluster: bool = False
    """Whether its tests stop the API server or read its audit log, and so need one of their own."""

    @property
    def label(self) -> str:
        what = f"invariant {self.guards}" if isinstance(self.guards, int) else self.guards
        return f"{what}: {self.what}"
