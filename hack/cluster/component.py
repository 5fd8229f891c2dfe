"""One process of the control plane, with its log."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cluster.errors import ComponentFailedError
from cluster.watchdog import Watchdog

TAIL_LINES = 25
GARBAGE = "400"
"""Percent of what is alive that Go's programs add before they collect garbage (GOGC). At the usual
100 they spend 13 % of kube-apiserver's time on it, here 4 %, for 60 MB more."""


class Component:
    """Started as the leader of a process group of its own, so that a Ctrl-C in the terminal
    reaches only the starter, which then ends the components in order."""

    def __init__(
        self, name: str, command: Sequence[str | Path], *, home: Path, watchdog: Watchdog
    ) -> None:
        self.name = name
        self.log = home / f"{name}.log"
        self._command = command
        self._home = home
        self._watchdog = watchdog
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Logs of earlier runs are kept: a restart appends.

        The environment is emptied, since etcd takes ETCD_* for flags.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._home,
                env={"HOME": str(self._home), "PATH": os.defpath, "GOGC": GARBAGE},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watchdog.add(self._process.pid)

    def stop(self) -> None:
        """By SIGKILL. Asked politely, kube-apiserver waits for its clients' watches to end:
        20 s and more (measured with 1.37.2)."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._watchdog.discard(process.pid)
        self._process = None

    def check_running(self) -> None:
        """Raises ComponentFailedError when the process has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise self.failure(f"ended with {self._process.returncode}")

    def failure(self, what: str) -> ComponentFailedError:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        tail = "\n".join(lines[-TAIL_LINES:]) or "(empty)"
        return ComponentFailedError(f"{self.name} {what}. The end of its log says why:\n{tail}")
