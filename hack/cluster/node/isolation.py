"""Namespaces and cgroups in which a node runs: whatever it does to the machine ends with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cluster.errors import NodeFailedError
from cluster.node import init
from cluster.node.cgroups import MEMBERS, Cgroups
from cluster.node.link import Link
from cluster.watchdog import Watchdog

JOINING = f"""
while [ "$1" != -- ]; do echo $$ >"$1/{MEMBERS}"; shift; done
shift
exec "$@"
"""
SEARCHED = "/usr/sbin:/usr/bin:/sbin:/bin"
LOG = "init.log"


@dataclass(frozen=True, slots=True)
class Isolation:
    link: Link
    _init: int
    """Process 1 of the node, by the number that it has outside."""
    _cgroups: Cgroups

    @classmethod
    @contextmanager
    def made(cls, home: Path, cgroups: Cgroups, watchdog: Watchdog) -> Iterator[Self]:
        """Until the end of the block, which ends every process in there. `home` is for what `init`
        makes, and its log. Raises NodeFailedError."""
        spaces = [f"--{name}" for name in ("mount", "uts", "ipc", "net", "pid", "cgroup")]
        seen = [str(part) for at, ours in cgroups.folders.items() for part in (ours, at)]
        with (home / LOG).open("wb") as log:
            process = subprocess.Popen(
                [
                    *_joined(cgroups.folders.values()),
                    *("unshare", *spaces, "--fork", "--kill-child", "--"),
                    *(sys.executable, "-I", "-S", init.__file__, str(home), *seen),
                ],
                env={"PATH": SEARCHED},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                text=True,
            )
        watchdog.add(process.pid)
        try:
            assert process.stdout is not None
            told = process.stdout.readline()
            if not told:
                raise NodeFailedError(
                    "A node needs namespaces, mounts and cgroups of its own, and could not have "
                    f"them:\n{(home / LOG).read_text(errors='replace').strip()}\n"
                    "Run it as root, outside of containers or in one that is privileged."
                )
            cgroups.settle(process.pid)
            number = int(told)
            yield cls(Link.lay(number), number, cgroups)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            watchdog.discard(process.pid)

    def within(self, command: Sequence[str | Path], *, path: Path | None = None) -> list[str]:
        """The same command, in here; programs are found in `path` as well."""
        searched = SEARCHED if path is None else f"{path}:{SEARCHED}"
        return [
            *_joined(self._cgroups.leaves),
            *("nsenter", "--target", str(self._init)),
            *("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"),
            *("env", f"PATH={searched}", *map(str, command)),
        ]


def _joined(groups: Iterable[Path]) -> list[str]:
    """The shell enters the groups and becomes the command that follows."""
    return ["sh", "-c", JOINING, "sh", *map(str, groups), "--"]
