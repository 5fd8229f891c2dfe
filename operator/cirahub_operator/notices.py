"""Hubs that notifications told of, until a pass looks at them.

What is recorded is in the store; this is who is to be woken for it, in the process that leads. What
a stand-by took, or what was taken just before a crash, is found by asking the store.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from cirahub_operator.workqueue import Key
from cirahub_sync.errors import CirahubError
from cirahub_sync.notifications import Heard, Notification

logger = logging.getLogger(__name__)


SAID_AFTER = 10
"""Looks that fail in a row: a store that the engine is about to make, or a database that restarts,
is nothing to tell."""


class Mailroom(Protocol):
    """`cirahub_sync.notifications.Mailroom`."""

    def heard(self, notifications: Sequence[Notification]) -> Heard: ...

    def waiting(self) -> frozenset[str]: ...

    def close(self) -> None: ...


class Mail:
    """A mailroom that is opened when it is first needed, and again after that failed: a key or a
    database that appears later is found. From any thread. Raises CirahubError."""

    def __init__(self, open_mailroom: Callable[[], Mailroom]) -> None:
        self._open = open_mailroom
        self._opening = threading.Lock()
        self._mailroom: Mailroom | None = None

    def heard(self, notifications: Sequence[Notification]) -> Heard:
        """Blocks until it is recorded."""
        return self._opened().heard(notifications)

    def waiting(self) -> frozenset[str]:
        """Hubs with something that no pass has looked at, as `namespace/name`."""
        return self._opened().waiting()

    def close(self) -> None:
        with self._opening:
            if self._mailroom is not None:
                self._mailroom.close()
                self._mailroom = None

    def _opened(self) -> Mailroom:
        with self._opening:
            if self._mailroom is None:
                self._mailroom = self._open()
            return self._mailroom


class Notices:
    """Belongs to one event loop."""

    def __init__(self, ring: Callable[[Key], None] = lambda _: None) -> None:
        self._ring = ring
        self._marked: set[Key] = set()
        self._looked_at: set[Key] = set()

    def tell(self, hubs: Iterable[str]) -> None:
        """Have hubs looked at, by `namespace/name`. One that waits already is not woken again: it
        may be suspended, or have reason to wait."""
        for name in sorted(hubs):
            key = Key(*name.split("/", 1))
            if key not in self._marked:
                self._marked.add(key)
                self._ring(key)

    def has(self, key: Key) -> bool:
        return key in self._marked

    def forget(self, key: Key) -> None:
        """There is no such hub."""
        self._marked.discard(key)

    @contextmanager
    def looking(self, key: Key) -> Iterator[None]:
        """While a pass looks at all that was recorded before it: the store forgets that during the
        pass, so that asking it meanwhile would wake the hub for nothing."""
        self._marked.discard(key)
        self._looked_at.add(key)
        try:
            yield
        finally:
            self._looked_at.discard(key)

    async def watch(self, mail: Mail, every: float) -> None:
        """Ask the store after so many seconds. Never ends."""
        failed = 0
        while True:
            await asyncio.sleep(every)
            try:
                waiting = await asyncio.to_thread(mail.waiting)
                self.tell(waiting - {str(key) for key in self._looked_at})
                failed = 0
            except CirahubError as error:
                failed += 1
                if failed == SAID_AFTER:
                    logger.warning("what notifications told of can't be looked up: %s", error)
