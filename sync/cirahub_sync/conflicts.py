"""Conflicts that wait for a person, as people see them, and what they decide.

Hub after hub of a store, by the configuration of the hub's last pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.decide import Choice, Dispute, decide, disputes
from cirahub_sync.errors import ConflictChangedError, DecisionError
from cirahub_sync.model.field_names import manifest_name
from cirahub_sync.model.kind import Element
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.opening import Store

_hub = msgspec.msgpack.Decoder(HubConfig).decode
_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Who is in conflict, and with what: personal data."""

    spoke: str
    """`namespace/name`; blank: what a person decided earlier, or what a frozen field stays at."""
    uid: str
    values: Sequence[Element]
    stands: bool
    """Whether the hub shows it until somebody decides."""


class OpenConflict(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    """Changes when one of the sides says something else."""
    hub: str
    """`namespace/name`."""
    item: str
    field: str
    """As manifests call it."""
    since: float
    """POSIX seconds."""
    sides: Sequence[Side]
    frozen: Sequence[str] = ()
    """The two Spokes that kept changing the field back and forth, if it is frozen because of
    that; the first had said first what stands."""


class Conflicts:
    def __init__(self, store: Store, context_of: Callable[[HubConfig], PassContext]) -> None:
        self._store = store
        self._context_of = context_of

    def open(self) -> list[OpenConflict]:
        """Of all hubs of the store."""
        return [told for told, _, _ in self._all()]

    def decide(self, conflict: str, choice: Choice, *, spoke: str = "") -> OpenConflict:
        """Decide one as the choice says; `spoke` is a Spoke's name, in the place of a uid. Returns
        what was decided. Raises DecisionError, ConflictChangedError, and LeaseHeldError while a
        pass is under way."""
        found = next((one for one in self._all() if one[0].id == conflict), None)
        if found is None:
            raise ConflictChangedError(
                f"no conflict {conflict} waits for a decision: it was decided, or one of its sides "
                "has changed since it was shown; list the conflicts again"
            )
        told, dispute, context = found
        if spoke:
            choice = Choice(spoke=_uid(told, spoke))
        context.store.acquire()
        try:
            with context.store.write() as tx:
                decide(context, tx, dispute, choice)
        finally:
            context.store.release()
        return told

    def _all(self) -> list[tuple[OpenConflict, Dispute, PassContext]]:
        found: list[tuple[OpenConflict, Dispute, PassContext]] = []
        for uid in self._store.hubs():
            store = self._store.hub(uid)
            with store.read() as tx:
                kept = tx.configurations.get(uid)
                if kept is None or not any(tx.undecided.counts()):
                    continue
                context = self._context_of(_hub(kept))
                names = _names(tx)
                found += [
                    (_told(context.hub.name, one, names), one, context)
                    for one in disputes(context, tx)
                ]
        return found


def _names(tx: Transaction) -> dict[str, str]:
    spokes = tx.spokes()
    return {
        uid: _spoke(content).name
        for uid, content in tx.configurations.all().items()
        if uid in spokes
    }


def _told(hub: str, dispute: Dispute, names: dict[str, str]) -> OpenConflict:
    frozen = dispute.conflict.frozen
    return OpenConflict(
        id=dispute.id,
        hub=hub,
        item=dispute.item,
        field=manifest_name(dispute.conflict.field),
        since=dispute.since,
        sides=[
            Side(
                spoke=names.get(one.spoke, one.spoke),
                uid=one.spoke,
                values=one.values,
                stands=place == 0,
            )
            for place, one in enumerate(dispute.conflict.contenders)
        ],
        frozen=[names.get(one, one) for one in frozen.writers] if frozen is not None else (),
    )


def _uid(conflict: OpenConflict, spoke: str) -> str:
    fitting = {
        side.uid
        for side in conflict.sides
        if side.uid and spoke in (side.uid, side.spoke, side.spoke.rpartition("/")[2])
    }
    if len(fitting) != 1:
        sides = ", ".join(side.spoke for side in conflict.sides if side.spoke)
        raise DecisionError(
            f"conflict {conflict.id}: {spoke} is no side of it, or several are called so; its "
            f"sides are {sides}"
        )
    return fitting.pop()
