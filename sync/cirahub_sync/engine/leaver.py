"""Who leaves, as a durable job of the store: what it remembers besides numbers."""

from __future__ import annotations

import msgspec

from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.report import Problem
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Job


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """Names, and how to get there."""

    hub: HubConfig
    name: str
    """Of the leaver."""
    spokes: tuple[SpokeConfig, ...] = ()
    """The leaver, or those of the hub, as far as they are known."""
    problems: tuple[Problem, ...] = ()
    """Of the last attempt."""


encoded = msgspec.msgpack.Encoder().encode
content_of = msgspec.msgpack.Decoder(Content).decode


def note(
    tx: Transaction,
    uid: str,
    content: Content,
    *,
    now: float,
    erase_at: float,
    whole_hub: bool = False,
    known: Job | None = None,
) -> None:
    """Asked again, the earlier of both times counts. `known`: the leaver's open job."""
    if known is None:
        tx.erasures.add(
            Job(
                job=uid,
                hub=tx.hub,
                whole_hub=whole_hub,
                requested_at=now,
                erase_at=erase_at,
                content=encoded(content),
            )
        )
    elif erase_at < known.erase_at:
        tx.erasures.update(known.number, erase_at=erase_at)
