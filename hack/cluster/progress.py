"""Progress of a long step: one rewritten line on a terminal, a line every ten seconds elsewhere."""

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO

TERMINAL_TICK = 0.5
LOG_TICK = 10.0
TAIL_LINES = 30


@dataclass(frozen=True, slots=True)
class Outcome:
    exit_code: int
    stdout: list[str]
    tail: str
    """The last lines of stderr, for an error message."""


class Progress:
    """Says on `stream` (stderr unless told) what is going on and for how long, and first who says
    it."""

    def __init__(self, stream: TextIO | None = None, *, speaker: str = "cluster") -> None:
        self._stream = sys.stderr if stream is None else stream
        self._speaker = speaker
        self._terminal = self._stream.isatty()
        self.tick = TERMINAL_TICK if self._terminal else LOG_TICK

    def say(self, line: str) -> None:
        end = "\033[K\n" if self._terminal else "\n"
        print(f"{self._speaker}: {line}", end=end, file=self._stream, flush=True)

    def update(self, line: str, since: float) -> None:
        """`since` is a reading of `time.monotonic`."""
        text = f"{line} ({time.monotonic() - since:.0f} s)"
        if self._terminal:
            print(f"\r{self._speaker}: {text}\033[K", end="\r", file=self._stream, flush=True)
        else:
            self.say(text)

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        env: Mapping[str, str],
        on_stderr: Callable[[str], None],
        status: Callable[[], str],
        on_stdout: Callable[[str], None] = lambda _: None,
    ) -> Outcome:
        """Run `command` to its end, and show `status()` at every tick.

        `on_stderr` and `on_stdout` see each line, on other threads. An interruption ends the
        command as well.
        """
        began = time.monotonic()
        self.update(status(), began)
        stdout: list[str] = []
        tail: deque[str] = deque(maxlen=TAIL_LINES)

        def take_stderr(line: str) -> None:
            tail.append(line)
            on_stderr(line)

        def take_stdout(line: str) -> None:
            stdout.append(line)
            on_stdout(line)

        with subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            pumps = [
                _pump(process.stdout, take_stdout),
                _pump(process.stderr, take_stderr),
            ]
            try:
                exit_code = self._wait(process, status, began)
            except BaseException:
                process.terminate()
                raise
            for pump in pumps:
                pump.join()
        if self._terminal:
            self.update(status(), began)
            print(file=self._stream, flush=True)
        return Outcome(exit_code=exit_code, stdout=stdout, tail="\n".join(tail))

    def _wait(self, process: subprocess.Popen[str], status: Callable[[], str], began: float) -> int:
        while True:
            try:
                return process.wait(timeout=self.tick)
            except subprocess.TimeoutExpired:
                self.update(status(), began)


def _pump(stream: IO[str] | None, take: Callable[[str], None]) -> threading.Thread:
    def pump() -> None:
        for line in stream or ():
            take(line.rstrip("\n"))

    thread = threading.Thread(target=pump, name="cluster-progress", daemon=True)
    thread.start()
    return thread
