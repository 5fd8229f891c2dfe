"""Deletions as people see them: what is about to be deleted, what can be brought back, and bringing
it back.

Hub after hub of a store, by the configuration of the hub's last pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.plan import DELETIONS
from cirahub_sync.engine.report import PendingReason
from cirahub_sync.engine.restore import Comeback, restore, take_back, to_restore
from cirahub_sync.errors import DecisionError
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.opening import Store
from cirahub_sync.store.rows import Pending

CHUNK = 400
_hub = msgspec.msgpack.Decoder(HubConfig).decode
_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One deletion that waits, at one receiver."""

    spoke: str
    """`namespace/name`."""
    due_at: float
    """POSIX seconds: the end of the grace period."""
    reason: str
    """A PendingReason: in its grace, guarded, or until its plan is approved."""


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was deleted, and can be brought back. No content."""

    hub: str
    """`namespace/name`."""
    item: str
    deleted_at: float
    """POSIX seconds."""
    deleted_in: Sequence[str]
    """The names of the Spokes whose users deleted what they had contributed."""
    waiting: Sequence[Waiting]
    """Empty: it is gone from all receivers."""
    until: float
    """POSIX seconds until which it can be brought back."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was, or would be, brought back."""

    item: str
    spokes: Sequence[str]
    """The names of those whose part of it counts again."""
    alive: bool
    """Whether it had not died, and only gains."""


class Deletions:
    def __init__(self, store: Store, context_of: Callable[[HubConfig], PassContext]) -> None:
        self._store = store
        self._context_of = context_of

    def open(self) -> list[Deletion]:
        """Of all hubs of the store, the last one first."""
        found: list[Deletion] = []
        for uid in self._store.hubs():
            with self._store.hub(uid).read() as tx:
                kept = tx.configurations.get(uid)
                if kept is not None:
                    found += _deleted(_hub(kept), tx)
        return sorted(found, key=lambda one: (-one.deleted_at, one.item))

    def restore(
        self,
        hub: str,
        *,
        items: Sequence[str] = (),
        spoke: str = "",
        since: float | None = None,
        dry: bool = False,
    ) -> list[Restored]:
        """Bring back items, or what a Spoke's user deleted after `since`; `dry` only tells.
        Raises DecisionError if there is nothing of the kind, and LeaseHeldError while a pass is
        under way."""
        context, names = self._context(hub)
        uid = _named(spoke, names) if spoke else ""
        with context.store.read() as tx:
            chosen = to_restore(tx, items=items, spoke=uid, since=since)
        missing = sorted(set(items) - {one.item for one in chosen})
        if missing:
            raise DecisionError(
                f"hub {hub}: nothing is kept of item {missing[0]} that could be brought back (it "
                "lives, its time is over, or its spoke has left); see cirahub deletions"
            )
        if not dry and chosen:
            context.store.acquire()
            try:
                for start in range(0, len(chosen), CHUNK):
                    with context.store.write() as tx:
                        restore(context, tx, _still(tx, chosen[start : start + CHUNK]))
            finally:
                context.store.release()
        return [
            Restored(
                item=one.item,
                spokes=[names.get(spoke, spoke) for spoke in one.spokes],
                alive=one.alive,
            )
            for one in chosen
        ]

    def take_back(self, hub: str, items: Sequence[str]) -> list[str]:
        """Undo `restore` of these items. Returns those that had been brought back; otherwise as
        `restore`."""
        context, _ = self._context(hub)
        context.store.acquire()
        try:
            with context.store.write() as tx:
                return take_back(context, tx, items)
        finally:
            context.store.release()

    def _context(self, name: str) -> tuple[PassContext, dict[str, str]]:
        """Of the hub of that name, and its spokes' names by uid."""
        found: list[tuple[PassContext, dict[str, str]]] = []
        for uid in self._store.hubs():
            with self._store.hub(uid).read() as tx:
                kept = tx.configurations.get(uid)
                if kept is None:
                    continue
                config = _hub(kept)
                if name in (config.name, config.name.rpartition("/")[2]):
                    found.append((self._context_of(config), _names(tx)))
        if len(found) != 1:
            raise DecisionError(
                f"hub {name}: the store has {'several' if found else 'none'} of that name; write "
                "NAMESPACE/NAME as in its manifest"
            )
        return found[0]


def _still(tx: Transaction, chosen: Sequence[Comeback]) -> list[Comeback]:
    """Those of which everything is still kept: a pass may have ended since."""
    found = tx.departed.by_item([one.item for one in chosen])
    kept = {(row.spoke, row.item) for rows in found.values() for row in rows}
    return [one for one in chosen if all((spoke, one.item) in kept for spoke in one.spokes)]


def _deleted(hub: HubConfig, tx: Transaction) -> list[Deletion]:
    names = _names(tx)
    gone: dict[str, list[str]] = {}
    last: dict[str, float] = {}
    for row in tx.departed.all():
        if not row.restored:
            gone.setdefault(row.item, []).append(row.spoke)
            last[row.item] = max(last.get(row.item, 0.0), row.gone_at)
    waiting: dict[str, list[Waiting]] = {}
    for pending in _pending(tx):
        waiting.setdefault(pending.item, []).append(
            Waiting(
                spoke=names.get(pending.spoke, pending.spoke),
                due_at=pending.due_at,
                reason=pending.reason,
            )
        )
    known = tx.items.get(sorted({*gone, *waiting}))
    found: list[Deletion] = []
    for item in sorted({*gone, *waiting}):
        one = known.get(item)
        if one is not None and one.alive:
            continue
        at = last.get(item, 0.0)
        if one is not None and one.deleted_at is not None:
            at = one.deleted_at
        keep = max(hub.deletion.keep_for, hub.deletion.grace_period)
        found.append(
            Deletion(
                hub=hub.name,
                item=item,
                deleted_at=at,
                deleted_in=[names.get(spoke, spoke) for spoke in gone.get(item, ())],
                waiting=waiting.get(item, ()),
                until=last[item] + keep if item in last else 0.0,
            )
        )
    return found


def _pending(tx: Transaction) -> list[Pending]:
    forever, reasons = float("inf"), (*DELETIONS, PendingReason.APPROVAL.value)
    return [row for spoke in tx.spokes() for row in tx.pending.due(spoke, forever, reasons, 10**6)]


def _names(tx: Transaction) -> dict[str, str]:
    spokes = tx.spokes()
    return {
        uid: _spoke(content).name
        for uid, content in tx.configurations.all().items()
        if uid in spokes
    }


def _named(spoke: str, names: dict[str, str]) -> str:
    fitting = [uid for uid, name in names.items() if spoke in (name, name.rpartition("/")[2])]
    if len(fitting) != 1:
        raise DecisionError(
            f"spoke {spoke}: the hub has {'several' if fitting else 'none'} of that name; write "
            "NAMESPACE/NAME as in its manifest"
        )
    return fitting[0]
