"""What an environment was made from, so that it is made again only when that has changed.

Two stamps lie in the environment: one for the interpreter and the locked packages, one for the
project itself, whose entry points and metadata are written at installation. A stamp is taken
away before the work it stands for begins and renamed into place after it ended: an interrupted
run is noticed by the next one.
"""

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stamp:
    file: Path
    content: str

    def holds(self) -> bool:
        return self.file.is_file() and self.file.read_text() == self.content

    def remove(self) -> None:
        self.file.unlink(missing_ok=True)

    def set(self) -> None:
        partial = self.file.with_name(f"{self.file.name}.{os.getpid()}")
        partial.write_text(self.content)
        partial.replace(self.file)


def packages(environment: Path, lock: Path) -> Stamp:
    """Of the locked packages: they depend on the interpreter, and on where the environment is,
    since its scripts name their interpreter by its path."""
    made_from = f"{sys.version}\n{sys.base_prefix}\n{environment}\n".encode() + lock.read_bytes()
    return Stamp(environment / ".packages", _digest(made_from))


def project(environment: Path, pyproject: Path) -> Stamp:
    return Stamp(environment / ".project", _digest(pyproject.read_bytes()))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() + "\n"
