"""What leaving keeps: the durable jobs, what they withdrew, and configuration that outlives a pass.

Configuration and a job's content are handed in and out as bytes, sealed in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Found, Prepared
from cirahub_sync.store.parts import parts
from cirahub_sync.store.photo_tables import photos
from cirahub_sync.store.photos import same_contact
from cirahub_sync.store.rows import Action, Job, ReplicaState
from cirahub_sync.store.tables import (
    configurations,
    erasures,
    intents,
    items,
    pending,
    replicas,
    spokes,
    withdrawals,
)

_CONFIGURATION = Prepared(
    select(configurations.c.sealed).where(
        configurations.c.hub == bindparam("hub"), configurations.c.owner == bindparam("owner")
    )
)
_DIGESTS = Prepared(
    select(configurations.c.owner, configurations.c.digest).where(
        configurations.c.hub == bindparam("hub")
    )
)
_OPEN = Prepared(
    select(erasures)
    .where(erasures.c.hub == bindparam("hub"), erasures.c.finished_at.is_(None))
    .order_by(erasures.c.number)
)
_WITHDRAWN = Prepared(
    select(withdrawals.c.item, func.max(withdrawals.c.seq).label("seq"))
    .where(withdrawals.c.hub == bindparam("hub"))
    .group_by(withdrawals.c.item)
)


class ConfigurationTable:
    def __init__(self, connection: Connection, database: Database, hub: str, cipher: Cipher):
        self._connection = connection
        self._database = database
        self._hub = hub
        self._cipher = cipher

    def all(self) -> dict[str, bytes]:
        """By owner: the hub's and its spokes'."""
        rows = self._connection.execute(
            select(configurations).where(configurations.c.hub == self._hub)
        )
        return {row.owner: self._open(row.owner, row.sealed) for row in rows}

    def get(self, owner: str) -> bytes | None:
        sealed = _CONFIGURATION.value(self._connection, hub=self._hub, owner=owner)
        return None if sealed is None else self._open(owner, sealed)

    def keep(self, found: Mapping[str, bytes]) -> None:
        """By owner; writes only what differs."""
        rows = _DIGESTS.rows(self._connection, hub=self._hub)
        known = {row.owner: row.digest for row in rows}
        digests = {owner: self._cipher.fingerprint(content) for owner, content in found.items()}
        self._database.upsert(
            self._connection,
            configurations,
            [
                {
                    "owner": owner,
                    "hub": self._hub,
                    "digest": digests[owner],
                    "sealed": self._cipher.seal(content, self._identity(owner)),
                }
                for owner, content in found.items()
                if known.get(owner) != digests[owner]
            ],
        )

    def remove(self, owner: str) -> None:
        self._connection.execute(
            delete(configurations).where(
                configurations.c.hub == self._hub, configurations.c.owner == owner
            )
        )

    def _open(self, owner: str, sealed: bytes) -> bytes:
        return self._cipher.open(sealed, self._identity(owner))

    def _identity(self, owner: str) -> str:
        return f"configurations/{self._hub}/{owner}"


class ErasureTable:
    """The jobs of one hub. At most one of a leaver is open."""

    def __init__(self, connection: Connection, hub: str, cipher: Cipher) -> None:
        self._connection = connection
        self._hub = hub
        self._cipher = cipher

    def open(self) -> dict[str, Job]:
        """By the leaver's uid."""
        rows = _OPEN.rows(self._connection, hub=self._hub)
        return {row.job: self._job(row) for row in rows}

    def add(self, job: Job) -> None:
        values = {k: v for k, v in msgspec.structs.asdict(job).items() if k != "number"}
        values["content"] = self._seal(job.job, job.content)
        self._connection.execute(insert(erasures).values(**values))

    def update(self, number: int, **values: float | bool | None) -> None:
        self._connection.execute(
            update(erasures).where(erasures.c.number == number).values(**values)
        )

    def count(self, number: int, **more: int) -> None:
        """Add to the job's counts."""
        self._connection.execute(
            update(erasures)
            .where(erasures.c.number == number)
            .values({name: erasures.c[name] + value for name, value in more.items()})
        )

    def write_content(self, job: Job, content: bytes) -> None:
        self._connection.execute(
            update(erasures)
            .where(erasures.c.number == job.number)
            .values(content=self._seal(job.job, content))
        )

    def cancel(self, number: int) -> None:
        """The leaver is back: nothing of the job stays."""
        self._connection.execute(delete(erasures).where(erasures.c.number == number))

    def finish(self, number: int, at: float, *, abandoned: bool = False) -> None:
        """What stays is a receipt: ids, times and counts."""
        self._connection.execute(
            update(erasures)
            .where(erasures.c.number == number)
            .values(finished_at=at, abandoned=abandoned, content=None)
        )

    def _seal(self, job: str, content: bytes) -> bytes:
        return self._cipher.seal(content, f"erasures/{self._hub}/{job}")

    def _job(self, row: Found) -> Job:
        values = {name: getattr(row, name) for name in Job.__struct_fields__}
        sealed = row.content
        values["content"] = (
            self._cipher.open(sealed, f"erasures/{self._hub}/{row.job}") if sealed else b""
        )
        for flag in ("whole_hub", "abandoned"):
            values[flag] = bool(values[flag])
        return Job(**values)


class Remaining(msgspec.Struct):
    """At one spoke."""

    copies: int = 0
    """With creates whose outcome is not known."""
    own: int = 0
    """Of its user, to which what was withdrawn had been delivered."""


class WithdrawalTable:
    """Which items erasures under way have changed, and who still shows what they were."""

    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def add(self, job: str, seqs: Mapping[str, int]) -> None:
        self._database.upsert(
            self._connection,
            withdrawals,
            [
                {"job": job, "item": item, "hub": self._hub, "seq": seq}
                for item, seq in seqs.items()
            ],
        )

    def all(self) -> dict[str, int]:
        """The seq that each item was given, the last one if several erasures changed it."""
        rows = _WITHDRAWN.rows(self._connection, hub=self._hub)
        return {row.item: int(row.seq) for row in rows}

    def remaining(self, job: str) -> dict[str, Remaining]:
        """What may still show what the job withdrew, by spoke. What was considered and needs
        nothing is not among it."""
        unsettled = and_(
            pending.c.spoke == replicas.c.spoke,
            pending.c.item == replicas.c.item,
        )
        held = (
            select(replicas.c.spoke, replicas.c.native, func.count())
            .select_from(withdrawals)
            .join(
                replicas,
                and_(replicas.c.hub == withdrawals.c.hub, replicas.c.item == withdrawals.c.item),
            )
            .join(spokes, spokes.c.uid == replicas.c.spoke)
            .outerjoin(pending, unsettled)
            .where(
                *self._of(job),
                replicas.c.spoke != job,
                replicas.c.state == ReplicaState.LIVE.value,
                replicas.c.delivered_seq < withdrawals.c.seq,
                or_(spokes.c.mark < withdrawals.c.seq, pending.c.item.is_not(None)),
            )
            .group_by(replicas.c.spoke, replicas.c.native)
        )
        sent = (
            select(intents.c.spoke, func.count())
            .select_from(withdrawals)
            .join(
                intents,
                and_(intents.c.hub == withdrawals.c.hub, intents.c.item == withdrawals.c.item),
            )
            .where(
                *self._of(job),
                intents.c.spoke != job,
                intents.c.action == Action.CREATE.value,
                intents.c.abandoned.is_(False),
                intents.c.item_seq < withdrawals.c.seq,
            )
            .group_by(intents.c.spoke)
        )
        found: dict[str, Remaining] = {}
        for spoke, native, count in self._connection.execute(held):
            entry = found.setdefault(spoke, Remaining())
            if native:
                entry.own += count
            else:
                entry.copies += count
        for spoke, count in self._connection.execute(sent):
            found.setdefault(spoke, Remaining()).copies += count
        for spoke, native, count in self._connection.execute(self._photos_shown(job)):
            entry = found.setdefault(spoke, Remaining())
            if native:
                entry.own += count
            else:
                entry.copies += count
        return found

    def _photos_shown(self, job: str) -> Select[Any]:
        """Contacts of these items that still show a photo that nobody puts in any more."""
        said = photos.alias("said")
        standing = select(said.c.digest).where(
            said.c.hub == photos.c.hub, said.c.digest == photos.c.written
        )
        return (
            select(replicas.c.spoke, replicas.c.native, func.count())
            .select_from(withdrawals)
            .join(
                replicas,
                and_(replicas.c.hub == withdrawals.c.hub, replicas.c.item == withdrawals.c.item),
            )
            .join(items, and_(items.c.hub == replicas.c.hub, items.c.id == replicas.c.item))
            .join(photos, same_contact(replicas))
            .where(
                *self._of(job),
                replicas.c.spoke != job,
                replicas.c.state == ReplicaState.LIVE.value,
                items.c.alive.is_(True),
                photos.c.written.is_not(None),
                ~standing.exists(),
            )
            .group_by(replicas.c.spoke, replicas.c.native)
        )

    def items_of(self, job: str) -> list[str]:
        return list(
            self._connection.execute(select(withdrawals.c.item).where(*self._of(job))).scalars()
        )

    def hasten(self, job: str) -> None:
        """What is pending of these items, whatever for, is due now."""
        items = self.items_of(job)
        for part in parts(items):
            self._connection.execute(
                update(pending)
                .where(pending.c.hub == self._hub, pending.c.item.in_(part))
                .values(reason="Stale", due_at=0.0)  # a reason that is looked at again
            )

    def remove(self, job: str) -> None:
        self._connection.execute(delete(withdrawals).where(*self._of(job)))

    def _of(self, job: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return withdrawals.c.hub == self._hub, withdrawals.c.job == job
