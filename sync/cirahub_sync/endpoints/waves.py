"""Which operations may be on their way together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cirahub_sync.endpoints.base import Create, Operation

Indexed = tuple[int, Operation]
"""An operation, and its index among those that were given to `Endpoint.push`."""


def waves(operations: Sequence[Operation]) -> Iterable[list[Indexed]]:
    """The operations in the order given, but no two of one item on their way together: the
    requests of a batch take effect in any order."""
    waves: list[list[Indexed]] = []
    depth: dict[str, int] = {}
    for index, operation in enumerate(operations):
        wave = 0
        if not isinstance(operation, Create):
            wave = depth.get(operation.id, 0)
            depth[operation.id] = wave + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append((index, operation))
    return waves
