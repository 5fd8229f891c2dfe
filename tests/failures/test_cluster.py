"""What goes wrong between the operator and the cluster's API server."""

from __future__ import annotations

import pytest

from cluster import ControlPlane

from .catalogue.cluster import SITUATIONS
from .conftest import World
from .situation import Situation


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.id)
async def test_a_situation_is_told_and_comes_right_by_itself(
    own_control_plane: ControlPlane,
    world: World,
    situation: Situation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await world.play(situation, caplog)
