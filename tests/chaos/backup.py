"""Copies of the database, taken and put back."""

from __future__ import annotations

from pathlib import Path

from tests.engine.conftest import Scene


def backup(scene: Scene, target: Path) -> None:
    """A consistent copy of the database as it is now, beside whoever uses it."""
    scene.keep.save(target)


async def restore(scene: Scene, source: Path) -> None:
    """A new process on the copy."""
    await scene.restart(before=lambda: scene.keep.put_back(source))
