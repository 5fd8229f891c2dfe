"""Kopf: one module a kind, decorators and nothing else. All they do is wake a reconciler."""

import kopf

from cirahub_operator.handlers import connection, hub, spoke, spoke_set
from cirahub_operator.wakes import Wakes

__all__ = ["registry"]


def registry(wakes: Wakes) -> kopf.OperatorRegistry:
    made = kopf.OperatorRegistry()
    for module in (connection, hub, spoke, spoke_set):
        module.register(made, wakes)
    return made
