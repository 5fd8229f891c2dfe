"""What a store holds, told without what differs between two runs: ids, times and keys."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select
from tests.engine.conftest import Scene

from cirahub_sync.store import opening
from cirahub_sync.store.tables import cursors, metadata, pending, replicas, shadows

PASSES = frozenset({"passes", "moments"})
"""Of which there are as many as there were passes, or passes that changed anything."""


class Told(msgspec.Struct):
    items: list[str]
    shadows: list[str]
    replicas: list[str]
    pending: list[str]
    spokes: list[str]
    rows: dict[str, int]
    """By table."""


def told(scene: Scene) -> Told:
    store = scene.opened()
    try:
        return _told(store, scene.hub.uid)
    finally:
        store.close()


def _told(store: opening.Store, uid: str) -> Told:
    hub = store.hub(uid)
    with hub.read() as tx:
        everything = {one.id: one for one in tx.items.after(0, 1_000_000)}
        name = {key: repr(one.content) for key, one in everything.items()}
        seq = {key: one.seq for key, one in everything.items()}
        ran = tx.connection.execute
        spokes = tx.spokes()
        shown = [
            repr((shadow.spoke, repr(shadow.content), shadow.native, shadow.admitted))
            for spoke in spokes
            for shadow in tx.shadows.of_spoke(spoke, "", 1_000_000)
        ]
        copies = [
            repr((r.spoke, name.get(r.item), r.native, r.state, r.delivered_seq == seq.get(r.item)))
            for r in ran(select(replicas))
        ]
        waiting = [repr((r.spoke, name.get(r.item), r.reason)) for r in ran(select(pending))]
        ends = {r.spoke: (r.next, r.staged, r.round, r.rounds) for r in ran(select(cursors))}
        last = tx.items.last_seq()
        rows = {
            table.name: ran(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
            if table.name not in PASSES
        }
        assert rows["shadows"] == ran(select(func.count()).select_from(shadows)).scalar_one()
    return Told(
        items=sorted(f"{one.alive} {one.content!r}" for one in everything.values()),
        shadows=sorted(shown),
        replicas=sorted(copies),
        pending=sorted(waiting),
        spokes=[
            repr((uid, row.rank, row.mark >= last, row.target is None, row.allowed, ends.get(uid)))
            for uid, row in spokes.items()
        ],
        rows=rows,
    )
