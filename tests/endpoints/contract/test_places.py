"""No endpoint goes without the suite."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import cirahub_sync.endpoints
from cirahub_sync.endpoints.base import Endpoint
from cirahub_sync.endpoints.masking import Masking
from cirahub_sync.endpoints.withholding import Withholding

from .places import PLACES


def endpoints() -> set[type]:
    """Classes of ours that have what the protocol asks for, and reach a service themselves."""
    wanted = {name for name in vars(Endpoint) if not name.startswith("_")}
    found: set[type] = set()
    root = cirahub_sync.endpoints
    for module in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
        for _, one in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if wanted <= set(dir(one)) and one.__module__.startswith(root.__name__):
                found.add(one)
    return found - {Endpoint, Masking, Withholding}


async def test_every_endpoint_has_a_place_in_the_suite() -> None:
    opened: set[type] = set()
    for made in PLACES.values():
        async with made() as place, place.session() as session:
            opened.add(type(session.endpoint()))
    assert opened == endpoints()
