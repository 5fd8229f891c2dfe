"""State tokens of delta queries on directory objects.

They live seven days; after that 410 with a `Location` that starts over
(https://learn.microsoft.com/graph/delta-query-overview, synchronization reset and token duration).
"""

from __future__ import annotations

import copy
from typing import Generic, Protocol, TypeVar

from cirahub_simulator.graph import errors
from cirahub_simulator.graph.call import Call

PAGE_SIZE = 100
TOKEN_LIFE = 7 * 86_400.0


class State(Protocol):
    """What a token stands for."""

    tenant_id: str | None
    issued: float


Kept = TypeVar("Kept", bound=State)


class Tokens(Generic[Kept]):
    """The tokens of one kind of object, of all tenants."""

    def __init__(self, letter: str) -> None:
        self._letter = letter
        self._states: dict[str, Kept] = {}

    def expire(self) -> None:
        """Let every token that was given out so far answer 410."""
        self._states.clear()

    def resume(self, call: Call, token: str) -> Kept:
        """A copy of what the token stands for. Raises GraphError."""
        state = self._states.get(token)
        now = call.world.clock.time()
        if state is None or state.tenant_id != tenant_of(call) or now - state.issued > TOKEN_LIFE:
            raise errors.GraphError(
                410,
                "syncStateNotFound",
                "The delta token is no longer valid; start over.",
                {"Location": call.link("$deltatoken=")},
            )
        return copy.deepcopy(state)

    def keep(self, call: Call, state: Kept) -> str:
        """The token that stands for this."""
        token = f"{self._letter}{len(self._states):x}.{int(call.world.clock.time()):x}"
        state.issued = call.world.clock.time()
        self._states[token] = state
        return token


def tenant_of(call: Call) -> str | None:
    """The caller's."""
    client = call.request.client
    return None if client is None else client.tenant_id
