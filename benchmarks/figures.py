"""What a benchmark has measured: each figure with its spread, for people and for a file."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

MEMORY = Path("/proc/meminfo")
PROCESSORS = Path("/proc/cpuinfo")


class Figure(msgspec.Struct, frozen=True):
    """Of several rounds."""

    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        return cls(statistics.median(values), min(values), max(values), len(values))


class Machine(msgspec.Struct, frozen=True):
    """On which it was measured, and how busy that was with other things."""

    processor: str
    cores: int
    memory_gb: float
    kernel: str
    python: str
    load: float
    """Runnable processes in the minute before (`os.getloadavg`)."""

    @classmethod
    def this(cls) -> Machine:
        return cls(
            processor=_entry(PROCESSORS, "model name") or platform.machine(),
            cores=os.cpu_count() or 1,
            memory_gb=round(int((_entry(MEMORY, "MemTotal") or "0 kB").split()[0]) / 2**20, 1),
            kernel=platform.release(),
            python=platform.python_version(),
            load=os.getloadavg()[0],
        )

    def __str__(self) -> str:
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gb:.0f} GB, Linux {self.kernel}, "
            f"Python {self.python}, load {self.load:.1f} before"
        )


class Outcome(msgspec.Struct, frozen=True):
    """The file that a benchmark leaves."""

    benchmark: str
    sizes: Mapping[str, object]
    """Its options, by name."""
    when: str
    machine: Machine
    figures: Mapping[str, Figure]

    @classmethod
    def read(cls, path: Path) -> Outcome:
        return msgspec.json.decode(path.read_bytes(), type=cls)


class Figures:
    """Collected while a benchmark runs, told and written at its end."""

    def __init__(self, benchmark: str, options: argparse.Namespace) -> None:
        self._benchmark = benchmark
        self._into: Path | None = options.into
        self._sizes = {name: value for name, value in vars(options).items() if name != "into"}
        self._machine = Machine.this()
        self._found: dict[str, Figure] = {}

    def rounds(self, rounds: Sequence[Mapping[str, float]], *, prefix: str = "") -> None:
        """Rounds that measured the same, each a figure by its name."""
        for name in rounds[0]:
            self.one(prefix + name, *(one[name] for one in rounds))

    def one(self, name: str, *values: float) -> None:
        """A figure of this name, of as many rounds as there are values."""
        figure = self._found[name] = Figure.of(values)
        spread = f"   ({figure.low:.3f} to {figure.high:.3f})" if len(values) > 1 else ""
        print(f"  {name:60} {figure.median:12.3f}{spread}", flush=True)

    def write(self) -> None:
        """Where `--into` said, if it did."""
        if self._into is None:
            return
        outcome = Outcome(
            benchmark=self._benchmark,
            sizes=self._sizes,
            when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            machine=self._machine,
            figures=self._found,
        )
        self._into.parent.mkdir(parents=True, exist_ok=True)
        self._into.write_bytes(msgspec.json.format(msgspec.json.encode(outcome)) + b"\n")


def options(description: str) -> argparse.ArgumentParser:
    """For a benchmark's own options, with those that all have."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--into", type=Path, metavar="FILE", help="write the figures here (JSON)")
    return parser


def _entry(file: Path, name: str) -> str | None:
    """A value of a table of Linux; None elsewhere."""
    if not file.exists():
        return None
    for line in file.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None
