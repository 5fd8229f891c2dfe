"""What the viewer reads: numbered steps, lines below them, tables, and waits that are visible."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from demo.errors import DemoError

Seen = TypeVar("Seen")
POLL = 0.2
LOG_TICK = 10.0


class Narration:
    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._began = time.monotonic()
        self._steps = 0

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began

    def step(self, title: str) -> None:
        self._steps += 1
        bold, plain = ("\033[1m", "\033[0m") if self._terminal else ("", "")
        print(f"\n{bold}{self._steps}. {title}{plain}  [{self.elapsed:.0f} s]", flush=True)

    def say(self, text: str = "") -> None:
        for line in text.splitlines() or [""]:
            print(f"   {line}".rstrip(), flush=True)

    def command(self, line: str, output: str) -> None:
        """A command that was run and what it said."""
        self.say(f"$ {line}\n{output}".rstrip("\n"))

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Columns of numbers are aligned to the right."""
        cells = [list(headings), *([str(cell) for cell in row] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        columns = zip(*rows, strict=True)
        right = [all(isinstance(cell, int) for cell in column) for column in columns]
        for row in cells:
            parts = [
                cell.rjust(width) if number else cell.ljust(width)
                for cell, width, number in zip(row, widths, right, strict=True)
            ]
            self.say("  ".join(parts))

    def until(
        self,
        what: str,
        look: Callable[[], Seen | None],
        *,
        within: float,
        status: Callable[[], str] = str,
        check: Callable[[], None] = lambda: None,
    ) -> Seen:
        """Look until something is seen, and return it.

        `status` is shown meanwhile; `check` raises when waiting has become pointless. Raises
        DemoError after `within` seconds.
        """
        began = shown = time.monotonic()
        while True:
            seen = look()
            now = time.monotonic()
            if seen is not None:
                self._rewrite("")
                return seen
            check()
            if now - began > within:
                self._rewrite("")
                raise DemoError(f"{what}: not within {within:.0f} s. {status()}".rstrip())
            if self._terminal:
                self._rewrite(f"   {what} ({now - began:.0f} s) {status()}")
            elif now - shown > LOG_TICK:
                shown = now
                self.say(f"{what} ({now - began:.0f} s) {status()}")
            time.sleep(POLL)

    def _rewrite(self, line: str) -> None:
        if self._terminal:
            print(f"\r{line[:110]}\033[K", end="", flush=True)
