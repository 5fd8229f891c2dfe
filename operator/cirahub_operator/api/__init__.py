"""The resources as typed models: the one source of the CRDs, their reference and every parser."""

from cirahub_operator.api.connection import Connection
from cirahub_operator.api.hub import DeletionPolicy, Hub
from cirahub_operator.api.meta import Condition, ConditionStatus, Metadata, Resource, Status
from cirahub_operator.api.spoke import Spoke
from cirahub_operator.api.spoke_set import SpokeSet

KINDS: tuple[type[Resource], ...] = (Connection, Hub, Spoke, SpokeSet)

__all__ = [
    "KINDS",
    "Condition",
    "ConditionStatus",
    "Connection",
    "DeletionPolicy",
    "Hub",
    "Metadata",
    "Resource",
    "Spoke",
    "SpokeSet",
    "Status",
]
