"""Match keys: by what contacts are recognised at first sight, and items found.

An item's keys are those of its content. A phone number that was written without a country code is
read in the region of the spoke that said it, so that it is one number wherever it comes from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cirahub_sync.configuration import Adopt, HubConfig, SpokeConfig
from cirahub_sync.engine.context import PassContext, SpokeRun, digest
from cirahub_sync.engine.inputs import inputs_of
from cirahub_sync.engine.rules import FoldInput
from cirahub_sync.model.contact import Phone
from cirahub_sync.model.kind import Content
from cirahub_sync.model.normalise import match_keys
from cirahub_sync.store.hub import Transaction

CHUNK = 400
_NORMALISATION = 3
"""Of keys: the version. Another one has them all made anew."""
_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode


def spoken_at(spoke: SpokeConfig, hub: HubConfig, *, native: bool) -> str:
    """The region of the phone numbers that the hub has of the spoke's own items, or of its edits
    of copies. A mapping that formats them has made them the hub's."""
    flow = spoke.contributes if native else spoke.receives
    if any(rule.phone_format is not None for rule in flow.mapping):
        return hub.default_region
    return spoke.default_region or hub.default_region


def contact_digests(
    context: PassContext, run: SpokeRun, tx: Transaction, content: Content
) -> list[bytes]:
    """Of a spoke's own item, most trusted first; none if it is to match nothing."""
    if run.config.adopt is Adopt.NEVER:
        return []
    keys = match_keys(
        run.contributes.to_hub(content),
        context.hub.match_on,
        spoken_at(run.config, context.hub, native=True),
    )
    return [tx.cipher.match_digest(key) for key in keys]


def item_digests(
    context: PassContext, tx: Transaction, content: Content, inputs: Sequence[FoldInput]
) -> list[bytes]:
    """Of a hub item that was folded from these; none if only such spokes contribute it whose
    contacts nothing is to match."""
    spokes = configured_in(context, tx)
    natives = [spokes.get(one.spoke) for one in inputs if one.native]
    if natives and all(one is not None and one.adopt is Adopt.NEVER for one in natives):
        return []
    hub = context.hub
    keys = match_keys(content, hub.match_on, hub.default_region, _spoken(context, spokes, inputs))
    return [tx.cipher.match_digest(key) for key in keys]


def configured_in(context: PassContext, tx: Transaction) -> Mapping[str, SpokeConfig]:
    """By uid, the spokes that have a region of their own, or are not to be matched. One that can't
    take part is as it was."""
    if context.configured is None:
        found = {run.uid: run.config for run in context.runs}
        for uid in tx.spokes():
            kept = None if uid in found else tx.configurations.get(uid)
            if kept is not None:
                found[uid] = _spoke(kept)
        context.configured = {
            uid: config
            for uid, config in found.items()
            if config.default_region or config.adopt is Adopt.NEVER
        }
    return context.configured


async def renew_keys(context: PassContext) -> None:
    """Make all keys anew if they are made in another way than these were. Nothing is matched by
    that: items that have one key from now on stay apart, those that have none any more stay one.
    A process that dies on the way begins again."""
    if context.erasing:
        return
    key = digest(_NORMALISATION, context.hub.match_on, context.hub.default_region)
    with context.store.read() as tx:
        if tx.keys_key() == key:
            return
    after = ""
    while True:
        with context.store.write() as tx:
            items = tx.items.by_id(after, CHUNK)
            if not items:
                tx.set_keys_key(key)
                if after:
                    tx.next_seq()  # what was counted by the old keys counts no more
                return
            inputs = inputs_of(context, tx, [item.id for item in items])
            tx.items.set_match_keys(
                {
                    item.id: item_digests(context, tx, item.content, inputs[item.id])
                    for item in items
                }
            )
        after = items[-1].id
        await asyncio.sleep(0)


def _spoken(
    context: PassContext, spokes: Mapping[str, SpokeConfig], inputs: Iterable[FoldInput]
) -> dict[Phone, str] | None:
    if "phone" not in context.hub.match_on or not spokes:
        return None
    found: dict[Phone, str] = {}
    for one in inputs:
        config = spokes.get(one.spoke)
        region = context.hub.default_region
        if config is not None:
            region = spoken_at(config, context.hub, native=one.native)
        for edit in one.own.elements.get("phones", {}).values():
            if isinstance(edit.element, Phone):
                found.setdefault(edit.element, region)
    return found
