"""A loop on which waiting takes a twentieth of its time: a second of back-off is 50 ms."""

from __future__ import annotations

import asyncio
import selectors
import time

SPEED = 20.0


class _Selector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout / SPEED if timeout else timeout)


class HastyLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__(_Selector())

    def time(self) -> float:
        return time.monotonic() * SPEED
