"""What examples begin with: one simulator for many of them, and what each has been told already."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.conftest import simulated
from tests.chaos.dawn import Dawn, Night
from tests.chaos.reference import Reference
from tests.chaos.settings import Setting, switches

from cirahub_simulator.process import EmbeddedSimulator


class Beginnings:
    """A simulator for many examples, one after the other, and what they begin with."""

    def __init__(self, simulator: EmbeddedSimulator, folder: Path) -> None:
        self.simulator = simulator
        self.folder = folder
        self.night = Night.over(simulator.world)
        self.told: dict[tuple[float, float], tuple[Dawn, Reference, int]] = {}

    def clear(self) -> None:
        """Nobody is left of the example before."""
        self.simulator.admin.clear_rules()
        self.simulator.admin.forget_requests()


@contextmanager
def beginnings(setting: Setting) -> Iterator[Beginnings]:
    """Under one setting of the simulator's switches."""
    with (
        tempfile.TemporaryDirectory(prefix="cirahub-chaos-") as folder,
        simulated(switches(setting)) as simulator,
    ):
        yield Beginnings(simulator, Path(folder))
