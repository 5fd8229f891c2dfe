"""Transactions of leaving and coming back that go through many tables."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, insert, literal, select, update

from cirahub_sync.store.earlier import Earlier, Word
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.notification_tables import notified, subscriptions
from cirahub_sync.store.photo_tables import photos, pictures, portraits
from cirahub_sync.store.set_tables import members, spoke_sets
from cirahub_sync.store.tables import (
    arrivals,
    bindings,
    condemned,
    configurations,
    conflicts,
    cursors,
    decisions,
    departed,
    earlier,
    flips,
    freezes,
    intents,
    items,
    match_keys,
    moments,
    passes,
    pending,
    pull_retry,
    redirects,
    removals,
    replicas,
    rewound,
    shadows,
    spokes,
    staging,
    undecided,
    withdrawals,
)

_CHUNK = 400


def take_over(tx: Transaction, old: str, new: str) -> None:
    """Everything of one spoke becomes another's, which has nothing of its own yet. Shadows and
    staged changes are sealed for their spoke, and so sealed anew."""
    tx.connection.execute(delete(spokes).where(spokes.c.uid == new))
    names = [column.name for column in spokes.c if column.name not in ("uid", "target")]
    source = select(literal(new), *(spokes.c[name] for name in names)).where(spokes.c.uid == old)
    target = tx.connection.execute(select(spokes.c.target).where(spokes.c.uid == old)).scalar()
    tx.update_spoke(old, target=None)
    tx.connection.execute(insert(spokes).from_select(["uid", *names], source))
    tx.update_spoke(new, target=target)
    for table in (
        cursors,
        replicas,
        intents,
        pending,
        pull_retry,
        bindings,
        removals,
        arrivals,
        flips,
        photos,
        portraits,
        subscriptions,
        notified,
    ):
        tx.connection.execute(update(table).where(table.c.spoke == old).values(spoke=new))
    while found := tx.shadows.of_spoke(old, "", _CHUNK):
        tx.shadows.put([msgspec.structs.replace(shadow, spoke=new) for shadow in found])
        tx.shadows.remove(old, [shadow.remote for shadow in found])
    while staged := tx.staging.after(old, 0, _CHUNK):
        tx.staging.add(new, staged)
        tx.staging.remove([row.position for row in staged])
    for column in (conflicts.c.loser, conflicts.c.winner):
        tx.connection.execute(
            update(conflicts)
            .where(conflicts.c.hub == tx.hub, column == old)
            .values({column.name: new})
        )
    tx.decisions.rename(old, new)
    tx.freezes.rename(old, new)
    tx.departed.rename(old, new)
    tx.condemned.rename(old, new)
    _log_goes_on(tx, old, new)
    tx.connection.execute(
        update(items).where(items.c.hub == tx.hub, items.c.died_of == old).values(died_of=new)
    )
    tx.remove_spoke(old)


def _log_goes_on(tx: Transaction, old: str, new: str) -> None:
    """What a spoke's edits were, and what was put back of them, is another's from now on."""

    def logged(row: Earlier) -> Earlier:
        return msgspec.structs.replace(row, spoke=new) if row.spoke == old else row

    def said(row: Word) -> Word:
        return msgspec.structs.replace(row, spoke=new) if row.spoke == old else row

    while found := tx.earlier.items_of(old, "", _CHUNK):
        tx.earlier.rewrite(found, logged)
    while found := tx.rewound.items_of(old, "", _CHUNK):
        tx.rewound.rewrite(found, said)


def retire(tx: Transaction, uid: str) -> None:
    """Keep what the spoke contributed, as the hub's own, and forget the rest of it."""
    tx.photos.forget_written(uid)
    for table in (
        cursors,
        staging,
        replicas,
        intents,
        pending,
        pull_retry,
        removals,
        arrivals,
        flips,
        subscriptions,
        notified,
    ):
        tx.connection.execute(delete(table).where(table.c.spoke == uid))
    tx.tallies.forget(uid)
    tx.update_spoke(uid, target=None, place="", mark=0)
    tx.configurations.remove(uid)


def forget_content(tx: Transaction) -> int:
    """Everything that a hub kept of anybody goes at once, but for what is needed to find our
    copies and to tell them from what is their users' own. Returns how many items lived."""
    lived = tx.items.count()
    of_hub = select(spokes.c.uid).where(spokes.c.hub == tx.hub)
    for table in (
        items,
        match_keys,
        conflicts,
        undecided,
        decisions,
        freezes,
        departed,
        condemned,
        earlier,
        rewound,
        moments,
        redirects,
        bindings,
        members,
        spoke_sets,
        photos,
        portraits,
        pictures,
    ):
        tx.connection.execute(delete(table).where(table.c.hub == tx.hub))
    for table in (staging, pull_retry, pending, cursors, removals, arrivals, flips, notified):
        tx.connection.execute(delete(table).where(table.c.spoke.in_(of_hub)))
    tx.connection.execute(
        delete(shadows).where(shadows.c.hub == tx.hub, shadows.c.native.is_(False))
    )
    tx.connection.execute(
        update(shadows)
        .where(shadows.c.hub == tx.hub)
        .values(item=None, admitted=False, content=None, own=None)
    )
    tx.tallies.forget()
    tx.connection.execute(delete(passes).where(passes.c.hub == tx.hub))
    return lived


def forget_reports(tx: Transaction) -> None:
    """The reports of past passes, which name spokes and the ids of their folders."""
    tx.connection.execute(delete(passes).where(passes.c.hub == tx.hub))


def forget_rows(tx: Transaction) -> None:
    """What is left of a hub, but for its key and the job that erases it."""
    for table in (
        conflicts,
        redirects,
        bindings,
        undecided,
        decisions,
        freezes,
        departed,
        condemned,
        earlier,
        rewound,
        moments,
        match_keys,
        items,
        passes,
        withdrawals,
        configurations,
        members,
        spoke_sets,
        photos,
        portraits,
        pictures,
        subscriptions,
        notified,
    ):
        tx.connection.execute(delete(table).where(table.c.hub == tx.hub))
    tx.connection.execute(delete(spokes).where(spokes.c.hub == tx.hub))
