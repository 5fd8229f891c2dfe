"""GetStreamingEvents: [MS-OXWSNTIF] 3.1.4.3.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-stream-notifications-about-mailbox-events-by-using-ews-in-exchange:
one answer that stays open for ConnectionTimeout minutes, an envelope for each piece of news, the
first at once and the last with the ConnectionStatus Closed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.envelope import error_message, success, write_answer
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.markup import Element, add, children, element, text_of
from cirahub_simulator.ews.notification import stream
from cirahub_simulator.ews.subscription import Subscription

_TAG = "m:GetStreamingEventsResponseMessage"
_HEARTBEAT = 45.0
"""Seconds after which an idle client is told that the connection stands. How many is not said."""


class Streaming(NamedTuple):
    """An answer that goes on."""

    first: bytes
    rest: AsyncIterator[bytes] | None


def answer(call: Call) -> Streaming:
    """The first envelope, and those that follow."""
    found: list[Subscription] = []
    for node in children(child(call.request, "m:SubscriptionIds")):
        try:
            found.append(_find(call, text_of(node)))
        except EwsError as error:
            refusal = error_message(element(_TAG), error)
            add(add(refusal, "m:ErrorSubscriptionIds"), "t:SubscriptionId", text_of(node))
            return Streaming(_envelope(refusal), None)
    minutes = int(text_of(child(call.request, "m:ConnectionTimeout")))
    return Streaming(_envelope(_status("OK")), _follow(call, found, 60.0 * minutes))


def _find(call: Call, wanted: str) -> Subscription:
    found = call.world.subscriptions.find(wanted, call.user.id, call.world.clock.time())
    if found.patience is not None:
        raise EwsError("ErrorInvalidSubscription", "The subscription does not stream.")
    return found


async def _follow(
    call: Call, subscriptions: list[Subscription], patience: float
) -> AsyncIterator[bytes]:
    world = call.world
    namespace = world.switches.stream_notification
    end = world.clock.time() + patience
    while (left := end - world.clock.time()) > 0:
        news = [one for each in subscriptions if (one := stream(each, namespace)) is not None]
        if news:
            told = success(_TAG)
            add(told, "m:Notifications").extend(news)
            yield _envelope(told)
            continue
        before = world.clock.time()
        await world.pulse.wait(min(left, _HEARTBEAT))
        if before + _HEARTBEAT <= world.clock.time() < end:
            yield _envelope(_status("OK"))
    yield _envelope(_status("Closed"))


def _status(text: str) -> Element:
    made = success(_TAG)
    add(made, "m:ConnectionStatus", text)
    return made


def _envelope(told: Element) -> bytes:
    root = element("m:GetStreamingEventsResponse")
    add(root, "m:ResponseMessages").append(told)
    return write_answer(root)
