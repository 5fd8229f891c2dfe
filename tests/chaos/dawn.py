"""A world and a store as they are at a quiet moment, to begin from once more: what every example
begins with is told once."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.chaos.backup import backup
from tests.engine.conftest import Scene

from cirahub_simulator.throttle import Throttle
from cirahub_simulator.world import World
from cirahub_sync.configuration import HubConfig, SpokeConfig

_CHANGES = ("directory", "mailboxes")
"""What of a world remembers what was done in it, but for its clock, rules and log."""


@dataclass(frozen=True)
class Night:
    """A world before anything was done in it, or with what was done until then."""

    offset: timedelta
    kept: dict[str, object]

    @classmethod
    def over(cls, world: World) -> Night:
        return cls(
            world.clock.offset, _copied(world, {name: vars(world)[name] for name in _CHANGES})
        )

    def fall(self, world: World) -> None:
        """Nobody may be asking anything of it."""
        world.clock._offset = 0.0
        world.clock.advance(self.offset)
        world.throttle = Throttle(world.clock, world.throttle.limits)
        vars(world).update(_copied(world, self.kept))


@dataclass(frozen=True)
class Dawn:
    night: Night
    folder: Path
    """Has the store and its key."""
    moved: float
    hub: HubConfig
    spokes: dict[str, SpokeConfig]

    @classmethod
    def of(cls, scene: Scene, folder: Path) -> Dawn:
        """`folder` is a new one, which stays for as long as this is begun from."""
        folder.mkdir()
        backup(scene, folder / scene.database.name)
        (folder / "key").write_bytes((scene.folder / "key").read_bytes())
        night = Night.over(scene.simulator.world)
        return cls(night, folder, scene.moved, scene.hub, dict(scene.spokes))

    def lay(self, folder: Path) -> None:
        """Before a scene is opened there."""
        for path in self.folder.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())

    def rise(self, scene: Scene) -> None:
        self.night.fall(scene.simulator.world)
        scene.advance(self.moved - scene.moved)
        scene.hub, scene.spokes = self.hub, dict(self.spokes)


def _copied(world: World, kept: dict[str, object]) -> dict[str, object]:
    return copy.deepcopy(kept, {id(one): one for one in (world, world.clock)})
