"""Subscriptions: where a service is asked to tell of changes, at the end of a pass.

What is told is a hint (see `notifications`), so nothing here holds up a spoke: what is refused is
told with it, and tried again with growing pauses, while the spoke is read at its interval as ever.
A spoke is subscribed to once it has been read whole, and is looked at once more then: what happened
between that reading and the first notification is seen by that.
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import msgspec

from cirahub_sync.configuration import ConnectionConfig
from cirahub_sync.endpoints.base import Target
from cirahub_sync.endpoints.subscriptions import (
    Granted,
    Refusal,
    Refused,
    Subscriptions,
    Wanted,
)
from cirahub_sync.engine.context import PassContext, SpokeRun, digest
from cirahub_sync.engine.report import Problem
from cirahub_sync.errors import CirahubError, KeyUnavailableError, LeaseLostError, StoreError
from cirahub_sync.store.notifications import Subscription, digest_of

log = logging.getLogger(__name__)

RENEWED_AT = 2 / 3
"""Of a subscription's life."""
FIRST_PAUSE = 300.0
LONGEST_PAUSE = 6 * 3600.0
_SECRET_BYTES = 32
_REMEDIES: Mapping[str, str] = {
    Refusal.DENIED: "let the application read what the spoke reads, and see that there are not too "
    "many subscriptions there",
    Refusal.REFUSED: "see that the service reaches the address of --notifications-url "
    "(docs/notifications.md)",
    Refusal.EXISTS: "another subscription of this application tells of the same, elsewhere; give "
    "each installation an application of its own",
    Refusal.GONE: "what it is about is no more, or not any more where it was",
    Refusal.UNAVAILABLE: "the service does not answer, or asks to wait",
}


async def tend_subscriptions(context: PassContext) -> None:
    """Make, renew and end them. In a pass over what was told of, only those which it was told of
    that are due."""
    if context.dry or context.erasing:
        return
    with context.store.read() as tx:
        rows = tx.subscriptions.all()
        if not (rows or context.notifications):
            return
        read = tx.cursors.settled()
    for one in await _sorted(context, rows, read):
        try:
            await one.tend()
        except (LeaseLostError, StoreError, KeyUnavailableError):
            raise
        except CirahubError as error:
            log.info("connection %s: its subscriptions wait: %s", one.connection.uid, error)
    _tell(context)


async def unsubscribe(context: PassContext, runs: Sequence[SpokeRun]) -> None:
    """Nothing is to be told of these any more. What can't be ended now ends by itself."""
    with context.store.read() as tx:
        rows = tx.subscriptions.all()
    by_connection: dict[str, list[SpokeRun]] = {}
    for run in runs:
        if run.uid in rows:
            by_connection.setdefault(run.config.connection.uid, []).append(run)
    for those in by_connection.values():
        try:
            work = await _opened(context, those[0].config.connection)
            if work is not None:
                work.ending += [rows[run.uid] for run in those]
                await work.tend()
        except (LeaseLostError, StoreError, KeyUnavailableError):
            raise
        except CirahubError as error:
            log.info("%d subscriptions end by themselves: %s", len(those), error)
    with context.store.write() as tx:
        tx.subscriptions.remove([run.uid for run in runs if run.uid in rows])


async def _sorted(
    context: PassContext, rows: Mapping[str, Subscription], read: frozenset[str]
) -> list[_Connection]:
    """What there is to do, by connection."""
    works: dict[str, _Connection | None] = {}
    now, url = context.clock(), digest(context.notifications)
    for run in context.runs:
        row = rows.get(run.uid)
        if not run.registered or run.failed or run.row.target is None:
            continue
        if context.notified_only and (run.uid not in context.notified or row is None):
            continue
        wants = bool(context.notifications) and run.config.direction.contributes
        if row is None and not (wants and run.uid in read):
            continue
        connection = run.config.connection
        if connection.uid not in works:
            try:
                works[connection.uid] = await _opened(context, connection)
            except (LeaseLostError, StoreError, KeyUnavailableError):
                raise
            except CirahubError as error:
                log.info("connection %s: no subscriptions: %s", connection.uid, error)
                works[connection.uid] = None
        work = works[connection.uid]
        if work is None:
            continue
        target = Target(*run.row.target.split("/", 2))
        resources = work.subscriptions.resources(run.config, target) if wants else ()
        stands = row is not None and row.connection == connection.uid and row.url == url
        if row is not None and not (stands and row.resource in resources):
            work.ending.append(row)
            row = None
        if not resources:
            continue
        if row is None:
            work.wanting[run.uid] = Subscription(
                spoke=run.uid, connection=connection.uid, resource=resources[0], url=url
            )
            work.resources[run.uid] = resources
        elif row.due_at <= now and row.active(now):
            work.renewing.append(row)
        elif row.due_at <= now:
            work.wanting[run.uid] = row
        work.resources[run.uid] = resources
    return [one for one in works.values() if one is not None]


async def _opened(context: PassContext, connection: ConnectionConfig) -> _Connection | None:
    found = await context.open_subscriptions(connection, context.store.fence)
    return None if found is None else _Connection(context, connection, found)


class _Connection:
    """What there is to do through one connection."""

    def __init__(
        self, context: PassContext, connection: ConnectionConfig, subscriptions: Subscriptions
    ) -> None:
        self.connection = connection
        self.subscriptions = subscriptions
        self.ending: list[Subscription] = []
        self.renewing: list[Subscription] = []
        self.wanting: dict[str, Subscription] = {}
        self.resources: dict[str, Sequence[str]] = {}
        """Of each spoke, in the order in which they are tried."""
        self._context = context

    async def tend(self) -> None:
        await self._end()
        await self._renew()
        await self._create()

    async def _end(self) -> None:
        if not self.ending:
            return
        ids = [row.subscription for row in self.ending if row.subscription]
        with self._context.store.write() as tx:
            tx.subscriptions.remove([row.spoke for row in self.ending])
        if ids:
            await self.subscriptions.end(ids)

    async def _renew(self) -> None:
        if not self.renewing:
            return
        answers = await self.subscriptions.renew([row.subscription for row in self.renewing])
        kept: list[Subscription] = []
        for row, answer in zip(self.renewing, answers, strict=True):
            if isinstance(answer, Granted):
                kept.append(self._granted(row, answer))
            elif answer.why is Refusal.GONE:
                self.wanting[row.spoke] = msgspec.structs.replace(row, subscription="")
            else:
                kept.append(self._refused(row, answer))
        with self._context.store.write() as tx:
            tx.subscriptions.put(kept)

    async def _create(self) -> None:
        """A resource that is not taken is tried in its other form at once. What stands in the way
        and tells at our own address was left by an answer that was lost, or by a store that was:
        it goes."""
        asked = {spoke: self._of(row, 0) for spoke, row in self.wanting.items()}
        refused = await self._ask(asked)
        others = {
            spoke: self._of(asked[spoke], 1)
            for spoke, answer in refused.items()
            if answer.why is Refusal.REFUSED and len(self.resources[spoke]) > 1
        }
        asked |= others
        refused = _without(refused, others) | await self._ask(others)
        doubled = {
            spoke: asked[spoke] for spoke, answer in refused.items() if answer.why is Refusal.EXISTS
        }
        if doubled and await self._clear({row.resource for row in doubled.values()}):
            refused = _without(refused, doubled) | await self._ask(doubled)
        with self._context.store.write() as tx:
            tx.subscriptions.put(
                [self._refused(asked[spoke], answer) for spoke, answer in refused.items()]
            )

    def _of(self, row: Subscription, form: int) -> Subscription:
        return msgspec.structs.replace(row, resource=self.resources[row.spoke][form])

    async def _ask(self, rows: Mapping[str, Subscription]) -> dict[str, Refused]:
        """Make these, and remember those that were made. The others, by spoke."""
        if not rows:
            return {}
        wanted = {
            spoke: Wanted(row.resource, secrets.token_urlsafe(_SECRET_BYTES))
            for spoke, row in rows.items()
        }
        url = self._context.notifications
        answers = await self.subscriptions.create(list(wanted.values()), url=url)
        refused: dict[str, Refused] = {}
        made: list[Subscription] = []
        for (spoke, one), answer in zip(wanted.items(), answers, strict=True):
            if isinstance(answer, Granted):
                secret = digest_of(one.secret)
                row = msgspec.structs.replace(rows[spoke], secret=secret)
                made.append(self._granted(row, answer))
            else:
                refused[spoke] = answer
        with self._context.store.write() as tx:
            tx.subscriptions.put(made)
            tx.notified.record([row.spoke for row in made], self._context.clock())
        return refused

    async def _clear(self, resources: Collection[str]) -> bool:
        """End what tells of these at our address and nobody here knows. Whether there was any."""
        standing = await self.subscriptions.standing(self._context.notifications)
        ids = [id_ for each in resources for id_ in standing.get(each, ())]
        with self._context.store.read() as tx:
            known = tx.subscriptions.known(ids)
        left = [id_ for id_ in ids if id_ not in known]
        if left:
            await self.subscriptions.end(left)
        return bool(left)

    def _granted(self, row: Subscription, answer: Granted) -> Subscription:
        now = self._context.clock()
        return msgspec.structs.replace(
            row,
            subscription=answer.id,
            expires=answer.expires,
            due_at=now + (answer.expires - now) * RENEWED_AT,
            attempts=0,
            reason="",
            error="",
        )

    def _refused(self, row: Subscription, answer: Refused) -> Subscription:
        log.info("spoke %s: no subscription: %s: %s", row.spoke, answer.why, answer.error)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(row.attempts, 16))
        return msgspec.structs.replace(
            row,
            due_at=self._context.clock() + pause,
            attempts=row.attempts + 1,
            reason=answer.why.value,
            error=answer.error.partition(" request ")[0][:256],
        )


def _without(refused: Mapping[str, Refused], others: Collection[str]) -> dict[str, Refused]:
    return {spoke: answer for spoke, answer in refused.items() if spoke not in others}


def _tell(context: PassContext) -> None:
    with context.store.read() as tx:
        rows = tx.subscriptions.all()
    now = context.clock()
    counts = Counter("active" if row.active(now) else "refused" for row in rows.values())
    context.report.subscriptions = dict(counts)
    for run in context.runs:
        row = rows.get(run.uid)
        if row is None or not row.attempts:
            continue
        if not (row.reason == Refusal.UNAVAILABLE and row.active(now)):
            remedy = _REMEDIES.get(row.reason, "")
            run.report.unsubscribed = Problem(
                row.reason,
                f"the service does not tell of changes here ({row.error}): {remedy}; the spoke is "
                "read at its hub's interval meanwhile",
            )
