"""A hub and all that hangs on it, as it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cirahub_operator.api import Hub, SpokeSet
from cirahub_operator.objects import Member
from cirahub_operator.resolver import Resolution
from cirahub_operator.workqueue import Key


@dataclass(frozen=True)
class Scene:
    key: Key
    hub: Hub
    members: Sequence[Member]
    sets: Sequence[SpokeSet]
    resolution: Resolution
    refused: frozenset[str]
    """Connections that can't sign in."""
    absent: int = 0
    """Further spokes and sets, not among these, that may have contributed: they can't be read, were
    admitted once and are not any more, or may be in a namespace that can't be listed (which counts
    as one)."""
