"""Registration: the store's spokes in line with the configuration, at the beginning of a pass."""

from __future__ import annotations

import msgspec

from cirahub_sync.configuration import Adopt, HubConfig, PrivateItems
from cirahub_sync.engine.comeback import (
    Leavers,
    apply_changes,
    hub_comes_back,
    spoke_comes_back,
)
from cirahub_sync.engine.context import PassContext, SpokeRun, digest, problem_of
from cirahub_sync.engine.keys import spoken_at
from cirahub_sync.engine.rejudge import forget_fields
from cirahub_sync.engine.report import Problem
from cirahub_sync.errors import ConfigurationError, ErasureUnderWayError
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Spoke

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(HubConfig).decode


def register(context: PassContext) -> None:
    """New spokes join at the end, or in the place of one that leaves; one whose flow changed is
    judged anew. Configuration is kept, for the time when it can't be asked for any more. Raises
    ErasureUnderWayError if the hub itself is being erased, ConfigurationError if an earlier hub of
    this name held items of another kind."""
    with context.store.write() as tx:
        context.withdrawn = tx.withdrawals.all()
        if not context.erasing:
            _check_kind(tx, context)
        jobs = {} if context.erasing else tx.erasures.open()
        hub_comes_back(tx, context, jobs)
        rows = tx.spokes()
        leavers = Leavers(jobs, rows)
        rank = max((row.rank for row in rows.values()), default=-1)
        for run in sorted(context.runs, key=lambda run: (run.config.name, run.uid)):
            row = rows.get(run.uid)
            if jobs:
                try:
                    row = spoke_comes_back(tx, context, run, leavers, rows)
                except ErasureUnderWayError as error:
                    run.fail(problem_of(error))
                    continue
            if row is None and tx.hub_of(run.uid) is not None:
                run.fail(_elsewhere(run))
                continue
            keys = _keys(context, run)
            if row is None:
                rank += 1
                row = _new(context, run, rank, *keys)
                tx.add_spoke(row)
            run.row = row
            run.registered = True
            if run.never_sync and row.contributes_key != keys[0]:
                forget_fields(context, tx, run)
            apply_changes(tx, run, *keys)
        if not context.erasing:
            _keep(tx, context)


def _check_kind(tx: Transaction, context: PassContext) -> None:
    hub = context.hub
    kept = tx.configurations.get(hub.uid)
    if kept is None or _decode(kept).item_kind is hub.item_kind:
        return
    raise ConfigurationError(
        f"hub {hub.name}: an earlier hub of this name held items of another kind, which are not "
        "erased yet; wait for that (see cirahub erase --list), or give this one another name"
    )


def enrol(context: PassContext) -> None:
    """The rows of those that leave, as they are."""
    with context.store.write() as tx:
        rows = tx.spokes()
        rank = max((row.rank for row in rows.values()), default=-1)
        for run in context.runs:
            if run.uid not in rows:
                rank += 1
                rows[run.uid] = _new(context, run, rank, *_keys(context, run))
                tx.add_spoke(rows[run.uid])
            run.row = rows[run.uid]
            run.registered = True


def _keep(tx: Transaction, context: PassContext) -> None:
    kept = {run.uid: _encode(run.config) for run in context.runs if run.registered}
    kept[context.hub.uid] = _encode(context.hub)
    tx.configurations.keep(kept)


def _keys(context: PassContext, run: SpokeRun) -> tuple[str, str]:
    """Digests of what decides about the spoke's contributions, and about what it receives."""
    contributes = digest(
        run.config.direction.contributes,
        run.contributes.key,
        run.config.contributes.filter,
        context.hub.match_on,
        spoken_at(run.config, context.hub, native=True),
        *([] if run.config.adopt is Adopt.MATCH else [run.config.adopt]),
        *([] if run.config.private_items is PrivateItems.SKIP else [run.config.private_items]),
        *sorted(run.never_sync),
    )
    receives = digest(
        run.config.direction.receives,
        run.receives.key,
        run.config.receives.filter,
        *([] if context.span is None else [context.hub.window]),
        *([] if run.hide is None else [run.hide]),
    )
    return contributes, receives


def _new(
    context: PassContext, run: SpokeRun, rank: int, contributes_key: str, receives_key: str
) -> Spoke:
    return Spoke(
        uid=run.uid,
        rank=rank,
        place=run.place,
        target=None,
        contributes_key=contributes_key,
        receives_key=receives_key,
        mark=0,
        verified_at=0.0,
        joined_at=context.clock(),
        allowed=0,
    )


def _elsewhere(run: SpokeRun) -> Problem:
    return Problem(
        "InvalidConfiguration",
        f"spoke {run.config.name} belonged to another hub before, where what it contributed still "
        "is; erase it there first, or give it another name",
        stalled=True,
    )
