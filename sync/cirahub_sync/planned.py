"""What a pass would write, without it being written: a report for whoever asked for a plan."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cirahub_sync.engine.adopted import Adoption
from cirahub_sync.engine.report import PassReport


class PlannedAction(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a plan. `item` is an id; `fields` names, in manifests' words,
    what a create fills or an update changes."""

    spoke: str
    action: str
    """`create`, `update` or `delete`."""
    item: str
    fields: Sequence[str] = ()
    held: str = ""
    """Why it would not be sent now (a PendingReason), blank if it would."""
    id: str = ""
    """The same for as long as the item, and what the spoke has of it, are what they are."""


class PlanReport(msgspec.Struct, frozen=True, kw_only=True):
    report: PassReport
    actions: Sequence[PlannedAction]
    adoptions: Sequence[Adoption] = ()
    """Of contributors that the store had not read whole before."""
