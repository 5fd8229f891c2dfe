"""Sets of spokes, as commands see them: their members, and how a whole set leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.leaver import Content, note
from cirahub_sync.engine.release import release
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.spoke_set import MemberState, ToldMember
from cirahub_sync.store.hub import HubStore, Transaction
from cirahub_sync.store.members import MemberRow, SetRow
from cirahub_sync.store.opening import Store

_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode


class Sets:
    def __init__(
        self,
        store: Store,
        context_of: Callable[[HubConfig], PassContext],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._context_of = context_of
        self._now = clock

    def leave(self, hub: HubConfig, uid: str, *, erase_at: float, retain: bool) -> Sequence[str]:
        """Have the set's members leave, each recorded durably, to be erased at `erase_at`; or, with
        `retain`, forget them, and leave what they hold and contributed where it is. Sends nothing.
        Asked again, it keeps the earlier of both times. The uids of those that are to be erased."""
        store = self._store.find(hub.uid)
        if store is None:
            return ()
        if retain:
            self._retain(hub, store, uid)
            return ()
        with store.unleased() as tx:
            kept, spokes, jobs = tx.configurations.all(), tx.spokes(), tx.erasures.open()
            rows = tx.members.of_set(uid)
            gone = [row for row in rows.values() if row.uid not in spokes]
            tx.members.remove(uid, [row.id for row in gone])
            leaving = [row for row in rows.values() if row.uid in spokes]
            for row in leaving:
                config = (_spoke(kept[row.uid]),) if row.uid in kept else ()
                note(
                    tx,
                    row.uid,
                    Content(hub=hub, name=config[0].name if config else row.uid, spokes=config),
                    now=self._now(),
                    erase_at=erase_at,
                    known=jobs.get(row.uid),
                )
                row.leaving, row.state, row.reason = True, MemberState.LEAVING, ""
            tx.members.put(leaving)
            tx.sets.remove(uid)
        return [row.uid for row in leaving]

    def _retain(self, hub: HubConfig, store: HubStore, uid: str) -> None:
        context = self._context_of(hub)
        store = context.store
        store.acquire()
        try:
            with store.write() as tx:
                spokes, jobs = tx.spokes(), tx.erasures.open()
                rows = tx.members.of_set(uid)
                for row in rows.values():
                    if row.uid in spokes:
                        release(context, tx, row.uid)
                    if row.uid in jobs:
                        tx.erasures.cancel(jobs[row.uid].number)
                tx.members.remove(uid, rows.keys())
                tx.sets.remove(uid)
        finally:
            store.release()

    def members(self, name: str = "") -> list[ToldMember]:
        """Of the sets of that name (with or without its namespace), or of all, in all hubs of the
        store, with their addresses: personal data."""
        found: list[ToldMember] = []
        for store, row in self._named(name):
            with store.read() as tx:
                found += [_told(tx, row, member) for member in tx.members.of_set(row.uid).values()]
        return found

    def tend(
        self, name: str, ids: Sequence[str], *, suspend: bool | None = None
    ) -> list[ToldMember]:
        """Suspend members, have them go on, or (None) have those that fail tried again at the next
        pass. `ids`: theirs, or addresses. Raises ConfigurationError for one that is none, and
        LeaseHeldError while a pass is under way."""
        wanted = {id_.casefold() for id_ in ids}
        told: list[ToldMember] = []
        for store, row in self._named(name):
            store.acquire()
            try:
                with store.write() as tx:
                    chosen = []
                    for member in tx.members.of_set(row.uid).values():
                        names = (member.id, *tx.members.person(member).addresses)
                        called = {one.casefold() for one in names}
                        if member.leaving or called.isdisjoint(wanted):
                            continue
                        wanted -= called
                        chosen.append(member)
                        member.retry_at = 0.0
                        if suspend is not None:
                            member.suspended = suspend
                            member.state = MemberState.SUSPENDED if suspend else MemberState.PENDING
                            member.reason = ""
                    tx.members.put(chosen)
                    told += [_told(tx, row, member) for member in chosen]
            finally:
                store.release()
        if wanted:
            raise ConfigurationError(
                f"SpokeSet {name} has no members {', '.join(sorted(wanted))}; see cirahub members "
                f"{name}"
            )
        return told

    def _named(self, name: str) -> Iterator[tuple[HubStore, SetRow]]:
        found = False
        for hub in self._store.hubs():
            store = self._store.hub(hub)
            with store.read() as tx:
                rows = list(tx.sets.all().values())
            for row in rows:
                if name in ("", row.name, row.name.rpartition("/")[2]):
                    found = True
                    yield store, row
        if name and not found:
            raise ConfigurationError(
                f"the store knows no SpokeSet {name}; a pass over its Hub has to have read it once"
            )


def _told(tx: Transaction, row: SetRow, member: MemberRow) -> ToldMember:
    person = tx.members.person(member)
    return ToldMember(
        set=row.name,
        id=member.id,
        addresses=person.addresses,
        state=member.state,
        reason=member.reason,
        message=person.message if member.reason else "",
        joined_at=member.joined_at,
        retry_at=member.retry_at,
    )


def stored_members(tx: Transaction, given: Sequence[SpokeConfig]) -> list[SpokeConfig]:
    """Members of the hub's sets as in their last pass, which no manifest names; but for those that
    are given."""
    known = {one.uid for one in given}
    kept = [tx.configurations.get(uid) for uid in tx.members.uids() if uid not in known]
    return [_spoke(config) for config in kept if config is not None]
