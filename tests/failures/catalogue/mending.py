"""What ends a situation: acts and time, and the words for when it recovers."""

from __future__ import annotations

from tests.failures.running import Start
from tests.failures.town import Town

NEXT_PASS = "At the Hub's next pass."
CHECKED = "At the next sign-in check: every five minutes at most."
PAUSES = "Tried again with growing pauses, of five minutes at most."
ASKED_FOR = "When the time that the service asked for is over."
SENT_AGAIN = (
    "Sent again after half a minute at first, then with growing pauses, of an hour at most."
)


async def own(town: Town) -> Start:
    """An operator of the situation's own."""
    return town.start


async def answers(town: Town) -> None:
    """The service, as it did before."""
    town.admin.remove_rule(town.tenant)


async def half_an_hour(town: Town) -> None:
    await answers(town)
    town.clock.ahead += 1800


async def room(town: Town) -> None:
    """Time passes, too: what failed is sent again with pauses of the engine's own."""
    await answers(town)
    town.clock.ahead += 3600
