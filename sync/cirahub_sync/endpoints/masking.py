"""An endpoint that shows of its owner's private events when they are, and nothing else: what they
are about goes no further than here, so that nothing can keep it."""

from __future__ import annotations

import msgspec

from cirahub_sync.endpoints.base import RemoteItem
from cirahub_sync.endpoints.withholding import Withholding
from cirahub_sync.model.event import INNER, Event, Role, private

_replace = msgspec.structs.replace
_NOTHING: dict[str, str] = dict.fromkeys(INNER, "")


class Masking(Withholding):
    """Implements `endpoints.base.Endpoint` over another one, and withholds fields as that does."""

    def _item(self, item: RemoteItem) -> RemoteItem:
        content = item.content
        if isinstance(content, Event) and private(content) and not item.stamp:
            item = _replace(item, content=masked(content))
        return super()._item(item)


def masked(event: Event) -> Event:
    """Only its time, and that it moves or is cancelled; read-only from then on, since what would be
    written there is not what is there."""
    exceptions = (_replace(one, **_NOTHING) for one in event.exceptions)
    return _replace(
        event,
        **_NOTHING,
        exceptions=tuple(one for one in exceptions if one.says),
        role=event.role or Role.MASKED.value,
        categories=(),
    )
