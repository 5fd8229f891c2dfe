"""Natives: a spoke's own items at first sight, and which hub item each of them is.

By what they were linked to before, else by `matchOn` keys among the living, else among the dead
whose grace is not over; a key that finds more than one item decides nothing, and neither does one
whose item has another item in this spoke already. What is nobody's founds an item of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cirahub_sync.engine.authority import has_a_say
from cirahub_sync.engine.context import PassContext, SpokeRun, item_id
from cirahub_sync.engine.departure import forget
from cirahub_sync.engine.history import natives_come
from cirahub_sync.engine.keys import contact_digests
from cirahub_sync.engine.unshown import is_expected
from cirahub_sync.model.edit import Awareness, OwnEdits
from cirahub_sync.model.kind import kept_out
from cirahub_sync.model.observe import record
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import ReplicaState, Shadow, Staged


class Natives:
    """The natives of one chunk. `shadows` and `touched` are the chunk's own; `returned` names the
    items that some of them were linked to before they went away. `unjudged` collects those that the
    filter's expression can't be evaluated for: they are left for later."""

    def __init__(
        self,
        context: PassContext,
        run: SpokeRun,
        tx: Transaction,
        round_id: str | None,
        *,
        shadows: dict[str, Shadow],
        touched: dict[str, None],
        returned: dict[str, str],
        unjudged: dict[str, None],
    ) -> None:
        self._context = context
        self._run = run
        self._tx = tx
        self._now = context.clock()
        self._round = round_id
        self._shadows = shadows
        self._touched = touched
        self._returned = returned
        self._unjudged = unjudged

    def admit(self, rows: Sequence[Staged]) -> None:
        """Give each a shadow, and link those that the filter admits to an item."""
        context, run, tx = self._context, self._run, self._tx
        region = context.hub.default_region
        keys: dict[str, list[bytes]] = {}
        for row in rows:
            content = row.content or self._context.kind.blank
            admits = run.admits_in(content)
            if admits is None:
                self._unjudged[row.remote] = None
            elif admits:
                keys[row.remote] = contact_digests(context, run, tx, content)
        rows = [row for row in rows if row.remote not in self._unjudged]
        digests = list({key for found in keys.values() for key in found})
        matching = tx.items.matching(digests)
        fading = tx.items.matching([key for key in digests if key not in matching], alive=False)
        remotes = [row.remote for row in rows]
        bound = tx.bindings.of(run.uid, remotes)
        before = {**self._linked_before(remotes), **bound}
        founded = self._founded(remotes, bound)
        candidates = {
            *(item for found in (*matching.values(), *fading.values()) for item in found),
            *before.values(),
            *founded.values(),
        }
        taken = self._taken(list(candidates))
        shadows: list[Shadow] = []
        for row in rows:
            content = row.content or self._context.kind.blank
            admitted = row.remote in keys
            known = self._shadows.get(row.remote)
            item = known.item if known is not None else None
            own = OwnEdits()
            if admitted:
                if item is None and before.get(row.remote) not in taken:
                    item = before.get(row.remote)
                if item is None and row.remote not in bound:
                    living = any(key in matching for key in keys[row.remote])
                    item = self._match(keys[row.remote], matching if living else fading, taken)
                if item is None:
                    item = founded[row.remote]
                    if item in taken and item != item_id(context.hub.uid, run.place, row.remote):
                        # That one was merged into another, for which the spoke has a contact.
                        item = item_id(context.hub.uid, f"{run.place}\0{item}", row.remote)
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
                content=content if admitted else kept_out(content),
                own=own,
            )
            self._shadows[row.remote] = shadow
            shadows.append(shadow)
        tx.shadows.put(shadows)
        # What its user had removed here, they have brought back.
        linked = [shadow.item for shadow in shadows if shadow.item is not None]
        tx.replicas.attach(run.uid, linked)
        natives_come(tx, run.uid, linked)
        if run.config.direction.receives and run.row.mark:
            # An item that they add nothing to is not considered again by itself, and they may lack
            # what it has.
            tx.pending.reconsider(run.uid, linked)
        tx.departed.remove(run.uid, linked)
        tx.condemned.lift([s.item for s in shadows if s.item is not None and has_a_say(s.own)])

    def _linked_before(self, remotes: Sequence[str]) -> dict[str, str]:
        """The items, if they still are, that these were linked to before they went, or under a
        spoke that is no more; what that one had contributed of them is taken over."""
        tx = self._tx
        before = {remote: self._returned[remote] for remote in remotes if remote in self._returned}
        for retired in self._context.retired(tx):
            kept = tx.shadows.by_remote(retired, remotes)
            before.update({r: s.item for r, s in kept.items() if s.item is not None})
            tx.shadows.remove(retired, list(kept))
            linked = [shadow.item for shadow in kept.values() if shadow.item is not None]
            tx.rewound.remove(retired, linked)
        merged = tx.redirects.of(list(set(before.values())))
        before = {remote: merged.get(item, item) for remote, item in before.items()}
        known = tx.items.get(list(set(before.values())))
        return {
            remote: item
            for remote, item in before.items()
            if item in known and not known[item].erased
        }

    def _founded(self, remotes: Sequence[str], bound: Mapping[str, str]) -> dict[str, str]:
        """The ids of the items that these found if they are nobody's. One that is bound to an item
        which the spoke has another contact for meets no other item either."""
        context, place = self._context, self._run.place
        ids = {
            remote: item_id(context.hub.uid, place, "\0".join((remote, bound[remote])))
            if remote in bound
            else item_id(context.hub.uid, place, remote)
            for remote in remotes
        }
        merged = self._tx.redirects.of(list(ids.values()))
        return {remote: merged.get(item, item) for remote, item in ids.items()}

    def _taken(self, items: Sequence[str]) -> set[str]:
        """Items that this spoke already has an item for: a second one of the same person in one
        folder is a duplicate of its user's, and stays apart."""
        own = [
            shadow
            for shadows in self._tx.shadows.by_item(items).values()
            for shadow in shadows
            if shadow.spoke == self._run.uid
        ]
        gone = self._forget_gone(own)
        taken = {
            shadow.item for shadow in own if shadow.item is not None and shadow.remote not in gone
        }
        for item, replica in self._tx.replicas.by_item(self._run.uid, items).items():
            if replica.state is ReplicaState.LIVE:
                taken.add(item)
        return taken

    def _forget_gone(self, own: Sequence[Shadow]) -> set[str]:
        """In a round from nothing, let go of those of the spoke's natives that it does not show, so
        that what is new takes their place: a mailbox that was moved has all it had, by other ids.
        All that the round shows is staged before any of it is merged."""
        if self._round is None:
            return set()
        unseen = {
            shadow.remote: shadow
            for shadow in own
            if shadow.native
            and shadow.round != self._round
            and is_expected(shadow.content, self._context.span)
        }
        gone = unseen.keys() - self._tx.staging.holds(self._run.uid, list(unseen))
        replicas = self._tx.replicas.by_remote(self._run.uid, sorted(gone))
        for remote in sorted(gone):
            forget(
                self._context,
                self._run,
                self._tx,
                unseen[remote],
                replicas.get(remote),
                touched=self._touched,
            )
        return gone

    def _match(
        self, keys: Iterable[bytes], matching: dict[bytes, set[str]], taken: set[str]
    ) -> str | None:
        """The one item that a key finds, the first key that finds any deciding; None when there is
        none, or more than one (ambiguous stays apart)."""
        for key in keys:
            found = matching.get(key)
            if found:
                if len(found) > 1:
                    self._run.report.counts.ambiguous += 1
                    return None
                (item,) = found
                return item if item not in taken else None
        return None
