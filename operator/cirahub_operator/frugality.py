"""How a process that runs for months keeps its memory small."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import cast

TERMINALS = ("rich",)
"""What structlog loads for terminals if something else has installed it: with pygments, five
megabytes that a service has no use for. Pygments itself exchangelib asks for."""

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_LARGE = 128 * 1024
"""Bytes."""
_OLDEST = 2
"""Generation of objects; its collection is a full one."""
THOROUGH = 3600.0
"""Seconds between two looks at everything."""
PATIENCE = 300.0
"""Seconds to wait for a quiet moment for that."""
LOOK = 1.0


def without_terminals() -> None:
    """Have imports of it fail, as if it were not installed; comes before what would load it.
    Source: Python's reference, "The module cache"."""
    for name in TERMINALS:
        sys.modules.setdefault(name, cast("ModuleType", None))


@contextmanager
def short_collections() -> Iterator[None]:
    """What a full collection leaves is not looked at by the next ones: with thousands of Spokes
    each would hold up everything else for a tenth of a second, about every second while statuses
    are written, and find nothing. Source: Python's documentation, `gc.freeze`."""

    def set_aside(phase: str, of: Mapping[str, int]) -> None:
        if phase == "stop" and of["generation"] == _OLDEST:
            gc.freeze()

    gc.collect()
    gc.freeze()
    gc.callbacks.append(set_aside)
    try:
        yield
    finally:
        gc.callbacks.remove(set_aside)
        gc.unfreeze()


async def collect_thoroughly(
    busy: Callable[[], bool], *, every: float = THOROUGH, patience: float = PATIENCE
) -> None:
    """Forever: now and then look at what was set aside, too, for what nothing but itself refers to.
    At a quiet moment if there is one."""
    while True:
        await asyncio.sleep(every)
        waited = 0.0
        while busy() and waited < patience:
            await asyncio.sleep(LOOK)
            waited += LOOK
        gc.unfreeze()
        gc.collect()


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
