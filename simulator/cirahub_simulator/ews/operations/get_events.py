"""GetEvents: [MS-OXWSNTIF] 3.1.4.2."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.markup import Element, text_of
from cirahub_simulator.ews.messages import message
from cirahub_simulator.ews.notification import pull
from cirahub_simulator.ews.subscription import read_watermark


def answer(call: Call) -> list[Element]:
    """The one message."""

    def do() -> Iterator[Element]:
        found = call.world.subscriptions.find(
            text_of(child(call.request, "m:SubscriptionId")),
            call.user.id,
            call.world.clock.time(),
        )
        if found.patience is None:
            raise EwsError(
                "ErrorInvalidPullSubscriptionId", "The subscription is none that is asked."
            )
        mark = text_of(child(call.request, "m:Watermark"))
        yield pull(found, read_watermark(found.mailbox, mark))

    return [message("GetEvents", do)]
