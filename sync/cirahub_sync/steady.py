"""The clock that leases are held by: it goes on while the process is stopped (SIGSTOP, a frozen
container) and while the machine is suspended, and nobody sets it.

Linux's CLOCK_MONOTONIC leaves out the time of a suspension, CLOCK_BOOTTIME counts it
(clock_gettime(2)). Elsewhere CLOCK_MONOTONIC is what there is; on macOS it counts sleep.
"""

from __future__ import annotations

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    """Seconds since some fixed moment of this boot. Means nothing to another machine."""
    return time.clock_gettime(_CLOCK)
