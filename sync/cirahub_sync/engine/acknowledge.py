"""What a write that surely took effect leaves in the store."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cirahub_sync.endpoints.base import RemoteItem, attempt_of
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.model.kind import Content, kind_of
from cirahub_sync.model.limits import changed_fields
from cirahub_sync.store.delivery import Origin
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import UNKNOWN_FINGERPRINT, Replica, ReplicaState, Shadow


class Delivery(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A create or update that was answered: what was meant, and what the service made of it."""

    item: str
    seq: int
    native: bool
    desired: Content
    fingerprint: bytes
    before: Content | None
    answer: RemoteItem
    key: str = ""
    """The stamp that it was created with; blank for an update."""
    whole: bool = True
    """Whether all of it took effect; else it counts as unlike what was meant."""
    exact: bool = False
    """Whether the answer shows what was meant just now, of which `fingerprint` is."""


def acknowledge(
    context: PassContext, run: SpokeRun, tx: Transaction, deliveries: list[Delivery]
) -> None:
    replicas: list[Replica] = []
    shadows: list[Shadow] = []
    now = context.clock()
    earlier = (
        tx.shadows.by_remote(run.uid, [delivery.answer.id for delivery in deliveries])
        if run.config.direction.contributes
        else {}
    )
    origins = tx.replicas.origins(run.uid, [delivery.item for delivery in deliveries])
    for delivery in deliveries:
        answer = delivery.answer
        content, etag = _acknowledged(delivery)
        replicas.append(
            Replica(
                spoke=run.uid,
                item=delivery.item,
                remote=answer.id,
                native=delivery.native,
                state=ReplicaState.LIVE,
                etag=etag,
                fingerprint=delivery.fingerprint if delivery.whole else UNKNOWN_FINGERPRINT,
                acknowledged=_fingerprint(context, run, delivery),
                delivered_seq=delivery.seq,
                attempt=_attempt(delivery, origins),
            )
        )
        if run.config.direction.contributes:
            shadow = earlier.get(answer.id)
            shadows.append(
                Shadow(
                    spoke=run.uid,
                    remote=answer.id,
                    item=delivery.item,
                    native=delivery.native,
                    admitted=True,
                    etag=etag,
                    modified=answer.modified,
                    acknowledged_at=now,
                    round=None,
                    content=content,
                    own=shadow.own if shadow is not None else OwnEdits(),
                )
            )
    tx.replicas.put(replicas, before=origins)
    tx.shadows.put(shadows)


def _attempt(delivery: Delivery, origins: Mapping[str, Origin]) -> str:
    """An update leaves it as it was; what is the spoke's own came from none."""
    if delivery.key or delivery.native or delivery.item not in origins:
        return attempt_of(delivery.key)
    return origins[delivery.item].attempt


def _fingerprint(context: PassContext, run: SpokeRun, delivery: Delivery) -> bytes:
    """Of what the service made of it: mostly what was meant."""
    if delivery.exact and not run.receives.blends:
        return delivery.fingerprint
    return context.fingerprint(delivery.answer.content)


def _acknowledged(delivery: Delivery) -> tuple[Content, str]:
    """The content and etag to remember. A field that we did not send but that differs from what
    was there before was changed by somebody else in the meantime: it is left out, with its etag,
    so that the next delta shows it as the edit it is."""
    answer = delivery.answer
    before = delivery.before
    if before is None:
        return answer.content, answer.etag
    sent = set(changed_fields(before, delivery.desired))
    meanwhile = {
        field: getattr(before, field)
        for field in kind_of(before).fields
        if field not in sent and getattr(before, field) != getattr(answer.content, field)
    }
    if not meanwhile:
        return answer.content, answer.etag
    return msgspec.structs.replace(answer.content, **meanwhile), ""
