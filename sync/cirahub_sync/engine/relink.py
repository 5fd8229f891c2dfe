"""Linking copies of ours again that this store does not know: it was lost or restored, or the
answer to a create never arrived. The stamp says which item a copy is of."""

from __future__ import annotations

import msgspec

from cirahub_sync.endpoints.base import Stamp, attempt_of
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.first_sync import recognised
from cirahub_sync.engine.recover import LATE_PREFIX
from cirahub_sync.model.edit import Awareness, OwnEdits
from cirahub_sync.model.kind import Content
from cirahub_sync.model.normalise import match_keys
from cirahub_sync.model.observe import record
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import (
    Action,
    Intent,
    Item,
    Replica,
    ReplicaState,
    Shadow,
    Staged,
)

NOTHING = OwnEdits()


class Relinker:
    def __init__(
        self,
        context: PassContext,
        run: SpokeRun,
        tx: Transaction,
        round_id: str | None,
        touched: dict[str, None],
    ) -> None:
        self._context = context
        self._run = run
        self._tx = tx
        self._round = round_id
        self._touched = touched
        self._now = context.clock()

    def relink(self, row: Staged, stamp: Stamp) -> bool:
        """False if the item is a copy that a user made of ours: that one is native. An item that
        was merged away is the one that it is now."""
        stamp = msgspec.structs.replace(stamp, item=self._tx.redirects.resolve(stamp.item))
        item = self._tx.items.get([stamp.item]).get(stamp.item) or self._by_content(row)
        if item is None:
            item = self._orphan(row, stamp)
        replica = self._tx.replicas.by_item(self._run.uid, [item.id]).get(item.id)
        if replica is None and not self._native_here(item):
            self._adopt(row, item)
            return True
        if replica is not None and replica.state is ReplicaState.DETACHED:
            if replica.remote == row.remote:
                self._adopt(row, item)
                return True
        elif replica is not None and self._tx.intents.abandoned([row.stamp]):
            self._discard(row.stamp, row.remote, item)
            return True
        elif replica is not None and self._made_twice(replica, stamp):
            if replica.attempt < stamp.attempt:
                self._discard(row.stamp, row.remote, item)
            else:
                self._supersede(row, item, replica)
            return True
        return False

    def _made_twice(self, replica: Replica, stamp: Stamp) -> bool:
        """Whether we made both, by two creates, rather than a user one of them from the other: the
        mailbox was read for the first time since the store was lost, and a copy that its user was
        editing just then was missing from that."""
        return (
            not replica.native
            and stamp.spoke == self._run.uid
            and replica.attempt not in ("", stamp.attempt)
        )

    def _supersede(self, row: Staged, item: Item, later: Replica) -> None:
        """Of two copies that we made, the first stays, for it may have been edited."""
        stamp = Stamp(
            self._context.installation,
            self._context.hub.uid,
            item.id,
            self._run.uid,
            later.attempt,
        )
        shadow = self._tx.shadows.by_remote(self._run.uid, [later.remote]).get(later.remote)
        self._tx.shadows.remove(self._run.uid, [later.remote])
        self._adopt(row, item, said=shadow.own if shadow is not None else OwnEdits())
        self._discard(str(stamp), later.remote, item)

    def _by_content(self, row: Staged) -> Item | None:
        """The item that the copy's content matches, if it is only one and lacks a copy here."""
        content = self._run.receives.to_hub(row.content or self._context.kind.blank)
        hub = self._context.hub
        keys = match_keys(content, hub.match_on, hub.default_region)
        found = self._tx.items.matching([self._tx.cipher.match_digest(key) for key in keys])
        candidates = set().union(*found.values()) if found else set()
        if len(candidates) != 1:
            return None
        (candidate,) = candidates
        if self._tx.replicas.by_item(self._run.uid, [candidate]):
            return None
        item = self._tx.items.get([candidate]).get(candidate)
        return None if item is None or self._native_here(item) else item

    def _orphan(self, row: Staged, stamp: Stamp) -> Item:
        """A copy of an item that nobody contributes, as far as this store knows: dead, but without
        a date, so that its deletion waits until every contributor has been read whole, and then
        for the grace period and the guard like any other."""
        content = self._run.receives.to_hub(row.content or self._context.kind.blank)
        item = Item(
            id=stamp.item,
            seq=self._tx.next_seq(),
            alive=False,
            deleted_at=None,
            erased=False,
            fingerprint=self._context.fingerprint(content),
            content=content,
        )
        self._tx.items.put([item])
        return item

    def _native_here(self, item: Item) -> bool:
        return any(
            shadow.spoke == self._run.uid for shadow in self._tx.shadows.by_item([item.id])[item.id]
        )

    def _adopt(self, row: Staged, item: Item, *, said: OwnEdits = NOTHING) -> None:
        content = row.content or self._context.kind.blank
        fingerprint = self._context.fingerprint(content)
        self._tx.replicas.put(
            [
                Replica(
                    spoke=self._run.uid,
                    item=item.id,
                    remote=row.remote,
                    native=False,
                    state=ReplicaState.LIVE,
                    etag=row.etag,
                    fingerprint=fingerprint,
                    acknowledged=fingerprint,
                    delivered_seq=0,
                    round=self._round,
                    attempt=attempt_of(row.stamp),
                )
            ]
        )
        recognised(self._tx, self._run, row.stamp, item.id)
        # Its create took effect after all: what else carries this stamp is a user's copy of it.
        self._tx.intents.remove([row.stamp])
        # Items below the mark are not considered again by themselves, and this one may differ.
        self._tx.pending.reconsider(self._run.uid, [item.id])
        self._run.report.counts.adopted += 1
        if not self._run.config.direction.contributes:
            return
        own = self._edits_since(row, item, content, said)
        self._tx.shadows.put(
            [
                Shadow(
                    spoke=self._run.uid,
                    remote=row.remote,
                    item=item.id,
                    native=False,
                    admitted=True,
                    etag=row.etag,
                    modified=row.modified,
                    acknowledged_at=self._now,
                    round=self._round,
                    content=content,
                    own=own,
                )
            ]
        )
        if own:
            self._touched[item.id] = None

    def _edits_since(self, row: Staged, item: Item, content: Content, said: OwnEdits) -> OwnEdits:
        """What differs from the hub is an edit of the copy's user only if the copy is younger than
        everything it was made from; else it is merely an older state of ours."""
        natives = [
            shadow.modified or 0.0
            for shadow in self._tx.shadows.by_item([item.id])[item.id]
            if shadow.native
        ]
        modified = row.modified or 0.0
        if not item.alive or not natives or modified <= max(natives):
            return said
        lens = self._run.receives
        return record(
            said,
            shadow=lens.to_spoke(item.content, content),
            observed=content,
            lens=lens,
            when=Awareness(self._tx.next_seq(), 0, modified, modified),
            native_first_sight=False,
            region=self._context.hub.default_region,
        ).own

    def _discard(self, stamp: str, remote: str, item: Item) -> None:
        """A copy of ours that is one too many: the late effect of a create that was given up and
        sent again, or the later of two."""
        self._run.doubled = True
        self._tx.intents.remove([stamp])
        self._tx.intents.put(
            [
                Intent(
                    key=f"{LATE_PREFIX}{stamp}",
                    spoke=self._run.uid,
                    item=item.id,
                    action=Action.DELETE,
                    remote=remote,
                    item_seq=item.seq,
                    fingerprint=item.fingerprint,
                    abandoned=False,
                    created_at=self._now,
                )
            ]
        )
