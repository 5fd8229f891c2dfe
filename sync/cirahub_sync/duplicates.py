"""Contacts that may be one and the same, as people see them: items of a hub that have a key of
`matchOn` in common. They stay apart until somebody merges them.

Hub after hub of a store, by the configuration of the hub's last pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.context import digest
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.kind import as_contact
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.opening import Store

_hub = msgspec.msgpack.Decoder(HubConfig).decode
_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode


class Twin(msgspec.Struct, frozen=True, kw_only=True):
    item: str
    spokes: Sequence[str]
    """Who contributes it: `namespace/name`."""
    content: Contact
    """Personal data."""


class Twins(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    """Changes when another item gets the key, or one loses it."""
    hub: str
    """`namespace/name`."""
    inside: Sequence[str]
    """Spokes that contribute several of the items: duplicates of their users'."""
    items: Sequence[Twin]


def twins(store: Store) -> list[Twins]:
    """Of all hubs of the store."""
    found: list[Twins] = []
    for uid in store.hubs():
        with store.hub(uid).read() as tx:
            kept = tx.configurations.get(uid)
            groups = tx.twins.groups() if kept is not None else []
            if kept is None or not groups:
                continue
            name, names = _hub(kept).name, names_of(tx)
            found += [_told(tx, name, names, group) for group in groups]
    return found


def names_of(tx: Transaction) -> dict[str, str]:
    """Of the hub's spokes, `namespace/name` by uid."""
    spokes = tx.spokes()
    return {
        uid: _spoke(content).name
        for uid, content in tx.configurations.all().items()
        if uid in spokes
    }


def _told(tx: Transaction, hub: str, names: dict[str, str], group: Sequence[str]) -> Twins:
    content = tx.items.get(group)
    owners = {
        item: sorted(
            {
                names.get(shadow.spoke, shadow.spoke)
                for shadow in shadows
                if shadow.native and shadow.admitted
            }
        )
        for item, shadows in tx.shadows.by_item(group).items()
    }
    times = Counter(name for spokes in owners.values() for name in spokes)
    return Twins(
        id=digest(hub, group)[:12],
        hub=hub,
        inside=sorted(name for name, count in times.items() if count > 1),
        items=[
            Twin(item=item, spokes=owners[item], content=as_contact(content[item].content))
            for item in group
        ],
    )
