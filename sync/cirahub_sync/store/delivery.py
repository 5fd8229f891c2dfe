"""What pushing keeps: replicas, and what is pending."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
    update,
)

from cirahub_sync.store.backend import Excluded
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Found, Listed, Prepared
from cirahub_sync.store.membership import of_hub
from cirahub_sync.store.rows import Pending, Replica, ReplicaState
from cirahub_sync.store.tables import pending, replicas
from cirahub_sync.store.tallies import copies_become

_REPLICAS_BY_ITEM = Listed(
    lambda ids: select(replicas).where(
        replicas.c.spoke == bindparam("spoke"), replicas.c.item.in_(ids)
    )
)
_REPLICAS_BY_REMOTE = Listed(
    lambda remotes: select(replicas).where(
        replicas.c.spoke == bindparam("spoke"), replicas.c.remote.in_(remotes)
    )
)
_ATTACH = Listed(
    lambda ids: delete(replicas).where(
        replicas.c.spoke == bindparam("spoke"),
        replicas.c.item.in_(ids),
        replicas.c.state == ReplicaState.DETACHED.value,
    )
)
_SEEN = Listed(
    lambda remotes: (
        update(replicas)
        .where(replicas.c.spoke == bindparam("of_spoke"), replicas.c.remote.in_(remotes))
        .values(round=bindparam("seen_in"))
    )
)
_REPLICA_ETAGS = Listed(
    lambda remotes: select(replicas.c.remote, replicas.c.etag).where(
        replicas.c.spoke == bindparam("spoke"), replicas.c.remote.in_(remotes)
    )
)
_ANY_REPLICA = Prepared(
    select(replicas.c.spoke).where(replicas.c.spoke == bindparam("spoke")).limit(1)
)
_ORIGINS = Listed(
    lambda ids: select(
        replicas.c.item, replicas.c.attempt, replicas.c.state, replicas.c.native
    ).where(replicas.c.spoke == bindparam("spoke"), replicas.c.item.in_(ids))
)
_FORGET_REPLICAS = Listed(
    lambda ids: delete(replicas).where(
        replicas.c.spoke == bindparam("of_spoke"), replicas.c.item.in_(ids)
    )
)
_PENDING_BY_ITEM = Listed(
    lambda ids: select(pending).where(
        pending.c.spoke == bindparam("spoke"), pending.c.item.in_(ids)
    )
)
_DUE = Listed(
    lambda reasons: (
        select(pending)
        .where(
            pending.c.spoke == bindparam("spoke"),
            pending.c.due_at <= bindparam("now"),
            pending.c.reason.in_(reasons),
        )
        .order_by(pending.c.due_at, pending.c.item)
        .limit(bindparam("most", type_=Integer))
    )
)
_SETTLE = Listed(
    lambda ids: delete(pending).where(
        pending.c.spoke == bindparam("of_spoke"), pending.c.item.in_(ids)
    )
)
SETTLED = ("Grace", "Remembered", "OutsideWindow")
"""Reasons for which something waits that is as it should be."""


def _literal(reasons: Sequence[str]) -> list[ColumnElement[str]]:
    """Names of ours, in the statement itself."""
    return [literal_column(f"'{reason}'") for reason in reasons]


_ON_PURPOSE = _literal(SETTLED)
_SINCE: ColumnElement[float] = case(
    (pending.c.since == 0.0, bindparam("now", type_=pending.c.since.type)), else_=pending.c.since
)
_STANDING = Prepared(
    select(
        pending.c.spoke,
        pending.c.reason,
        func.count().label("found"),
        func.min(_SINCE).label("oldest"),
        func.min(pending.c.since).label("noted"),
    )
    .where(of_hub(pending.c.spoke, bindparam("hub")))
    .group_by(pending.c.spoke, pending.c.reason)
)


@cache
def _waiting(due: Sequence[str], always: Sequence[str]) -> Prepared:
    which = pending.c.reason.in_(_literal(due)) & (pending.c.due_at <= bindparam("now"))
    if always:
        which |= pending.c.reason.in_(_literal(always))
    of = of_hub(pending.c.spoke, bindparam("hub"))
    return Prepared(select(pending.c.spoke).distinct().where(of, which))


_REPLICA_STATES = {state.value: state for state in ReplicaState}


class Origin(NamedTuple):
    """Of what a spoke has of an item."""

    attempt: str
    """Which create it came from."""
    copied: bool
    """Whether it is a live copy, and not the spoke's own."""


class ReplicaTable:
    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def by_item(self, spoke: str, ids: Sequence[str]) -> dict[str, Replica]:
        return {
            replica.item: replica
            for replica in _read(_REPLICAS_BY_ITEM.rows(self._connection, ids, spoke=spoke))
        }

    def of_item(self, item: str) -> list[Replica]:
        """Wherever it was delivered."""
        return self._select(
            select(replicas).where(replicas.c.hub == self._hub, replicas.c.item == item)
        )

    def by_remote(self, spoke: str, remotes: Sequence[str]) -> dict[str, Replica]:
        return {
            replica.remote: replica
            for replica in _read(_REPLICAS_BY_REMOTE.rows(self._connection, remotes, spoke=spoke))
        }

    def unseen(self, spoke: str, round_id: str, count: int) -> list[Replica]:
        """Live copies that the round did not show."""
        return self._select(
            select(replicas)
            .where(
                replicas.c.spoke == spoke,
                replicas.c.state == ReplicaState.LIVE.value,
                (replicas.c.round.is_(None)) | (replicas.c.round != round_id),
            )
            .order_by(replicas.c.remote)
            .limit(count)
        )

    def copies(self, spoke: str, after: str, count: int) -> list[Replica]:
        """Live copies (not the spoke's own items) in the order of their items."""
        return self._select(
            select(replicas)
            .where(
                replicas.c.spoke == spoke,
                replicas.c.item > after,
                replicas.c.native.is_(False),
                replicas.c.state == ReplicaState.LIVE.value,
            )
            .order_by(replicas.c.item)
            .limit(count)
        )

    def origins(self, spoke: str, ids: Sequence[str]) -> dict[str, Origin]:
        """Where what is kept of these items came from."""
        return {
            row.item: Origin(row.attempt, row.state == ReplicaState.LIVE.value and not row.native)
            for row in _ORIGINS.rows(self._connection, ids, spoke=spoke)
        }

    def mark_round(self, spoke: str, remotes: Sequence[str], round_id: str) -> None:
        _SEEN.run(self._connection, remotes, of_spoke=spoke, seen_in=round_id)

    def seen(self, spoke: str, round_id: str) -> bool:
        """Whether the round showed any item that was delivered."""
        return (
            self._connection.execute(
                select(replicas.c.item)
                .where(replicas.c.spoke == spoke, replicas.c.round == round_id)
                .limit(1)
            ).first()
            is not None
        )

    def any(self, spoke: str) -> bool:
        """Whether there is any row of the spoke."""
        return _ANY_REPLICA.value(self._connection, spoke=spoke) is not None

    def etags(self, spoke: str, remotes: Sequence[str]) -> dict[str, str]:
        """As last acknowledged, by remote id."""
        rows = _REPLICA_ETAGS.rows(self._connection, remotes, spoke=spoke)
        return {row.remote: row.etag for row in rows}

    def put(self, rows: Sequence[Replica], *, before: Mapping[str, Origin] | None = None) -> None:
        """`before`: the origins of all of these, which are one spoke's, if they were asked for."""
        live = ((row.spoke, row.item, _is_copy(row)) for row in rows)
        copies = None if before is None else sum(origin.copied for origin in before.values())
        copies_become(self._connection, live, before=copies)
        self._database.upsert(
            self._connection,
            replicas,
            [
                {**msgspec.structs.asdict(row), "hub": self._hub, "state": row.state.value}
                for row in rows
            ],
        )

    def remove(self, spoke: str, ids: Sequence[str]) -> None:
        copies_become(self._connection, ((spoke, item, False) for item in ids))
        _FORGET_REPLICAS.run(self._connection, ids, of_spoke=spoke)

    def attach(self, spoke: str, ids: Sequence[str]) -> None:
        """Forget that these items were removed by the spoke's user."""
        _ATTACH.run(self._connection, ids, spoke=spoke)

    def delivered(self, spoke: str, seqs: Sequence[tuple[str, int]]) -> None:
        """Note that what these items now are was found to be what the spoke already has."""
        if seqs:
            self._connection.execute(
                update(replicas)
                .where(replicas.c.spoke == spoke, replicas.c.item == bindparam("item_id"))
                .values(delivered_seq=bindparam("item_seq")),
                [{"item_id": item, "item_seq": seq} for item, seq in seqs],
            )

    def count(self, spoke: str) -> int:
        """Live copies, not counting the spoke's own items."""
        return self._connection.execute(
            select(func.count())
            .select_from(replicas)
            .where(
                replicas.c.spoke == spoke,
                replicas.c.state == ReplicaState.LIVE.value,
                replicas.c.native.is_(False),
            )
        ).scalar_one()

    def _select(self, query: Select[tuple[object, ...]]) -> list[Replica]:
        return _read(self._connection.execute(query))


def _is_copy(row: Replica) -> bool:
    return row.state is ReplicaState.LIVE and not row.native


def _read(rows: Iterable[Found]) -> list[Replica]:
    return [
        Replica(
            spoke=row.spoke,
            item=row.item,
            remote=row.remote,
            native=bool(row.native),
            state=_REPLICA_STATES[row.state],
            etag=row.etag,
            fingerprint=row.fingerprint,
            acknowledged=row.acknowledged,
            delivered_seq=row.delivered_seq,
            round=row.round,
            attempt=row.attempt,
        )
        for row in rows
    ]


class Standing(msgspec.Struct, frozen=True):
    """Of what waits in a spoke for one reason."""

    count: int
    since: float
    """POSIX seconds; of what has waited longest."""


def waiting_since(new: Excluded) -> dict[str, ColumnElement[Any]]:
    """What waits goes on waiting, until it is delivered, or something else has to come of it than
    what kept it on purpose."""
    late_only_now = pending.c.reason.in_(_ON_PURPOSE) & new.reason.not_in(_ON_PURPOSE)
    return {"since": case((late_only_now, new.since), else_=pending.c.since)}


class PendingTable:
    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def put(self, rows: Sequence[Pending]) -> None:
        self._database.upsert(
            self._connection,
            pending,
            [
                {
                    **msgspec.structs.asdict(row),
                    "hub": self._hub,
                    "error": row.error[:256],
                    "since": 0.0,
                }
                for row in rows
            ],
            merged=waiting_since,
        )

    def by_item(self, spoke: str, ids: Sequence[str]) -> dict[str, Pending]:
        return {
            row.item: _pending(row)
            for row in _PENDING_BY_ITEM.rows(self._connection, ids, spoke=spoke)
        }

    def due(self, spoke: str, now: float, reasons: Sequence[str], count: int) -> list[Pending]:
        rows = _DUE.rows(self._connection, reasons, spoke=spoke, now=now, most=count)
        return [_pending(row) for row in rows]

    def waiting(self, now: float, due: Sequence[str], always: Sequence[str]) -> set[str]:
        """The uids of the hub's spokes that have anything pending that is due, of reasons for which
        a time counts, or of others."""
        asked = _waiting(tuple(due), tuple(always))
        return {row.spoke for row in asked.rows(self._connection, hub=self._hub, now=now)}

    def reconsider(self, spoke: str, ids: Sequence[str]) -> None:
        """Have these items looked at in the next plan, whatever the spoke's mark."""
        self.put([Pending(spoke=spoke, item=item, reason="Stale", due_at=0.0) for item in ids])

    def clear(self, spoke: str) -> None:
        self._connection.execute(delete(pending).where(pending.c.spoke == spoke))

    def remove(self, spoke: str, ids: Sequence[str]) -> None:
        _SETTLE.run(self._connection, ids, of_spoke=spoke)

    def counts(self) -> dict[str, dict[str, int]]:
        """By spoke, of all of the hub's, and reason; who has none is left out."""
        rows = self._connection.execute(
            select(pending.c.spoke, pending.c.reason, func.count())
            .where(of_hub(pending.c.spoke, self._hub))
            .group_by(pending.c.spoke, pending.c.reason)
        )
        found: dict[str, dict[str, int]] = {}
        for spoke, reason, count in rows:
            found.setdefault(str(spoke), {})[str(reason)] = int(count)
        return found

    def standing(self, now: float) -> dict[str, dict[str, Standing]]:
        """As `counts`, with the time. What was put since this was last asked waits since `now`."""
        rows = _STANDING.rows(self._connection, hub=self._hub, now=now)
        if any(row.noted == 0.0 for row in rows):
            self._connection.execute(
                update(pending)
                .where(of_hub(pending.c.spoke, self._hub), pending.c.since == 0.0)
                .values(since=now)
            )
        found: dict[str, dict[str, Standing]] = {}
        for row in rows:
            standing = Standing(int(row.found), float(row.oldest))
            found.setdefault(row.spoke, {})[row.reason] = standing
        return found

    def latest(self, spoke: str, reason: str, due_after: float) -> Pending | None:
        """Of those that wait for this reason until after that time, the one that waits longest."""
        row = self._connection.execute(
            select(pending)
            .where(
                pending.c.spoke == spoke, pending.c.reason == reason, pending.c.due_at > due_after
            )
            .order_by(pending.c.due_at.desc())
            .limit(1)
        ).first()
        return None if row is None else _pending(row)


def _pending(row: Found) -> Pending:
    return Pending(
        spoke=row.spoke,
        item=row.item,
        reason=row.reason,
        due_at=row.due_at,
        attempts=row.attempts,
        error=row.error,
    )
