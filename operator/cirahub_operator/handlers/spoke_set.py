"""Events of `SpokeSet` objects."""

from __future__ import annotations

import kopf

from cirahub_operator.api import SpokeSet
from cirahub_operator.api.meta import GROUP, VERSION
from cirahub_operator.wakes import Wakes


def register(registry: kopf.OperatorRegistry, wakes: Wakes) -> None:
    @kopf.on.event(GROUP, VERSION, SpokeSet.definition.plural, registry=registry)
    async def changed(event: kopf.RawEvent, **_: object) -> None:
        wakes.event(SpokeSet, event["type"], event["object"])
