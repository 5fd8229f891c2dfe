"""A long command's progress: one rewritten line on a terminal, a line every ten seconds elsewhere.

pip writes hundreds of lines; what matters is which package it is at and how long it has taken.
"""

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO

TERMINAL_TICK = 0.5
LOG_TICK = 10.0
TAIL_LINES = 25
WIDTH = 100


def say(line: str) -> None:
    print(f"bootstrap: {line}", file=sys.stderr, flush=True)


class Condensed:
    """The command's last line, and how many of its lines stood for a step."""

    def __init__(self, label: str, steps: Sequence[str], total: int) -> None:
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._label = label
        self._steps = tuple(steps)
        self._total = total
        self._done = 0
        self._latest = ""

    def take(self, line: str) -> None:
        self.tail.append(line)
        step = line.strip()
        if step.startswith(self._steps):
            self._done += 1
            # The rest of that line is every package's name, and the longest step by far.
            self._latest = "unpacking them" if step.startswith("Installing ") else step

    def text(self, seconds: float) -> str:
        text = f"{self._label} ({seconds:.0f} s)"
        if self._total:
            text += f": {min(self._done, self._total)}/{self._total}"
        return f"{text} {self._latest}"[:WIDTH].rstrip()


def run(command: Sequence[str | Path], shown: Condensed) -> int:
    """Run `command` to its end and return its exit code; an interruption ends it too."""
    terminal = sys.stderr.isatty()
    began = time.monotonic()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        reader = threading.Thread(target=_read, args=(process.stdout, shown), daemon=True)
        reader.start()
        try:
            while True:
                try:
                    exit_code = process.wait(timeout=TERMINAL_TICK if terminal else LOG_TICK)
                    break
                except subprocess.TimeoutExpired:
                    text = shown.text(time.monotonic() - began)
                    if terminal:
                        print(f"\rbootstrap: {text}\033[K", end="", file=sys.stderr, flush=True)
                    else:
                        say(text)
        except BaseException:
            process.terminate()
            raise
        reader.join()
    if terminal:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return exit_code


def _read(stream: IO[str] | None, shown: Condensed) -> None:
    for line in stream or ():
        shown.take(line.rstrip("\n"))
