"""What goes wrong between the operator and its own custom resource definitions, on a control plane
of its own: on the others they stay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster import Cluster, ControlPlane

from .catalogue.installation import SITUATIONS
from .conftest import World
from .situation import Situation


@pytest.fixture(scope="module")
def control_plane() -> Iterator[Cluster]:
    with ControlPlane.start() as plane:
        yield plane


@pytest.fixture(scope="module")
def definitions() -> None:
    """None are installed."""


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.id)
async def test_a_situation_is_told_and_comes_right_by_itself(
    world: World, situation: Situation, caplog: pytest.LogCaptureFixture
) -> None:
    await world.play(situation, caplog)
