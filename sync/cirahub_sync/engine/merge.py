"""Merge: staged changes become shadows with their own edits, and items are folded anew.

It starts after all pulls of the pass and goes through the spokes by rank, so arrival decides
nothing. Each chunk is one transaction: shadows, items, sequence, and the staged rows it stands
for; the cursor is promoted in the transaction of the last one. Items that carry our stamp but are
not linked wait for a second phase, when the natives of every spoke are known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec

from cirahub_sync.configuration import Direction, OnUserDelete
from cirahub_sync.endpoints.base import Stamp
from cirahub_sync.engine.context import PassContext, SpokeRun, digest, item_id
from cirahub_sync.engine.refold import refold
from cirahub_sync.engine.rejudge import carry_over
from cirahub_sync.engine.relink import Relinker
from cirahub_sync.engine.report import Problem
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.edit import Awareness, OwnEdits
from cirahub_sync.model.normalise import match_keys
from cirahub_sync.model.observe import record
from cirahub_sync.store.content import REJUDGE
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import (
    UNKNOWN_FINGERPRINT,
    Cursor,
    Replica,
    ReplicaState,
    Shadow,
    Staged,
    StagedKind,
)

CHUNK = 400
RETRY_SECONDS = 300.0


async def merge(context: PassContext, runs: Sequence[SpokeRun]) -> None:
    """Merge what is staged completely. Spokes whose pull failed keep their staged part for the
    next pass; what they contributed before still counts."""
    ordered = sorted(runs, key=lambda run: run.row.rank)
    for run in ordered:
        if run.config.direction.contributes and not run.failed:
            with context.isolate(run):
                await _phase(context, run, second=False)
    for run in ordered:
        if not run.failed:
            with context.isolate(run):
                await _phase(context, run, second=True)
                await _finish(context, run)


async def _phase(context: PassContext, run: SpokeRun, *, second: bool) -> None:
    with context.store.read() as tx:
        if tx.cursors.get(run.uid).staged is None:
            return
    position = 0
    waiting: set[str] = set()
    while True:
        with context.store.write() as tx:
            rows = tx.staging.after(run.uid, position, CHUNK)
            if not rows:
                return
            done = _Chunk(context, run, tx, waiting, second=second).merge(rows)
            tx.staging.remove(done)
        position = rows[-1].position
        await asyncio.sleep(0)


class _Chunk:
    """One transaction's worth of staged changes of one spoke."""

    def __init__(
        self,
        context: PassContext,
        run: SpokeRun,
        tx: Transaction,
        waiting: set[str],
        *,
        second: bool,
    ) -> None:
        """`waiting` collects what waits for the second phase: later changes of it do so too."""
        self._context = context
        self._run = run
        self._tx = tx
        self._waiting = waiting
        self._second = second
        self._now = context.clock()
        self._round = tx.cursors.get(run.uid).round
        self._contributes = run.config.direction.contributes
        self._shadows: dict[str, Shadow] = {}
        self._replicas: dict[str, Replica] = {}
        self._touched: dict[str, None] = {}
        self._seen: list[str] = []
        self._returned: dict[str, str] = {}
        """Own items of the spoke's user that had been away, with the items they were linked to."""

    def merge(self, rows: Sequence[Staged]) -> list[int]:
        """The positions that are dealt with; the others wait for the second phase."""
        tx, run = self._tx, self._run
        remotes = list({row.remote for row in rows})
        self._shadows = tx.shadows.by_remote(run.uid, remotes)
        self._replicas = tx.replicas.by_remote(run.uid, remotes)
        done: list[int] = []
        strangers: dict[str, Staged] = {}
        readable: set[str] = set()
        for row in rows:
            if self._waits(row):
                continue
            done.append(row.position)
            if row.kind is StagedKind.UNREADABLE:
                readable.discard(row.remote)
                attempts = tx.pull_retry.attempts(run.uid, row.remote)
                tx.pull_retry.put(
                    run.uid,
                    row.remote,
                    why="unreadable",
                    attempts=attempts + 1,
                    due_at=self._now + RETRY_SECONDS * min(2**attempts, 64),
                )
                self._seen.append(row.remote)
                continue
            readable.add(row.remote)
            if row.kind is StagedKind.REMOVED:
                strangers.pop(row.remote, None)
                self._removed(row.remote)
            elif not self._known(row):
                strangers[row.remote] = row
        if tx.pull_retry.count(run.uid):
            tx.pull_retry.remove(run.uid, sorted(readable))
        self._strangers(list(strangers.values()))
        if self._round is not None:
            tx.shadows.mark_round(run.uid, self._seen, self._round)
            tx.replicas.mark_round(run.uid, self._seen, self._round)
        run.report.counts.merged += refold(self._context, tx, list(self._touched))
        return done

    def _waits(self, row: Staged) -> bool:
        """Whether this is a copy of ours that is not linked (or all of a receiver's changes),
        before the natives of every spoke are merged."""
        if self._second:
            return False
        stamp = Stamp.parse(row.stamp)
        if row.remote not in self._waiting and (
            row.remote in self._shadows or stamp is None or not self._ours(stamp)
        ):
            return False
        self._waiting.add(row.remote)
        return True

    def _ours(self, stamp: Stamp) -> bool:
        """Whether the stamp was made for this spoke, or for one that is no more: then this one
        took its place, and its copies."""
        if stamp.hub != self._context.hub.uid:
            return False
        return stamp.spoke == self._run.uid or stamp.spoke not in self._living

    @cached_property
    def _living(self) -> set[str]:
        rows = self._tx.spokes().values()
        return {row.uid for row in rows if not row.retired} | {
            run.uid for run in self._context.runs
        }

    def _known(self, row: Staged) -> bool:
        """Merge a change of an item that has a shadow or a replica."""
        shadow = self._shadows.get(row.remote)
        replica = self._replicas.get(row.remote)
        own = replica is not None and replica.native
        if not self._contributes:
            if replica is not None and not own:
                if replica.state is ReplicaState.DETACHED:
                    replica = self._reattach(replica)
                if replica.etag != row.etag:
                    self._edited_copy(row, replica)
            self._seen.append(row.remote)
            return replica is not None or shadow is not None
        if shadow is None:
            if replica is None:
                return False
            if own:
                self._returned[row.remote] = replica.item
                self._tx.replicas.remove(self._run.uid, [replica.item])
                return False
            if replica.state is ReplicaState.DETACHED:
                replica = self._reattach(replica)
            shadow = self._shadow_of(row, replica)
        self._seen.append(row.remote)
        if shadow.etag != row.etag and not _older(row, shadow):
            self._observe(row, shadow, replica)
        return True

    def _observe(self, row: Staged, shadow: Shadow, replica: Replica | None) -> None:
        content = row.content or Contact()
        run = self._run
        admitted = not shadow.native or run.admits_in(content)
        own = shadow.own
        when = Awareness(
            seq=self._tx.next_seq(),
            base=replica.delivered_seq if replica is not None else 0,
            lower=shadow.acknowledged_at,
            upper=max(shadow.acknowledged_at, min(row.modified or self._now, self._now)),
        )
        lens = run.contributes if shadow.native else run.receives
        region = self._context.hub.default_region
        if not admitted:
            own = OwnEdits()
        elif shadow.native and (not shadow.admitted or shadow.etag == REJUDGE):
            fresh = record(
                own,
                shadow=None,
                observed=content,
                lens=lens,
                when=msgspec.structs.replace(when, lower=row.created or 0.0),
                native_first_sight=True,
                region=region,
            ).own
            own = carry_over(
                shadow.own,
                fresh,
                received=self._received(shadow, replica),
                fields=lens.fields,
                region=region,
            )
        else:
            last = shadow.content
            if (
                shadow.etag == REJUDGE
                and replica is not None
                and self._context.fingerprint(last) != replica.acknowledged
            ):
                last = self._delivered(row, replica)  # the spoke only received for a while
            recorded = record(
                own,
                shadow=last,
                observed=content,
                lens=lens,
                when=when,
                native_first_sight=False,
                region=region,
            )
            own = recorded.own
        changed = own is not shadow.own or admitted != shadow.admitted
        shadow = msgspec.structs.replace(
            shadow,
            admitted=admitted,
            etag=row.etag,
            modified=row.modified,
            acknowledged_at=self._now,
            content=content if admitted else Contact(),
            own=own,
            round=self._round,
        )
        if admitted and shadow.item is None:
            self._natives([row])
            return
        self._shadows[row.remote] = shadow
        self._tx.shadows.put([shadow])
        if replica is not None and replica.etag != row.etag:
            self._tx.replicas.put(
                [
                    msgspec.structs.replace(
                        replica, etag=row.etag, acknowledged=self._context.fingerprint(content)
                    )
                ]
            )
            if self._context.fingerprint(content) != replica.fingerprint and shadow.item:
                self._reconsider(shadow.item)
        if changed and shadow.item is not None:
            self._touched[shadow.item] = None

    def _received(self, shadow: Shadow, replica: Replica | None) -> Contact | None:
        if replica is None or shadow.item is None:
            return None
        item = self._tx.items.get([shadow.item]).get(shadow.item)
        return item.content if item is not None else None

    def _delivered(self, row: Staged, replica: Replica) -> Contact:
        """What a copy held when it was last delivered to, or looked at, without a shadow. Once the
        item has changed since, nobody can tell, and what is there is taken for that."""
        content = row.content or Contact()
        if self._context.fingerprint(content) == replica.acknowledged:
            return content
        item = self._tx.items.get([replica.item]).get(replica.item)
        if item is None or item.seq != replica.delivered_seq:
            return content
        return self._run.receives.to_spoke(item.content, content)

    def _shadow_of(self, row: Staged, replica: Replica) -> Shadow:
        """A shadow for a copy that was made while the spoke only received: what we delivered, so
        that what its user changed since is seen as an edit."""
        return Shadow(
            spoke=self._run.uid,
            remote=row.remote,
            item=replica.item,
            native=False,
            admitted=True,
            etag="",
            modified=None,
            acknowledged_at=self._now,
            round=self._round,
            content=self._delivered(row, replica),
            own=OwnEdits(),
        )

    def _edited_copy(self, row: Staged, replica: Replica) -> None:
        """A receiver's user changed a copy: kept until the item changes (Remember), or put right
        (Restore)."""
        seen = self._context.fingerprint(row.content or Contact())
        edited = seen != replica.acknowledged
        restore = edited and self._run.config.on_user_delete is OnUserDelete.RESTORE
        self._tx.replicas.put(
            [
                msgspec.structs.replace(
                    replica,
                    etag=row.etag,
                    acknowledged=seen,
                    fingerprint=UNKNOWN_FINGERPRINT if restore else replica.fingerprint,
                    round=self._round,
                )
            ]
        )
        if restore:
            self._reconsider(replica.item)

    def _reattach(self, replica: Replica) -> Replica:
        """An item that its user had removed is back (from the bin, or moved back)."""
        replica = msgspec.structs.replace(replica, state=ReplicaState.LIVE, etag="")
        self._tx.replicas.put([replica])
        self._reconsider(replica.item)
        return replica

    def _reconsider(self, item: str) -> None:
        self._tx.pending.reconsider(self._run.uid, [item])

    def _removed(self, remote: str) -> None:
        forget(
            self._run,
            self._tx,
            self._shadows.pop(remote, None),
            self._replicas.pop(remote, None),
            touched=self._touched,
        )

    def _strangers(self, rows: Sequence[Staged]) -> None:
        """Items seen for the first time: natives, copies of ours to link again, or not ours."""
        natives: list[Staged] = []
        relinker = Relinker(self._context, self._run, self._tx, self._round, self._touched)
        for row in rows:
            stamp = Stamp.parse(row.stamp)
            if stamp is None or stamp.installation != self._context.installation:
                natives.append(row)
            elif stamp.hub != self._context.hub.uid:
                continue  # another hub's copy that somebody moved here: copies are never copied
            elif not self._ours(stamp):
                self._returned.setdefault(row.remote, stamp.item)
                natives.append(row)
            elif not relinker.relink(row, stamp):
                natives.append(row)
                if not self._contributes:
                    self._note_own(row)
        if self._contributes and natives:
            self._natives(natives)

    def _note_own(self, row: Staged) -> None:
        """A user's copy of our copy in a spoke that contributes nothing: kept in mind, lest it be
        taken for ours when ours is gone."""
        self._tx.shadows.put(
            [
                Shadow(
                    spoke=self._run.uid,
                    remote=row.remote,
                    item=None,
                    native=True,
                    admitted=False,
                    etag=row.etag,
                    modified=row.modified,
                    acknowledged_at=self._now,
                    round=self._round,
                    content=Contact(),
                    own=OwnEdits(),
                )
            ]
        )

    def _natives(self, rows: Sequence[Staged]) -> None:
        context, run, tx = self._context, self._run, self._tx
        region = context.hub.default_region
        keys: dict[str, list[bytes]] = {}
        for row in rows:
            content = row.content or Contact()
            if run.admits_in(content):
                keys[row.remote] = [
                    tx.cipher.match_digest(key)
                    for key in match_keys(
                        run.contributes.to_hub(content), context.hub.match_on, region
                    )
                ]
        digests = list({key for found in keys.values() for key in found})
        matching = tx.items.matching(digests)
        fading = tx.items.matching([key for key in digests if key not in matching], alive=False)
        before = self._linked_before([row.remote for row in rows])
        candidates = {
            *(item for found in (*matching.values(), *fading.values()) for item in found),
            *before.values(),
        }
        taken = self._taken(list(candidates))
        shadows: list[Shadow] = []
        for row in rows:
            content = row.content or Contact()
            admitted = row.remote in keys
            known = self._shadows.get(row.remote)
            item = known.item if known is not None else None
            own = OwnEdits()
            if admitted:
                if item is None and before.get(row.remote) not in taken:
                    item = before.get(row.remote)
                if item is None:
                    item = self._match(keys[row.remote], matching, taken)
                if item is None:
                    item = self._match(keys[row.remote], fading, taken)
                if item is None:
                    item = item_id(context.hub.uid, run.place, row.remote)
                taken.add(item)
                seq = tx.next_seq()
                upper = min(row.modified or self._now, self._now)
                own = record(
                    own,
                    shadow=None,
                    observed=content,
                    lens=run.contributes,
                    when=Awareness(seq, 0, min(row.created or 0.0, upper), upper),
                    native_first_sight=True,
                    region=region,
                ).own
                self._touched[item] = None
            shadow = Shadow(
                spoke=run.uid,
                remote=row.remote,
                item=item,
                native=True,
                admitted=admitted,
                etag=row.etag,
                modified=row.modified,
                acknowledged_at=self._now,
                round=self._round,
                content=content if admitted else Contact(),
                own=own,
            )
            self._shadows[row.remote] = shadow
            shadows.append(shadow)
        tx.shadows.put(shadows)
        # What its user had removed here, they have brought back.
        tx.replicas.attach(run.uid, [shadow.item for shadow in shadows if shadow.item is not None])

    def _linked_before(self, remotes: Sequence[str]) -> dict[str, str]:
        """The items, if they still are, that these were linked to before they went, or under a
        spoke that is no more; what that one had contributed of them is taken over."""
        tx = self._tx
        before = {remote: self._returned[remote] for remote in remotes if remote in self._returned}
        for row in tx.spokes().values():
            if row.retired:
                kept = tx.shadows.by_remote(row.uid, remotes)
                before.update({r: s.item for r, s in kept.items() if s.item is not None})
                tx.shadows.remove(row.uid, list(kept))
        known = tx.items.get(list(set(before.values())))
        return {
            remote: item
            for remote, item in before.items()
            if item in known and not known[item].erased
        }

    def _taken(self, items: Sequence[str]) -> set[str]:
        """Items that this spoke already has an item for: a second one of the same person in one
        folder is a duplicate of its user's, and stays apart."""
        taken: set[str] = set()
        for item, shadows in self._tx.shadows.by_item(items).items():
            if any(shadow.spoke == self._run.uid for shadow in shadows):
                taken.add(item)
        for item, replica in self._tx.replicas.by_item(self._run.uid, items).items():
            if replica.state is ReplicaState.LIVE:
                taken.add(item)
        return taken

    def _match(
        self, keys: Iterable[bytes], matching: dict[bytes, set[str]], taken: set[str]
    ) -> str | None:
        """The one item that a key finds, the first key that finds any deciding; None when there is
        none, or more than one (ambiguous stays apart)."""
        for key in keys:
            found = matching.get(key)
            if found:
                item = next(iter(found)) if len(found) == 1 else None
                return item if item not in taken else None
        return None


def _older(row: Staged, shadow: Shadow) -> bool:
    """Whether the delta shows a state from before the one that was acknowledged: items repeat and
    come in any order. A same-second change counts as newer."""
    return (
        row.modified is not None and shadow.modified is not None and row.modified < shadow.modified
    )


def forget(
    run: SpokeRun,
    tx: Transaction,
    shadow: Shadow | None,
    replica: Replica | None,
    *,
    touched: dict[str, None],
) -> None:
    """An item went from a spoke. What it contributed goes with it; a delivery there is remembered
    as removed by its user (or made again, with Restore)."""
    if shadow is not None:
        tx.shadows.remove(run.uid, [shadow.remote])
        run.report.counts.removed += 1
        if shadow.item is not None:
            touched[shadow.item] = None
    if replica is not None and replica.state is ReplicaState.LIVE:
        if run.config.on_user_delete is OnUserDelete.RESTORE:
            tx.replicas.remove(run.uid, [replica.item])
            tx.pending.reconsider(run.uid, [replica.item])
        else:
            tx.replicas.put(
                [msgspec.structs.replace(replica, state=ReplicaState.DETACHED, etag="")]
            )
    elif (
        shadow is not None
        and shadow.native
        and shadow.item is not None
        and run.config.direction is Direction.TWO_WAY
        and run.config.on_user_delete is OnUserDelete.REMEMBER
    ):
        # The user removed their own item while others still contribute it: not sent back.
        tx.replicas.put(
            [
                Replica(
                    spoke=run.uid,
                    item=shadow.item,
                    remote=shadow.remote,
                    native=True,
                    state=ReplicaState.DETACHED,
                    etag="",
                    fingerprint=UNKNOWN_FINGERPRINT,
                    acknowledged=UNKNOWN_FINGERPRINT,
                    delivered_seq=0,
                )
            ]
        )


async def _finish(context: PassContext, run: SpokeRun) -> None:
    """Infer deletions if this was a round from nothing, and promote the cursor."""
    with context.store.read() as tx:
        cursor = tx.cursors.get(run.uid)
    if cursor.staged is None:
        return
    if cursor.round is not None and not _emptied(context, run, cursor):
        await _infer(context, run, cursor.round)
    with context.store.write() as tx:
        if run.report.source_emptied:
            tx.cursors.put(run.uid, Cursor(rounds=cursor.rounds))
            return
        rounds = cursor.rounds + (1 if cursor.round is not None else 0)
        tx.cursors.put(run.uid, Cursor(cursor=cursor.staged, rounds=rounds))
        run.row.verified_at = context.clock()
        tx.update_spoke(run.uid, verified_at=run.row.verified_at)
    if run.afresh:
        context.verified.add(run.uid)


def _emptied(context: PassContext, run: SpokeRun, cursor: Cursor) -> bool:
    """The brake: a round from nothing that shows nothing of what was there is not believed."""
    assert cursor.round is not None
    with context.store.read() as tx:
        before = tx.shadows.count(run.uid) + tx.replicas.count(run.uid)
        if (
            before == 0
            or tx.shadows.seen(run.uid, cursor.round)
            or tx.replicas.seen(run.uid, cursor.round)
        ):
            return False
    approval = digest("emptied", run.uid, before)
    if approval in context.approved:
        return False
    run.report.source_emptied = True
    run.report.guarded = before
    run.fail(
        Problem(
            "SourceEmptied",
            f"spoke {run.config.name} held {before} items and now reads empty; nothing was "
            "deleted anywhere. If it was emptied on purpose, approve "
            f"{approval}",
            stalled=True,
        )
    )
    return True


async def _infer(context: PassContext, run: SpokeRun, round_id: str) -> None:
    """What a complete round did not show is gone."""
    while True:
        with context.store.write() as tx:
            touched: dict[str, None] = {}
            shadows = tx.shadows.unseen(run.uid, round_id, CHUNK)
            remotes = [shadow.remote for shadow in shadows]
            replicas = tx.replicas.by_remote(run.uid, remotes)
            for shadow in shadows:
                forget(run, tx, shadow, replicas.get(shadow.remote), touched=touched)
            if not shadows:
                replicas_left = tx.replicas.unseen(run.uid, round_id, CHUNK)
                for replica in replicas_left:
                    forget(run, tx, None, replica, touched=touched)
            refold(context, tx, list(touched))
        if not shadows and not replicas_left:
            return
        await asyncio.sleep(0)
