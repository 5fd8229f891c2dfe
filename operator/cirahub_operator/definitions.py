"""Waits for the custom resource definitions: whoever starts us may be about to install them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from cirahub_operator.api import KINDS
from cirahub_operator.cluster import Cluster
from cirahub_operator.errors import NotInstalledError

logger = logging.getLogger(__name__)


async def definitions(
    cluster: Cluster, stop: asyncio.Event, *, every: float, missing: Callable[[str], None]
) -> bool:
    """False if told to stop before they are there. `missing` is told what is, blank if nothing;
    looks again `every` so many seconds. Raises ClusterUnreachableError."""
    said = False
    while True:
        try:
            await cluster.check_installed(KINDS)
        except NotInstalledError as error:
            missing(str(error))
            if not said:
                said = True
                logger.error("%s; waiting for them", error)  # noqa: TRY400 (says it all)
        else:
            missing("")
            if said:
                logger.info("the custom resource definitions are installed now")
            return True
        try:
            await asyncio.wait_for(stop.wait(), every)
        except TimeoutError:
            continue
        return False
