"""What leaves for one judgement: the intent that is durable before, the operation itself, and
what of it has arrived."""

from __future__ import annotations

import os
from typing import NamedTuple

from cirahub_sync.endpoints.base import (
    Create,
    Delete,
    Endpoint,
    Operation,
    RemoteItem,
    Stamp,
    Update,
)
from cirahub_sync.engine.acknowledge import Delivery
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.plan import Encoder, Judgement
from cirahub_sync.store.rows import Action, Intent


def intent_of(context: PassContext, run: SpokeRun, judgement: Judgement) -> Intent:
    """Of a judgement with an action. Each is an attempt of its own, with a key of its own."""
    assert judgement.action is not None
    attempt = f"{int(context.clock() * 1000):012x}{os.urandom(2).hex()}"
    stamp = Stamp(context.installation, context.hub.uid, judgement.item, run.uid, attempt)
    return Intent(
        key=str(stamp)
        if judgement.action is Action.CREATE
        else f"{judgement.action.value}/{run.uid}/{judgement.item}/{attempt}",
        spoke=run.uid,
        item=judgement.item,
        action=judgement.action,
        remote=judgement.remote,
        item_seq=judgement.seq,
        fingerprint=judgement.fingerprint,
        abandoned=False,
        created_at=context.clock(),
    )


def operation_of(
    run: SpokeRun, judgement: Judgement, intent: Intent, endpoint: Endpoint, encoder: Encoder
) -> Operation:
    if judgement.action is Action.DELETE:
        return Delete(
            id=judgement.remote,
            etag=judgement.etag,
            permanent=judgement.permanent and endpoint.capabilities.permanent_delete,
        )
    body = encoder.body(run, judgement, endpoint)
    if judgement.action is Action.CREATE:
        return Create(key=intent.key, body=body)
    return Update(id=judgement.remote, etag=judgement.etag, body=body)


class Letter(NamedTuple):
    """One attempt at what a judgement asks for."""

    judgement: Judgement
    intent: Intent
    operation: Operation


def letter_of(
    context: PassContext, run: SpokeRun, judgement: Judgement, endpoint: Endpoint, encoder: Encoder
) -> Letter:
    """Of a judgement with an action."""
    intent = intent_of(context, run, judgement)
    return Letter(judgement, intent, operation_of(run, judgement, intent, endpoint, encoder))


def delivery_of(
    judgement: Judgement, intent: Intent, answer: RemoteItem, *, whole: bool
) -> Delivery:
    """Of a create or update that was answered; `whole`: no part of it is missing."""
    return Delivery(
        item=judgement.item,
        seq=judgement.seq,
        native=judgement.native,
        desired=judgement.desired,
        fingerprint=judgement.fingerprint,
        before=judgement.before,
        answer=answer,
        key=intent.key if judgement.action is Action.CREATE else "",
        whole=whole,
        exact=answer.content == judgement.desired,
    )
