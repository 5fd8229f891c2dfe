"""Control groups of a node's own, in every hierarchy that the machine has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cluster.errors import NodeFailedError

MEMBERS = "cgroup.procs"
INHERITED = ("cpuset.cpus", "cpuset.mems")
"""Of the first version of cgroups: empty in a new group, which then takes no process."""
LEAF = "node"
"""In the second version a group with groups below it has no processes of its own. `init` makes this
one."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    mounted: Path
    here: Path
    """The group of this process."""
    unified: bool
    """Whether it is the second version."""


@dataclass(frozen=True, slots=True)
class Cgroups:
    folders: dict[Path, Path]
    """By where the hierarchy is mounted."""
    unified: bool
    """Whether there is the second version alone."""

    @classmethod
    def make(cls, name: str) -> Self:
        """Raises NodeFailedError where the hierarchies cannot be written."""
        try:
            return cls._made(name)
        except OSError as error:
            raise NodeFailedError(
                f"A node needs cgroups of its own, and could not have them: {error}. Run it as "
                "root, outside of containers or in one that is privileged."
            ) from error

    @classmethod
    def _made(cls, name: str) -> Self:
        every = tuple(hierarchies())
        unified = all(hierarchy.unified for hierarchy in every)
        folders = {}
        for hierarchy in every:
            # Controllers are handed down by groups without processes, and by the topmost.
            folder = (hierarchy.mounted if unified else hierarchy.here) / name
            folder.mkdir()
            for setting in INHERITED:
                if not hierarchy.unified and (folder / setting).exists():
                    (folder / setting).write_text((folder.parent / setting).read_text())
            folders[hierarchy.mounted] = folder
        return cls(folders, unified)

    @property
    def leaves(self) -> tuple[Path, ...]:
        """What the node's own processes enter. Those of pods have groups of their own."""
        return tuple(path / LEAF if self.unified else path for path in self.folders.values())

    def settle(self, process: int) -> None:
        """Out of the groups that `init` was made in."""
        for leaf in self.leaves:
            (leaf / MEMBERS).write_text(str(process))


def hierarchies() -> Iterator[Hierarchy]:
    """Source: proc(5), /proc/pid/mountinfo, and cgroups(7), /proc/pid/cgroup."""
    mine = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", maxsplit=2)
        mine[controllers] = path
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, system = line.partition(" - ")
        root, mounted = mount.split()[3:5]
        kind, _, options = system.split()[:3]
        if kind == "cgroup2":
            path = mine[""]
        elif kind == "cgroup":
            named = set(options.split(","))
            path = next(path for key, path in mine.items() if key and set(key.split(",")) <= named)
        else:
            continue
        below = path.removeprefix(root.rstrip("/")).lstrip("/")
        yield Hierarchy(Path(mounted), Path(mounted) / below, unified=kind == "cgroup2")
