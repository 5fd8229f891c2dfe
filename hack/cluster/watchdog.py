"""Ends the control plane's processes when the process that started them is gone.

A context manager cannot run after SIGKILL, and Linux's PR_SET_PDEATHSIG fires already when
the *thread* that started a child ends (prctl(2)), which breaks whoever starts a cluster from
a worker thread. So a small process of its own watches: its standard input is a pipe from
the starter, on which ``+PID`` and ``-PID`` name the process groups to end. At the end of the
pipe, or when its parent has changed (a fork of the starter may hold the pipe open), it kills
those that are left and removes the temporary directory, and control groups.

This file is also the program of that process, so it imports the standard library only.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PARENT_POLL = 1.0
REMOVAL_ATTEMPTS = 50
REMOVAL_POLL = 0.1


class Watchdog:
    """The starter's end of the pipe."""

    def __init__(self, directory: Path | None, cgroups: Iterable[Path] = ()) -> None:
        """At the end of the watch `directory` is removed, if there is one, and the `cgroups` with
        all that are below them."""
        command = [sys.executable, "-I", "-S", __file__, str(os.getpid())]
        self._process = subprocess.Popen(
            [*command, "" if directory is None else directory, *cgroups],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def add(self, group: int) -> None:
        self._tell(f"+{group}")

    def discard(self, group: int) -> None:
        """To be called before the number can belong to someone else."""
        self._tell(f"-{group}")

    def close(self) -> None:
        """End the watch; process groups that were not discarded are killed, and the directory
        is gone when this returns."""
        self._process.communicate()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()


def watch(parent: int, directory: Path | None, cgroups: Iterable[Path]) -> None:
    """The watching process's whole life."""
    groups = _groups_left_behind(parent)
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    for cgroup in cgroups:
        _remove(cgroup, _remove_cgroup)
    if directory is not None:
        _remove(directory, shutil.rmtree)


def _groups_left_behind(parent: int) -> set[int]:
    groups: set[int] = set()
    unread = b""
    while os.getppid() == parent:
        if not select.select([sys.stdin], [], [], PARENT_POLL)[0]:
            continue
        read = os.read(sys.stdin.fileno(), 4096)
        if not read:
            break
        *lines, unread = (unread + read).split(b"\n")
        for line in lines:
            change = groups.add if line.startswith(b"+") else groups.discard
            change(int(line[1:]))
    return groups


def _remove_cgroup(cgroup: Path) -> None:
    """Its files cannot be removed, and go with it."""
    for folder, _, _ in os.walk(cgroup, topdown=False):
        Path(folder).rmdir()


def _remove(directory: Path, remove: Callable[[Path], None]) -> None:
    """A process that was just killed may still be completing a write: try again for a while."""
    for remaining in reversed(range(REMOVAL_ATTEMPTS)):
        try:
            remove(directory)
        except OSError:
            if not remaining:
                raise
            time.sleep(REMOVAL_POLL)
        else:
            return


if __name__ == "__main__":
    # The starter decides when this ends; a Ctrl-C or a `kill` of the whole job must not.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    parent, directory, *cgroups = sys.argv[1:]
    watch(int(parent), Path(directory) if directory else None, map(Path, cgroups))
