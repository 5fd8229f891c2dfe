"""Scenes whose passes are done in parts."""

from __future__ import annotations

from tests.chaos.conftest import open_scene, scene

__all__ = ["open_scene", "scene"]
