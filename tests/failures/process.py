"""The operator in a process of its own, for situations that end it or concern its machine."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import urllib.error
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.operator.test_process import free_port

from .program import WRONG
from .running import WITHIN, Start, scraped

PROGRAM = "from tests.failures.program import main; main()"


class OperatorProcess:
    """`with OperatorProcess(start, folder) as operator`. What it logs is kept over restarts."""

    def __init__(self, start: Start, folder: Path) -> None:
        self.metrics_port = free_port()
        self.start = replace(start, metrics_port=self.metrics_port)
        self._file = folder / "start"
        self._log = folder / "log"
        self._clock = folder / "clock"
        self._clock.write_text(str(start.clock))
        self._process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        self._file.write_bytes(pickle.dumps(self.start))
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            code = self._process.wait(WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        assert code == 0 or kind is not None, f"ended with {code}: {self.log[-2000:]}"

    def begin(self) -> None:
        """As the kubelet does, once more."""
        here = {
            "KUBECONFIG": str(self.start.kubeconfig),
            "PYTHONPATH": os.pathsep.join(sys.path),
            WRONG: str(self._clock),
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(self._file)],
                env=os.environ | here,
                stderr=log,
            )

    def ended(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    def set_clock(self, wrong: float) -> None:
        """By so many seconds."""
        self._clock.write_text(str(wrong))

    @property
    def log(self) -> str:
        return self._log.read_text()

    def samples(self) -> list[tuple[str, Mapping[str, str], float]]:
        """What a scrape finds: nothing while it starts."""
        try:
            return scraped(self.metrics_port)
        except urllib.error.URLError:
            return []
