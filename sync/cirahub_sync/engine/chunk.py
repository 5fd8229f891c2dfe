"""A chunk: one transaction's worth of staged changes of one spoke, merged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import msgspec

from cirahub_sync.configuration import OnUserDelete
from cirahub_sync.endpoints.base import Stamp
from cirahub_sync.engine.authority import has_a_say
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.departure import forget
from cirahub_sync.engine.flips import notice
from cirahub_sync.engine.history import Recorder
from cirahub_sync.engine.natives import Natives
from cirahub_sync.engine.refold import refold
from cirahub_sync.engine.rejudge import carry_over
from cirahub_sync.engine.relink import Relinker
from cirahub_sync.model.edit import Awareness, OwnEdits
from cirahub_sync.model.kind import Content, Element, kept_out
from cirahub_sync.model.normalise import matched_fields
from cirahub_sync.model.observe import Return, record
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import (
    UNKNOWN_FINGERPRINT,
    Conflict,
    Replica,
    ReplicaState,
    Shadow,
    Staged,
    StagedKind,
)
from cirahub_sync.store.shadows import REJUDGE

CHUNK = 400
"""Staged changes that are merged in one transaction."""
RETRY_SECONDS = 300.0
_encode = msgspec.msgpack.Encoder().encode


class Chunk:
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
        self._matching = matched_fields(context.hub.match_on, context.kind)
        self._shadows: dict[str, Shadow] = {}
        self._changed: dict[str, Shadow] = {}
        """Those that are not written yet."""
        self._history = Recorder(context, run, tx)
        self._replicas: dict[str, Replica] = {}
        self._touched: dict[str, None] = {}
        self._reworded: dict[str, None] = {}
        """Touched in nothing that anybody matches by."""
        self._spoken_for: list[str] = []
        """Items that their users here want to be, however they were deleted elsewhere."""
        self._seen: list[str] = []
        self._unjudged: dict[str, None] = {}
        """What the filter's expression can't be evaluated for: left as it is, and looked at again
        later."""
        self._taken_back: list[tuple[str, int, Return]] = []
        """What the spoke's users, or their tools, put back over what they had received: by item
        and seq."""
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
                self._again_later(row.remote, "unreadable")
                self._seen.append(row.remote)
                continue
            readable.add(row.remote)
            if row.kind is StagedKind.REMOVED:
                strangers.pop(row.remote, None)
                self._removed(row.remote)
            elif not self._known(row):
                strangers[row.remote] = row
        self._write()
        self._strangers(list(strangers.values()))
        for remote in self._unjudged:
            self._again_later(remote, "unjudged")
        if tx.pull_retry.count(run.uid):
            tx.pull_retry.remove(run.uid, sorted(readable - self._unjudged.keys()))
        if self._round is not None:
            tx.shadows.mark_round(run.uid, self._seen, self._round)
            tx.replicas.mark_round(run.uid, self._seen, self._round)
        self._lift()
        self._history.write()
        if self._taken_back:
            notice(self._context, tx, run.uid, self._taken_back)
        reworded = self._reworded.keys() - self._touched.keys()
        changed = refold(
            self._context,
            tx,
            list({**self._touched, **self._reworded}),
            by=run.uid,
            reworded=reworded,
        )
        run.report.counts.merged += len(changed)
        return done

    def _again_later(self, remote: str, why: str) -> None:
        attempts = self._tx.pull_retry.attempts(self._run.uid, remote)
        self._tx.pull_retry.put(
            self._run.uid,
            remote,
            why=why,
            attempts=attempts + 1,
            due_at=self._now + RETRY_SECONDS * min(2**attempts, 64),
        )

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
        content = row.content or self._context.kind.blank
        run = self._run
        admitted = not shadow.native or run.admits_in(content)
        if admitted is None:
            self._unjudged[row.remote] = None
            return
        self._unjudged.pop(row.remote, None)
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
            if recorded.read_only_fields and shadow.item is not None:
                self._overruled(shadow.item, content, recorded.read_only_fields)
            if recorded.returns and shadow.item is not None:
                self._taken_back += [(shadow.item, when.seq, one) for one in recorded.returns]
        changed = own is not shadow.own or admitted != shadow.admitted
        if changed:
            self._history.changed(shadow, own, when.seq, admitted=admitted)
        rejudged = shadow.etag == REJUDGE
        spoken = changed and admitted and shadow.native and not rejudged
        if spoken and shadow.item and has_a_say(own):
            self._spoken_for.append(shadow.item)
        reworded = not (rejudged or admitted != shadow.admitted or self._matched(shadow.own, own))
        shadow = msgspec.structs.replace(
            shadow,
            admitted=admitted,
            etag=row.etag,
            modified=row.modified,
            acknowledged_at=self._now,
            content=content if admitted else kept_out(content),
            own=own,
            round=self._round,
        )
        if admitted and shadow.item is None:
            self._write()
            self._natives().admit([row])
            return
        self._shadows[row.remote] = self._changed[row.remote] = shadow
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
            (self._reworded if reworded else self._touched)[shadow.item] = None

    def _matched(self, before: OwnEdits, after: OwnEdits) -> bool:
        """Whether any edit of a field differs that people are matched by."""
        return any(
            before.scalars.get(field) is not after.scalars.get(field)
            or before.elements.get(field) is not after.elements.get(field)
            for field in self._matching
        )

    def _lift(self) -> None:
        if self._spoken_for:
            self._tx.condemned.lift(self._spoken_for)
            self._spoken_for = []

    def _overruled(self, item: str, content: Content, fields: Sequence[str]) -> None:
        """Edits of fields that the mapping makes, so that they can't be mapped back: what the hub
        shows there is put right again, and what the user wrote is kept as a conflict."""
        lost: list[tuple[str, Element]] = []
        for field in fields:
            written: str | tuple[Element, ...] = getattr(content, field)
            if field in self._run.receives.read_only and not isinstance(written, str):
                lost += [(field, element) for element in written]
            else:  # a category that the mapping adds was taken away
                lost.append((field, written if isinstance(written, str) else ""))
        self._context.report.conflicts += self._tx.add_conflicts(
            [
                Conflict(
                    item=item,
                    field=field,
                    loser=self._run.uid,
                    winner="",
                    tie=False,
                    seq=self._tx.seq,
                    value=_encode(value),
                )
                for field, value in lost
            ],
            self._now,
        )

    def _received(self, shadow: Shadow, replica: Replica | None) -> Content | None:
        if replica is None or shadow.item is None:
            return None
        item = self._tx.items.get([shadow.item]).get(shadow.item)
        return item.content if item is not None else None

    def _delivered(self, row: Staged, replica: Replica) -> Content:
        """What a copy held when it was last delivered to, without a shadow. Once the item has
        changed since, nobody can tell, and what is there is taken for that."""
        content = row.content or self._context.kind.blank
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
        (Restore). What was acknowledged stays, so that it can still be told what they changed if
        the spoke contributes one day."""
        edited = (
            self._context.fingerprint(row.content or self._context.kind.blank)
            != replica.acknowledged
        )
        restore = edited and self._run.config.on_user_delete is OnUserDelete.RESTORE
        self._tx.replicas.put(
            [
                msgspec.structs.replace(
                    replica,
                    etag=row.etag,
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

    def _write(self) -> None:
        """Before anything else looks at the shadows."""
        self._tx.shadows.put(list(self._changed.values()))
        self._changed.clear()

    def _removed(self, remote: str) -> None:
        self._unjudged.pop(remote, None)
        self._changed.pop(remote, None)
        self._lift()  # a deletion comes after what was said before it
        forget(
            self._context,
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
            self._natives().admit(natives)

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
                    content=self._context.kind.blank,
                    own=OwnEdits(),
                )
            ]
        )

    def _natives(self) -> Natives:
        return Natives(
            self._context,
            self._run,
            self._tx,
            self._round,
            shadows=self._shadows,
            touched=self._touched,
            returned=self._returned,
            unjudged=self._unjudged,
        )


def _older(row: Staged, shadow: Shadow) -> bool:
    """Whether the delta shows a state from before the one that was acknowledged: items repeat and
    come in any order. A same-second change counts as newer."""
    return (
        row.modified is not None and shadow.modified is not None and row.modified < shadow.modified
    )
