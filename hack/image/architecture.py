"""What an image is for: this machine's architecture, or another one that the kernel emulates.

The programs of the other one run by QEMU, which the kernel starts for them (the kernel's
`admin-guide/binfmt-misc.rst`). It has to be opened when it is registered (flag F), since a build's
root has no QEMU in it.
"""

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from image.errors import UnpreparedError

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""The kernel's names for what OCI and Debian call so."""
REGISTERED = Path("/proc/sys/fs/binfmt_misc")
STAYS_OPEN = "F"


@dataclass(frozen=True, slots=True)
class Architecture:
    machine: str
    """As `uname -m` says it."""

    @classmethod
    def of_this_machine(cls) -> Self:
        return cls(platform.machine())

    @classmethod
    def named(cls, name: str) -> Self:
        """By a key of `MACHINES`; blank is this machine's."""
        return cls(MACHINES[name]) if name else cls.of_this_machine()

    @property
    def foreign(self) -> bool:
        return self != self.of_this_machine()

    @property
    def name(self) -> str:
        """OCI's and Debian's. Raises UnpreparedError for one that nobody has tried."""
        for name, machine in MACHINES.items():
            if machine == self.machine:
                return name
        raise UnpreparedError(
            f"Images are made for {' and '.join(MACHINES)}; this machine is {self.machine}."
        )

    def ready(self, registered: Path = REGISTERED) -> None:
        """Raises UnpreparedError where its programs can't be run here."""
        if not self.foreign:
            return
        entry = registered / f"qemu-{self.machine}"
        lines = entry.read_text().splitlines() if entry.exists() else []
        flags = [line.removeprefix("flags:") for line in lines if line.startswith("flags:")]
        if "enabled" not in lines or not any(STAYS_OPEN in each for each in flags):
            raise UnpreparedError(
                f"This kernel runs no programs of {self.name}: install qemu-user-static (Debian, "
                "Ubuntu), whose start registers QEMU with binfmt_misc. A Docker daemon with "
                "emulation would do, too."
            )
