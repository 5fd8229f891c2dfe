"""How a process that runs for months keeps its memory small."""

from __future__ import annotations

import ctypes
import sys
from types import ModuleType
from typing import cast

TERMINALS = ("rich", "pygments")
"""What httpx and structlog load for terminals if something else has installed it: five megabytes
that a service has no use for."""

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_LARGE = 128 * 1024
"""Bytes."""


def without_terminals() -> None:
    """Have imports of it fail, as if it were not installed; comes before what would load it.
    Source: Python's reference, "The module cache"."""
    for name in TERMINALS:
        sys.modules.setdefault(name, cast("ModuleType", None))


def give_back() -> bool:
    """Have what is freed go back to the system. One arena: threads take turns at the interpreter
    anyway, and what is freed in the arena of one serves no other. A fixed threshold: otherwise the
    first large buffer that is freed has all later ones (256 KB for each TLS connection) taken from
    the heap, where they leave holes. False where the C library has no such settings.
    Source: mallopt(3)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = (
        (_M_ARENA_MAX, 1),
        (_M_MMAP_THRESHOLD, _LARGE),
        (_M_TRIM_THRESHOLD, _LARGE),
    )
    return sum(int(mallopt(name, value)) for name, value in settings) == len(settings)
