"""The repository as the checks of the house see it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOMS = ("operator", "sync", "simulator", "hack", "tests", "benchmarks")
"""Folders with Python in them."""


@dataclass(frozen=True)
class House:
    root: Path

    def modules(self, *rooms: str) -> Iterator[Path]:
        """Relative paths of the Python files in some rooms, or in all."""
        for room in rooms or ROOMS:
            for path in sorted((self.root / room).rglob("*.py")):
                yield path.relative_to(self.root)

    def text(self, path: str | Path) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def files(self) -> Iterator[Path]:
        """Relative paths of what belongs to the repository: known to git or about to be."""
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True)
        for name in filter(None, listed.stdout.split("\0")):
            if (self.root / name).is_file():
                yield Path(name)


@pytest.fixture(scope="session")
def house() -> House:
    return House(Path(__file__).resolve().parent.parent.parent)
