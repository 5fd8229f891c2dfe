"""One hub's part of the store: its transactions, and through them every query of the engine."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from cirahub_sync.errors import LeaseLostError
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.store import lease as leases
from cirahub_sync.store import membership
from cirahub_sync.store.arrivals import ArrivalTable
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.delivery import PendingTable, ReplicaTable
from cirahub_sync.store.departed import CondemnedTable, DepartedTable
from cirahub_sync.store.disputes import DecisionTable, UndecidedTable
from cirahub_sync.store.earlier import EarlierTable, MomentTable, RewoundTable
from cirahub_sync.store.erasure import ConfigurationTable, ErasureTable, WithdrawalTable
from cirahub_sync.store.flips import FlipTable, FreezeTable
from cirahub_sync.store.groups import GroupTable
from cirahub_sync.store.inbound import CursorTable, PullRetryTable, StagingTable
from cirahub_sync.store.intents import IntentTable
from cirahub_sync.store.items import ItemTable
from cirahub_sync.store.listed import Prepared
from cirahub_sync.store.members import MemberTable, SetTable
from cirahub_sync.store.notifications import NotifiedTable, SubscriptionTable
from cirahub_sync.store.photos import PhotoTable
from cirahub_sync.store.plans import PlanTable
from cirahub_sync.store.portraits import PictureTable, PortraitTable
from cirahub_sync.store.redirects import BindingTable, RedirectTable
from cirahub_sync.store.removals import RemovalTable
from cirahub_sync.store.reports import ReportTable
from cirahub_sync.store.rows import PERSON, Conflict, Spoke
from cirahub_sync.store.sealed import SealedItems
from cirahub_sync.store.set_tables import members
from cirahub_sync.store.shadows import ShadowTable
from cirahub_sync.store.shards import ShardKey, ShardLease, ShardTable, take
from cirahub_sync.store.tables import (
    arrivals,
    conflicts,
    erasures,
    hubs,
    intents,
    match_keys,
    pending,
    removals,
    replicas,
    spokes,
)
from cirahub_sync.store.tallies import TallyTable
from cirahub_sync.store.twins import TwinTable

_SEQ, _RULES_KEY, _KEYS_KEY = (
    Prepared(select(column).where(hubs.c.uid == bindparam("hub")))
    for column in (hubs.c.seq, hubs.c.rules_key, hubs.c.keys_key)
)
_SET_SEQ = Prepared(
    update(hubs).where(hubs.c.uid == bindparam("of_hub")).values(seq=bindparam("now"))
)
_RETIRED = select(spokes.c.uid).where(spokes.c.hub == bindparam("hub"), spokes.c.place == "")


class Transaction:
    """One transaction of one hub; its tables are there when they are asked for."""

    def __init__(self, connection: Connection, store: HubStore) -> None:
        self.connection = connection
        self.hub = store.hub
        self.cipher = store.cipher
        self._database = store.database
        self._sealed = store.sealed
        self._seq: int | None = None
        self._seq_read: int | None = None

    @cached_property
    def items(self) -> ItemTable:
        return ItemTable(self.connection, self._database, self.hub, self._sealed)

    @cached_property
    def shadows(self) -> ShadowTable:
        return ShadowTable(self.connection, self._database, self.hub, self.cipher)

    @cached_property
    def replicas(self) -> ReplicaTable:
        return ReplicaTable(self.connection, self._database, self.hub)

    @cached_property
    def tallies(self) -> TallyTable:
        return TallyTable(self.connection, self._database, self.hub)

    @cached_property
    def intents(self) -> IntentTable:
        return IntentTable(self.connection, self._database, self.hub)

    @cached_property
    def pending(self) -> PendingTable:
        return PendingTable(self.connection, self._database, self.hub)

    @cached_property
    def removals(self) -> RemovalTable:
        return RemovalTable(self.connection, self._database, self.hub)

    @cached_property
    def arrivals(self) -> ArrivalTable:
        return ArrivalTable(self.connection, self._database, self.hub)

    @cached_property
    def cursors(self) -> CursorTable:
        return CursorTable(self.connection, self._database, self.hub)

    @cached_property
    def staging(self) -> StagingTable:
        return StagingTable(self.connection, self._database, self.cipher)

    @cached_property
    def pull_retry(self) -> PullRetryTable:
        return PullRetryTable(self.connection, self._database, self.hub)

    @cached_property
    def configurations(self) -> ConfigurationTable:
        return ConfigurationTable(self.connection, self._database, self.hub, self.cipher)

    @cached_property
    def erasures(self) -> ErasureTable:
        return ErasureTable(self.connection, self.hub, self.cipher)

    @cached_property
    def withdrawals(self) -> WithdrawalTable:
        return WithdrawalTable(self.connection, self._database, self.hub)

    @cached_property
    def undecided(self) -> UndecidedTable:
        return UndecidedTable(self.connection, self.hub)

    @cached_property
    def decisions(self) -> DecisionTable:
        return DecisionTable(self.connection, self._database, self.hub, self.cipher)

    @cached_property
    def flips(self) -> FlipTable:
        return FlipTable(self.connection, self.hub, self.cipher)

    @cached_property
    def freezes(self) -> FreezeTable:
        return FreezeTable(self.connection, self._database, self.hub, self.cipher)

    @cached_property
    def twins(self) -> TwinTable:
        return TwinTable(self.connection, self.hub)

    @cached_property
    def plans(self) -> PlanTable:
        return PlanTable(self.connection, self._database, self.hub, self.cipher)

    @cached_property
    def redirects(self) -> RedirectTable:
        return RedirectTable(self.connection, self._database, self.hub)

    @cached_property
    def bindings(self) -> BindingTable:
        return BindingTable(self.connection, self._database, self.hub)

    @cached_property
    def departed(self) -> DepartedTable:
        return DepartedTable(self.connection, self._database, self.hub, self.cipher)

    @cached_property
    def condemned(self) -> CondemnedTable:
        return CondemnedTable(self.connection, self._database, self.hub)

    @cached_property
    def moments(self) -> MomentTable:
        return MomentTable(self.connection, self.hub)

    @cached_property
    def earlier(self) -> EarlierTable:
        return EarlierTable(self.connection, self._database, self.hub, self.cipher)

    @cached_property
    def rewound(self) -> RewoundTable:
        return RewoundTable(self.connection, self._database, self.hub, self.cipher)

    @cached_property
    def groups(self) -> GroupTable:
        return GroupTable(self.connection, self._database, self.hub, self.cipher)

    @cached_property
    def sets(self) -> SetTable:
        return SetTable(self.connection, self._database, self.hub)

    @cached_property
    def members(self) -> MemberTable:
        return MemberTable(self.connection, self._database, self.hub, self.cipher)

    @cached_property
    def photos(self) -> PhotoTable:
        return PhotoTable(self.connection, self._database, self.hub)

    @cached_property
    def portraits(self) -> PortraitTable:
        return PortraitTable(self.connection, self._database, self.hub)

    @cached_property
    def pictures(self) -> PictureTable:
        return PictureTable(self.connection, self._database, self.hub, self.cipher)

    @cached_property
    def subscriptions(self) -> SubscriptionTable:
        return SubscriptionTable(self.connection, self._database, self.hub)

    @cached_property
    def notified(self) -> NotifiedTable:
        return NotifiedTable(self.connection, self._database, self.hub)

    @cached_property
    def reports(self) -> ReportTable:
        return ReportTable(self.connection, self.hub)

    @cached_property
    def shards(self) -> ShardTable:
        return ShardTable(self.connection, self.hub, self.cipher)

    @property
    def seq(self) -> int:
        """The hub's sequence number, as of this transaction."""
        if self._seq is None:
            self._seq = self._seq_read = int(_SEQ.value(self.connection, hub=self.hub))
        return self._seq

    def next_seq(self) -> int:
        self._seq = self.seq + 1
        return self._seq

    def flush_seq(self) -> None:
        if self._seq != self._seq_read:
            _SET_SEQ.run(self.connection, of_hub=self.hub, now=self._seq)
            self._seq_read = self._seq

    def rules_key(self) -> str | None:
        """Of the conflict rules by which every item was folded."""
        found: str | None = _RULES_KEY.value(self.connection, hub=self.hub)
        return found

    def set_rules_key(self, key: str) -> None:
        self.connection.execute(update(hubs).where(hubs.c.uid == self.hub).values(rules_key=key))

    def keys_key(self) -> str | None:
        """Of what all match keys are made by."""
        found: str | None = _KEYS_KEY.value(self.connection, hub=self.hub)
        return found

    def set_keys_key(self, key: str) -> None:
        self.connection.execute(update(hubs).where(hubs.c.uid == self.hub).values(keys_key=key))

    def spokes(self) -> dict[str, Spoke]:
        """By uid, in the order in which they joined."""
        return membership.all_of(self.connection, self.hub)

    def spoke(self, uid: str) -> Spoke:
        """One that there is."""
        return membership.one(self.connection, uid)

    def ranks(self, uids: Sequence[str]) -> dict[str, int]:
        """Of these spokes: the order in which they joined."""
        return membership.ranks(self.connection, self.hub, uids)

    def retired(self) -> list[str]:
        """The uids of spokes that are no more, whose contributions stay as the hub's own."""
        return [row.uid for row in self.connection.execute(_RETIRED, {"hub": self.hub})]

    def hub_of(self, uid: str) -> str | None:
        """The hub, of any in this store, that has the spoke."""
        return self.connection.execute(select(spokes.c.hub).where(spokes.c.uid == uid)).scalar()

    def add_spoke(self, row: Spoke) -> None:
        self.connection.execute(insert(spokes).values(hub=self.hub, **msgspec.structs.asdict(row)))

    def update_spoke(self, uid: str, **values: str | float | None) -> None:
        membership.change(self.connection, uid, values)

    def target_owner(self, target: str) -> str | None:
        """The uid of the spoke, of any hub of this store, that owns the target."""
        return membership.owner_of(self.connection, target)

    def leaves_at(self, uid: str) -> float | None:
        """When the erasure of this spoke, of any hub of this store, or of its hub, is due; None
        if it does not leave."""
        return membership.leaves_at(self.connection, uid)

    def remove_spoke(self, uid: str) -> None:
        """Drops the spoke's row and, by cascade, everything kept for it; and that it was a member
        of a set, if it left."""
        self.connection.execute(delete(spokes).where(spokes.c.uid == uid))
        self.connection.execute(
            delete(members).where(
                members.c.hub == self.hub, members.c.uid == uid, members.c.leaving.is_(True)
            )
        )
        self.configurations.remove(uid)

    def forget_deliveries(self, uid: str) -> None:
        """What was delivered to the spoke is no more."""
        self.photos.forget_written(uid)
        self.tallies.forget(uid)
        for table in (replicas, intents, pending, removals, arrivals):
            self.connection.execute(delete(table).where(table.c.spoke == uid))

    def add_conflicts(self, rows: Sequence[Conflict], at: float) -> int:
        """Records the losing values; one that is recorded already is left as it is."""
        added = 0
        for row in rows:
            digest = self.cipher.fingerprint(row.value)
            where = (
                (conflicts.c.hub == self.hub)
                & (conflicts.c.item == row.item)
                & (conflicts.c.field == row.field)
                & (conflicts.c.loser == row.loser)
                & (conflicts.c.digest == digest)
            )
            if self.connection.execute(select(conflicts.c.seq).where(where)).first() is not None:
                continue
            self.connection.execute(
                insert(conflicts).values(
                    hub=self.hub,
                    item=row.item,
                    field=row.field,
                    loser=row.loser,
                    digest=digest,
                    winner=row.winner,
                    tie=row.tie,
                    seq=row.seq,
                    recorded_at=at,
                    value=self.cipher.seal(row.value, f"conflicts/{self.hub}/{row.item}"),
                )
            )
            added += 1
        return added

    def forget_conflicts(self, spoke: str, fields: Collection[str] | None = None) -> None:
        """Those about `fields`, or about any; with what a person gave instead of what the spoke
        had, since that may repeat it."""
        where = [conflicts.c.hub == self.hub]
        if fields is not None:
            where.append(conflicts.c.field.in_(sorted(fields)))
        own = (conflicts.c.loser == spoke) | (conflicts.c.winner == spoke)
        touched = select(conflicts.c.item).where(*where, own)
        self.connection.execute(
            delete(conflicts).where(
                *where, conflicts.c.loser == PERSON, conflicts.c.item.in_(touched)
            )
        )
        self.connection.execute(delete(conflicts).where(*where, own))

    def move_conflicts(self, old: str, item: str) -> None:
        """What lost in one item is kept with another. Sealed for its item, and so sealed anew."""
        of_old = (conflicts.c.hub == self.hub) & (conflicts.c.item == old)
        rows = self.connection.execute(select(conflicts).where(of_old)).all()
        self.connection.execute(delete(conflicts).where(of_old))
        self._database.upsert(
            self.connection,
            conflicts,
            [
                {
                    **row._asdict(),
                    "item": item,
                    "value": self.cipher.seal(
                        self.cipher.open(row.value, f"conflicts/{self.hub}/{old}"),
                        f"conflicts/{self.hub}/{item}",
                    ),
                }
                for row in rows
            ],
        )

    def count_conflicts(self) -> int:
        return self.connection.execute(
            select(func.count()).select_from(conflicts).where(conflicts.c.hub == self.hub)
        ).scalar_one()


class HubStore:
    """A hub opened with its key. Reads need no lease; every write checks it."""

    def __init__(
        self,
        database: Database,
        hub: str,
        cipher: Cipher,
        terms: LeaseTerms,
        clocks: leases.Clocks,
    ) -> None:
        self.hub = hub
        self.cipher = cipher
        self.sealed = SealedItems(cipher, hub)
        self.database = database
        self.terms = terms
        self._clocks = clocks
        self._lease: leases.Lease | ShardLease | None = None

    def acquire(self) -> None:
        """Raises LeaseHeldError while another living pass has the hub."""
        self._lease = leases.acquire(self.database, self.hub, self.terms, self._clocks)

    def take(self, key: ShardKey) -> int:
        """See `shards.take`. Which attempt at the shard this is, from 1; 0 if it is settled."""
        self._lease = take(self.database, self.hub, key, self.terms, self._clocks)
        return 0 if self._lease is None else self._lease.token

    def release(self) -> None:
        if isinstance(self._lease, leases.Lease):
            leases.release(self.database, self._lease)
        self._lease = None

    @property
    def number(self) -> int:
        """Of the pass that holds the hub."""
        if self._lease is None or isinstance(self._lease, ShardLease):
            raise RuntimeError("HubStore.number without acquire()")
        return self._lease.token

    def fence(self, seconds: float) -> None:
        """See `endpoints.base.Fence`. What is too short is renewed first, if it is still ours."""
        if self._lease is None:
            raise LeaseLostError(f"hub {self.hub}: the pass has ended; nothing more is sent")
        if not self._lease.outlives(seconds):
            self.renew()
        if isinstance(self._lease, ShardLease) and not self._lease.outlives(seconds):
            raise LeaseLostError(
                f"hub {self.hub}: the pass of this shard is about to lose it: its coordinator "
                "does not renew the lease; nothing more is sent"
            )

    def renew(self) -> None:
        """Raises LeaseLostError."""
        with self.write():
            pass

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Raises LeaseLostError, and writes nothing, when the lease is not held any more."""
        if self._lease is None:
            raise RuntimeError("HubStore.write without acquire()")
        with self.database.write() as connection:
            until = self._lease.check(connection)
            transaction = Transaction(connection, self)
            yield transaction
            transaction.flush_seq()
        if self._lease is not None:
            self._lease.extend(until)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        with self.database.read() as connection:
            yield Transaction(connection, self)

    @contextmanager
    def unleased(self) -> Iterator[Transaction]:
        """Writes without the lease, one after the other: for what may be noted while a pass is
        under way, which is that somebody leaves."""
        with self.database.write() as connection:
            connection.execute(  # the row's lock
                update(hubs).where(hubs.c.uid == self.hub).values(key_version=hubs.c.key_version)
            )
            yield Transaction(connection, self)

    def rewrite(self) -> None:
        """Leave nothing of what was deleted in the database's files. Raises StoreError."""
        self.database.rewrite()

    def shed(self) -> None:
        """Leave nothing of what was deleted in the database's log. Raises StoreError."""
        self.database.shed()

    def destroy(self, *, job: int | None = None, abandoned: bool = False) -> None:
        """Delete the hub's rows, and its key last: what a backup of the file still holds of it
        can't be opened then. Of the erasure that asked for it the receipt stays."""
        if self._lease is None:
            raise RuntimeError("HubStore.destroy without acquire()")
        with self.database.write() as connection:
            self._lease.check(connection)
            transaction = Transaction(connection, self)
            if job is not None:
                transaction.erasures.finish(job, self._clocks.day(), abandoned=abandoned)
            connection.execute(
                delete(erasures).where(erasures.c.hub == self.hub, erasures.c.finished_at.is_(None))
            )
            for table in (conflicts, match_keys):
                connection.execute(delete(table).where(table.c.hub == self.hub))
            connection.execute(delete(hubs).where(hubs.c.uid == self.hub))
        self._lease = None
        self.database.shed()
