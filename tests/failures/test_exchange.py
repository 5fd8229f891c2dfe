"""What goes wrong with an Exchange Server."""

from __future__ import annotations

import pytest

from .catalogue import exchange, exchange_mailboxes
from .conftest import World
from .situation import Situation

SITUATIONS = (*exchange.SITUATIONS, *exchange_mailboxes.SITUATIONS)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.id)
async def test_a_situation_is_told_and_comes_right_by_itself(
    world: World, situation: Situation, caplog: pytest.LogCaptureFixture
) -> None:
    await world.play(situation, caplog)
