"""Subscribe and Unsubscribe: [MS-OXWSNTIF] 3.1.4.6 and 3.1.4.7.

Push subscriptions, for which the server calls its client, are not simulated.
"""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.errors import EwsError, not_supported
from cirahub_simulator.ews.markup import (
    Element,
    children,
    element,
    find,
    is_true,
    local_name,
    text_of,
)
from cirahub_simulator.ews.messages import message
from cirahub_simulator.ews.subscription import read_watermark, write_watermark
from cirahub_simulator.graph.mailbox import Mailbox


def subscribe(call: Call) -> list[Element]:
    """The one message."""
    return [message("Subscribe", lambda: _subscribe(call))]


def _subscribe(call: Call) -> Iterator[Element]:
    (given,) = children(call.request)
    if local_name(given) == "PushSubscriptionRequest":
        raise not_supported("a push subscription")
    mailbox, folders = _places(call, given)
    mark = find(given, "t:Watermark")
    timeout = find(given, "t:Timeout")
    position = mailbox.sequence if mark is None else read_watermark(mailbox, text_of(mark))
    made = call.world.subscriptions.add(
        user_id=call.user.id,
        mailbox=mailbox,
        folders=folders,
        events=frozenset(text_of(node) for node in children(child(given, "t:EventTypes"))),
        position=position,
        patience=None if timeout is None else 60.0 * int(text_of(timeout)),
        now=call.world.clock.time(),
    )
    yield element("m:SubscriptionId", made.id)
    if made.patience is not None:
        yield element("m:Watermark", write_watermark(mailbox, position))


def _places(call: Call, given: Element) -> tuple[Mailbox, frozenset[str] | None]:
    """The mailbox, and the ids of its folders that are meant; None: all."""
    ids = find(given, "t:FolderIds")
    whole = is_true(given.get("SubscribeToAllFolders"))
    if whole == (ids is not None):
        raise EwsError(
            "ErrorInvalidSubscriptionRequest",
            "A subscription is to FolderIds or to all folders.",
        )
    if ids is None:
        return call.own_mailbox(), None
    found = [call.folder_of(node) for node in children(ids)]
    if len({id(mailbox) for mailbox, _ in found}) != 1:
        raise EwsError("ErrorInvalidSubscriptionRequest", "The folders are not of one mailbox.")
    return found[0][0], frozenset(folder.id for _, folder in found)


def unsubscribe(call: Call) -> list[Element]:
    """The one message."""

    def do() -> Iterator[Element]:
        wanted = text_of(child(call.request, "m:SubscriptionId"))
        held = call.world.subscriptions
        held.remove(held.find(wanted, call.user.id, call.world.clock.time()))
        yield from ()

    return [message("Unsubscribe", do)]
