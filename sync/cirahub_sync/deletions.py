"""Deletions as people see them: what is about to be deleted, what can be brought back, and bringing
it back; and putting items back to what they were at an earlier moment.

Hub after hub of a store, by the configuration of the hub's last pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import msgspec

from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.past import changed_in, moment_of
from cirahub_sync.engine.plan import DELETIONS
from cirahub_sync.engine.report import PendingReason
from cirahub_sync.engine.restore import Comeback, restore, take_back, to_restore
from cirahub_sync.engine.rewind import Rewound, rewind, to_rewind, unwind
from cirahub_sync.errors import DecisionError
from cirahub_sync.model.field_names import manifest_name
from cirahub_sync.model.kind import Element
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


class Change(msgspec.Struct, frozen=True):
    """Of a field: its value, or its values. Personal data."""

    field: str
    now: Sequence[Element]
    then: Sequence[Element]


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was, or would be, brought back."""

    item: str
    spokes: Sequence[str]
    """The names of those whose part of it counts again, or as it was."""
    alive: bool
    """Whether it had not died."""
    fields: Sequence[str] = ()
    """What changes of it where it is put back to an earlier moment, by the names of manifests."""
    unknown: Sequence[str] = ()
    """The names of those of whose part it is not known what it was then: it stays as it is."""
    changes: Sequence[Change] = ()
    """If values were asked for."""


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
        items: Sequence[str],
        dry: bool = False,
    ) -> list[Restored]:
        """Bring back items that had died; `dry` only tells. Raises DecisionError if there is
        nothing of the kind, and LeaseHeldError while a pass is under way."""
        context, names = self._context(hub)
        with context.store.read() as tx:
            chosen = to_restore(tx, items)
        missing = sorted(set(items) - {one.item for one in chosen})
        if missing:
            raise DecisionError(
                f"hub {hub}: nothing is kept of item {missing[0]} that could be brought back (it "
                "lives, its time is over, or its spoke has left); see cirahub deletions"
            )
        if not dry and chosen:
            with _leased(context):
                for start in range(0, len(chosen), CHUNK):
                    with context.store.write() as tx:
                        restore(context, tx, _still(tx, chosen[start : start + CHUNK]))
        return [
            Restored(
                item=one.item,
                spokes=[names.get(spoke, spoke) for spoke in one.spokes],
                alive=one.alive,
            )
            for one in chosen
        ]

    def rewind(
        self,
        hub: str,
        *,
        items: Sequence[str] = (),
        spoke: str = "",
        to: float,
        dry: bool = False,
        values: bool = False,
    ) -> list[Restored]:
        """Put items back to what they were at `to` (POSIX seconds), or what a Spoke's user has
        changed or deleted since; `dry` only tells, if asked for with `values`. What is as it was
        is left out. Raises as `restore`, and DecisionError for a moment of which nothing is
        known."""
        context, names = self._context(hub)
        uid = _named(spoke, names) if spoke else ""
        subject = f"hub {hub}, " + (f"spoke {spoke}" if spoke else f"item {items[0]}")
        with context.store.read() as tx:
            moment = moment_of(context, tx, to, subject)
            ids = sorted({tx.redirects.resolve(item) for item in items})
            chosen = changed_in(tx, moment, uid) if uid else ids
        found: list[Rewound] = []
        with nullcontext() if dry else _leased(context):
            for start in range(0, len(chosen), CHUNK):
                part = chosen[start : start + CHUNK]
                with context.store.read() if dry else context.store.write() as tx:
                    rewound = to_rewind(context, tx, moment, part, uid)
                    if not dry and rewound:
                        rewind(context, tx, rewound)
                found += rewound
        return [
            Restored(
                item=one.item,
                spokes=[names.get(uid, uid) for uid in one.spokes],
                alive=one.alive,
                fields=[manifest_name(field) for field in one.fields],
                unknown=[names.get(uid, uid) for uid in one.unknown],
                changes=[_change(one, field) for field in one.fields] if values else (),
            )
            for one in found
        ]

    def take_back(self, hub: str, items: Sequence[str] = (), spoke: str = "") -> list[str]:
        """Undo `restore` and `rewind` of these items, or of the Spoke's part of any. Returns those
        of which something had been brought back; otherwise as `restore`."""
        context, names = self._context(hub)
        uid = _named(spoke, names) if spoke else ""
        found: set[str] = set()
        with _leased(context):
            with context.store.read() as tx:
                ids = [tx.redirects.resolve(item) for item in items]
                if uid:
                    restored = [r.item for r in tx.departed.of_spoke(uid, "", 10**6) if r.restored]
                    ids = sorted({*restored, *tx.rewound.items_of(uid, "", 10**6)})
            for start in range(0, len(ids), CHUNK):
                part = ids[start : start + CHUNK]
                with context.store.write() as tx:
                    found.update(take_back(context, tx, part, uid))
                    found |= unwind(context, tx, part, uid)
        return sorted(found)

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


@contextmanager
def _leased(context: PassContext) -> Iterator[None]:
    """Raises LeaseHeldError while a pass is under way."""
    context.store.acquire()
    try:
        yield
    finally:
        context.store.release()


def _change(one: Rewound, field: str) -> Change:
    now, then = (getattr(content, field) for content in (one.now, one.then))
    return Change(
        manifest_name(field), *([v] if isinstance(v, str) else list(v) for v in (now, then))
    )


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
        found.append(
            Deletion(
                hub=hub.name,
                item=item,
                deleted_at=at,
                deleted_in=[names.get(spoke, spoke) for spoke in gone.get(item, ())],
                waiting=waiting.get(item, ()),
                until=last[item] + hub.deletion.kept if item in last else 0.0,
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
