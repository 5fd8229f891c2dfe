"""What became of a contact at first sight, as a plan tells it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """One of a spoke's own contacts."""

    spoke: str
    """`namespace/name`."""
    contact: str
    """The service's id."""
    item: str
    """The hub's."""
    outcome: str
    """`adopted`: it is an item that was founded by another; `ambiguous`: it founds one, which has a
    key in common with others; `new`: it founds one."""
    others: Sequence[str] = ()
    """Of an ambiguous one: the items that have a key in common with it."""
